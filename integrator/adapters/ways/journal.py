"""What is remembered of a way: how far it was read, which page is being taken in, which rows were met, when it last worked."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

_ways = sa.table(
    "adapter_way", *map(sa.column, ("adapter", "position", "page", "beyond", "reached", "behind", "trouble"))
)
_rows = sa.table("adapter_row", *map(sa.column, ("adapter", "digest", "place")))
_SOME = 500  # values in one statement


@dataclass(frozen=True, slots=True)
class WayState:
    """How a way stands. Times are seconds since 1970."""

    position: Any  # as the way wrote it; None = nothing was settled yet
    page: str | None  # digest of the page that is being taken in
    beyond: Any  # the position when that page is settled
    reached: float | None  # when the package last answered
    behind: float | None  # since when something is known to be there and is not settled; None = nothing is
    trouble: str | None  # why nothing comes, a code of findings.ADVICE


_NEW = WayState(None, None, None, None, None, None)


class Journal:
    """The statements over one connection; a transaction is the caller's, as with Book."""

    def __init__(self, connection: Connection, adapter: str) -> None:
        self._connection, self._adapter = connection, adapter

    def state(self) -> WayState:
        found = self._connection.execute(sa.select(_ways).where(_ways.c.adapter == self._adapter)).mappings().first()
        if found is None:
            return _NEW
        return WayState(
            _read(found["position"]), found["page"], _read(found["beyond"]),
            found["reached"], found["behind"], found["trouble"],
        )  # fmt: skip

    def begin(self, page: str, beyond: Any) -> None:
        """A page is about to lie in work/; before it does, so that what lies there is always known."""
        self._put(page=page, beyond=json.dumps(beyond))

    def settle(self, page: str, rows: Mapping[str, float]) -> None:
        """The page had its effects: its position counts from now on, its rows (digest -> place) were met."""
        state = self.state()
        if state.page != page:
            return
        self.met(rows)
        self._put(position=json.dumps(state.beyond), page=None, beyond=None)

    def leave(self, page: str) -> None:
        """The page was refused as a whole: it is read again."""
        if self.state().page == page:
            self._put(page=None, beyond=None)

    def moved(self, position: Any) -> None:
        self._put(position=json.dumps(position))

    def looked(self, now: float, trouble: str | None, more: bool) -> None:
        """The package answered, or did not (`trouble`); `more`: something of it is there and not settled."""
        since = self.state().behind
        behind = (now if since is None else since) if more or trouble is not None else None
        self._put(trouble=trouble, behind=behind, **({"reached": now} if trouble is None else {}))

    def unknown(self, digests: Sequence[str]) -> set[str]:
        """Those that were not met before."""
        left = set(digests)
        for start in range(0, len(digests), _SOME):
            some = digests[start : start + _SOME]
            query = sa.select(_rows.c.digest).where(_rows.c.adapter == self._adapter, _rows.c.digest.in_(some))
            left -= {digest for (digest,) in self._connection.execute(query)}
        return left

    def met(self, rows: Mapping[str, float]) -> None:
        """Remember rows by their digest; `place` is what `forget` compares."""
        new = self.unknown(list(rows))
        if new:
            self._connection.execute(
                _rows.insert(), [{"adapter": self._adapter, "digest": one, "place": rows[one]} for one in sorted(new)]
            )

    def again(self, digests: Sequence[str], place: float, below: float) -> None:
        """Rows that were met before are met at this place, where the one that is kept is below `below`."""
        for start in range(0, len(digests), _SOME):
            some = digests[start : start + _SOME]
            which = (_rows.c.adapter == self._adapter) & _rows.c.digest.in_(some) & (_rows.c.place < below)
            self._connection.execute(_rows.update().where(which).values(place=place))

    def forget(self, below: float) -> None:
        """Rows that cannot be met again."""
        self._connection.execute(_rows.delete().where(_rows.c.adapter == self._adapter, _rows.c.place < below))

    def _put(self, **values: Any) -> None:
        changed = self._connection.execute(_ways.update().where(_ways.c.adapter == self._adapter).values(**values))
        if not changed.rowcount:
            self._connection.execute(_ways.insert().values(adapter=self._adapter, **values))


def _read(text: str | None) -> Any:
    return None if text is None else json.loads(text)
