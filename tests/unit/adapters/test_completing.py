"""A package that cannot ask has its adapter ask; what is unknown for now is never written as a no."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from connectors.client import Problem
from integrator import places
from integrator.adapters.completing import Asks, answered, asks, faults, reach
from integrator.commands import adapter_run
from integrator.errors import PolicyDenied, SourceUnavailable
from integrator.mapping import load_sheets
from integrator.services import load_services

PERSON = "84651797654"
SERVICES = load_services(
    places.folder("config") / "services", load_sheets(places.folder("mappings")), sandbox=frozenset()
)
LIFE = Asks("person.lifeStatus", {"ssin": "ssin"}, "id")
EVENTS: list[dict[str, Any]] = [
    {"id": f"m{number}", "data": {"ssin": str(number), "changed": ["death"]}} for number in (1, 2)
]


class Hub:
    """Answers as it was told, in order; None: nobody is known by it."""

    def __init__(self, *answers: Any) -> None:
        self.answers, self.asked = list(answers), []

    async def __call__(self, body: dict[str, Any]) -> Any:
        self.asked.append(body)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


async def test_each_event_is_asked_about_once_and_bears_its_answer() -> None:
    hub = Hub({"alive": "no", "checks": []}, {"alive": "yes", "checks": []})

    found = await answered(LIFE, EVENTS, hub)

    assert [{"ssin": "1", "dossierReference": "m1"}, {"ssin": "2", "dossierReference": "m2"}] == hub.asked
    assert ["no", "yes"] == [reach("answer.alive", one) for one in found]


async def test_nothing_of_a_page_is_written_while_one_answer_is_unknown_for_now() -> None:
    unknown = {"alive": "unknown", "checks": [{"code": "alive", "result": "unknown", "retryAfterSec": 30}]}

    with pytest.raises(SourceUnavailable):
        await answered(LIFE, EVENTS, Hub({"alive": "no", "checks": []}, unknown))


async def test_a_refusal_stops_the_page_too() -> None:
    with pytest.raises(PolicyDenied):
        await answered(LIFE, EVENTS, Hub(PolicyDenied("EXPIRED", rule="x", advice="y")))


async def test_who_is_not_known_has_no_answer_and_no_no() -> None:
    found = await answered(LIFE, EVENTS[:1], Hub(None))

    assert reach("answer.alive", found[0]) is None


async def test_an_unknown_for_good_is_told_as_it_is() -> None:
    unknown = {"alive": "unknown", "checks": [{"code": "alive", "result": "unknown", "reason": "NOT_DECIDABLE"}]}

    found = await answered(LIFE, EVENTS[:1], Hub(unknown))

    assert "unknown" == reach("answer.alive", found[0])


async def test_a_package_that_asks_nothing_gets_its_events_as_they_are() -> None:
    assert EVENTS == await answered(None, EVENTS, Hub())


@pytest.mark.parametrize(
    ("path", "found"),
    [("id", "m1"), ("ssin", "1"), ("item", "death"), ("item.x", None), ("answer.x", None), ("content.x", None)],
)
def test_a_path_leads_to_one_place_or_nowhere(path: str, found: Any) -> None:
    assert found == reach(path, EVENTS[0], "death")


@pytest.mark.parametrize(
    ("said", "wrong"),
    [
        ({"service": "person.lifeStatus", "keys": {"ssin": "ssin"}, "dossier": "id"}, []),
        ({"service": "person.lifeStatus", "keys": {"ssin": "ssin"}}, ["deliver.asks: person.lifeStatus needs dossier"]),
        ({"service": "person.changes", "keys": {"ssin": "ssin"}}, ["deliver.asks.service: no service 'person.changes' that answers at once"]),
        (
            {"service": "person.lifeStatus", "keys": {"plate": "ssin"}, "dossier": "id"},
            ["deliver.asks: person.lifeStatus has no plate", "deliver.asks: person.lifeStatus cannot be asked by these keys"],
        ),
    ],
    ids=["fits", "no-dossier", "an-event", "other-keys"],
)  # fmt: skip
def test_what_does_not_fit_the_asked_service_is_named(said: dict[str, Any], wrong: list[str]) -> None:
    assert wrong == list(faults(asks(said), SERVICES))


@pytest.mark.parametrize(
    ("problem", "found"), [(None, {"alive": "no"}), (404, None), (400, None)], ids=["answered", "nobody", "no-question"]
)
async def test_a_machine_beside_the_package_asks_the_same(problem: int | None, found: Any) -> None:
    asked: list[Any] = []
    answer = await adapter_run._told(Client(asked, problem), Part(), {"ssin": "1", "dossierReference": "m1"})  # type: ignore[arg-type]

    assert found == answer
    assert [("person.lifeStatus", {"ssin": "1", "dossierReference": "m1"})] == asked


async def test_and_is_stopped_by_what_it_may_not() -> None:
    with pytest.raises(Problem):
        await adapter_run._told(Client([], 403), Part(), {"ssin": "1"})  # type: ignore[arg-type]


async def test_and_hears_of_a_source_that_is_down_as_the_hub_does() -> None:
    with pytest.raises(SourceUnavailable):
        await adapter_run._told(Client([], 503, source="rijksregister"), Part(), {"ssin": "1"})  # type: ignore[arg-type]


class Part:
    asks = LIFE


class Client:
    """A hub elsewhere."""

    def __init__(self, asked: list[Any], problem: int | None, **body: Any) -> None:
        self.asked, self.problem, self.body = asked, problem, body

    def ask(self, service: str, **body: Any) -> Any:
        self.asked.append((service, body))
        if self.problem is not None:
            raise Problem(self.problem, self.body, None, None)
        return SimpleNamespace(body={"alive": "no"})


def test_an_id_full_of_figures_is_no_national_number() -> None:
    body = LIFE.body({"id": "84651797654" * 2 + "8465179765", "data": {"ssin": PERSON}})

    assert "84651797/65484651/79765484/65179765" == SERVICES["person.lifeStatus"].read(body).dossier
