"""What the tests of watching share."""

from __future__ import annotations

from typing import Any

from audit import FileKeyRing
from integrator.model import Caller
from integrator.watching.agents import Near
from integrator.watching.closeness import Closeness
from integrator.watching.tags import Tagger

ORG, OTHER_ORG = "0207373429", "0207000010"
AGENT_NUMBER, SUBJECT, THIRD = "85610100147", "84651797654", "92671504761"  # test numbers: months 61 to 72
HOME = {"streetName": "Voorbeeldstraat", "houseNumber": "12", "boxNumber": "3", "postCode": "1050"}


class Agents:
    """One agent, a.1, of whom a test says what is known."""

    def __init__(self, tagger: Tagger, *, number: str | None = None, surname: str = "", home: Any = None) -> None:
        self._tagger, self._number = tagger, number
        plain = Closeness(tagger, self)
        self._near = Near(plain.surnames(surname), plain.addresses(home))
        self.staff: set[bytes] = set()

    def own(self, agent: str) -> bytes | None:
        return self._tagger.person(self._number) if self._number and agent == "a.1" else None

    def near(self, agent: str) -> Near:
        return self._near if agent == "a.1" else Near()

    def colleague(self, organisation: str, person: bytes) -> bool:
        return organisation == ORG and person in self.staff


def caller(agent: str | None = "a.1", org: str = ORG) -> Caller:
    return Caller(org, "counter", "school", agent)


def tagger(folder: Any) -> Tagger:
    return Tagger(FileKeyRing(folder))
