"""From proposal to force: who may, in which order, what the ledger says, and what decides meanwhile. On both engines."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from integrator.errors import LedgerUnwritable, MalformedRequest
from integrator.governing.tables import Vote
from integrator.governing.texts import digest
from integrator.governing.words import GoverningRefused
from tests.unit.audit.kit import ENGINES, engine_url
from tests.unit.governing.kit import (
    AUDITOR,
    BASE,
    DPO,
    HUB,
    HUB_2,
    NOON,
    SCHOOL,
    STEWARD,
    STEWARD_2,
    WHY,
    Clock,
    House,
    Ledger,
    house,
    propose,
    without_gender,
    without_language,
)

DAY = 86_400
INQUIRY = "social_inquiry"


@pytest.fixture(params=ENGINES)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    with engine_url(request.param, tmp_path) as place:
        yield place


@pytest.fixture
def one(url: str, tmp_path: Path) -> Iterator[House]:
    made = house(url, tmp_path)
    yield made
    made.store.database.close()


async def approved(one: House, text: bytes, effective: int = NOON) -> str:
    made = await propose(one, STEWARD, text, effective)
    await one.office.approve(STEWARD_2, made.id)
    await one.office.approve(HUB, made.id)
    return made.id


async def refused(step: object) -> str:
    with pytest.raises(GoverningRefused) as error:
        await step  # type: ignore[misc]
    return error.value.reason


async def test_a_text_decides_once_two_people_approved_it_and_its_day_has_come(one: House) -> None:
    id_ = await approved(one, without_language(), NOON + DAY)
    await one.live.look()

    assert ("approved", BASE[SCHOOL]) == ((await one.office.find(id_)).state, one.school)

    one.clock.now = NOON + DAY
    await one.live.look()

    assert ("active", without_language()) == ((await one.office.find(id_)).state, one.school)


async def test_each_step_is_an_entry_with_the_digest_of_the_exact_text_and_shares_the_proposals_trace(
    one: House,
) -> None:
    id_ = await approved(one, without_language())
    await one.live.look()

    assert ["propose", "approve", "approve", "activate"] == one.ledger.steps
    assert {id_} == {entry.trace_id for entry in one.ledger.entries}
    assert {f"sha256:{digest(without_language())}"} == {entry.clear["policy"]["ver"] for entry in one.ledger.entries}
    assert [STEWARD.id, STEWARD_2.id, HUB.id] == [dict(entry.agent or {}).get("id") for entry in one.ledger.entries[:3]]


async def test_whoever_proposed_does_not_approve_though_he_is_an_officer(one: House) -> None:
    made = await propose(one, HUB, without_language())

    assert "OWN_PROPOSAL" == await refused(one.office.approve(replace(HUB, id="HUB-1"), made.id))


async def test_two_stewards_are_not_enough_one_must_be_an_officer(one: House) -> None:
    made = await propose(one, HUB_2, without_language())
    await one.office.approve(STEWARD, made.id)

    assert "NEEDS_OFFICER" == await refused(one.office.approve(STEWARD_2, made.id))
    assert "approved" == (await one.office.approve(HUB, made.id)).state


async def test_one_person_does_not_count_twice(one: House) -> None:
    made = await propose(one, STEWARD, without_language())
    await one.office.approve(HUB, made.id)

    assert "ALREADY_SAID" == await refused(one.office.approve(HUB, made.id))


async def test_the_officer_of_an_organisation_concerned_is_an_officer_and_another_ones_is_not(one: House) -> None:
    made = await propose(one, STEWARD, without_language())

    assert one.office.officer(DPO, made)
    assert not one.office.officer(replace(DPO, org="1982100671"), made)


async def test_of_two_texts_together_an_officer_speaks_for_none_unless_each_concerns_his_organisation(
    one: House,
) -> None:
    """The schools are his, the file of the social inquiry is an OCMW's."""
    inquiry = BASE[INQUIRY] + b"# read again\n"
    bases = {code: digest(BASE[code]) for code in (SCHOOL, INQUIRY)}
    both = await one.office.propose(STEWARD, [without_language(), inquiry], WHY, NOON, bases)
    await one.office.approve(STEWARD_2, both.id)

    assert "NEEDS_OFFICER" == await refused(one.office.approve(DPO, both.id))
    assert "approved" == (await one.office.approve(HUB, both.id)).state


async def test_an_officer_speaks_for_an_organisation_that_a_text_leaves_out_from_now_on(one: House) -> None:
    made = await propose(one, STEWARD, BASE[SCHOOL].replace(b"[group:municipalities]", b"[uccle]"))

    assert one.office.officer(DPO, made)


@pytest.mark.parametrize(
    "person", [AUDITOR, replace(AUDITOR, roles=frozenset({"citizen"}))], ids=["auditor", "citizen"]
)
async def test_who_only_looks_takes_no_step(one: House, person: object) -> None:
    assert "NOT_FOR_YOU" == await refused(propose(one, person, without_language()))  # type: ignore[arg-type]


async def test_of_two_changes_of_one_text_the_second_is_told_to_start_from_the_first(one: House) -> None:
    first = await propose(one, STEWARD, without_language())
    second = await propose(one, STEWARD_2, without_gender())
    for person in (HUB, HUB_2):
        await one.office.approve(person, first.id)

    assert "REBASE" == await refused(one.office.approve(HUB, second.id))
    assert "REBASE" == await one.office.stale(await one.office.find(second.id))

    rebased = await propose(one, STEWARD_2, without_gender(without_language()))
    for person in (HUB, HUB_2):
        await one.office.approve(person, rebased.id)
    await one.live.look()

    assert without_gender(without_language()) == one.school
    assert ["superseded", "active"] == [(await one.office.find(each)).state for each in (first.id, rebased.id)]


@pytest.mark.parametrize("named", [{SCHOOL: digest(BASE[SCHOOL])}, {}], ids=["the text in force", "none"])
async def test_an_approved_restriction_is_not_undone_by_a_text_written_before_it(
    one: House, named: dict[str, str]
) -> None:
    """The language goes in a day; who took the text out before that knows nothing of it."""
    await approved(one, without_language(), NOON + DAY)

    assert "REBASE" == await refused(one.office.propose(STEWARD_2, [without_gender()], WHY, NOON + DAY, named))
    assert 1 == one.ledger.steps.count("propose")

    newest = {SCHOOL: digest(without_language())}
    again = await one.office.propose(STEWARD_2, [without_gender(without_language())], WHY, NOON + DAY, newest)

    assert digest(without_language()) == again.drafts[0].replaces


async def test_another_node_starts_from_the_approved_text_though_it_keeps_none_of_it(url: str, tmp_path: Path) -> None:
    one, two = (house(url, tmp_path / name) for name in ("a", "b"))
    await approved(one, without_language(), NOON + DAY)

    assert (BASE[SCHOOL], without_language()) == (two.school, two.office.newest()[SCHOOL])
    assert without_language() == two.office.text(digest(without_language()))
    for each in (one, two):
        each.store.database.close()


async def test_two_approvals_that_race_let_one_text_through(one: House) -> None:
    """Both were looked at before either was approved: the database decides, not what was read before."""
    first = await propose(one, STEWARD, without_language())
    second = await propose(one, STEWARD_2, without_gender())

    assert ["", "REBASE"] == [one.store.approve(first), one.store.approve(second)]


async def test_a_text_that_lost_its_ground_after_two_approvals_wakes_no_node(one: House) -> None:
    first = await propose(one, STEWARD, without_language())
    second = await propose(one, STEWARD_2, without_gender())
    for person in (HUB, HUB_2):
        one.store.vote(second.id, Vote(person.id, person.name, True, NOON))
        await one.office.approve(person, first.id)
    await one.live.look()
    revision = one.store.revision()
    await one.live.look()

    assert (revision, "proposed") == (one.store.revision(), (await one.office.find(second.id)).state)


async def test_a_text_never_takes_effect_before_the_one_it_was_written_from(one: House) -> None:
    await approved(one, without_language(), NOON + 2 * DAY)
    early = await propose(one, STEWARD, without_gender(without_language()), NOON + DAY)

    assert "TOO_EARLY" == await refused(one.office.approve(HUB, early.id))


async def test_what_is_refused_leaves_running_what_ran(one: House) -> None:
    made = await propose(one, STEWARD, without_language())
    await one.office.refuse(HUB, made.id, "the school asked for it yesterday")
    await one.live.look()

    assert ("refused", BASE[SCHOOL]) == ((await one.office.find(made.id)).state, one.school)
    assert "SETTLED" == await refused(one.office.approve(HUB_2, made.id))
    assert ["propose", "refuse"] == one.ledger.steps


async def test_an_approved_text_can_be_taken_back_before_its_day_and_its_purpose_is_free_again(one: House) -> None:
    id_ = await approved(one, without_language(), NOON + DAY)

    assert "NOT_YOURS" == await refused(one.office.withdraw(STEWARD_2, id_, WHY))

    await one.office.withdraw(STEWARD, id_, WHY)
    one.clock.now = NOON + DAY
    await one.live.look()

    assert ("withdrawn", BASE[SCHOOL]) == ((await one.office.find(id_)).state, one.school)

    await approved(one, without_gender(), NOON + DAY)
    await one.live.look()

    assert without_gender() == one.school


async def test_what_another_text_stands_on_is_not_taken_back_from_under_it(one: House) -> None:
    first = await approved(one, without_language(), NOON + DAY)
    await approved(one, without_gender(without_language()), NOON + DAY)

    assert "STOOD_UPON" == await refused(one.office.withdraw(STEWARD, first, WHY))


async def test_a_text_the_machine_finds_wrong_is_not_even_proposed(url: str, tmp_path: Path) -> None:
    async def unsound(changed: object, at: float) -> dict[str, object]:
        return {
            "sound": False,
            "findings": [{"severity": "error", "file": "x", "line": 3, "message": "no such service"}],
        }

    one = house(url, tmp_path, prove=unsound)
    with pytest.raises(GoverningRefused) as error:
        await propose(one, STEWARD, without_language())

    assert ("NOT_SOUND", 3, []) == (error.value.reason, error.value.findings[0]["line"], one.ledger.steps)
    one.store.database.close()


@pytest.mark.parametrize(
    "text", [b"", b"no purpose: here", b"purpose: [a]", b"\xff\xfe", b"purpose: ../up"], ids=["empty", "no purpose", "a list", "no text", "a path"]
)  # fmt: skip
async def test_what_is_no_text_is_refused_without_a_word_of_it(one: House, text: bytes) -> None:
    with pytest.raises(MalformedRequest):
        await propose(one, STEWARD, text)


async def test_a_day_long_past_and_the_text_in_force_are_no_proposals(one: House) -> None:
    with pytest.raises(MalformedRequest):
        await propose(one, STEWARD, without_language(), NOON - 3 * DAY)

    assert "UNCHANGED" == await refused(propose(one, STEWARD, BASE[SCHOOL]))


async def test_nothing_is_proposed_or_approved_that_the_ledger_does_not_say(one: House) -> None:
    made = await propose(one, STEWARD, without_language())
    one.ledger.broken = True
    with pytest.raises(LedgerUnwritable):
        await one.office.approve(HUB, made.id)
    with pytest.raises(LedgerUnwritable):
        await propose(one, STEWARD, without_gender())

    assert ((), 1) == ((await one.office.find(made.id)).votes, len(one.store.newest()))


async def test_nothing_takes_effect_that_the_ledger_does_not_say_and_the_node_says_so(one: House) -> None:
    await approved(one, without_language())
    one.ledger.broken = True
    await one.live.look()

    assert (BASE[SCHOOL], "DEGRADED") == (one.school, one.live.health()["status"])

    one.ledger.broken = False
    await one.live.look()

    assert (without_language(), "UP") == (one.school, one.live.health()["status"])


async def test_two_nodes_follow_and_one_of_them_writes_the_activation(url: str, tmp_path: Path) -> None:
    clock, ledger = Clock(), Ledger()
    one, two = (house(url, tmp_path / name, clock=clock, ledger=ledger) for name in ("a", "b"))
    await approved(one, without_language())
    await two.live.look()
    await one.live.look()

    assert (without_language(), without_language()) == (one.school, two.school)
    assert one.live.current.digest == two.live.current.digest
    assert 1 == ledger.steps.count("activate")
    for each in (one, two):
        each.store.database.close()


async def test_a_node_that_died_while_bringing_a_text_into_force_is_followed_by_another(
    url: str, tmp_path: Path
) -> None:
    clock = Clock()
    one = house(url, tmp_path, clock=clock)
    id_ = await approved(one, without_language())

    assert one.store.claim(id_, NOON)  # … and then kill -9

    two = house(url, tmp_path, clock=clock)
    await two.live.look()

    assert BASE[SCHOOL] == two.school

    clock.now = NOON + 11
    await two.live.look()

    assert without_language() == two.school
    for each in (one, two):
        each.store.database.close()


async def test_the_second_approval_whose_writer_died_still_counts(one: House) -> None:
    made = await propose(one, STEWARD, without_language())
    await one.office.approve(STEWARD_2, made.id)
    one.store.vote(made.id, Vote(HUB.id, HUB.name, True, NOON))  # on record, and then kill -9
    await one.live.look()

    assert without_language() == one.school


async def test_a_new_purpose_begins_and_of_two_with_one_name_only_the_first(one: House) -> None:
    text = BASE[SCHOOL].replace(b"school_enrolment", b"night_school")
    second = await propose(one, STEWARD, text + b"# mine\n")
    await approved(one, text)
    await one.live.look()

    assert "night_school" in one.live.policies.purposes
    assert "REBASE" == await refused(one.office.approve(HUB, second.id))


async def test_after_a_restart_the_active_text_decides_and_not_the_file(url: str, tmp_path: Path) -> None:
    one = house(url, tmp_path)
    await approved(one, without_language())
    await one.live.look()
    one.store.database.close()

    again = house(url, tmp_path)

    assert without_language() == again.school
    again.store.database.close()
