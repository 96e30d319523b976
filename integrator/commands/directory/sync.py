"""sync: what your organisation says here beside what the Crossroads Bank has under its number; and the way to make them one.

Everything goes through the hub, each question and act an exchange with its own record. Without a flag nothing changes.
"""

from __future__ import annotations

import argparse
from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import date
from typing import Any

from integrator.commands.directory.acts import listed
from integrator.commands.directory.asking import hub, words
from integrator.directory.differences import Difference, Held, Kind, Lost, Refused, differences, mend
from integrator.directory.periods import FOREVER, Period

_FIRST = "1900-01-01"
_WORDS = {
    Kind.MISSING: "the Bank lacks it",
    Kind.LONGER: "the Bank does not know its end",
    Kind.UNKNOWN: "only the Bank has it",
}


def add(verbs: Any, asked: argparse.ArgumentParser) -> None:
    sync = verbs.add_parser("sync", parents=[asked], help="compare with the Crossroads Bank, person by person")
    sync.add_argument("--apply", action="store_true", help="register there what it lacks")
    sync.add_argument(
        "--end", action="store_true", help="end there what ended here; look first, other purposes may need it"
    )
    sync.add_argument("--adopt", action="store_true", help="register here what only the Bank has")
    sync.add_argument("--dossier", default="directory-sync", help="the case that the questions are recorded under")
    sync.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    counts: Counter[str] = Counter()
    with hub(chosen) as client:
        people: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
        for one in listed(client):
            people[str(one.get("replacedBy", one["ssin"]))].append(one)
        for number, registrations in people.items():
            counts += _Person(client, chosen, number, registrations).compared()
    print(", ".join(f"{count} {word}" for word, count in sorted(counts.items())) or "nobody is registered")
    return 1 if counts["open"] or counts["refused"] or counts["not compared"] else 0


class _Person:
    """One person at both directories."""

    def __init__(
        self, client: Any, chosen: argparse.Namespace, number: str, registrations: list[Mapping[str, Any]]
    ) -> None:
        self._client, self._chosen, self._number = client, chosen, number
        self._ours = _held(registrations)
        self._name = registrations[0]["id"]  # how the report names somebody without naming him
        self._proof: dict[str, Any] = {}

    def compared(self) -> Counter[str]:
        """How many differences of each kind, or what became of them. Whoever cannot be compared is told, not skipped."""
        try:
            person = self._asked("person.get", fields=["familyName", "birthDate"])
            self._proof = {name: person[name] for name in ("familyName", "birthDate")}
            found = differences(self._ours, self._theirs())
        except (Lost, Refused) as error:
            print(f"{self._name}: not compared: {error}")
            return Counter({"not compared": 1})
        chosen = [one for one in found if self._wanted(one.kind)]
        for one in found:
            if one not in chosen:
                print(f"{self._name}: {_line(one)}: {_WORDS[one.kind]}")
        counts = Counter(one.kind.value for one in found if one not in chosen)
        for mended in mend(chosen, self._act, self._theirs):
            print(f"{self._name}: {_line(mended.difference)}: {mended.result} {mended.reason}".rstrip())
            counts[mended.result] += 1
        return counts if found else Counter({"the same": 1})

    def _wanted(self, kind: Kind) -> bool:
        return bool(
            {Kind.MISSING: self._chosen.apply, Kind.LONGER: self._chosen.end, Kind.UNKNOWN: self._chosen.adopt}[kind]
        )

    def _theirs(self) -> Held:
        return _held(self._asked("directory.ksz.list", **self._proof, startDate=_FIRST)["registrations"])

    def _act(self, one: Difference) -> None:
        period = {"startDate": one.period.starts.isoformat()}
        if one.period.end is not None:
            period["endDate"] = one.period.end.isoformat()
        if one.kind is Kind.UNKNOWN:
            self._asked("directory.register", quality=one.quality, **period, origin="sync")
        else:
            verb = "register" if one.kind is Kind.MISSING else "unregister"
            self._asked(f"directory.ksz.{verb}", quality=one.quality, **period, **self._proof)

    def _asked(self, service: str, **keys: Any) -> Any:
        """Raises `Lost` where nobody knows what became of it, `Refused` where it is known."""
        from connectors.client import HubUnreachable, Problem

        try:
            return self._client.ask(service, ssin=self._number, dossierReference=self._chosen.dossier, **keys)
        except HubUnreachable as error:
            raise Lost("the hub did not answer") from error
        except Problem as problem:
            if problem.status in (429, 502, 503):
                raise Lost(words(problem.body)) from problem
            raise Refused(str(problem.body.get("reason") or words(problem.body))) from problem


def _held(registrations: list[Mapping[str, Any]]) -> Held:
    held: dict[str, list[Period]] = defaultdict(list)
    for one in registrations:
        end = one.get("endDate")
        period = Period(date.fromisoformat(one["startDate"]), date.fromisoformat(end) if end else FOREVER)
        held[str(one["quality"]["code"])].append(period)
    return held


def _line(one: Difference) -> str:
    return f"quality {one.quality}, {one.period.starts} – {one.period.end or '…'}"
