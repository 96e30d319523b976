"""The blind relay: a notice reaches whom a question finds, and neither end learns who the other is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson
import pytest

from integrator.checks_then import of_relay
from integrator.delivery.depositing import Message, uid_of
from integrator.delivery.effects import Effects
from integrator.delivery.relaying import Relaying
from integrator.delivery.subscriptions import Following, Subscriptions
from integrator.delivery.webhooks.pushing import event
from integrator.errors import SourceUnavailable, SubjectNotFound
from integrator.model import Answer, Caller, Request, Trace
from integrator.services import compile_service
from tests.unit.delivery.kit import NUMBER, RECEIVER, SENDER, STRANGER, TEXT, House, entries, house, policies

PLATE, RELAY, BOX = "1ABC123", STRANGER, RECEIVER
WHAT = {"what": {"type": "text", "required": True}}
_KEYS = {"ssin": {"type": "ssin"}, "plateNumber": {"type": "plate", "required": True}}
NOTIFY = {
    "service": "notify", "kind": "delivery", "route": "POST /n", "title": TEXT, "subject": {"key": "plateNumber", "type": "plate"},
    "keys": {"plateNumber": _KEYS["plateNumber"]}, "delivery": {
        "kind": "relay", "type": "v.v1.h.request.notified", "to": "letter", "content": WHAT, "expiresDays": 2, "answerDays": 7,
        "find": {"service": "holder", "keys": ["plateNumber"], "for": RELAY, "purpose": "school", "recipient": {"ssin": "holder.ssin"}, "mailbox": BOX},
    }}  # fmt: skip
LETTER = {
    "service": "letter", "kind": "delivery", "route": "POST /l", "title": TEXT, "subject": {"key": "ssin", "type": "nrn"},
    "keys": {"ssin": _KEYS["ssin"], "recipient": {"type": "enterpriseNumber", "required": True}}, "delivery": {
        "kind": "message", "type": "m.v1.l.request.sent", "to": "recipient", "follows": True, "content": WHAT, "expiresDays": 2, "answerDays": 7,
    }}  # fmt: skip
HOLDER = {
    "service": "holder", "route": "POST /h", "title": TEXT, "subject": {"key": "plateNumber", "type": "plate"}, "source": "register",
    "operation": "holder", "keys": {"plateNumber": _KEYS["plateNumber"]}, "checks": [],
}  # fmt: skip
GRANTS = [
    {"service": "notify", "as": ["sender", "receiver"], "keys": ["plateNumber"], "fields": ["what"]},
    {"service": "letter", "as": ["sender", "receiver"], "keys": ["ssin", "recipient"], "fields": ["what"]},
]


class Register:
    """Answers as it is told to."""

    def __init__(self) -> None:
        self.says: Mapping[str, Any] | Exception = {"holder": {"ssin": NUMBER}}
        self.asked: list[Request] = []

    async def answer(self, request: Request) -> Answer:
        self.asked.append(request)
        if isinstance(self.says, Exception):
            raise self.says
        return Answer(self.says, b"", Trace("0" * 32, "0" * 16), (1,), "s")


@pytest.fixture
def register() -> Register:
    return Register()


@pytest.fixture
def hub(tmp_path: Path, register: Register) -> Iterator[House]:
    with house("sqlite", tmp_path) as built:
        built.services |= {one["service"]: compile_service(one, {}, sandbox=frozenset()) for one in (NOTIFY, LETTER)}
        built.may(policies(GRANTS, [SENDER, RELAY, BOX]))
        relaying = Relaying(
            built.services["notify"].later.find, built.services["letter"], built.outbox, subscriptions(built),
            register.answer, lambda request, letter: built.exchange.tell(request, letter),
        )  # fmt: skip
        built.carrying.senders["effect"] = Effects({"notify": relaying})  # type: ignore[index]
        yield built


def subscriptions(hub: House) -> Subscriptions:
    return Subscriptions(hub.database, hub.outbox.sealing, hub.clock)


async def follow(hub: House) -> None:
    caller = Caller(BOX, "box", "school")
    request = Request("letter", caller, {}, Trace("c" * 32, "d" * 16), direction="receiver")
    ends = hub.outbox.ms() + 10**10
    await hub.exchange.accept(request, Following(subscriptions(hub), "f" * 32, frozenset(), "pull", None, ends))


async def notice(hub: House, key: str = "notice-1", plate: str = PLATE) -> str:
    caller = Caller(SENDER, "app", "school", "agent-7")
    request = Request(
        "notify", caller, {"plateNumber": plate}, Trace("a" * 32, "b" * 16), frozenset({"what"}), "2026/7", direction="sender"
    )
    message = Message(
        hub.outbox, uid_of(hub.outbox, request, key), "relay", "effect", "notify", (SENDER, "app", "school"), request,
        {"what": "lights on"}, ("plate", plate), 2, 7,
    )  # fmt: skip
    return str((await hub.exchange.accept(request, message)).body["deliveryId"])


async def letters(hub: House) -> list[Any]:
    rows = await hub.database.run(
        lambda c: [
            dict(row) for row in c.exec_driver_sql("SELECT * FROM delivery_message WHERE service = 'letter'").mappings()
        ]
    )
    return rows


async def test_the_letter_goes_under_the_number_that_was_found_and_says_nothing_of_the_sender(hub: House) -> None:
    await follow(hub)
    uid = await notice(hub)
    await hub.carry()
    [row] = await letters(hub)
    held = hub.outbox.held(row, "")
    told = orjson.dumps(event(held, held.content, issuer="i", type_="t")).decode()

    assert ({"ssin": NUMBER, "recipient": BOX}, {"what": "lights on"}) == (held.keys, held.content)
    assert [] == [word for word in (uid, SENDER, "2026/7", "agent-7") if word in told]


async def test_the_number_that_was_found_stands_sealed_in_the_letter_and_nowhere_else(hub: House) -> None:
    await follow(hub)
    uid = await notice(hub)
    await hub.carry()
    mine = dict(await hub.outbox.find(uid))
    [letter] = await letters(hub)

    assert "delivered" == mine["state"]
    assert NUMBER not in repr(mine) + repr(hub.outbox.held(mine, "")) + repr(letter)
    assert NUMBER not in repr(entries(hub.ledger))
    assert [] == [one for one in entries(hub.ledger) if SENDER in repr(one) and "letter" in repr(one)]


@pytest.mark.parametrize(
    "found", [SubjectNotFound("register"), {"holder": {}}, {}], ids=["no_such_plate", "no_number", "nothing"]
)
async def test_where_nobody_is_found_the_sender_reads_the_same(hub: House, register: Register, found: Any) -> None:
    await follow(hub)
    register.says = found
    uid = await notice(hub)
    await hub.carry()

    assert (("delivered", None), []) == (await hub.state(uid), await letters(hub))


async def test_of_one_plate_one_letter_goes_a_day_and_nobody_is_told(hub: House, register: Register) -> None:
    await follow(hub)
    uids = [await notice(hub), await notice(hub, "notice-2")]
    await hub.carry()
    await hub.carry()
    assert [("delivered", None)] * 2 == [await hub.state(uid) for uid in uids]
    assert (1, 1) == (len(await letters(hub)), len(register.asked))

    hub.clock.now += 86_400
    await notice(hub, "notice-3")
    await hub.carry()
    assert 2 == len(await letters(hub))


async def test_while_the_register_is_down_the_notice_waits_and_then_goes_once(hub: House, register: Register) -> None:
    await follow(hub)
    says, register.says = register.says, SourceUnavailable("register")
    uid = await notice(hub)
    await hub.carry()
    assert ("waiting", "SOURCE_UNAVAILABLE") == await hub.state(uid)

    register.says = says
    hub.clock.now += 60
    await hub.carry()
    assert (("delivered", None), 1) == (await hub.state(uid), len(await letters(hub)))


async def test_while_nobody_takes_letters_the_notice_waits(hub: House) -> None:
    uid = await notice(hub)
    await hub.carry()

    assert ("waiting", "SOURCE_UNAVAILABLE") == await hub.state(uid)


async def test_a_relay_that_died_after_its_letter_writes_no_second_one(hub: House, register: Register) -> None:
    await follow(hub)
    uid = await notice(hub)
    [held] = await hub.outbox.lease(1, 60)
    await hub.carrying.senders["effect"].send(held, held.content)  # and dies before its outcome
    hub.clock.now += 61
    await hub.carry()

    assert (("delivered", None), 1, 1) == (await hub.state(uid), len(await letters(hub)), len(register.asked))


async def test_it_is_asked_in_the_name_of_the_relay_not_of_the_sender(hub: House, register: Register) -> None:
    await follow(hub)
    await notice(hub)
    await hub.carry()
    [asked] = register.asked

    assert ((RELAY, "relay", None), frozenset({"holder.ssin"}), None) == (
        (asked.caller.organisation, asked.caller.application, asked.caller.agent), asked.fields, asked.dossier,
    )  # fmt: skip


def test_a_relay_to_nobody_is_told_before_it_runs() -> None:
    services = {one["service"]: compile_service(one, {}, sandbox=frozenset()) for one in (NOTIFY, LETTER, HOLDER)}

    assert [f"nobody in config/organisations.yaml is {BOX}", "holder offers no holder.ssin"] == [
        said for said, _ in of_relay(services["notify"], services, frozenset({RELAY}))
    ]
