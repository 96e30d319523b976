"""A source that sends all it has changes nothing: not one field more reaches the caller, whatever service, whatever purpose.

The source is made to over-deliver by the mocks' admin API, and it is shown that it did: each question was struck, and
the same connector gets visibly more over the wire than it gets from a source that behaves.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest

from integrator import clock, places, registry, settings
from integrator.commands import mock
from integrator.commands.sandbox import Sandbox
from integrator.contract import HttpAnswer, Question, Tools
from integrator.directory import OWN
from integrator.transport.channel import Channel, Lines
from tests.flows.questions import KEYS, PERSON, SERVICES, Granted, elsewhere, granted, leaves, question_about
from tests.flows.sandboxes import CONNECTOR_OF, DEBTS, SOURCES, Callers, Reply, heal, strike, struck

# Registrations change what the next question is told, so they cannot be compared here: tests/flows/test_directory.py.
GRANTED = tuple(one for one in granted() if not one.service.name.startswith("directory."))
OVER_DELIVERING = (
    "rr",
    "ksz",
    "kbo",
    "div",
    "best",
    "dimona",
    *DEBTS,
    "cadastre",
)  # a file cannot send more than it is: see the last tests
HUBS_OWN = frozenset({"isComplete", "withheld.field", "withheld.reason"})  # words of the hub in an answer
VERDICT = frozenset({"code", "result", "source", "ms", "reason", "retryAfterSec"})

every_grant = pytest.mark.parametrize("one", GRANTED, ids=lambda one: one.id)


@pytest.fixture(scope="module")
def address_id(doors: Callers) -> str:
    found = doors.ask("address.search", PERSON["address"], purpose="building_permit")
    return str(found.body["items"][0]["addressId"])


@pytest.fixture(scope="module")
def generous(hub: Sandbox, address_id: str) -> Iterator[None]:
    """Every source over-delivers, from here to the end of the module."""
    for source in OVER_DELIVERING:
        strike(hub.mocks, source, "over_delivery")
    yield
    heal(hub.mocks)


@pytest.fixture(scope="module")
def ordinary(doors: Callers, address_id: str) -> dict[str, Reply]:
    """What each question gives while all sources behave."""
    return {one.id: ask(doors, one, address_id) for one in GRANTED}


@pytest.fixture(scope="module")
def overfull(hub: Sandbox, doors: Callers, ordinary: dict[str, Reply], generous: None, address_id: str) -> dict[str, tuple[Reply, set[str]]]:  # fmt: skip
    """The same while they over-deliver, and which of them a question struck."""
    done = {}
    for one in GRANTED:
        before = {source: struck(hub.mocks, source) for source in OVER_DELIVERING}
        reply = ask(doors, one, address_id)
        hit = {source for source in OVER_DELIVERING if struck(hub.mocks, source) > before[source]}
        done[one.id] = reply, {CONNECTOR_OF.get(source, source) for source in hit}
    return done


Overfull = dict[str, tuple[Reply, set[str]]]


def ask(doors: Callers, one: Granted, address_id: str, **more: Any) -> Reply:
    number = {"addressId": address_id} if one.service.name == "address.get" else {}
    question = {**one.question, **number, **more}
    return doors.ask(one.service.name, question, purpose=one.purpose, organisation=one.organisation)


def surplus(one: Granted, body: Mapping[str, Any], fields: frozenset[str]) -> list[str]:
    """Every leaf of an answer that lies under no field of `fields`."""
    if one.service.is_composition:
        return surplus_of_verdicts(one, body, fields)
    prefix = f"{one.service.list_name}." if one.service.list_name else ""
    given = {leaf.removeprefix(prefix) for leaf in leaves(body) if leaf not in HUBS_OWN}
    return sorted(leaf for leaf in given if not any(leaf == name or leaf.startswith(name + ".") for name in fields))


def surplus_of_verdicts(one: Granted, body: Mapping[str, Any], codes: frozenset[str]) -> list[str]:
    """A composition gives words of its own and nothing else; not one field of a source."""
    own = {f"checks.{word}" for word in VERDICT} | {one.service.answer_name}
    uncalled = [check["code"] for check in body["checks"] if check["code"] not in codes]
    return sorted(leaf for leaf in leaves(body) if leaf not in own) + uncalled


# --- every service, every purpose -------------------------------------------------------------------------------------


@every_grant
def test_all_that_is_given_lies_under_a_granted_field(
    one: Granted, overfull: Overfull, record_property: pytest.RecordProperty
):
    reply, _ = overfull[one.id]
    more = surplus(one, reply.body, one.permit.fields)
    record_property("fields_over_delivered", len(more))

    assert (200, []) == (reply.status, more)


@every_grant
def test_the_sources_asked_did_over_deliver(one: Granted, overfull: Overfull):
    """Else the test above would prove nothing."""
    _, hit = overfull[one.id]

    assert one.sources - {"parking_cards"} == hit


@every_grant
def test_the_answer_is_the_same_as_from_a_source_that_behaves(
    one: Granted, ordinary: dict[str, Reply], overfull: Overfull
):
    assert told(ordinary[one.id].body) == told(overfull[one.id][0].body)


# A GET has no `fields`: what it gives is about no person.
@pytest.mark.parametrize("one", [one for one in GRANTED if one.service.method == "POST"], ids=lambda one: one.id)
def test_asked_for_one_field_no_other_one_is_given(one: Granted, doors: Callers, generous: None, address_id: str):
    for name in one_field_of(one):
        reply = ask(doors, one, address_id, fields=[name])

        assert (200, []) == (reply.status, surplus(one, reply.body, frozenset({name})))


def test_in_sum_no_field_is_over_delivered(overfull: Overfull, record_testsuite_property: Any):
    found = {one.id: surplus(one, overfull[one.id][0].body, one.permit.fields) for one in GRANTED}
    total = sum(map(len, found.values()))
    record_testsuite_property("fields_over_delivered", total)
    record_testsuite_property("services_x_purposes_over_delivering", len(found))
    print(f"{total} fields over-delivered in {len(found)} questions to over-delivering sources")

    assert 0 == total


# --- people of whom a source knows more than may be said --------------------------------------------------------------

SENSITIVE = (
    "discrete-vos",  # an address that may not be communicated
    "hirondelle-pressee",  # moved yesterday
    "zuster-bij",  # lives in a community
    "bakkende-mees",  # home hidden behind an enterprise
    "gehuurde-gans",  # drives what an enterprise holds
    "laatste-hert",  # dead
    "papillon-change",  # a number that tells what changed
)


def difference(hub: Sandbox, doors: Callers, people: list[dict[str, Any]]) -> tuple[int, list[str]]:
    """How many questions about these people were asked, and which ones an over-delivering source answers otherwise."""
    asked = [
        (person, one, question)
        for person in people
        for one in GRANTED
        if (question := question_about(one, person)) is not None
    ]

    def answers() -> list[tuple[int, Any]]:
        replies = (
            doors.ask(one.service.name, question, purpose=one.purpose, organisation=one.organisation)
            for _, one, question in asked
        )
        return [(reply.status, told(reply.body)) for reply in replies]

    heal(hub.mocks)
    ordinary = answers()
    for source in OVER_DELIVERING:
        strike(hub.mocks, source, "over_delivery")
    overfull = answers()
    return len(asked), [
        f"{person['slug']} {one.id}"
        for (person, one, _), one_way, other in zip(asked, ordinary, overfull, strict=True)
        if one_way != other
    ]


def personas(hub: Sandbox, *slugs: str) -> list[dict[str, Any]]:
    found = mock.call("GET", f"{hub.mocks}/mock/personas?limit=100")["items"]
    return [person for person in found if not slugs or person["slug"] in slugs]


def test_whom_a_source_should_keep_quiet_about_nothing_more_is_said(hub: Sandbox, doors: Callers, generous: None):
    asked, otherwise = difference(hub, doors, personas(hub, *SENSITIVE))

    assert 100 < asked
    assert [] == otherwise


@pytest.mark.soak
def test_about_none_of_the_personas_anything_more_is_said(
    hub: Sandbox, doors: Callers, generous: None, capsys: pytest.CaptureFixture[str]
):
    # Over-delivering, the Bank looks up statuses nobody asked, one of which no source answers: it says INCOMPLETE then.
    asked, otherwise = difference(hub, doors, [one for one in personas(hub) if one["slug"] != "halve-ekster"])

    with capsys.disabled():
        print(f"\n{asked} questions about all personas, asked twice; {len(otherwise)} answered otherwise")
    assert [] == otherwise


def told(body: Mapping[str, Any]) -> Any:
    """An answer or a problem without what differs from one moment to the next."""
    kept = {name: value for name, value in body.items() if name != "instance"}
    return {**kept, "checks": [{**check, "ms": 0} for check in kept["checks"]]} if "checks" in kept else kept


def one_field_of(one: Granted) -> list[str]:
    """The first and the last by name of the smallest fields granted."""
    smallest = sorted(
        name for name in one.permit.fields if not any(other.startswith(name + ".") for other in one.permit.fields)
    )
    return sorted({smallest[0], smallest[-1]})


def test_a_leaf_that_was_not_granted_would_be_counted():
    one = next(one for one in GRANTED if one.service.name == "household.get" and one.purpose == "staff_onboarding")
    body = {"members": [{"relation": {"code": "01"}, "familyName": "Eekhoorn"}], "isCollective": False}

    assert ["isCollective", "members.familyName"] == surplus(one, body, one.permit.fields)


# --- what came over the wire ------------------------------------------------------------------------------------------


class Scale:
    """A connector's way out that also weighs what comes back."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self.bytes = 0

    async def __call__(self, *words: Any, **more: Any) -> HttpAnswer:
        answer = await self._channel(*words, **more)
        self.bytes += len(answer.body)
        return answer


def plain_services() -> list[Any]:
    """One service for each operation of each source that can over-deliver."""
    found = {
        (service.source, service.operation): service
        for service in SERVICES.values()
        if service.source not in (None, "parking_cards", *OWN) and not elsewhere(service)
    }
    return [pytest.param(service, id=f"{source}.{operation}") for (source, operation), service in found.items()]


@pytest.mark.parametrize("service", plain_services())
async def test_more_came_over_the_wire_than_was_asked(service: Any, hub_settings: settings.Settings, address_id: str):
    """Measured with the hub's own connector, in this process: bytes from the source, with and without the fault."""
    keys = {**KEYS[service.name], "addressId": address_id} if service.name == "address.get" else KEYS[service.name]
    keys = {name: value for name, value in keys.items() if name in service.keys}
    if service.exactly_one:
        keys = {
            name: value
            for name, value in keys.items()
            if name in service.exactly_one[0] or not _is_choice(service, name)
        }

    as_it_should, overflowing = await weighed(service, keys, hub_settings)

    assert as_it_should < overflowing


async def weighed(service: Any, keys: Mapping[str, Any], chosen: settings.Settings) -> tuple[int, int]:
    manifest = registry.manifests(places.folder("connectors"))[service.source]
    source = next(name for name in SOURCES if CONNECTOR_OF.get(name, name) == service.source)
    lines = Lines()
    try:
        said = chosen.sources[service.source]
        body, way = next(iter(said.get("bodies", {}).items()), (None, said))  # of a source that is several: the first
        scale = Scale(Channel(service.source, way["url"], lines, manifest.limits))
        sends = dict.fromkeys(said.get("bodies", {}), scale)
        tools = Tools(service.source, manifest.room, said, scale, clock.system, True, sends)
        connector = await registry.build(manifest, tools)
        one = next(one for one in granted() if one.service.name == service.name)
        context = one.permit.grant.legal_context.get(service.source, "")
        question = Question(
            service.operation, keys, frozenset(), False, "weighed", "1982100968", context, time.monotonic() + 10,
            body=body,
        )
        await connector.ask(question)  # warm: what is bought once (a token) is not weighed
        weights = []
        for scenario in (f"{source}.delay", f"{source}.over_delivery"):
            scale.bytes = 0
            await connector.ask(replace(question, ticket=scenario.replace(".", "-"), scenario=scenario))
            weights.append(scale.bytes)
    finally:
        await lines.close()
    return weights[0], weights[1]


def _is_choice(service: Any, name: str) -> bool:
    return any(name in group for group in service.exactly_one)


def test_the_parking_file_holds_names_that_no_answer_has(hub: Sandbox, doors: Callers):
    """The legacy package always over-delivers: its file has holders in it, and the hub reads past them."""
    rows = (hub.state / "mock" / "parking" / "cards.txt").read_text("cp1252")
    reply = doors.ask(
        "parking.cards.count", {"plateNumber": PERSON["plateNumber"], "dossierReference": "FLOW-1"}, purpose="parking_control"
    )  # fmt: skip

    assert ("Eekhoorn" in rows or "EEKHOORN" in rows, PERSON["ssin"] in rows) == (True, True)
    assert {"count", "validUntil"} == set(leaves(reply.body))
