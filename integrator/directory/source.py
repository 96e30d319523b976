"""The directory as the exchange asks it: a source like any other, only inside the house.

So a right to register is granted, decided and recorded as a right to ask is; nobody reaches the directory past it. Whose
registration it is, and for which purpose, is never the caller's to say: it is who he is and what his token is for.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from integrator.clock import Now
from integrator.contract import Question, Reply
from integrator.directory.directory import Directory
from integrator.directory.periods import FOREVER, Period
from integrator.directory.terms import SOURCE, Key, Told
from integrator.errors import SourceFault, SourceRefused
from integrator.model import LocalizedString
from integrator.registry import Limits, Manifest

OWN = frozenset({SOURCE})  # sources that are told the purpose and the case, because they never leave the house
PAGE = 100  # registrations in one answer, at most and by default

_TITLES = {
    "register": ("Inschrijven", "Inscrire", "Register"),
    "unregister": ("Uitschrijven", "Désinscrire", "Unregister"),
    "move": ("Dossier overnemen", "Reprendre le dossier", "Take the file over"),
    "list": ("Eigen inschrijvingen", "Ses inscriptions", "Own registrations"),
    "elsewhere": ("Dossier bij een ander", "Dossier chez un autre", "A file kept by another"),
}


def manifest() -> Manifest:
    """What the directory can be asked, as `integrator check` holds services and mappings against it."""
    operations: dict[str, dict[str, Any]] = {
        name: {"title": dict(zip(("nl", "fr", "en"), words, strict=True))} for name, words in _TITLES.items()
    }
    operations["move"]["changes"] = True  # as a write, that an answer sets going
    title = LocalizedString("Verwijzingsrepertorium", "Répertoire des références", "Directory of references")
    return Manifest(SOURCE, title, "house", "none", "the hub", operations, Limits(), Path(__file__).parent)


class DirectorySource:
    """`ask` as `integrator.contract.Connector`. `Reply.document` is JSON for mappings/directory_*.yaml."""

    def __init__(self, directory: Directory, now: Now) -> None:
        self._directory, self._now = directory, now
        self._asks: Mapping[str, Callable[[Question, str], Awaitable[dict[str, Any]]]] = {
            "register": self._register,
            "unregister": self._unregister,
            "move": self._move,
            "list": self._list,
            "elsewhere": self._elsewhere,
        }

    async def ask(self, question: Question) -> Reply:
        """Register, unregister, move, list, or whether another keeps a file too. Raises `SourceRefused` or `DirectoryUnavailable`."""
        if question.purpose is None:
            raise SourceFault(SOURCE, "NOT_CONNECTED", "the exchange did not say for which purpose")
        return Reply(await self._asks[question.operation](question, question.purpose), question.ticket)

    async def check(self) -> None:
        await self._directory.ready()

    async def _register(self, question: Question, purpose: str) -> dict[str, Any]:
        keys, key = question.keys, _key(question, purpose)
        starts = _day(keys["startDate"]) if "startDate" in keys else self._today()
        ends = _day(keys["endDate"]) if "endDate" in keys else FOREVER
        if ends < starts:
            raise SourceRefused(SOURCE, "END_BEFORE_START", advice="A file ends on its first day at the earliest.")
        told = await self._directory.register(
            key, Period(starts, ends), dossier=question.dossier, origin=keys.get("origin", "api"),
            trial=keys.get("isTrial", False),
        )  # fmt: skip
        return _told(told, key)

    async def _unregister(self, question: Question, purpose: str) -> dict[str, Any]:
        keys, key = question.keys, _key(question, purpose)
        trial = keys.get("isTrial", False)
        if "mistakenStartDate" in keys:
            return _told(await self._directory.withdraw(key, _day(keys["mistakenStartDate"]), trial=trial), key)
        return _told(await self._directory.unregister(key, _day(keys["endDate"]), trial=trial), key)

    async def _move(self, question: Question, purpose: str) -> dict[str, Any]:
        """From whoever handed it over to whoever asks. There is no door to it: see `then` of a service."""
        keys, old = question.keys, replace(_key(question, purpose), organisation=question.keys["from"])
        told = await self._directory.move(old, question.organisation, _day(keys["day"]), dossier=question.dossier)
        return _told(told, old)

    async def _list(self, question: Question, purpose: str) -> dict[str, Any]:
        keys = question.keys
        limit = int(keys.get("pageSize", PAGE))
        found = await self._directory.list(
            question.organisation, purpose, subject=keys.get("ssin"), quality=keys.get("quality"),
            day=_day(keys["day"]) if "day" in keys else None, known=_end_of(keys["knownOn"]) if "knownOn" in keys else None,
            after=keys.get("after"), limit=limit + 1,
        )  # fmt: skip
        shown: dict[str, Any] = {"items": [one.json() for one in found[:limit]]}
        return shown | ({"next": found[limit - 1].id} if len(found) > limit else {})

    async def _elsewhere(self, question: Question, purpose: str) -> dict[str, Any]:
        subject = question.keys["ssin"]
        another = await self._directory.elsewhere(question.organisation, subject, purpose, self._today())
        return {"ssin": subject, "elsewhere": another}

    def _today(self) -> date:
        return datetime.fromtimestamp(self._now(), UTC).date()


def _key(question: Question, purpose: str) -> Key:
    return Key(question.organisation, question.keys["ssin"], purpose, question.keys["quality"])


def _told(told: Told, key: Key) -> dict[str, Any]:
    overlapping = [one.json() for one in told.overlapping]
    return {
        "ssin": key.subject,  # of the question: a file under the number it replaced is the same person's
        "result": told.result,
        "registration": told.registration.json(),
        **({"overlapping": overlapping} if overlapping else {}),
    }


def _day(written: str) -> date:
    return date.fromisoformat(written)


def _end_of(written: str) -> float:
    """The last moment of a day, as epoch seconds."""
    day = _day(written)
    return datetime(day.year, day.month, day.day, 23, 59, 59, 999_999, UTC).timestamp()
