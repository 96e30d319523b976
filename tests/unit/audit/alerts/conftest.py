"""The rules as they are shipped, looks by hand, and a watch over a real ledger."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from audit import FileKeyRing, Ledger, Store
from audit.alerts import Alerts, Judge, Known, Look, Rules, Watch, protected
from audit.alerts import watch as watching
from audit.reports.tables import Tables, open_tables
from tests.unit.audit.kit import ENGINES, NOON, Clock, engine_url
from tests.unit.audit.reports.conftest import Town

ROOT = Path(__file__).parents[4]
both = pytest.mark.parametrize("url", ENGINES, indirect=True)
SECOND, MINUTE, DAY = 1_000_000, 60_000_000, 86_400_000_000
MORNING = NOON - NOON % DAY + 8 * 60 * MINUTE


def shipped() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "config" / "alerts.yaml").read_text())


def a_look(index: int = 0, **changes: Any) -> Look:
    who = changes.pop("who", index)
    agent = changes.pop("agent", 1)
    return Look(**{
        "shard": "hub", "index": index, "intent": None, "ts": MORNING + index * SECOND, "name": "person.get", "org": "0207373429", "app": "counter",
        "agent": None if agent is None else agent.to_bytes(16, "big"), "tags": (who.to_bytes(16, "big"),), "leaf": b"\xff" * 32, **changes,
    })  # fmt: skip


@pytest.fixture(scope="session")
def rules() -> Rules:
    return Rules.read(shipped())


@pytest.fixture
def found(rules: Rules) -> Callable[..., list[tuple[str, int]]]:
    """(rule, index) of what is found in looks, given what others know."""

    def found_(looks: list[Look], **known: Any) -> list[tuple[str, int]]:
        judge = Judge(rules, Known(**known))
        findings = [one for look in looks for one in judge.look(look)] + list(judge.close())
        return [(one.rule, one.look.index) for one in findings]

    return found_


@pytest.fixture
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    with engine_url(getattr(request, "param", "sqlite"), tmp_path) as place:
        yield place


@pytest.fixture
def town(store: Store, open_ledger: Callable[..., Ledger], clock: Clock) -> Town:
    return Town(open_ledger(store), clock)


@pytest.fixture
def tables(store: Store) -> Iterator[Tables]:
    opened = open_tables(store, (*watching.SCHEMA, *protected.SCHEMA))
    yield opened
    opened.close()


@pytest.fixture
def alerts(town: Town, store: Store) -> Alerts:
    return Alerts(store, town.ledger.append_blocking)


@pytest.fixture
def watch(town: Town, store: Store, tables: Tables, rules: Rules) -> Callable[..., Watch]:
    """A watch of its own each time, as after a restart."""
    return lambda **known: Watch(store, tables, town.ledger.append_blocking, Judge(rules, Known(**known)))


@pytest.fixture
def keys(keyring: FileKeyRing) -> FileKeyRing:
    return keyring
