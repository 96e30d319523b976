"""Alerts for people: who may see which, and who settles them. The door that pages use.

alert_desk = AlertDesk(desk, alerting.alerts, alerting.rules)      # alerting = consoles.extras["alerting"]
page = await alert_desk.open(person, "nl")
await alert_desk.justify(person, id, "checked with the desk: the person stood there")
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from audit import LedgerError
from audit.alerts import Alert, Alerts, AlertState, Rules
from audit.alerts.alerts import AlertSettled, AlertUnknown
from integrator.consoles.looking import Desk
from integrator.consoles.rights import LookRefused, NothingThere, Person, may
from integrator.errors import Issue, LedgerUnwritable, MalformedRequest


@dataclass(frozen=True, slots=True)
class Raised:
    """One alert in words."""

    alert: Alert
    severity: str  # low | medium | high
    title: str
    advice: str


@dataclass(frozen=True, slots=True)
class RaisedPage:
    """Some alerts, newest first. `next` None = that was all."""

    items: list[Raised]
    next: str | None


class AlertDesk:
    """Alerts as far as somebody's rights reach. That they were read is recorded; what was said about them, too."""

    def __init__(self, desk: Desk, alerts: Alerts, rules: Rules) -> None:
        self._desk, self._alerts, self._rules = desk, alerts, rules

    async def open(
        self, person: Person, language: str, *, state: AlertState = "open", cursor: str | None = None, limit: int = 50
    ) -> RaisedPage:
        """Raises `LookRefused`, `MalformedRequest` for a foreign cursor, `LedgerUnwritable`."""
        found = await self._desk.export(
            person, "alerts", lambda right, seen: (self._alerts.open(right.org, cursor, state=state, limit=limit), ())
        )
        return RaisedPage([self._said(alert, language) for alert in found.alerts], found.next)

    async def justify(self, person: Person, id: str, words: str) -> None:
        """There was a good reason. Raises as `open`; `NothingThere` for an alert that is not theirs to see."""
        await self._settle(person, id, words, "justify")

    async def escalate(self, person: Person, id: str, words: str) -> None:
        """Somebody has to look into this."""
        await self._settle(person, id, words, "escalate")

    async def _settle(self, person: Person, id: str, words: str, how: str) -> None:
        may(person, "alerts", table="exports.yaml")
        try:
            alert = await asyncio.to_thread(self._alerts.get, id)
            may(person, "alerts", org=alert.org, table="exports.yaml")
            await asyncio.to_thread(getattr(self._alerts, how), id, person.id, words)
        except (AlertUnknown, LookRefused) as error:  # somebody else's alert looks like one that never was
            raise NothingThere from error
        except AlertSettled as error:
            raise MalformedRequest(Issue("rejectedInput", "body", "/alert", str(error))) from error
        except ValueError as error:
            raise MalformedRequest(Issue("schemaViolation", "body", "/words", str(error))) from error
        except LedgerError as error:
            raise LedgerUnwritable("this could not be written in the ledger, so the alert stays open") from error

    def _said(self, alert: Alert, language: str) -> Raised:
        rule: Any = self._rules.by_code.get(alert.rule)
        if rule is None:  # a rule of before: its alerts stay
            return Raised(alert, "medium", alert.rule, "")
        return Raised(alert, rule.severity, rule.title[language], rule.advice[language])
