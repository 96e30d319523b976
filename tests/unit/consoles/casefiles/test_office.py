"""A request from the counter to the letter: nobody releases what they prepared, and the ledger knows every step."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from audit import Subject
from audit.errors import NotPublished
from integrator.consoles.casefiles.cabinet import file_table
from integrator.consoles.casefiles.files import Decision
from integrator.consoles.casefiles.machine import StepRefused
from integrator.consoles.casefiles.office import EVIDENCE, LETTER, LIST
from integrator.consoles.rights import NothingThere
from integrator.consoles.vault import SealBroken
from integrator.errors import MalformedRequest
from tests.unit.consoles.casefiles.rig import ANNA, BERT, DAY, FIRST, HUB, OTHER, SECOND, TODAY, Rig, a_rig

WHY = "the file has to be complete first"


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    with a_rig(tmp_path) as made:
        yield made


async def test_a_request_becomes_a_letter_that_a_second_person_lets_go(rig: Rig) -> None:
    rig.write("resident_permit")
    file = await rig.to("prepared")
    file = await rig.office.release(SECOND, file, file.sha256)
    file = await rig.office.send(FIRST, file, "by_hand")
    made = await rig.office.paper(FIRST, file, LETTER)

    assert ("closed", "answered") == (file.state, file.outcome)
    assert made.startswith(b"%PDF-") and file.sha256 == hashlib.sha256(made).hexdigest()
    assert ["open", "identify", "collect", "prepare", "release", "send"] == [one.step for one in file.taken]


async def test_who_prepared_a_letter_cannot_release_it(rig: Rig) -> None:
    file = await rig.to("prepared")

    with pytest.raises(StepRefused, match="SECOND_PERSON"):
        await rig.office.release(FIRST, file, file.sha256)
    assert [] == rig.drafts("casefile.release")


async def test_who_had_any_part_in_it_is_no_second_person(rig: Rig) -> None:
    file = await rig.to("collected")
    file = await rig.office.decide(SECOND, file, {}, remark="Een woord van ons.")
    file = await rig.office.prepare(FIRST, file)

    with pytest.raises(StepRefused, match="SECOND_PERSON"):
        await rig.office.release(SECOND, file, file.sha256)
    assert "released" == (await rig.office.release(HUB, file, file.sha256)).state


async def test_another_letter_than_the_one_that_was_read_is_not_released(rig: Rig) -> None:
    file = await rig.to("prepared")

    with pytest.raises(StepRefused, match="MEANWHILE"):
        await rig.office.release(SECOND, file, "0" * 64)


async def test_a_file_of_another_organisation_does_not_exist(rig: Rig) -> None:
    file = await rig.to("opened")

    with pytest.raises(NothingThere):
        await rig.office.file(OTHER, file.id)
    with pytest.raises(StepRefused, match="NOT_YOURS"):
        await rig.office.identify(OTHER, file, method="eid_counter", checks=["number"])
    assert ([], []) == (await rig.office.files(OTHER), await rig.office.of(OTHER, ANNA))


async def test_the_files_of_a_person_are_found_by_the_number(rig: Rig) -> None:
    file = await rig.to("opened")

    assert [file.number] == [one.number for one in await rig.office.of(SECOND, ANNA)]
    assert [] == await rig.office.of(SECOND, BERT)


async def test_nothing_is_collected_before_it_is_known_who_asks(rig: Rig) -> None:
    file = await rig.to("opened")

    with pytest.raises(StepRefused, match="NOT_NOW"):
        await rig.office.collect(FIRST, file)
    assert [] == rig.drafts("audit.about")


@pytest.mark.parametrize(("agent", "checks"), [("", ["photo"]), ("Mr Claes, lawyer", ["number"])])
async def test_an_identity_that_was_not_looked_at_is_not_established(rig: Rig, agent: str, checks: list[str]) -> None:
    file = await rig.to("opened", agent=agent)

    with pytest.raises(StepRefused, match="INCOMPLETE"):
        await rig.office.identify(FIRST, file, method="eid_counter", checks=checks)


async def test_the_look_is_recorded_with_the_file_as_its_reason(rig: Rig) -> None:
    rig.write("resident_permit")
    file = await rig.to("collected")

    assert 1 == len(file.lines)
    assert ["audit.read"] == [one["type"] for one in rig.drafts("audit.about")]
    await rig.office.seen(SECOND, file)
    assert 1 == len(rig.drafts("audit.casefile"))


async def test_every_step_is_in_the_ledger_and_names_nobody(rig: Rig) -> None:
    file = await rig.to("prepared")
    entries = [rig.drafts(f"casefile.{step}") for step in ("open", "identify", "collect", "prepare")]

    assert [1, 1, 1, 1] == [len(one) for one in entries]
    assert all(ANNA.id not in str(one) and "Peeters" not in str(one) and file.number not in str(one) for one in entries)


async def test_nothing_of_the_person_stands_in_the_database_in_clear(rig: Rig, tmp_path: Path) -> None:
    await rig.to("prepared")
    kept = b"".join(path.read_bytes() for path in tmp_path.glob("consoles.db*"))

    assert [False] * 4 == [word in kept for word in (ANNA.id.encode(), b"Peeters", b"Kroonlaan", b"%PDF")]


async def test_two_people_at_once_do_not_overwrite_each_other(rig: Rig) -> None:
    file = await rig.to("collected")
    await rig.office.decide(FIRST, file, {}, remark="Van de eerste.")

    with pytest.raises(StepRefused, match="MEANWHILE"):
        await rig.office.decide(SECOND, file, {}, remark="Van de tweede.")


async def test_what_touches_a_relative_is_left_out_unless_somebody_says_why(rig: Rig) -> None:
    rig.write("marriage_declaration", subjects=(BERT, ANNA))
    file = await rig.to("collected")
    [line] = file.lines

    assert ("omit", "others") == (line.decision.what, line.decision.ground)
    with pytest.raises(MalformedRequest):
        await rig.office.decide(FIRST, file, {line.key: Decision("show")})
    file = await rig.office.decide(FIRST, file, {line.key: Decision("show", why="she was the bride herself")})
    assert {"their_act", "against", "several"} <= {one.word for one in rig.office.guard.infer(file.lines)}


async def test_what_was_decided_stays_decided_when_lines_are_collected_again(rig: Rig) -> None:
    rig.write("resident_permit")
    file = await rig.to("collected")
    decision = Decision("omit", "crime")
    file = await rig.office.decide(FIRST, file, {file.lines[0].key: decision})

    rig.now += 1
    again = await rig.office.collect(FIRST, file)
    assert {file.lines[0].key: decision} == {
        line.key: line.decision for line in again.lines if line.row["kind"] == "outcome"
    }


@pytest.mark.parametrize(
    "decision",
    [Decision("omit"), Decision("omit", "restricted"), Decision("omit", "unheard_of"), Decision("delay", "crime"), Decision("delay", "crime", "2020-01-01"), Decision("delay", "crime", "soon")],
    ids=["without a ground", "by an order nobody gave", "on no ground of ours", "until never", "until a day gone by", "until no day"],
)  # fmt: skip
async def test_nothing_is_kept_back_without_a_ground_that_fits(rig: Rig, decision: Decision) -> None:
    rig.write("resident_permit")
    file = await rig.to("collected")

    with pytest.raises(MalformedRequest):
        await rig.office.decide(FIRST, file, {file.lines[0].key: decision})


async def test_a_delayed_line_comes_in_a_second_letter(rig: Rig) -> None:
    rig.write("resident_permit")
    rig.write("parking_control")
    file = await rig.to("collected")
    later = (TODAY + timedelta(40)).isoformat()
    file = await rig.office.decide(FIRST, file, {file.lines[0].key: Decision("delay", "crime", later)})
    file = await rig.office.prepare(FIRST, file)
    file = await rig.office.send(FIRST, await rig.office.release(SECOND, file, file.sha256), "post")
    with pytest.raises(StepRefused, match="NOT_NOW"):
        await rig.office.resume(FIRST, file)
    rig.now += 41 * DAY

    assert "resume" in rig.office.steps(FIRST, file)
    again = await rig.office.resume(FIRST, file)
    assert ("collected", ["show"]) == (again.state, [line.decision.what for line in again.lines])


async def test_the_clock_stands_still_while_we_wait_for_proof(rig: Rig) -> None:
    file = await rig.to("opened")
    file = await rig.office.ask_proof(FIRST, file, "the copy of the card cannot be read")
    due = file.clock(TODAY).due
    rig.now += 10 * DAY
    waiting = file.clock(rig.office.today())
    file = await rig.office.identify(FIRST, file, method="eid_counter", checks=["number"])

    assert ("waiting", True) == (waiting.pace, waiting.due >= due + timedelta(10))
    assert waiting.due == file.clock(rig.office.today()).due
    assert ["ask_proof-1.pdf"] == await rig.office.cabinet.papers(file)


async def test_the_term_is_extended_once_and_in_time(rig: Rig) -> None:
    file = await rig.to("opened")
    late = replace(file, received=TODAY - timedelta(45))
    longer = await rig.office.extend(FIRST, file, "many sources have to be asked")

    assert longer.clock(TODAY).due > file.clock(TODAY).due + timedelta(55)
    for one in (longer, late):
        with pytest.raises(StepRefused, match="TOO_LATE"):
            await rig.office.extend(FIRST, one, "many sources have to be asked")


async def test_a_letter_that_is_not_right_goes_back(rig: Rig) -> None:
    file = await rig.to("prepared")
    back = await rig.office.send_back(SECOND, file, "line 3 shows too much")

    assert ("collected", "line 3 shows too much") == (back.state, back.taken[-1].said)
    assert (
        "released"
        == (await rig.office.release(SECOND, again := await rig.office.prepare(FIRST, back), again.sha256)).state
    )


async def test_the_list_and_the_zip_go_with_the_letter(rig: Rig) -> None:
    rig.write("resident_permit")
    file = await rig.to("prepared")
    listed = (await rig.office.paper(FIRST, file, LIST)).decode("utf-8-sig").splitlines()
    names = zipfile.ZipFile(io.BytesIO(await rig.office.paper(FIRST, file, EVIDENCE))).namelist()

    assert ("Nr.;Wanneer", 2) == (listed[0][:11], len(listed))
    assert {LETTER, LIST} <= set(names)


async def test_evidence_opens_only_what_is_about_her_and_what_is_not_published_yet_is_left_for_later(
    tmp_path: Path,
) -> None:
    asked: list[tuple[int, Subject]] = []

    def bundle(shard: str, index: int, subject: Subject) -> bytes:
        asked.append((index, subject))
        if len(asked) == 2:
            raise NotPublished(f"{shard}: wait a minute")
        return b"evidence"

    with a_rig(tmp_path, bundle) as rig:
        rig.write("resident_permit")
        rig.write("parking_control")
        file = await rig.to("prepared")
        archive = zipfile.ZipFile(io.BytesIO(await rig.office.paper(FIRST, file, EVIDENCE)))
        looks = rig.drafts("audit.evidence")

    assert {ANNA} == {subject for _, subject in asked} and 2 == len(asked)
    assert [
        "README.txt",
        "evidence/line-001.zip",
        "evidence/missing.txt",
        LETTER,
        LIST,
        "verify.html",
    ] == archive.namelist()
    [missing] = [
        one for one in archive.read("evidence/missing.txt").decode().splitlines() if one.endswith(f"/{asked[1][0]}")
    ]
    assert "2" in missing.split(":")[0]
    assert 1 == len(looks)


async def test_a_line_that_was_restricted_since_stops_the_letter(rig: Rig) -> None:
    rig.write("resident_permit")
    file = await rig.to("prepared")
    rig.store.set_vis(rig.ledger.shard, 1, 1)

    with pytest.raises(StepRefused, match="SHIELDED"):
        await rig.office.release(SECOND, file, file.sha256)
    back = await rig.office.collect(FIRST, await rig.office.send_back(SECOND, file, "a line was restricted"))
    assert ["restricted"] == [line.decision.ground for line in back.lines if line.row["kind"] == "outcome"]


async def test_a_request_may_be_withdrawn_or_refused_by_another_than_who_opened_it(rig: Rig) -> None:
    file = await rig.to("identified")
    with pytest.raises(StepRefused, match="SECOND_PERSON"):
        await rig.office.refuse(FIRST, file, "the same was asked last week")

    assert "refused" == (await rig.office.refuse(SECOND, file, "the same was asked last week")).outcome
    assert "withdrawn" == (await rig.office.withdraw(FIRST, await rig.to("opened"), "she said so by telephone")).outcome


async def test_after_its_time_nothing_is_left_of_the_person(rig: Rig) -> None:
    file = await rig.office.withdraw(FIRST, await rig.to("opened"), "she said so by telephone")
    assert 0 == await rig.office.forget()
    rig.now += (5 * 366 + 31) * DAY

    assert 1 == await rig.office.forget()
    gone = await rig.office.file(FIRST, file.id)
    assert ("erased", None, "", ()) == (gone.state, gone.subject, gone.addressee, gone.taken)
    assert ([], 1) == (await rig.office.of(FIRST, ANNA), len(rig.drafts("casefile.erase")))


async def test_a_file_that_cannot_be_opened_keeps_no_other_from_being_forgotten(rig: Rig) -> None:
    broken, whole = [
        await rig.office.withdraw(FIRST, await rig.to("opened"), "she said so by telephone") for _ in range(2)
    ]
    spoil = update(file_table).where(file_table.c.id == broken.id).values(sealed="AAAA")
    await rig.database.run(lambda connection: connection.execute(spoil))
    rig.now += (5 * 366 + 31) * DAY

    with pytest.raises(SealBroken):
        await rig.office.forget()
    assert "erased" == (await rig.office.file(FIRST, whole.id)).state
    assert 1 == len(rig.drafts("casefile.erase"))


async def test_numbers_follow_each_other_in_a_year(rig: Rig) -> None:
    assert [f"{TODAY.year}-0001", f"{TODAY.year}-0002"] == [(await rig.to("opened")).number for _ in range(2)]


async def test_words_that_say_nothing_are_no_reason(rig: Rig) -> None:
    with pytest.raises(MalformedRequest):
        await rig.office.extend(FIRST, await rig.to("opened"), "busy")
