"""The hub's part in alerts: the rules of config/alerts.yaml, what the hub knows of a look, and one step of watching.

What a rule minds, and what an alert is, is audit.alerts's. Off the hot path: the clerk (clerk.py) reads entries after they are written.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Protocol

from sqlalchemy.exc import SQLAlchemyError

from audit import Draft, KeyRing, Ledger, LedgerError, Record, Store
from audit.alerts import Alerts, Judge, Known, Protected, Rules, RulesInvalid, Sealed, Watch, protected, watch
from audit.reports.tables import Tables, open_tables
from integrator import clock, places
from integrator.directory import Directory
from integrator.errors import ConfigurationError, IntegratorError
from integrator.logs import log
from integrator.watching.knowing import Registered, Seen
from integrator.watching.opening import Watching, homes

AT_ONCE = 5_000  # processings in one step


def registered_in(directory: Directory) -> Registered:
    """Whether an organisation keeps a file about somebody, whatever for. Blocks; raises `DirectoryUnavailable`."""

    def registered(organisation: str, number: str, day: date) -> bool:
        return any(one.period.holds(day) for one in directory.about(number, organisation=organisation))

    return registered


class Writer(Protocol):
    """Who knows this year's ledger."""

    @property
    def ledger(self) -> Ledger: ...


def alert_rules(path: Path | None = None) -> Rules:
    """config/alerts.yaml. Raises `ConfigurationError`.

    >>> alert_rules().by_code["RANDOM_SAMPLE"].title["en"]
    'Random sample'
    """
    path = path or places.folder("config") / "alerts.yaml"
    try:
        return Rules.read(places.read_yaml(path))
    except (RulesInvalid, AttributeError, TypeError) as error:
        raise ConfigurationError(f"{path.name}: {error}", advice="`integrator check` names the line.") from error


@dataclass(frozen=True, slots=True)
class Alerting:
    """Everything about alerts of one hub. Every method blocks: call it from a thread."""

    rules: Rules
    alerts: Alerts
    protected: Protected
    watch: Watch
    tables: Tables

    def step(self) -> bool:
        """Judge what is new, and say whether there is more. A failure is logged; the next step begins where this one began."""
        try:
            count = self.watch.step(AT_ONCE)
        except (LedgerError, IntegratorError, SQLAlchemyError) as error:
            log.warning("alerts_failed", error=type(error).__name__)
            return False
        if count:
            log.info("alerts_raised", entries=count)
        return self.watch.behind

    def close(self) -> None:
        self.tables.close()


def open_alerting(
    store: Store,
    keyring: KeyRing,
    writer: Writer,
    now: clock.Now,
    watching: Watching | None = None,
    registered: Registered | None = None,
) -> Alerting:
    """Raises `ConfigurationError` for rules that cannot be used. The ledger of before this start is judged too, once.

    `registered`: the directory of references; without it a registration explains nothing.
    """

    def append(drafts: Sequence[Draft]) -> list[Record]:
        return writer.ledger.append_blocking(drafts)

    rules = alert_rules()
    tables = open_tables(store, (*watch.SCHEMA, *protected.SCHEMA))
    listed = Protected(tables, keyring, append, lambda: clock.micros(now()))
    sealed = Sealed(store, keyring)
    known = Known(
        open_case=sealed.has_case, has_case=sealed.has_case, protected=listed.__contains__, ordinal=sealed.ordinal
    )
    if watching is not None:
        seen = Seen(sealed, watching.tagger, watching.cases, watching.happenings, homes().get, registered)
        known = replace(
            known, open_case=seen.open_case, case_closed=seen.case_closed, death=seen.death, move=seen.move,
            recent_mutation=seen.recent_mutation, registration=seen.registration,
        )  # fmt: skip
    return Alerting(rules, Alerts(store, append), listed, Watch(store, tables, append, Judge(rules, known)), tables)
