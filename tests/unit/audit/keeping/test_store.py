"""What keeping changes beside the leaves, over both engines; and ledgers of schema 1 that are brought to ours."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest

from audit import FileKeyRing, Store, UnsafeStore, open_entry, open_store
from audit.entry import prepare
from audit.seal import Sealer
from audit.store import Writer
from tests.unit.audit.kit import ENGINES, NOON, SHARD, a_full_draft, engine_url

MONTH = 31 * 24 * 3_600_000_000
FAR = 2**52
A, B, C, D = (bytes([letter]) * 16 for letter in b"ABCD")


@pytest.fixture(params=ENGINES)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    with engine_url(request.param, tmp_path) as place:
        yield place


@pytest.fixture
def writer(store: Store) -> Iterator[Writer]:
    opened = store.writer(SHARD)
    yield opened
    opened.close()


@pytest.fixture
def write(writer: Writer, keyring: FileKeyRing) -> Callable[..., int]:
    sealer = Sealer(keyring)

    def write_(ts: int = NOON, type: str = "intent", **changes: Any) -> int:
        index = writer.size()
        writer.append([prepare(a_full_draft(type=type, **changes), sealer, ts)], index)
        return index

    return write_


def rows_of(store: Store, shard: str = SHARD) -> list[int]:
    return [stored.index for stored in store.read(shard) if store.sealed(shard, stored.index)]


def test_each_class_of_each_month_is_listed_once(store: Store, write: Callable[..., int]) -> None:
    for ts, retention in ((NOON, "Y10"), (NOON, "M6"), (NOON, "Y10"), (NOON + MONTH, "Y10")):
        write(ts, retention=retention)

    assert [("M6", 202611), ("Y10", 202611), ("Y10", 202612)] == store.kept()


def test_entries_are_counted_not_their_rows(store: Store, write: Callable[..., int]) -> None:
    write(subjects=[("vin", "1"), ("vin", "2")])
    write()
    write(retention="M6")

    assert (2, 1, 0) == (store.counts("Y10", 202611), store.counts("M6", 202611), store.counts("M6", 202612))


def test_dropping_a_month_of_one_class_leaves_the_other_class_and_month(
    store: Store, write: Callable[..., int]
) -> None:
    doomed = [write(retention="M6"), write(subjects=[("vin", "1"), ("vin", "2")], retention="M6")]
    spared = [write(), write(NOON + MONTH, retention="M6")]

    assert 3 == store.drop_month("M6", 202611)
    assert spared == rows_of(store)
    assert [("Y10", 202611), ("M6", 202612)] == store.kept()
    assert doomed + spared == [stored.index for stored in store.read(SHARD)]


def test_a_month_with_one_class_is_dropped_whole(store: Store, write: Callable[..., int]) -> None:
    write()
    write()
    spared = write(NOON + MONTH)

    assert 2 == store.drop_month("Y10", 202611)
    assert ([spared], [202612]) == (rows_of(store), store.months())


def test_a_month_that_was_dropped_takes_new_rows(store: Store, write: Callable[..., int], writer: Writer) -> None:
    write()
    store.drop_month("Y10", 202611)
    writer.reopen()
    late = write()

    assert ([late], [("Y10", 202611)]) == (rows_of(store), store.kept())


def test_a_month_of_several_shards_is_dropped_from_each(
    store: Store, write: Callable[..., int], keyring: FileKeyRing
) -> None:
    write()
    write(retention="M6")
    other = store.writer("other")
    other.append([prepare(a_full_draft(), Sealer(keyring), NOON)], 0)
    other.close()

    assert 2 == store.drop_month("Y10", 202611)
    assert ([1], []) == (rows_of(store), rows_of(store, "other"))


def test_dropping_twice_drops_nothing_more(store: Store, write: Callable[..., int]) -> None:
    write()
    store.drop_month("Y10", 202611)

    assert 0 == store.drop_month("Y10", 202611)


def test_slices_reach_every_row_of_a_month(
    store: Store, write: Callable[..., int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("audit.engine._SLICE", 2)
    for retention in ("Y10", "M6", "M6", "Y10", "M6", "M6", "M6"):
        write(retention=retention)

    assert 5 == store.drop_month("M6", 202611)
    assert [0, 3] == rows_of(store)


def test_one_entry_is_erased_with_its_keys_and_no_other(store: Store, write: Callable[..., int], url: str) -> None:
    write()
    write(subjects=[("vin", "1"), ("vin", "2")])

    assert (2, 0) == (store.erase(SHARD, 1), store.erase(SHARD, 1))
    assert [0] == rows_of(store)
    assert [0] == raw(url, "SELECT idx FROM dek")


def test_erasing_what_does_not_exist_erases_nothing(store: Store, write: Callable[..., int]) -> None:
    write()

    assert (0, 0) == (store.erase(SHARD, 7), store.erase("elsewhere", 0))


def test_an_erased_value_is_not_left_in_the_file(tmp_path: Path, keyring: FileKeyRing) -> None:
    store = open_store(f"sqlite:///{tmp_path / 'ledger.db'}")
    entry = prepare(a_full_draft(), Sealer(keyring), NOON)
    writer = store.writer(SHARD)
    writer.append([entry], 0)
    store.erase(SHARD, 0)
    writer.close()
    store.close()  # the last connection empties the write-ahead log

    ciphertext = entry.parts[0].sealed[0]
    assert ciphertext is not None
    assert ciphertext not in (tmp_path / "ledger.db").read_bytes()


def test_a_restricted_row_is_found_by_who_may_see_it_and_by_nobody_else(
    store: Store, write: Callable[..., int], keyring: FileKeyRing
) -> None:
    write()
    write()
    store.set_vis(SHARD, 0, 1)
    [tag] = {part.tag for index in (0, 1) for part in store.sealed(SHARD, index)}
    assert tag is not None

    assert [(1, 0), (0, 1)] == [(hit.index, hit.vis) for hit in store.find([tag], 0, FAR)]
    assert [1] == [hit.index for hit in store.find([tag], 0, FAR, shown=True)]
    assert [1] == [hit.index for hit in store.find([tag], 0, FAR, shown=True, limit=1)]


def test_the_retention_class_comes_with_each_hit(store: Store, write: Callable[..., int]) -> None:
    write(retention="M6")
    [part] = store.sealed(SHARD, 0)
    assert part.tag is not None

    assert ["M6"] == [hit.ret for hit in store.find([part.tag], 0, FAR)]


def test_rare_kinds_are_found_newest_first_page_after_page(store: Store, write: Callable[..., int]) -> None:
    write()
    for offset, kind in enumerate(("erasure", "denied", "restrict", "erasure")):
        write(NOON + offset, type=kind)
    first = store.rare(["erasure", "restrict"], 0, FAR, limit=2)
    last = first[-1]
    rest = store.rare(["erasure", "restrict"], 0, FAR, before=(last.ts, last.shard, last.index))

    assert [(4, "erasure"), (3, "restrict")] == [(stored.index, stored.kind) for stored in first]
    assert [(SHARD, 1)] == [(stored.shard, stored.index) for stored in rest]
    assert [] == store.rare([], 0, FAR)


def test_rare_kinds_are_found_by_their_own_index(store: Store, url: str, write: Callable[..., int]) -> None:
    write(type="erasure")
    question = "SELECT idx FROM entry WHERE kind NOT IN ('intent', 'outcome') AND kind IN ('erasure') AND ts >= 0"

    assert "entry_rare" in explained(url, question)


def test_aliases_are_followed_both_ways_over_a_chain(store: Store) -> None:
    assert 2 == store.alias([(2026, A, B), (2026, B, C)])

    for tag in (A, B, C):
        assert {A, B, C} == set(store.same([tag]))
    assert [D] == store.same([D])
    assert [] == store.same([])


def test_an_alias_told_again_is_not_new_and_a_circle_ends(store: Store) -> None:
    store.alias([(2026, A, B), (2026, B, C), (2026, C, A)])

    assert 0 == store.alias([(2026, A, B)])
    assert {A, B, C} == set(store.same([B]))


def test_aliases_end_with_the_last_month_of_their_year(store: Store, write: Callable[..., int]) -> None:
    write()
    write(NOON + MONTH)
    store.alias([(2026, A, B), (2027, C, D)])
    store.drop_month("Y10", 202611)
    assert {A, B} == set(store.same([A]))
    store.drop_month("Y10", 202612)

    assert [A] == store.same([A])
    assert {C, D} == set(store.same([C]))


def test_a_chore_is_done_by_one_at_a_time(store: Store) -> None:
    with store.chore("expire") as mine, store.chore("expire") as theirs, store.chore("index") as another:
        assert (True, False, True) == (mine, theirs, another)
    with store.chore("expire") as mine:
        assert mine


# --- ledgers of schema 1. The tables as that version made them.

V1_ENTRY = """
CREATE TABLE shard (no INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, settled INTEGER NOT NULL DEFAULT 0) STRICT;
CREATE TABLE entry (
    shard INTEGER NOT NULL, idx INTEGER NOT NULL, ts INTEGER NOT NULL, kind TEXT NOT NULL, ref INTEGER,
    lh BLOB NOT NULL, body BLOB NOT NULL, PRIMARY KEY (shard, idx)) STRICT;
CREATE TABLE side (
    month INTEGER NOT NULL, shard INTEGER NOT NULL, idx INTEGER NOT NULL, part INTEGER NOT NULL,
    tag BLOB, agent_tag BLOB, org TEXT, activity TEXT, op TEXT, ts INTEGER NOT NULL, vis INTEGER NOT NULL DEFAULT 0,
    ct_subject BLOB, ct_agent BLOB, ct_technical BLOB, PRIMARY KEY (month, shard, idx, part)) WITHOUT ROWID, STRICT;
CREATE INDEX side_by_tag ON side (tag, ts) WHERE tag IS NOT NULL;
CREATE INDEX side_by_agent ON side (agent_tag, ts) WHERE agent_tag IS NOT NULL;
CREATE TABLE dek (
    month INTEGER NOT NULL, shard INTEGER NOT NULL, idx INTEGER NOT NULL, part INTEGER NOT NULL,
    wrapped_subject BLOB, wrapped_agent BLOB, wrapped_technical BLOB, PRIMARY KEY (month, shard, idx, part))
    WITHOUT ROWID, STRICT;
PRAGMA user_version = 1;
"""
V1_POSTGRES = """
CREATE TABLE ledger (version int NOT NULL);
INSERT INTO ledger VALUES (1);
CREATE TABLE shard (
    no int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text COLLATE "C" NOT NULL UNIQUE, settled bigint NOT NULL DEFAULT 0);
CREATE TABLE entry (
    shard int NOT NULL, idx bigint NOT NULL, ts bigint NOT NULL, kind text NOT NULL, ref bigint,
    lh bytea NOT NULL, body bytea NOT NULL, PRIMARY KEY (shard, idx));
CREATE TABLE side (
    month int NOT NULL, shard int NOT NULL, idx bigint NOT NULL, part int NOT NULL, tag bytea, agent_tag bytea,
    org text, activity text, op text, ts bigint NOT NULL, vis smallint NOT NULL DEFAULT 0,
    ct_subject bytea, ct_agent bytea, ct_technical bytea, PRIMARY KEY (month, shard, idx, part)) PARTITION BY RANGE (month);
CREATE INDEX side_by_tag ON side (tag, ts) WHERE tag IS NOT NULL;
CREATE INDEX side_by_agent ON side (agent_tag, ts) WHERE agent_tag IS NOT NULL;
CREATE TABLE dek (
    month int NOT NULL, shard int NOT NULL, idx bigint NOT NULL, part int NOT NULL,
    wrapped_subject bytea, wrapped_agent bytea, wrapped_technical bytea, PRIMARY KEY (month, shard, idx, part))
    PARTITION BY RANGE (month);
CREATE TABLE side_202611 PARTITION OF side FOR VALUES FROM (202611) TO (202612);
CREATE TABLE dek_202611 PARTITION OF dek FOR VALUES FROM (202611) TO (202612);
"""


@pytest.fixture
def old_ledger(url: str, keyring: FileKeyRing) -> str:
    """A ledger of schema 1 with one entry about a person."""
    entry = prepare(a_full_draft(), Sealer(keyring), NOON)
    [(number, tag, sealed, wrapped)] = entry.parts
    statements = (
        ("INSERT INTO shard (name) VALUES (?)", (SHARD,)),
        ("INSERT INTO entry VALUES (1, 0, ?, ?, ?, ?, ?)", (entry.ts, entry.kind, entry.ref, entry.leaf, entry.body)),
        (
            "INSERT INTO side VALUES (202611, 1, 0, 0, ?, ?, ?, ?, ?, ?, 1, ?, ?, ?)",
            (tag, entry.agent_tag, entry.org, entry.activity, entry.op, entry.ts, *sealed),
        ),
        ("INSERT INTO dek VALUES (202611, 1, 0, ?, ?, ?, ?)", (number, *wrapped)),
    )
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as file, file:
            file.executescript(V1_ENTRY)
            for statement, values in statements:
                file.execute(statement, values)
    else:
        with psycopg.connect(url) as connection:
            connection.execute(V1_POSTGRES)
            for statement, values in statements:
                connection.execute(statement.replace("?", "%s"), values)
    return url


def test_a_ledger_of_schema_1_keeps_what_it_held(old_ledger: str, keyring: FileKeyRing) -> None:
    with closing(open_store(old_ledger)) as store:
        opened = open_entry(store, keyring, SHARD, 0)
        [part] = store.sealed(SHARD, 0)
        assert part.tag is not None
        [hit] = store.find([part.tag], 0, FAR)

        assert ("2026/117", frozenset()) == (opened.values["case_ref"], opened.closed)
        assert ("Y10", 1) == (hit.ret, hit.vis)
        assert ([("Y10", 202611)], 1) == (store.kept(), store.counts("Y10", 202611))


def test_a_ledger_of_schema_1_goes_on_and_forgets(old_ledger: str, keyring: FileKeyRing) -> None:
    with closing(open_store(old_ledger)) as store:
        writer = store.writer(SHARD)
        writer.append([prepare(a_full_draft(retention="M6"), Sealer(keyring), NOON)], 1)
        writer.close()

        assert 1 == store.drop_month("Y10", 202611)
        assert [1] == rows_of(store)


def test_a_migrated_ledger_is_opened_again_as_it_is(old_ledger: str) -> None:
    for _ in range(2):
        with closing(open_store(old_ledger)) as store:
            assert [("Y10", 202611)] == store.kept()


def test_a_fresh_and_a_migrated_ledger_have_the_same_columns(
    old_ledger: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    engine = "sqlite" if old_ledger.startswith("sqlite") else "postgres"
    (tmp_path / "fresh").mkdir()
    with engine_url(engine, tmp_path / "fresh") as fresh:
        open_store(old_ledger).close()
        open_store(fresh).close()

        assert columns(fresh) == columns(old_ledger)


def test_a_ledger_of_a_newer_program_is_refused(url: str) -> None:
    open_store(url).close()
    change(url, "PRAGMA user_version = 9" if url.startswith("sqlite") else "UPDATE ledger SET version = 9")

    with pytest.raises(UnsafeStore, match="schema 9, this program writes 2"):
        open_store(url)


def test_a_writer_of_schema_1_is_stopped_rather_than_writing_rows_without_class(old_ledger: str) -> None:
    open_store(old_ledger).close()

    with pytest.raises((sqlite3.IntegrityError, psycopg.errors.NotNullViolation)):
        change(old_ledger, "INSERT INTO side (month, shard, idx, part, ts) VALUES (202611, 1, 9, 0, 1)")


def raw(url: str, query: str) -> list[Any]:
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as file:
            return [row[0] for row in file.execute(query)]
    with psycopg.connect(url) as connection:
        return [row[0] for row in connection.execute(query)]  # type: ignore[arg-type]


def change(url: str, statement: str) -> None:
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as file, file:
            file.execute(statement)
        return
    with psycopg.connect(url) as connection:
        connection.execute(statement)  # type: ignore[arg-type]


def explained(url: str, query: str) -> str:
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as file:
            return str(file.execute(f"EXPLAIN QUERY PLAN {query}").fetchall())
    with psycopg.connect(url) as connection:
        connection.execute("SET enable_seqscan = off")
        return str(connection.execute(f"EXPLAIN {query}").fetchall())  # type: ignore[arg-type]


def columns(url: str) -> list[Any]:
    if url.startswith("sqlite"):
        return raw(
            url,
            "SELECT m.name || '.' || c.name || ' ' || c.type || c.\"notnull\" FROM sqlite_master m, pragma_table_info(m.name) c ORDER BY 1",
        )
    return raw(
        url,
        "SELECT table_name || '.' || column_name || ' ' || data_type || is_nullable FROM information_schema.columns"
        " WHERE table_schema = current_schema() AND table_name IN ('entry', 'side', 'dek', 'kept', 'alias', 'shard') ORDER BY 1",
    )
