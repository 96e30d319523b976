"""Who follows hears of changes to the files it keeps: the types that its purpose may know, once, and until its last day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import pytest

from integrator.delivery import orders
from integrator.delivery.announcing import Announcer, Change
from integrator.delivery.depositing import uid_of
from integrator.delivery.feed import Feed
from integrator.delivery.subscriptions import Ending, Following, Subscriptions
from integrator.delivery.webhooks.pushing import Target
from integrator.errors import ConditionUnknown, KeyReused, NoSuchDelivery, PolicyDenied
from tests.unit.delivery.kit import NUMBER, OTHER, RECEIVER, SENDER, STRANGER, House, entries, kinds, policies

TODAY = date(2026, 11, 23)
DAY = 86_400_000
KEEPER = "0207000307"  # of the register


class Files:
    """A directory of references as a test says: who keeps a file about whom, for what."""

    def __init__(self, files: dict[str, list[tuple[str, str]]]) -> None:
        self.files = files

    async def recipients(self, subject: str, day: date) -> Sequence[tuple[str, str, str]]:
        return [(organisation, purpose, "100") for organisation, purpose in self.files.get(subject, [])]


class Room:
    """Everything between a change and the feeds of those who follow."""

    def __init__(self, hub: House) -> None:
        self.hub = hub
        self.subscriptions = Subscriptions(hub.database, hub.outbox.sealing, hub.clock)
        self.files = Files({NUMBER: [(RECEIVER, "school"), (SENDER, "school")]})
        self.changed: list[str] = []
        self.feed = Feed(hub.outbox, lambda held: hub.carrying.hand_out(held))

    async def follow(
        self, organisation: str = RECEIVER, *, days: int = 30, key: str = "s1", fields: Any = (), **more: Any
    ) -> str:
        request = self.hub.request("person.changes", organisation=organisation)
        request = type(request)(request.service, request.caller, {}, request.trace, direction="receiver")
        uid = uid_of(self.hub.outbox, request, f"subscription:{key}")
        following = Following(
            self.subscriptions, uid, frozenset(fields), more.get("mode", "pull"), more.get("endpoint"), self.hub.outbox.ms() + days * DAY
        )  # fmt: skip
        answer = await self.hub.exchange.accept(request, following)
        return str(answer.body["subscriptionId"])

    async def change(self, *fields: str, id: str = "c1", ssin: str = NUMBER, teller: str = KEEPER) -> int:
        announcer = Announcer(
            self.hub.services["person.changes"],
            self.files,
            self.subscriptions,
            self.hub.outbox,
            self.hub.exchange.tell,
            self._changed,
            {KEEPER},
        )
        return await announcer.announce(Change(id, ssin, frozenset(fields or {"address"}), TODAY, teller))

    async def _changed(self, ssin: str, at: float) -> None:
        self.changed.append(ssin)

    async def heard(self, uid: str, cursor: str | None = None) -> list[tuple[str, list[str]]]:
        page = await self.feed.fetch(uid, cursor)
        return [(held.keys["ssin"], sorted(content)) for held, content in page.messages]


@pytest.fixture
def room(hub: House) -> Room:
    return Room(hub)


async def test_who_keeps_a_file_and_follows_hears_the_type_of_what_changed(room: Room) -> None:
    uid = await room.follow()
    await room.change("address")

    assert [(NUMBER, ["address"])] == await room.heard(uid)


async def test_following_is_decided_and_recorded(room: Room) -> None:
    with pytest.raises(PolicyDenied):
        await room.follow(STRANGER)

    assert (["denied"], []) == (kinds(room.hub.ledger), await room.subscriptions.followers("person.changes"))


async def test_who_keeps_no_file_hears_nothing(room: Room) -> None:
    uid = await room.follow()
    room.files.files = {NUMBER: [(SENDER, "school")]}

    assert (0, []) == (await room.change(), await room.heard(uid))


async def test_a_change_that_nobody_follows_is_known_to_the_alerts_all_the_same(room: Room) -> None:
    await room.change(ssin=OTHER)

    assert [OTHER] == room.changed


async def test_what_somebody_else_than_the_keeper_of_the_register_says_explains_no_look(room: Room) -> None:
    await room.follow()

    assert (1, []) == (await room.change(teller=SENDER), room.changed)


async def test_a_file_kept_for_another_purpose_is_no_file_for_this_one(room: Room) -> None:
    uid = await room.follow()
    room.files.files = {NUMBER: [(RECEIVER, "housing")]}

    assert (0, []) == (await room.change(), await room.heard(uid))


async def test_a_change_about_somebody_else_is_not_heard(room: Room) -> None:
    uid = await room.follow()

    assert (0, []) == (await room.change(ssin=OTHER), await room.heard(uid))


async def test_a_type_that_is_not_granted_is_not_told(room: Room) -> None:
    uid = await room.follow()
    await room.change("address", "name")

    assert [(NUMBER, ["address"])] == await room.heard(uid)


async def test_a_change_of_nothing_but_what_is_not_granted_leaves_no_message(room: Room) -> None:
    await room.follow()

    assert 0 == await room.change("name")
    assert {} == await room.hub.outbox.counts()


async def test_who_wants_to_hear_of_less_hears_of_less(room: Room) -> None:
    room.hub.may(policies([{"service": "person.changes", "as": ["receiver"], "keys": ["ssin"], "fields": ["address", "name"]}]))
    uid = await room.follow(fields=["name"])
    await room.change("address", "name")

    assert [(NUMBER, ["name"])] == await room.heard(uid)


async def test_a_change_told_twice_is_heard_once(room: Room) -> None:
    uid = await room.follow()
    await room.change()
    await room.change()

    assert 1 == len(await room.heard(uid))


NIGHT = 1_795_471_200.0  # 2026-11-23 22:00 UTC
LINE = {"service": "person.changes", "as": ["receiver"], "keys": ["ssin"], "fields": ["address"]}
HOURS = {"hours": {"days": ["mon"], "from": "08:00", "to": "18:00"}}


@pytest.mark.parametrize("condition", [
    {"roles": ["counter"]}, {"assurance": "high"}, HOURS,
], ids=["a_role", "an_assurance", "hours"])  # fmt: skip
async def test_what_is_asked_of_an_agent_at_the_counter_loses_no_event(room: Room, condition: Any) -> None:
    uid = await room.follow()
    room.hub.may(policies([{**LINE, **condition}]))
    room.hub.clock.now = NIGHT
    told = await room.change()
    early = await room.heard(uid)
    room.hub.clock.now = NIGHT - 8 * 3600 + 7 * 86_400

    assert (1, "hours" not in condition, [(NUMBER, ["address"])]) == (told, bool(early), await room.heard(uid))


async def test_a_limit_on_questions_loses_no_event(room: Room) -> None:
    uid = await room.follow()
    room.hub.may(policies([{**LINE, "limits": {"perDay": 1}}]))

    assert [1, 1, 2] == [await room.change(id="c1"), await room.change(id="c2"), len(await room.heard(uid))]


async def test_while_nobody_knows_who_keeps_a_file_the_announcement_is_told_again(room: Room) -> None:
    await room.follow()
    room.hub.may(policies([{**LINE, "registration": ["100"]}]))
    with pytest.raises(ConditionUnknown):
        await room.change()


async def test_two_followers_have_one_message_each(room: Room) -> None:
    mine, theirs = await room.follow(), await room.follow(SENDER)

    assert 2 == await room.change()
    assert [1, 1] == [len(await room.heard(uid)) for uid in (mine, theirs)]


async def test_a_follower_whose_day_is_over_hears_nothing(room: Room) -> None:
    await room.follow(days=2)
    room.hub.clock.now += 2 * 86_400

    assert 0 == await room.change()


async def test_the_same_key_with_another_end_is_refused(room: Room) -> None:
    await room.follow(days=2)
    with pytest.raises(KeyReused):
        await room.follow(days=3)


async def test_who_ended_it_hears_nothing_more_and_ends_it_once(room: Room) -> None:
    uid = await room.follow()
    request = room.hub.request("person.changes", organisation=RECEIVER)
    ending = Ending(room.subscriptions, uid)
    answers = [(await room.hub.exchange.accept(request, ending)).body["state"] for _ in range(2)]

    assert (["ended", "ended"], 0) == (answers, await room.change())


async def test_another_applications_subscription_does_not_exist(room: Room) -> None:
    uid = await room.follow()
    with pytest.raises(NoSuchDelivery):
        await room.subscriptions.own(uid, RECEIVER, "another")


async def test_a_push_whose_subscription_ended_has_no_target(room: Room) -> None:
    uid = await room.follow(mode="push", endpoint="gone", days=2)
    before = await room.subscriptions.target(uid)
    room.hub.clock.now += 2 * 86_400

    assert [Target(None, "NO_ADDRESS"), Target(None, "SUBSCRIPTION_ENDED"), Target(None, "NO_SUBSCRIPTION")] == [
        before, await room.subscriptions.target(uid), await room.subscriptions.target("nothing"),
    ]  # fmt: skip


async def test_an_address_that_an_operator_ended_gets_nothing_more(room: Room) -> None:
    hub, url = room.hub, "https://receiver.example/hook"
    made, row = orders.register(RECEIVER, url, hub.outbox.ms())
    orders.record(hub.ledger, "register", [row], count=1, reason="ADDRESS_REGISTERED", organisation=RECEIVER)
    uid = await room.follow(mode="push", endpoint=made)
    before = await room.subscriptions.target(uid)
    ending = [orders.unregister(RECEIVER, url, hub.outbox.ms())]
    orders.record(hub.ledger, "unregister", ending, count=1, reason="ADDRESS_ENDED", organisation=RECEIVER)

    assert [Target(url), Target(None, "NO_ADDRESS")] == [before, await room.subscriptions.target(uid)]
    assert None is await room.subscriptions.endpoint(url, RECEIVER)


# --- the feed -----------------------------------------------------------------------------------------------------------------


async def test_handing_out_is_recorded_like_a_read_before_it_is_answered(room: Room) -> None:
    uid = await room.follow()
    await room.change()
    await room.heard(uid)
    told = entries(room.hub.ledger)[-1]

    assert ("outcome", RECEIVER, ["address"], 1) == (
        told["type"], told["consumer"]["org"], told["categories"], told["counts"]["subjects"],
    )  # fmt: skip


async def test_a_grant_that_ended_before_it_was_fetched_lets_nothing_out(room: Room) -> None:
    uid = await room.follow()
    await room.change()
    room.hub.may(policies(organisations=[SENDER]))

    assert [] == await room.heard(uid)
    assert {"dead": 1} == {state: count for state, (count, _) in (await room.hub.outbox.counts()).items()}


async def test_a_cursor_acknowledges_what_came_with_it_and_nothing_else(room: Room) -> None:
    uid = await room.follow()
    await room.change(id="c1")
    lost = await room.feed.fetch(uid, None)  # the answer never arrived
    await room.change(id="c2")
    page = await room.feed.fetch(uid, None)
    stale = await room.heard(uid, lost.cursor)

    assert (2, 2) == (len(page.messages), len(stale))


async def test_what_did_not_go_along_is_not_acknowledged_by_the_cursor_of_what_did(room: Room) -> None:
    uid = await room.follow()
    await room.change(id="c1")
    await room.change(id="c2")
    decide = room.hub.carrying.decide
    asked = []

    async def away(service: Any, request: Any) -> Any:
        asked.append(request)
        if len(asked) == 1:
            raise ConditionUnknown("REGISTRATION_UNKNOWN")
        return await decide(service, request)

    object.__setattr__(room.hub.carrying, "decide", away)
    page = await room.feed.fetch(uid, None)
    [kept] = (await room.feed.fetch(uid, page.cursor)).messages
    ids = [held.uid for held, _ in page.messages]

    assert (1, "delivered") == (len(ids), (await room.hub.state(ids[0]))[0])
    assert ("waiting", True) == ((await room.hub.state(kept[0].uid))[0], kept[0].uid not in ids)


async def test_messages_come_in_the_order_of_their_acceptance(room: Room) -> None:
    uid = await room.follow()
    for number in range(5):
        await room.change(id=f"c{number}")
    page = await room.feed.fetch(uid, None, 3)
    rest = await room.feed.fetch(uid, page.cursor)
    ids = [held.id for held, _ in (*page.messages, *rest.messages)]

    assert (sorted(ids), 5) == (ids, len(ids))


async def test_what_nobody_fetches_in_time_expires_recorded(room: Room) -> None:
    uid = await room.follow(days=90)
    await room.change()
    room.hub.clock.now += 31 * 86_400
    late = await room.hub.outbox.overdue(10, 60)
    await room.hub.carrying.carry(late)

    assert ([], "expired", "DELIVERY_EXPIRED") == (
        await room.heard(uid), (await room.hub.state(late[0].uid))[0], entries(room.hub.ledger)[-1]["reason_code"],
    )  # fmt: skip


async def test_an_answer_that_is_no_longer_awaited_is_expired(hub: House) -> None:
    uid = (await hub.accept("k1")).body["deliveryId"]
    await hub.carry()
    hub.clock.now += 31 * 86_400
    await hub.outbox.overdue(10, 60)

    assert "expired" == (await hub.outbox.find(uid))["answer"]


async def test_an_answer_finds_its_question_days_later(hub: House) -> None:
    uid = (await hub.accept("k1")).body["deliveryId"]
    await hub.carry()
    hub.clock.now += 20 * 86_400
    request = hub.request(organisation=RECEIVER, fields={"field"})
    await hub.exchange.accept(
        request, hub.message(request, "a1", {"field": "done"}, f"question:{uid}", mode="pull", question=uid)
    )

    page = await Feed(hub.outbox, hub.carrying.hand_out).fetch(f"question:{uid}", None)

    assert ("answered", [uid]) == ((await hub.outbox.find(uid))["answer"], [held.question for held, _ in page.messages])


async def test_the_case_of_a_question_lies_sealed_until_it_is_answered_and_not_longer(hub: House) -> None:
    uid = (await hub.accept("q1")).body["deliveryId"]
    await hub.carry()
    awaited = await hub.outbox.find(uid)
    await hub.accept("a1", mode="pull", recipient="answers:x", question=uid)
    answered = await hub.outbox.find(uid)

    assert ("delivered", "2026/7") == (awaited["state"], hub.outbox.held(awaited, "").dossier)
    assert ("answered", None) == (answered["answer"], answered["sealed"])


async def test_what_was_fetched_keeps_its_case_as_long_as_an_answer_is_awaited(hub: House) -> None:
    uid = (await hub.accept("q1", mode="pull", recipient="s1")).body["deliveryId"]
    feed = Feed(hub.outbox, hub.carrying.hand_out)
    await feed.fetch("s1", (await feed.fetch("s1", None)).cursor)
    awaited = await hub.outbox.find(uid)
    hub.clock.now += 31 * 86_400
    await hub.outbox.overdue(10, 60)
    over = await hub.outbox.find(uid)

    assert ("delivered", "2026/7") == (awaited["state"], hub.outbox.held(awaited, "").dossier)
    assert ("expired", None) == (over["answer"], over["sealed"])


async def test_an_answer_before_its_question_was_acknowledged_leaves_the_question_readable(hub: House) -> None:
    uid = (await hub.accept("q1", mode="pull", recipient="s1")).body["deliveryId"]
    await hub.accept("a1", mode="pull", recipient="answers:x", question=uid)
    row = await hub.outbox.find(uid)

    assert ("answered", "street") == (row["answer"], hub.outbox.held(row, "").content["field"])


async def test_answers_of_one_mailbox_are_told_apart_by_their_question(hub: House) -> None:
    first, second = [(await hub.accept(key)).body["deliveryId"] for key in ("q1", "q2")]
    for question in (first, second):
        await hub.accept(f"a-{question}", mode="pull", recipient="answers:x", question=question)
    feed = Feed(hub.outbox, hub.carrying.hand_out)
    of_one = await feed.fetch("answers:x", None, question=second)
    await feed.fetch("answers:x", of_one.cursor, question=second)
    left = await feed.fetch("answers:x", None)

    assert [[second], [first]] == [[held.question for held, _ in page.messages] for page in (of_one, left)]
