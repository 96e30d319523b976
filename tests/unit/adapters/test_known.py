"""What a source must know of a row before it is handed in: nothing found waits, nobody knows stops, and neither is sent."""

from __future__ import annotations

import uuid
from types import SimpleNamespace
from typing import Any

import pytest

from connectors.client import Problem
from integrator.adapters.intake import Stopped, Taken
from integrator.adapters.participation import faults, participations
from integrator.commands.adapter_run import OverHttp
from integrator.errors import SourceUnavailable
from integrator.taking_part import HandsIn
from tests.unit.adapters import kit
from tests.unit.adapters.test_participation import DEPOSIT, services

__all__ = ["services"]
ROW = Taken(str(uuid.UUID(int=7)), 1, {"invoice": "F0001", "resident": kit.PEOPLE[0], "remark": "Rue Haute"})
KNOWN = {"service": "address.search", "keys": {"postCode": {"value": "1000"}, "streetName": "remark"}, "found": "items"}


def part(**known: Any) -> Any:
    return participations(kit.layout({**kit.DELIMITED, "deposit": {**DEPOSIT, "known": {**KNOWN, **known}}}))[0]


class Desk:
    """A hub elsewhere whose source answers as told."""

    def __init__(self, says: Any) -> None:
        self.says, self.asked, self.sent = says, list[dict[str, Any]](), 0

    def ask(self, service: str, **body: Any) -> Any:
        self.asked.append(body)
        if isinstance(self.says, Exception):
            raise self.says
        return SimpleNamespace(body=self.says)

    def send(self, service: str, key: str, **body: Any) -> None:
        self.sent += 1


async def beside(says: Any) -> tuple[Any, Desk]:
    desk = Desk(says)
    return await OverHttp(part(), [desk])([ROW]), desk  # type: ignore[list-item]


async def test_what_the_source_knows_is_handed_in() -> None:
    refused, desk = await beside({"items": [{"addressId": "1"}]})

    assert ({}, 1, [{"postCode": "1000", "streetName": "Rue Haute"}]) == (refused, desk.sent, desk.asked)


async def test_what_it_does_not_know_waits_also_when_something_else_is_told_as_a_list() -> None:
    refused, desk = await beside({"items": [], "withheld": [{"field": "status"}]})

    assert ({ROW.key: "NOT_KNOWN"}, 0) == (refused, desk.sent)


@pytest.mark.parametrize("says", [Problem(503, {}, 5, None), {}])
async def test_while_nobody_knows_nothing_is_refused_and_nothing_sent(says: Any) -> None:
    desk = Desk(says)

    with pytest.raises(Stopped) as stopped:
        await OverHttp(part(), [desk])([ROW])  # type: ignore[list-item]

    assert (frozenset(), {}, 0) == (stopped.value.settled, stopped.value.refused, desk.sent)


@pytest.mark.parametrize(("body", "cause"), [({"source": "best"}, SourceUnavailable), ({}, Problem)], ids=["of_a_source", "of_the_hub"])  # fmt: skip
async def test_what_stops_it_is_the_source_or_the_hub(body: Any, cause: Any) -> None:
    with pytest.raises(Stopped) as stopped:
        await OverHttp(part(), [Desk(Problem(503, body, None, 5))])([ROW])  # type: ignore[list-item]

    assert cause is type(stopped.value.__cause__)


class Exchange:
    def __init__(self, says: Any) -> None:
        self.says = says

    async def answer(self, request: Any) -> Any:
        if isinstance(self.says, Exception):
            raise self.says
        return SimpleNamespace(body=self.says)


class InHub(HandsIn):
    """Inside the hub, without an outbox behind it."""

    def __init__(self, services: Any, says: Any) -> None:
        hub: Any = SimpleNamespace(services=services, exchange=Exchange(says), dispatch=None)
        super().__init__(hub, part(), "1982100968")
        self.sent = 0

    def _caller(self) -> Any:
        return SimpleNamespace(organisation="1982100968", application="a-1", purpose="file_update")

    async def _hand_in(self, key: str, request: Any, handed: Any) -> None:
        self.sent += 1


@pytest.mark.parametrize(("says", "refused", "sent"), [([{"a": 1}], {}, 1), ([], {ROW.key: "NOT_KNOWN"}, 0)])
async def test_inside_the_hub_it_is_the_same(services: Any, says: Any, refused: Any, sent: int) -> None:
    effect = InHub(services, {"items": says})

    assert (refused, sent) == (await effect([ROW]), effect.sent)


async def test_inside_the_hub_a_source_that_is_away_stops_the_file_and_refuses_nothing(services: Any) -> None:
    effect = InHub(services, SourceUnavailable("best"))

    with pytest.raises(Stopped) as stopped:
        await effect([ROW])

    assert (frozenset(), {}, 0) == (stopped.value.settled, stopped.value.refused, effect.sent)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({}, ""),
        ({"service": "person.get"}, "answers with a list"),
        ({"service": "no.such"}, "answers with a list"),
        ({"found": "streets"}, "answers with a list"),
        ({"keys": {"postCode": "remark"}}, "needs streetName"),
        ({"keys": {"streetName": "remark", "colour": "remark"}}, "has no colour"),
    ],
)
def test_a_question_that_the_service_does_not_take_is_told_before_the_start(
    services: Any, wrong: Any, said: str
) -> None:
    assert said in " ".join(faults(part(**wrong), services))
    assert bool(said) == bool(list(faults(part(**wrong), services)))
