"""Rows of others that must become durable together with entries: stored in the transaction of their batch, or not at all.

The ledger does not know what they are. Whoever uses this keeps tables in the ledger's own database, and hands in

    Statement("INSERT INTO pigeon (ring, loft) VALUES {rows} ON CONFLICT DO NOTHING", "(?, ?)", ("B-7", 3))

beside drafts. Rows of one statement are written at once (a step of SQLite each would wait for a busy event loop each),
in the order in which they were handed in.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any, NamedTuple

_VALUES = 16_000  # in one statement; SQLite takes 32 766, PostgreSQL 65 535


class Statement(NamedTuple):
    """One row for one statement; both engines MUST understand it, with `?` where a value stands.

    It MUST NOT fail on its values (ON CONFLICT DO NOTHING, UPDATE … FROM (VALUES {rows})): a statement that fails takes the
    whole batch along, also what others recorded. Values MUST hold nothing that may not lie unsealed in the database.
    """

    sql: str  # with {rows} where the rows stand
    row: str  # the shape of one, e.g. "(?, CAST(? AS bigint))"
    values: tuple[Any, ...]


def joined(statements: Sequence[Statement]) -> Iterator[tuple[str, list[Any]]]:
    """What to execute, in order: rows that follow each other and go the same way, together.

    >>> list(joined([Statement("INSERT INTO t VALUES {rows}", "(?)", (n,)) for n in (1, 2)]))
    [('INSERT INTO t VALUES (?),(?)', [1, 2])]
    """
    for (sql, row), group in groupby(statements, key=lambda one: (one.sql, one.row)):
        some = list(group)
        step = max(1, _VALUES // max(1, len(some[0].values)))
        for start in range(0, len(some), step):
            rows = some[start : start + step]
            yield sql.replace("{rows}", ",".join([row] * len(rows))), [value for one in rows for value in one.values]
