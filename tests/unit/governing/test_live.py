"""What one node decides by: never a text it cannot read, always the whole of one set or the whole of another."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

import audit
from integrator import settings
from integrator.commands.policy.rooms import open_rooms
from integrator.contract import Question, Reply
from integrator.errors import PolicyDenied, SourceUnavailable
from integrator.exchange import Exchange
from integrator.governing.proving import prove
from integrator.governing.texts import compile_texts, slipped, suspend
from integrator.metrics import Metrics
from integrator.model import Caller, Request, Trace
from integrator.places import parse_yaml
from integrator.policy import Ask, Denial, Permit, reading
from integrator.recording import Recorder
from tests.unit.governing.kit import (
    BASE,
    DPO,
    HUB,
    HUB_2,
    IXELLES,
    NOON,
    SCHOOL,
    STEWARD,
    UCCLE,
    WHY,
    Clock,
    Ledger,
    house,
    without_language,
)
from tests.unit.governing.test_life import approved, refused

GROUPLESS = copy.deepcopy(settings.organisations())
GROUPLESS["groups"]["newcomers"] = ["ixelles"]
NEWCOMERS = BASE[SCHOOL].replace(b"[group:municipalities]", b"[group:municipalities, group:newcomers]")

RENAMED = BASE[SCHOOL].replace(b"@2026-1", b"@2026-2")


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    yield f"sqlite:///{tmp_path / 'governing.db'}"


def school(org: str = IXELLES, fields: frozenset[str] | None = None) -> Ask:
    return Ask(org, "app", SCHOOL, "person.get", frozenset({"ssin"}), frozenset({"familyName", "language"}), fields)


async def test_a_node_that_cannot_read_the_new_text_keeps_the_old_set_and_says_why(url: str, tmp_path: Path) -> None:
    """It knows no such group: its organisations.yaml is older than the other node's."""
    clock, ledger = Clock(), Ledger()
    old = house(url, tmp_path / "old", clock=clock, ledger=ledger, activates=False)
    new = house(url, tmp_path / "new", clock=clock, ledger=ledger, organisations=GROUPLESS)
    await approved(new, NEWCOMERS)
    await new.live.look()
    await old.live.look()

    assert (NEWCOMERS, BASE[SCHOOL]) == (new.school, old.school)
    assert ("UP", "DEGRADED") == (new.live.health()["status"], old.live.health()["status"])
    assert "group:newcomers" in old.live.health()["reason"]
    assert isinstance(old.live.policies.decide(school(), NOON), Permit)


async def test_a_node_that_cannot_read_a_text_suspends_all_the_same_and_gives_nothing_back(
    url: str, tmp_path: Path
) -> None:
    clock, ledger = Clock(), Ledger()
    old = house(url, tmp_path / "old", clock=clock, ledger=ledger, activates=False)
    new = house(url, tmp_path / "new", clock=clock, ledger=ledger, organisations=GROUPLESS)
    await approved(new, NEWCOMERS)
    await new.live.look()
    await old.live.look()
    held = await new.suspending.suspend(HUB, f"{SCHOOL}@2026-1", None, WHY)
    await old.live.look()

    assert "SUSPENDED" == getattr(old.live.policies.decide(school(), NOON), "reason", None)
    assert ("DEGRADED", BASE[SCHOOL]) == (old.live.health()["status"], old.school)

    await new.suspending.ask_back(HUB, held.id, WHY)
    await new.suspending.give_back(HUB_2, held.id)
    for one in (old, new):
        await one.live.look()

    assert [Denial, Permit] == [type(one.live.policies.decide(school(), NOON)) for one in (old, new)]


async def test_at_a_start_a_purpose_that_cannot_be_read_gives_nothing_and_the_others_decide(
    url: str, tmp_path: Path
) -> None:
    """Nothing is kept yet at a start; the file would give what was perhaps taken away since."""
    new = house(url, tmp_path / "new", organisations=GROUPLESS)
    await approved(new, NEWCOMERS)
    await new.live.look()
    old = house(url, tmp_path / "old", activates=False)

    assert "UNKNOWN_PURPOSE" == getattr(old.live.policies.decide(school(), NOON), "reason", None)
    assert set(BASE) - {SCHOOL} == set(old.live.policies.purposes)
    assert "DEGRADED" == old.live.health()["status"]


async def test_a_text_that_no_node_can_read_any_more_does_not_take_effect(url: str, tmp_path: Path) -> None:
    new = house(url, tmp_path / "new", organisations=GROUPLESS, activates=False)
    id_ = await approved(new, NEWCOMERS)
    old = house(url, tmp_path / "old")
    await old.live.look()

    assert ("approved", "DEGRADED") == ((await old.office.find(id_)).state, old.live.health()["status"])
    assert [] == old.ledger.entries


async def test_a_database_that_does_not_answer_leaves_the_set_deciding_and_is_said_after_a_while(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = house(url, tmp_path)

    def down() -> int:
        raise OperationalError("SELECT", {}, Exception("down"))

    monkeypatch.setattr(one.store, "ripe", down)
    said = []
    for _ in range(3):
        await one.live.look()
        said.append(one.live.health()["status"])

    assert ["UP", "UP", "DEGRADED"] == said
    assert isinstance(one.live.policies.decide(school(), NOON), Permit)


async def test_what_is_told_after_a_swap_is_the_whole_new_set(url: str, tmp_path: Path) -> None:
    one = house(url, tmp_path)
    told = []
    one.live.told.append(lambda new: told.append(new.texts[SCHOOL]))
    await approved(one, without_language())
    await one.live.look()
    await one.live.look()

    assert [without_language()] == told


async def test_texts_that_decide_are_kept_by_their_digest_before_they_do(url: str, tmp_path: Path) -> None:
    one = house(url, tmp_path)
    await approved(one, without_language())
    await one.live.look()
    digest = next(grant.digest for grant in one.live.policies.grants(SCHOOL, IXELLES))

    assert without_language() == one.archive.get(digest)


# --- suspensions


async def test_one_officer_suspends_at_once_and_it_takes_two_to_give_back(url: str, tmp_path: Path) -> None:
    one = house(url, tmp_path)
    made = await one.suspending.suspend(HUB, f"{SCHOOL}@2026-1", None, WHY)
    await one.live.look()
    denial = one.live.policies.decide(school(), NOON)

    assert isinstance(denial, Denial)
    assert ("SUSPENDED", f"{SCHOOL}@2026-1") == (denial.reason, denial.rule)

    await one.suspending.ask_back(HUB, made.id, "the breach was mended")

    assert "ALREADY_SAID" == await refused(one.suspending.give_back(HUB, made.id))
    assert "NOT_FOR_YOU" == await refused(one.suspending.give_back(STEWARD, made.id))

    await one.suspending.give_back(HUB_2, made.id)
    await one.live.look()

    assert isinstance(one.live.policies.decide(school(), NOON), Permit)
    assert ["suspend", "askback", "giveback"] == one.ledger.steps


async def test_the_officer_of_one_organisation_suspends_for_it_alone(url: str, tmp_path: Path) -> None:
    one = house(url, tmp_path)

    assert "ONLY_YOUR_ORGANISATION" == await refused(one.suspending.suspend(DPO, f"{SCHOOL}@2026-1", None, WHY))
    assert "UNKNOWN_AUTHORISATION" == await refused(one.suspending.suspend(HUB, "nothing@2026-1", None, WHY))
    assert "NOT_FOR_YOU" == await refused(one.suspending.suspend(STEWARD, f"{SCHOOL}@2026-1", None, WHY))

    await one.suspending.suspend(DPO, f"{SCHOOL}@2026-1", IXELLES, WHY)
    await one.live.look()

    assert ["SUSPENDED", None] == [
        getattr(one.live.policies.decide(school(org), NOON), "reason", None) for org in (IXELLES, UCCLE)
    ]
    assert "SUSPENDED_ALREADY" == await refused(one.suspending.suspend(DPO, f"{SCHOOL}@2026-1", IXELLES, WHY))


@pytest.mark.parametrize("org", [None, IXELLES], ids=["everybody", "one organisation"])
async def test_a_text_that_renames_what_is_suspended_waits_until_it_is_given_back(
    url: str, tmp_path: Path, org: str | None
) -> None:
    one = house(url, tmp_path)
    id_ = await approved(one, RENAMED)
    held = await one.suspending.suspend(HUB, f"{SCHOOL}@2026-1", org, WHY)
    await one.live.look()
    found = await one.office.find(id_)

    assert ("approved", "SUSPENDED") == (found.state, getattr(one.live.policies.decide(school(), NOON), "reason", None))
    assert f"{SCHOOL}@2026-1 is suspended, and {SCHOOL}@2026-2 would be given in its place" in found.words
    assert "activate" not in one.ledger.steps

    await one.suspending.ask_back(HUB, held.id, WHY)
    await one.suspending.give_back(HUB_2, held.id)
    await one.live.look()

    assert "active" == (await one.office.find(id_)).state


def test_renaming_what_is_suspended_is_not_sound() -> None:
    held, today = frozenset({(f"{SCHOOL}@2026-1", IXELLES)}), date(2026, 11, 24)
    before, after = (prove(BASE, {SCHOOL: RENAMED}, today, suspended) for suspended in (frozenset(), held))

    assert (True, False) == (before["sound"], after["sound"])
    assert [True] == ["would be given in its place" in one["message"] for one in after["findings"]]


def test_what_is_suspended_is_taken_away_for_good_without_being_given_back_first() -> None:
    organisations, held = settings.organisations(), [(f"{SCHOOL}@2026-1", IXELLES)]
    gone = {**BASE, SCHOOL: BASE[SCHOOL].replace(b"[group:municipalities]", b"[uccle]")}
    before, after = (compile_texts(texts, organisations, held) for texts in (BASE, gone))

    assert (1, 0) == (len(before.suspended), len(after.suspended))
    assert [] == slipped(before, after)


@pytest.mark.parametrize("org", [None, IXELLES], ids=["everybody", "one organisation"])
def test_a_suspension_never_gives_anybody_anything(org: str | None) -> None:
    """Over every authorisation there is: nothing that was refused is allowed, nothing gives more, for anybody."""
    purposes, grants = reading.read_purposes(
        [(f"{code}.yaml", text) for code, text in BASE.items()], settings.organisations()
    )
    before = suspend(purposes, grants, [])
    names = {grant.authorisation for purpose, one, _ in before.held() for grant in before.grants(purpose, one)}
    for name in sorted(names):
        after = suspend(purposes, grants, [(name, org)])
        for purpose, one, service in before.held():
            for grant in before.grants(purpose, one):
                if grant.service != service:
                    continue
                ask = Ask(one, "app", purpose, service, grant.keys, grant.fields, None, False, True)
                was, now = before.decide(ask, NOON), after.decide(ask, NOON)
                given = now.fields if isinstance(now, Permit) else frozenset()
                assert given <= (was.fields if isinstance(was, Permit) else frozenset())
                if org is not None and one != org:
                    assert type(was) is type(now)


def test_texts_are_read_once_also_when_something_is_suspended(monkeypatch: pytest.MonkeyPatch) -> None:
    names: list[str] = []

    def noted(name: str, text: bytes) -> Any:
        names.append(name)
        return parse_yaml(name, text)

    monkeypatch.setattr(reading, "parse_yaml", noted)
    compile_texts(BASE, settings.organisations(), [(f"{SCHOOL}@2026-1", None)])

    assert sorted(f"{code}.yaml" for code in BASE) == sorted(names)


def test_suspending_nothing_changes_nothing() -> None:
    organisations = settings.organisations()

    assert compile_texts(BASE, organisations).held() == compile_texts(BASE, organisations, [("nothing@1", None)]).held()


# --- in flight


class Slow:
    """A source that lets one wait, and then is down."""

    def __init__(self) -> None:
        self.asked, self.go = asyncio.Event(), asyncio.Event()

    async def ask(self, question: Question) -> Reply:
        self.asked.set()
        await self.go.wait()
        raise SourceUnavailable("rijksregister")

    async def check(self) -> None:
        return None


async def test_an_exchange_in_flight_ends_under_the_set_it_began_with(tmp_path: Path) -> None:
    """The hub replaces the whole exchange: the first question was allowed and ends as its source says; the next is refused."""
    store, source, rooms = audit.open_store(f"sqlite:///{tmp_path}/ledger.db"), Slow(), open_rooms()
    with audit.Ledger(store, audit.FileKeyRing(tmp_path / "keys"), shard="hub/test/t/2026") as ledger:
        hub = Exchange(
            rooms.services, rooms.policies, {"rijksregister": source}, Recorder(ledger, Metrics()), Metrics(),
            lambda: NOON, lambda organisation: None,
        )  # fmt: skip
        first = asyncio.create_task(hub.answer(a_child(1)))
        await source.asked.wait()
        gone = compile_texts({code: text for code, text in BASE.items() if code != SCHOOL}, settings.organisations())
        swapped = replace(hub, policies=gone)
        with pytest.raises(PolicyDenied):
            await swapped.answer(a_child(2))
        source.go.set()
        with pytest.raises(SourceUnavailable):
            await first

        assert ["intent", "denied", "outcome"] == [stored.kind for stored in store.read("hub/test/t/2026")]
    store.close()


def a_child(number: int) -> Request:
    caller = Caller(IXELLES, "counter", SCHOOL)
    return Request(
        "person.get", caller, {"ssin": "85610100147"}, Trace(f"{number:032x}", f"{number:016x}"), dossier="case/1"
    )
