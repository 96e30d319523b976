"""The directory on the pages: an officer's counts and looks, and what a citizen reads of who keeps a file about him."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from integrator.directory import Directory, DirectoryUnavailable, Key, Period, Rules, open_directory
from tests.unit.consoles.citizen.rig import House, house, text_of
from tests.unit.consoles.desk import ANNA, BERT, BRUSSELS, IXELLES, WHY

SAFE, UNSAFE = "local_tax", "social_inquiry"
RULES = Rules({"*": frozenset({"0", "5"})}, {IXELLES: "65", BRUSSELS: "65"})


@pytest.fixture
def home(tmp_path: Path) -> Iterator[House]:
    with house(tmp_path) as opened:
        directory = open_directory(
            f"sqlite:///{tmp_path}/directory.db", tmp_path / "keys", RULES, lambda: opened.clock.now / 1e6
        )
        opened.consoles.extras["directory"] = directory
        yield opened
        directory.close()


async def register(
    home: House, who=ANNA, org: str = IXELLES, purpose: str = SAFE, quality: str = "0", **ends: date
) -> None:
    directory: Directory = home.consoles.extras["directory"]
    await directory.register(Key(org, who.id, purpose, quality), Period(date(2026, 1, 1), **ends), dossier="IX-1")


class Broken:
    """A directory whose database is gone."""

    async def counts(self, *_: object, **__: object) -> None:
        raise DirectoryUnavailable

    recipients = counts

    def about(self, *_: object, **__: object) -> None:
        raise DirectoryUnavailable


async def test_an_officer_counts_the_files_of_his_organisation_and_no_other_s(home: House) -> None:
    await register(home)
    await register(home, BERT, ends=date(2026, 12, 24))
    await register(home, org=BRUSSELS)
    browser = await home.officer()
    page = await text_of(browser, "/console/dpo/files")

    assert '<td>0 Definitive registration</td><td>2</td><td class="n">1</td>' in page
    assert "City of Brussels" not in page
    assert not [who for who in (ANNA, BERT) if who.id in page]


async def test_the_hub_s_officer_counts_everybody_s(home: House) -> None:
    await register(home)
    await register(home, org=BRUSSELS)
    page = await text_of(await home.officer(None), "/console/dpo/files")

    assert "City of Brussels" in page and "Municipality of Ixelles" in page


async def test_a_look_at_one_person_has_a_reason_and_stands_in_the_ledger_before_it_is_shown(home: House) -> None:
    await register(home)
    browser = await home.officer()
    await browser.get("/console/dpo/files")
    reply = await browser.post("/console/dpo/files", number=ANNA.id, reason=WHY)
    look = home.last()

    assert (200, True, False) == (reply.status, "1 January 2026" in browser.page, ANNA.id in browser.page)
    assert ("audit.read", "audit.files_about", WHY) == (
        look.entry["type"],
        look.entry["name"],
        look.values["justification"],
    )
    assert [ANNA.id] == [one.id for one in look.subjects]


@pytest.mark.parametrize(
    ("number", "reason"), [(ANNA.id, "short"), ("12345678901", WHY)], ids=["no reason", "no number"]
)  # fmt: skip
async def test_without_a_reason_or_a_number_nothing_is_looked_up(home: House, number: str, reason: str) -> None:
    await register(home)
    browser = await home.officer()
    await browser.get("/console/dpo/files")
    size = home.store.size(home.ledger.shard)
    reply = await browser.post("/console/dpo/files", number=number, reason=reason)

    assert (400, size) == (reply.status, home.store.size(home.ledger.shard))
    assert number not in browser.page


async def test_another_organisation_s_registration_is_not_shown_to_an_officer(home: House) -> None:
    await register(home, org=BRUSSELS)
    browser = await home.officer()
    await browser.get("/console/dpo/files")
    await browser.post("/console/dpo/files", number=ANNA.id, reason=WHY)

    assert "There is no registration about this person that you may see." in browser.page


async def test_a_citizen_has_no_door_to_it(home: House) -> None:
    browser = await home.citizen()

    assert 403 == (await browser.get("/console/dpo/files")).status


async def test_a_citizen_reads_who_keeps_a_file_about_him_and_for_what_but_never_in_which_quality(home: House) -> None:
    await register(home)
    await register(home, BERT, org=BRUSSELS)
    page = await text_of(await home.citizen(), "/console/me/")

    assert "Municipality of Ixelles, for: " in page
    assert "City of Brussels, for" not in page
    assert "Definitive registration" not in page


async def test_a_file_that_would_tell_of_another_in_the_household_leaves_no_trace_on_the_citizen_s_page(
    home: House,
) -> None:
    browser = await home.citizen()
    before = await text_of(browser, "/console/me/")
    await register(home, purpose=UNSAFE, quality="5")

    assert before == await text_of(browser, "/console/me/")


async def test_a_directory_that_does_not_answer_is_never_shown_as_an_empty_one(home: House) -> None:
    home.consoles.extras["directory"] = Broken()
    officer, citizen = await home.officer(), await home.citizen()
    reply = await officer.get("/console/dpo/files")

    assert (503, True) == (reply.status, "This is not an empty list." in officer.page)
    assert "This could not be looked up now" in await text_of(citizen, "/console/me/")
