"""A ledger with a small town's worth of exchanges, on each engine, and the reports over it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from audit import FileKeyRing, Ledger, Record, Store
from audit.reports import Reports
from tests.unit.audit.kit import ENGINES, NOON, Clock, a_draft, engine_url

ANNA, BERT = "85610100147", "84651797654"
IXELLES, BRUSSELS = "1992100975", "0207373429"
MINUTE = 60_000_000
ALWAYS = (0, NOON * 2)
both = pytest.mark.parametrize("url", ENGINES, indirect=True)  # for what rests on SQL; the rest runs on SQLite alone


@pytest.fixture
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    with engine_url(getattr(request, "param", "sqlite"), tmp_path) as place:
        yield place


class Town:
    """Writes exchanges a minute apart and remembers where they stand."""

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self.ledger, self.clock = ledger, clock
        self._traces = 0

    def trace(self) -> str:
        self._traces += 1
        return f"{self._traces:016x}{'7' * 16}"

    def write(self, type: str, **changes: Any) -> Record:
        org = changes.pop("org", IXELLES)
        clear = {"consumer": {"org": org, "app": changes.pop("app", "counter")}, **changes.pop("clear", {})}
        policy = changes.pop("policy", None)
        if policy:
            clear["policy"] = {"id": policy, "ver": "sha256:" + policy, "decision": "permit"}
        [record] = self.ledger.append_blocking(
            [a_draft(type, trace_id=changes.pop("trace_id", None) or self.trace(), clear=clear, **changes)]
        )
        return record

    def exchange(
        self, who: str = ANNA, *, fields: tuple[str, ...] = ("name",), **changes: Any
    ) -> tuple[Record, Record]:
        """An intent and its good outcome."""
        self.clock.now += MINUTE
        trace = changes.pop("trace_id", None) or self.trace()
        agent = changes.pop("agent", "agent-77")
        asked = self.write(
            "intent", trace_id=trace, subjects=[("nrn", who)], agent=agent,
            committed={"fields": list(fields), "case_ref": "2026/117"}, **changes,
        )  # fmt: skip
        clear = {"intent_ref": asked.index, "status": "Ok", "categories": list(fields)} | changes.pop("clear", {})
        told = self.write("outcome", trace_id=trace, subjects=[("nrn", who)], agent=agent, clear=clear, **changes)
        return asked, told

    def denied(self, who: str = ANNA, reason: str = "NO_AUTHORISATION", **changes: Any) -> Record:
        self.clock.now += MINUTE
        return self.write(
            "denied", subjects=[("nrn", who)], clear={"status": "Error", "reason_code": reason}, **changes
        )


@pytest.fixture
def town(store: Store, open_ledger: Callable[..., Ledger], clock: Clock) -> Town:
    return Town(open_ledger(store), clock)


@pytest.fixture
def reports(store: Store, keyring: FileKeyRing, clock: Clock) -> Iterator[Reports]:
    opened = Reports(store, keyring, clock, late_refusals=("TERRITORY",))
    yield opened
    opened.close()
