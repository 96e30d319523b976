"""Alerts as people handle them: open, then justified or escalated. Each of these is an entry of the ledger.

    page = Alerts(store, append).open(org="0207373429")
    Alerts(store, append).justify(page.alerts[0].id, "dpo-1", "checked with the desk: the person stood there")

An alert is a question, not an accusation: it names an entry, never a person, and its subject's own list does not show it.
"""

from __future__ import annotations

import json
import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import orjson

from audit.alerts.looks import Finding
from audit.draft import Draft
from audit.entry import Record
from audit.errors import LedgerError
from audit.reports.rows import CursorInvalid
from audit.store import Store, Stored

AlertState = Literal["open", "justified", "escalated"]
Append = Callable[[Sequence[Draft]], list[Record]]  # durable when it returns
RETENTION = "Y10"
WORDS = (10, 500)  # characters that say why
_STATES: Mapping[str, AlertState] = {"alert.justified": "justified", "alert.escalated": "escalated"}
_CHUNK = 200
_FOREVER = 2**52


class AlertSettled(LedgerError):
    """Somebody justified or escalated this alert before; what they wrote stands."""


class AlertUnknown(LedgerError):
    """There is no such alert."""


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert. `shard`/`index` = the entry it is about, or the last of several; both None where nobody could say."""

    id: str  # of the alert's own entry: SHARD/INDEX
    ts: int  # µs since 1970
    rule: str
    org: str | None
    app: str | None
    shard: str | None
    index: int | None
    amount: int  # looks, persons … it is about
    state: AlertState


@dataclass(frozen=True, slots=True)
class Alerted:
    """Some alerts, newest first. `next` None = that was all."""

    alerts: list[Alert]
    next: str | None = None


class Alerts:
    """Over one store; `append` writes to the hub's present shard."""

    def __init__(self, store: Store, append: Append) -> None:
        self._store = store
        self._append = append

    def open(
        self,
        org: str | None = None,
        cursor: str | None = None,
        *,
        state: AlertState = "open",
        limit: int = 50,
        rule: str | None = None,
    ) -> Alerted:
        """Alerts in one state, newest first. Raises CursorInvalid."""
        found: list[Alert] = []
        for alert in self._all(_place(cursor) if cursor else None):
            if alert.state == state and org in (None, alert.org) and rule in (None, alert.rule):
                found.append(alert)
            if len(found) == limit:
                shard, _, index = alert.id.rpartition("/")
                return Alerted(found, _cursor((alert.ts, shard, int(index))))
        return Alerted(found)

    def get(self, id: str) -> Alert:
        """Raises AlertUnknown."""
        shard, _, index = id.rpartition("/")
        known = index.isascii() and index.isdigit() and len(index) < 16 and shard in self._store.shards()
        stored = next(self._store.read(shard, int(index), int(index) + 1), None) if known else None
        if stored is None or stored.kind != "alert":
            raise AlertUnknown("there is no such alert")
        return _alert(stored, self._settled(stored.ts))

    def justify(self, id: str, person: str, words: str) -> Record:
        """There was a good reason, and `person` says which. Raises AlertUnknown, AlertSettled, EntryRefused, LedgerUnwritable."""
        return self._settle(id, person, words, "alert.justified")

    def escalate(self, id: str, person: str, words: str) -> Record:
        """Somebody has to look into this. Raises as `justify`."""
        return self._settle(id, person, words, "alert.escalated")

    def _settle(self, id: str, person: str, words: str, name: str) -> Record:
        words = " ".join(words.split())
        if not WORDS[0] <= len(words) <= WORDS[1]:
            raise ValueError(f"say why in {WORDS[0]} to {WORDS[1]} characters")
        alert = self.get(id)
        if alert.state != "open":
            raise AlertSettled(f"this alert is {alert.state} already")
        shard, _, index = id.rpartition("/")
        draft = Draft(
            type="annotate", trace_id=os.urandom(16).hex(), span_id=os.urandom(8).hex(), name=name, retention=RETENTION,
            clear={"shard": shard, "index": int(index), "reason_code": alert.rule, "initiator": "official"},
            committed={"justification": words}, agent={"id": person},
        )  # fmt: skip
        return self._append([draft])[0]

    def _all(self, before: tuple[int, str, int] | None) -> Iterator[Alert]:
        while True:
            chunk = self._store.rare(["alert"], 0, _FOREVER, before=before, limit=_CHUNK)
            if chunk:
                settled = self._settled(chunk[-1].ts)
                yield from (_alert(stored, settled) for stored in chunk)
                before = (chunk[-1].ts, chunk[-1].shard, chunk[-1].index)
            if len(chunk) < _CHUNK:
                return

    def _settled(self, since: int) -> dict[tuple[str, int], AlertState]:
        """States given since then: an alert is settled after it was raised. The first word counts."""
        states: dict[tuple[str, int], AlertState] = {}
        for stored in _rare(self._store, "annotate", since):
            entry = orjson.loads(stored.body)
            if entry["name"] in _STATES and "index" in entry:
                states[entry["shard"], entry["index"]] = _STATES[entry["name"]]  # newest first: the oldest stays
        return states


def draft_of(finding: Finding) -> Draft:
    """The entry of a finding. Nobody is sealed beside it: whom it is about stands at the entry it names."""
    look = finding.look
    consumer = {name: value for name, value in (("org", look.org), ("app", look.app)) if value}
    return Draft(
        type="alert", trace_id=finding.id, span_id=finding.id[:16], name=f"alert.{finding.rule}", retention=RETENTION,
        clear={
            "reason_code": finding.rule, "shard": look.shard, "index": look.index, "consumer": consumer,
            "counts": {"looks": finding.amount},
        },
    )  # fmt: skip


def raised(store: Store, since: int) -> Iterator[str]:
    """Ids of findings that are alerts already."""
    return (orjson.loads(stored.body)["trace_id"] for stored in _rare(store, "alert", since))


def _rare(store: Store, kind: str, since: int) -> Iterator[Stored]:
    before: tuple[int, str, int] | None = None
    while True:
        chunk = store.rare([kind], since, _FOREVER, before=before, limit=_CHUNK)
        yield from chunk
        if len(chunk) < _CHUNK:
            return
        before = (chunk[-1].ts, chunk[-1].shard, chunk[-1].index)


def _alert(stored: Stored, settled: Mapping[tuple[str, int], AlertState]) -> Alert:
    entry: dict[str, Any] = orjson.loads(stored.body)
    consumer = entry.get("consumer") or {}
    return Alert(
        f"{stored.shard}/{stored.index}", stored.ts, entry["reason_code"], consumer.get("org"), consumer.get("app"),
        entry.get("shard"), entry.get("index"), (entry.get("counts") or {}).get("looks", 1),
        settled.get((stored.shard, stored.index), "open"),
    )  # fmt: skip


def _cursor(place: tuple[int, str, int]) -> str:
    return urlsafe_b64encode(json.dumps(place, separators=(",", ":")).encode()).rstrip(b"=").decode()


def _place(cursor: str) -> tuple[int, str, int]:
    try:
        ts, shard, index = json.loads(urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4)))
    except (ValueError, TypeError, UnicodeEncodeError) as error:
        raise CursorInvalid("the cursor is not one of ours; start from the first page") from error
    if (
        type(ts) is not int
        or type(shard) is not str
        or type(index) is not int
        or not 0 <= ts < 2**62
        or not 0 <= index < 2**62
    ):
        raise CursorInvalid("the cursor is not one of ours; start from the first page")
    return ts, shard, index
