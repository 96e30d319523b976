"""Acting for somebody: given on proof, seen by the person, held to its scope, and over the moment it ends."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from audit import Subject, open_entry
from integrator.consoles.mandates.store import MandateRefused, Mandates
from integrator.consoles.people import Person
from integrator.consoles.rights import LookRefused
from tests.unit.consoles.citizen.rig import House, house, text_of
from tests.unit.consoles.desk import ANNA, BERT, BRUSSELS, IXELLES

PROOF = "judgment of the justice of the peace, 2026-03-02"
OFFICER = Person("officer-1", "Officer", frozenset({"dpo"}), org=IXELLES)
UNTIL = date(2027, 6, 1)
CHILD = Subject("nrn", "85610100246")


@pytest.fixture
def home(tmp_path: Path) -> Iterator[House]:
    with house(tmp_path) as opened:
        yield opened


def mandates(home: House) -> Mandates:
    return Mandates(home.consoles.database, home.consoles.vault, home.consoles.desk, home.consoles.now)


async def given(home: House, **changes: Any) -> Any:
    wanted = {
        "holder": ANNA,
        "person": BERT,
        "kind": "administrator",
        "scope": ("look", "evidence", "contest"),
        "ends": UNTIL,
        "words": PROOF,
    }
    wanted |= changes
    return await mandates(home).give(
        OFFICER, *(wanted[name] for name in ("holder", "person", "kind", "scope", "ends", "words"))
    )


async def acting(home: House, **changes: Any) -> Any:
    """Anna at her browser, acting for Bert."""
    mandate = await given(home, **changes)
    browser = await home.citizen()
    await browser.get("/console/me/for")
    assert 303 == (await browser.post("/console/me/for", id=mandate.id)).status
    return browser, mandate


async def test_who_holds_a_mandate_sees_the_other_s_list_and_not_a_line_of_their_own(home: House) -> None:
    mine, theirs = home.exchange(), home.exchange(BERT)
    browser, _ = await acting(home)
    page = await text_of(browser, "/console/me/")

    assert (f"index={theirs}" in page, f"index={mine}&" in page) == (True, False)


async def test_every_look_stands_in_the_list_of_the_person(home: House) -> None:
    browser, mandate = await acting(home)
    await browser.get("/console/me/")
    look = open_entry(home.store, home.keyring, home.ledger.shard, home.store.size(home.ledger.shard) - 1)

    assert ("mandate", [BERT.id], mandate.id) == (
        look.entry["initiator"],
        [one.id for one in look.subjects],
        look.values["on_behalf_of"],
    )
    theirs = await home.citizen(BERT)
    assert "Somebody with a mandate looked at who used data about you" in await text_of(theirs, "/console/me/")


async def test_both_read_that_it_was_given_and_that_it_ended(home: House) -> None:
    mandate = await given(home)
    await mandates(home).end(mandate, OFFICER)

    for who in (ANNA, BERT):
        page = await text_of(await home.citizen(who), "/console/me/")
        assert "An officer gave a mandate" in page and "A mandate that concerned you was ended" in page
    assert BERT.id not in await text_of(await home.citizen(ANNA), "/console/me/")


@pytest.mark.parametrize("how", ["by the officer", "by the person", "by time"])
async def test_when_it_ends_the_next_click_is_one_s_own(home: House, how: str) -> None:
    mine = home.exchange()
    browser, mandate = await acting(home, ends=date(2026, 11, 24))
    if how == "by the officer":
        await mandates(home).end(mandate, OFFICER)
    elif how == "by the person":
        theirs = await home.citizen(BERT)
        await theirs.get("/console/me/for")
        assert 303 == (await theirs.post("/console/me/for/end", id=mandate.id)).status
    else:
        session = await home.consoles.sessions.find(browser.cookies["session"])
        assert session is not None and BERT == session.person.subject
        home.clock.now += 2 * 86_400_000_000
        again = await home.consoles.sessions.begin(session.person)
        browser.cookies["session"] = again.token

    assert f"index={mine}" in await text_of(browser, "/console/me/")


@pytest.mark.parametrize("language", ["nl", "fr", "en"])
async def test_who_holds_two_mandates_can_tell_them_apart_without_a_whole_number(home: House, language: str) -> None:
    await given(home)
    await given(home, person=CHILD, kind="parent", scope=("look",))
    page = await text_of(await home.citizen(), f"/console/me/for?lang={language}")

    assert all(told in page for told in ("84.65.17-···.54", "85.61.01-···.46"))
    assert BERT.id not in page and CHILD.id not in page


async def test_who_is_acted_for_reads_as_what_and_until_when_and_no_number(home: House) -> None:
    await given(home)
    page = await text_of(await home.citizen(BERT), "/console/me/for")

    assert "Administrator" in page and "1 June 2027" in page
    assert "85.61.01-" not in page and ANNA.id not in page


async def test_an_officer_reads_scope_and_end_of_their_own_s_mandates_and_for_nobody_s_number(home: House) -> None:
    await given(home, scope=("look", "evidence"), ends=date(2026, 11, 24))
    holds = await text_of(await home.officer(), "/console/mandates/")
    home.clock.now += 2 * 86_400_000_000
    over = await text_of(await home.officer(), "/console/mandates/")

    assert ("save evidence, look" in holds, "its time is over" in holds) == (True, False)
    assert ("its time is over" in over, "/mandates/end" in over) == (True, False)
    assert not any(number in holds for number in ("84.65.17", "85.61.01", ANNA.id, BERT.id))
    assert "None yet." in await text_of(await home.officer(BRUSSELS), "/console/mandates/")


async def test_an_officer_of_no_organisation_answers_for_no_mandate(home: House) -> None:
    of_the_hub = Person("hub-1", "Hub", frozenset({"hub_dpo"}))
    one = await mandates(home).give(of_the_hub, ANNA, BERT, "parent", ("look",), UNTIL, PROOF)
    nobody = Person("officer-9", "Officer", frozenset({"dpo"}))

    assert [one] == await mandates(home).given_at(of_the_hub)
    assert ([], None) == (await mandates(home).given_at(nobody), await mandates(home).find(nobody, one.id))


async def test_back_to_one_s_own_list(home: House) -> None:
    mine = home.exchange()
    browser, _ = await acting(home)
    await browser.get("/console/me/for")
    await browser.post("/console/me/for", id="")

    assert f"index={mine}" in await text_of(browser, "/console/me/")


async def test_somebody_else_s_mandate_is_not_there(home: House) -> None:
    mandate = await given(home, holder=BERT, person=ANNA)
    browser = await home.citizen()
    await browser.get("/console/me/for")

    assert 404 == (await browser.post("/console/me/for", id=mandate.id)).status


async def test_looking_only_is_looking_only(home: House) -> None:
    theirs = home.exchange(BERT)
    browser, _ = await acting(home, scope=("look",))
    page = f"/console/me/contest?shard={home.ledger.shard}&index={theirs}"
    await browser.get(page)
    place = {"shard": home.ledger.shard, "index": str(theirs)}

    assert (
        403
        == (await browser.post("/console/me/contest", kind="wrong", words="this is not right at all", **place)).status
    )
    assert 403 == (await browser.post("/console/me/evidence", **place)).status
    assert 403 == (await browser.post("/console/me/day", day="2026-11-22")).status


async def test_with_the_scope_a_contest_is_the_person_s(home: House) -> None:
    theirs = home.exchange(BERT)
    browser, _ = await acting(home)
    await browser.get(f"/console/me/contest?shard={home.ledger.shard}&index={theirs}")
    await browser.post(
        "/console/me/contest",
        kind="wrong",
        words="this is not right at all",
        shard=home.ledger.shard,
        index=str(theirs),
    )

    assert "this is not right" in await text_of(await home.citizen(BERT), "/console/me/contests")


async def test_who_acts_has_no_other_role_meanwhile_and_gets_it_back(home: House) -> None:
    mandate = await given(home)
    officer = Person("p", "P", frozenset({"citizen", "dpo"}), org=IXELLES, subject=ANNA)
    acting = officer.for_(BERT, mandate.acting)

    assert frozenset({"citizen"}) == acting.roles
    assert officer == acting.themself() == Person.read(acting.text()).themself()
    with pytest.raises(LookRefused):
        await home.consoles.desk.look(acting, "denied", "a reason that is long enough")


async def test_notices_are_chosen_by_the_person_alone(home: House) -> None:
    browser, _ = await acting(home)
    await browser.get("/console/me/notice")
    await browser.post("/console/me/notice", on="1")

    assert "This is off." in await text_of(await home.citizen(BERT), "/console/me/notice")


@pytest.mark.parametrize("own", [ANNA, BERT], ids=["who would act", "for whom"])
async def test_an_officer_gives_no_mandate_that_is_about_herself(home: House, own: Subject) -> None:
    size = home.store.size(home.ledger.shard)
    with pytest.raises(MandateRefused, match="SELF"):
        await mandates(home).give(replace(OFFICER, subject=own), ANNA, BERT, "administrator", ("look",), UNTIL, PROOF)

    assert ([], size) == (await mandates(home).given_at(OFFICER), home.store.size(home.ledger.shard))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [({"person": ANNA}, "SELF"), ({"kind": "friend"}, "KIND"), ({"scope": ("contest",)}, "SCOPE"), ({"scope": ("look", "all")}, "SCOPE"),
     ({"ends": date(2026, 11, 23)}, "ENDS"), ({"ends": date(2026, 11, 23) + timedelta(3_000)}, "ENDS"), ({"words": "trust me"}, "WORDS")],
    ids=lambda one: one if isinstance(one, str) else next(iter(one)),
)  # fmt: skip
async def test_what_is_no_mandate_is_not_given(home: House, changes: dict[str, Any], reason: str) -> None:
    size = home.store.size(home.ledger.shard)
    with pytest.raises(MandateRefused, match=reason):
        await given(home, **changes)

    assert size == home.store.size(home.ledger.shard)


async def test_an_officer_gives_and_ends_at_the_page_and_types_each_number_once(home: House) -> None:
    browser = await home.officer()
    await browser.get("/console/mandates/")
    form = {
        "holder": ANNA.id,
        "person": BERT.id,
        "kind": "guardian",
        "scope": "look",
        "ends": "2027-01-01",
        "words": PROOF,
    }
    await browser.post("/console/mandates/give", **form)
    page = await text_of(browser, "/console/mandates/")

    assert "The mandate holds from now on." in page and "Guardian" in page
    assert ANNA.id not in page and BERT.id not in page
    [one] = await mandates(home).held_by(ANNA)

    elsewhere = await home.officer(BRUSSELS)
    await elsewhere.get("/console/mandates/")
    assert 404 == (await elsewhere.post("/console/mandates/end", id=one.id)).status
    await browser.get("/console/mandates/")
    await browser.post("/console/mandates/end", id=one.id)
    assert [] == await mandates(home).held_by(ANNA)


async def test_a_form_with_a_wrong_number_gives_nothing(home: House) -> None:
    browser = await home.officer()
    await browser.get("/console/mandates/")
    await browser.post(
        "/console/mandates/give",
        holder="1",
        person=BERT.id,
        kind="guardian",
        scope="look",
        ends="2027-01-01",
        words=PROOF,
    )

    assert "Nothing was done." in await text_of(browser, "/console/mandates/")
    assert [] == await mandates(home).given_at(OFFICER)


def test_a_person_of_before_is_read_as_before() -> None:
    person = Person("p", "P", frozenset({"citizen"}), subject=ANNA)

    assert replace(person) == Person.read(person.text())
