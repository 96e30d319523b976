"""What the directory says, on both engines: registrations made, merged, ended, withdrawn, and numbers that were replaced."""

from __future__ import annotations

import asyncio
import socket
import time
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text

from integrator.database import Database
from integrator.directory import Directory, DirectoryUnavailable, looking
from integrator.directory.looking import open_looking
from integrator.directory.tables import metadata
from integrator.errors import ConfigurationError, SourceRefused
from tests.unit.audit.kit import administrator, engine_url
from tests.unit.directory.kit import (
    ANN,
    BEA,
    CAS,
    CENTRE,
    NOON,
    OTHER_CENTRE,
    PURPOSE,
    TOWN,
    Clock,
    a_directory,
    day,
    key,
    period,
)


async def known(directory: Directory, on: str, subject: str = ANN, organisation: str = CENTRE) -> set[str]:
    return set(await directory.qualities(organisation, subject, PURPOSE, day(on)))


async def spans(directory: Directory, **wanted: object) -> list[tuple[str, str | None]]:
    found = await directory.list(CENTRE, PURPOSE, **wanted)
    return [(one.period.starts.isoformat()[5:], one.period.end and one.period.end.isoformat()[5:]) for one in found]


# --- registering ------------------------------------------------------------------------------------------------------


async def test_a_registration_holds_from_its_first_day_to_its_last(directory: Directory):
    told = await directory.register(key(), period("03-01", "03-31"))

    assert "registered" == told.result
    assert [set(), {"2"}, {"2"}, set()] == [await known(directory, on) for on in ("02-28", "03-01", "03-31", "04-01")]


async def test_one_without_an_end_holds_for_ever(directory: Directory):
    await directory.register(key(), period("03-01"))

    assert {"2"} == await directory.qualities(CENTRE, ANN, PURPOSE, date(2099, 1, 1))


async def test_the_same_again_changes_nothing(directory: Directory):
    first = await directory.register(key(), period("03-01", "06-30"))
    again = await directory.register(key(), period("04-01", "04-30"))

    assert ("unchanged", first.registration.id) == (again.result, again.registration.id)
    assert 1 == len(await directory.list(CENTRE, PURPOSE))


async def test_what_overlaps_becomes_one_and_tells_what_it_overlapped(directory: Directory):
    first = await directory.register(key(), period("01-01", "03-31"), dossier="A-1")
    told = await directory.register(key(), period("03-15", "06-30"))

    assert ("merged", first.registration.id) == (told.result, told.registration.id)
    assert [first.registration.period] == [one.period for one in told.overlapping]
    assert (period("01-01", "06-30"), "A-1") == (told.registration.period, told.registration.dossier)


async def test_what_follows_the_next_day_is_the_same_file(directory: Directory):
    await directory.register(key(), period("01-01", "03-31"))
    told = await directory.register(key(), period("04-01"))

    assert ("merged", ()) == (told.result, told.overlapping)
    assert [("01-01", None)] == await spans(directory)


async def test_a_gap_of_one_day_makes_two_files(directory: Directory):
    await directory.register(key(), period("01-01", "03-30"))
    await directory.register(key(), period("04-01"))

    assert [("01-01", "03-30"), ("04-01", None)] == await spans(directory)


async def test_one_that_bridges_two_makes_one_of_three(directory: Directory):
    await directory.register(key(), period("01-01", "01-31"))
    await directory.register(key(), period("03-01", "03-31"))
    await directory.register(key(), period("02-01", "02-28"))

    assert [("01-01", "03-31")] == await spans(directory)


async def test_each_quality_is_a_registration_of_its_own(directory: Directory):
    await directory.register(key(quality="1"), period("01-01"))
    await directory.register(key(quality="7"), period("01-01"))

    assert {"1", "7"} == await known(directory, "05-05")


async def test_a_quality_of_another_sector_is_refused(directory: Directory):
    with pytest.raises(SourceRefused) as refused:
        await directory.register(key(organisation=TOWN, quality="2"), period("01-01"))

    assert "QUALITY_NOT_ALLOWED" == refused.value.reason


async def test_a_trial_says_what_would_happen_and_leaves_nothing(directory: Directory):
    told = await directory.register(key(), period("01-01"), trial=True)

    assert "registered" == told.result
    assert (set(), []) == (await known(directory, "05-05"), await spans(directory))


# --- ending -----------------------------------------------------------------------------------------------------------


async def test_an_ended_registration_holds_on_its_last_day_and_not_after(directory: Directory):
    await directory.register(key(), period("01-01"))
    told = await directory.unregister(key(), day("06-30"))

    assert "ended" == told.result
    assert [{"2"}, set()] == [await known(directory, on) for on in ("06-30", "07-01")]


async def test_the_same_end_again_changes_nothing(directory: Directory):
    await directory.register(key(), period("01-01"))
    await directory.unregister(key(), day("06-30"))

    assert "unchanged" == (await directory.unregister(key(), day("06-30"))).result


@pytest.mark.parametrize(
    ("other", "on", "reason"),
    [
        (key(BEA), "06-30", "NOT_REGISTERED"),
        (key(quality="7"), "06-30", "NOT_REGISTERED"),
        (key(purpose="staff_onboarding"), "06-30", "NOT_REGISTERED"),
        (key(organisation=OTHER_CENTRE), "06-30", "NOT_REGISTERED"),
        (key(), "12-01", "NOT_REGISTERED"),
        (key(), "02-28", "END_BEFORE_START"),
    ],
    ids=[
        "another person",
        "another quality",
        "another purpose",
        "another organisation",
        "after its end",
        "before its start",
    ],
)
async def test_ending_needs_the_same_key_and_a_day_it_holds(directory: Directory, other, on, reason):
    await directory.register(key(), period("03-01", "09-30"))
    with pytest.raises(SourceRefused) as refused:
        await directory.unregister(other, day(on))

    assert reason == refused.value.reason
    assert [("03-01", "09-30")] == await spans(directory)


async def test_a_mistake_is_withdrawn_and_what_was_said_before_is_remembered(directory: Directory, clock: Clock):
    await directory.register(key(), period("03-01"))
    before = clock.now
    told = await directory.withdraw(key(), day("03-01"))

    assert "withdrawn" == told.result
    assert [set(), []] == [await known(directory, "05-05"), await spans(directory)]
    assert [("03-01", None)] == await spans(directory, known=before)


async def test_what_the_directory_said_on_a_day_is_not_changed_by_what_it_learns_later(
    directory: Directory, clock: Clock
):
    await directory.register(key(), period("01-01"))
    first = clock.now
    await directory.unregister(key(), day("06-30"))
    second = clock.now
    await directory.register(key(), period("07-01", "07-31"))

    said = [await spans(directory, known=moment) for moment in (NOON, first, second, clock.now)]

    assert [[], [("01-01", None)], [("01-01", "06-30")], [("01-01", "07-31")]] == said


# --- whose it is ------------------------------------------------------------------------------------------------------


async def test_no_organisation_sees_or_infers_what_another_registered(directory: Directory):
    theirs = await directory.register(key(), period("01-01"))

    for other in (TOWN, OTHER_CENTRE):
        assert frozenset() == await directory.qualities(other, ANN, PURPOSE, day("05-05"))
        assert [] == await directory.list(other, PURPOSE)
        assert [] == await directory.list(other, PURPOSE, subject=ANN, known=NOON * 2)
        assert await directory.list(other, PURPOSE, after=theirs.registration.id) == await directory.list(
            other, PURPOSE, after="A" * 22
        )


async def test_two_organisations_register_the_same_person_and_neither_notices(directory: Directory):
    await directory.register(key(), period("01-01"))
    told = await directory.register(key(organisation=OTHER_CENTRE), period("02-01"))

    assert ("registered", ()) == (told.result, told.overlapping)


async def test_one_purpose_is_not_the_other(directory: Directory):
    await directory.register(key(), period("01-01"))

    assert frozenset() == await directory.qualities(CENTRE, ANN, "staff_onboarding", day("05-05"))


async def test_a_list_goes_on_where_its_page_ended(directory: Directory):
    made = [await directory.register(key(one), period("01-01")) for one in (ANN, BEA, CAS)]
    page = await directory.list(CENTRE, PURPOSE, limit=2)
    rest = await directory.list(CENTRE, PURPOSE, after=page[-1].id, limit=2)

    assert [one.registration.id for one in made] == [one.id for one in (*page, *rest)]


# --- whom a change concerns -------------------------------------------------------------------------------------------


async def test_no_page_skips_what_was_there_though_the_last_of_the_page_before_changed_since(
    directory: Directory, clock: Clock
):
    made = [await directory.register(key(one), period("01-01")) for one in (ANN, BEA, CAS)]
    page = await directory.list(CENTRE, PURPOSE, limit=1)
    then = clock.now
    await directory.unregister(key(ANN), day("06-30"))

    for known in (None, then):
        rest = await directory.list(CENTRE, PURPOSE, after=page[-1].id, known=known, limit=2)

        assert [one.registration.id for one in made[1:]] == [one.id for one in rest]


async def test_a_page_goes_on_after_a_registration_that_was_withdrawn_meanwhile(directory: Directory):
    made = [await directory.register(key(one), period("01-01")) for one in (ANN, BEA, CAS)]
    await directory.withdraw(key(BEA), day("01-01"))
    rest = await directory.list(CENTRE, PURPOSE, after=made[1].registration.id)

    assert [made[2].registration.id] == [one.id for one in rest]


async def test_a_notification_goes_to_whoever_keeps_a_file_on_that_day(directory: Directory):
    await directory.register(key(), period("01-01", "03-31"))
    await directory.register(key(organisation=OTHER_CENTRE), period("02-01"))
    await directory.register(key(organisation=TOWN, purpose="permit", quality="0"), period("01-01"))
    await directory.register(key(BEA), period("01-01"))

    everybody = await directory.recipients(ANN, day("03-01"))

    assert [(OTHER_CENTRE, PURPOSE, "2"), (CENTRE, PURPOSE, "2"), (TOWN, "permit", "0")] == everybody
    assert [(OTHER_CENTRE, PURPOSE, "2")] == await directory.recipients(ANN, day("04-01"), purposes={PURPOSE})


async def test_whether_another_keeps_a_file_is_told_for_the_same_purpose_and_day_only(directory: Directory):
    await directory.register(key(), period("01-01"))
    await directory.register(key(organisation=TOWN, purpose="permit", quality="0"), period("01-01"))
    await directory.register(key(organisation=OTHER_CENTRE), period("02-01", "03-31"))

    told = [await directory.elsewhere(CENTRE, ANN, PURPOSE, day(on)) for on in ("01-31", "02-01", "03-31", "04-01")]
    assert [False, True, True, False] == told
    assert await directory.elsewhere(OTHER_CENTRE, ANN, PURPOSE, day("04-01"))
    assert not await directory.elsewhere(CENTRE, BEA, PURPOSE, day("03-01"))


# --- numbers ----------------------------------------------------------------------------------------------------------


async def test_a_replaced_number_and_the_new_one_lead_to_the_same_file(directory: Directory):
    await directory.register(key(ANN), period("01-01"), dossier="A-1")
    moved = await directory.replaced(ANN, BEA)

    assert 1 == moved
    assert [{"2"}, {"2"}] == [await known(directory, "05-05", subject) for subject in (ANN, BEA)]
    assert [(CENTRE, PURPOSE, "2")] == await directory.recipients(BEA, day("05-05"))
    (listed,) = await directory.list(CENTRE, PURPOSE, subject=BEA)
    assert (ANN, BEA, "A-1") == (listed.key.subject, listed.replaced_by, listed.dossier)


async def test_files_under_both_numbers_become_one(directory: Directory):
    await directory.register(key(ANN), period("01-01", "03-31"))
    await directory.register(key(BEA), period("03-01"))
    await directory.replaced(ANN, BEA)

    assert [("01-01", None)] == await spans(directory, subject=ANN)


async def test_who_ends_a_file_under_the_old_number_ends_it_under_the_new_one(directory: Directory):
    await directory.register(key(ANN), period("01-01"))
    await directory.replaced(ANN, BEA)
    await directory.unregister(key(ANN), day("06-30"))

    assert set() == await known(directory, "07-01", BEA)


async def test_a_number_replaced_twice_leads_to_the_last_one(directory: Directory):
    await directory.register(key(ANN), period("01-01"))
    await directory.replaced(ANN, BEA)
    await directory.replaced(BEA, CAS)

    assert [{"2"}] * 3 == [await known(directory, "05-05", subject) for subject in (ANN, BEA, CAS)]
    assert CAS == (await directory.list(CENTRE, PURPOSE))[0].replaced_by


async def test_a_file_that_is_begun_under_a_replaced_number_names_the_new_one(directory: Directory):
    await directory.replaced(ANN, BEA)
    await directory.replaced(BEA, CAS)
    told = [await directory.register(key(one), period("01-01"), trial=True) for one in (ANN, BEA, CAS)]
    await directory.register(key(ANN), period("01-01"))

    assert [CAS, CAS, None] == [one.registration.replaced_by for one in told]
    assert [(ANN, CAS)] == [(one.key.subject, one.replaced_by) for one in await directory.list(CENTRE, PURPOSE)]


async def test_told_again_or_backwards_a_replacement_changes_nothing(directory: Directory):
    await directory.register(key(ANN), period("01-01"))
    await directory.replaced(ANN, BEA)

    assert [0, 0] == [await directory.replaced(ANN, BEA), await directory.replaced(BEA, ANN)]
    assert {"2"} == await known(directory, "05-05", ANN)


async def test_what_was_known_before_a_number_was_replaced_is_found_under_both(directory: Directory, clock: Clock):
    await directory.register(key(ANN), period("01-01"))
    before = clock.now
    await directory.replaced(ANN, BEA)

    assert [("01-01", None)] == await spans(directory, subject=BEA, known=before)


# --- at once, broken, stolen ------------------------------------------------------------------------------------------


async def test_who_registers_the_same_at_the_same_time_makes_one_registration(directory: Directory):
    told = await asyncio.gather(*(directory.register(key(), period("01-01")) for _ in range(8)))

    assert ["registered", *["unchanged"] * 7] == sorted(one.result for one in told)
    assert 1 == len(await directory.list(CENTRE, PURPOSE))


async def test_a_database_that_is_gone_is_never_taken_for_an_empty_one(url: str, tmp_path: Path):
    with a_directory(url, tmp_path) as directory:
        await directory.register(key(), period("01-01"))
        database = Database(url, "directory")
        database.now(lambda connection: connection.execute(text("DROP TABLE directory_registration")))
        database.close()

        for question in (
            directory.qualities(CENTRE, ANN, PURPOSE, day("05-05")),
            directory.recipients(ANN, day("05-05")),
            directory.elsewhere(CENTRE, ANN, PURPOSE, day("05-05")),
            directory.list(CENTRE, PURPOSE),
            directory.register(key(), period("01-01")),
            directory.ready(),
        ):
            with pytest.raises(DirectoryUnavailable):
                await question


@pytest.mark.postgres
async def test_a_connection_that_broke_is_replaced_and_nobody_notices(tmp_path: Path):
    with engine_url("postgres", tmp_path) as url, a_directory(url, tmp_path) as directory:
        await directory.register(key(), period("01-01"))
        await known(directory, "05-05")
        with administrator() as connection:
            schema = url.rpartition("=")[2]
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = %s", [schema]
            )

        assert {"2"} == await known(directory, "05-05")


async def test_a_database_that_hangs_keeps_no_queue_waiting():
    """It takes the connection and says nothing: all who ask give up together, and who comes next is told at once."""
    silent = socket.create_server(("127.0.0.1", 0))  # nobody accepts
    port = silent.getsockname()[1]
    hung = open_looking(f"postgresql+psycopg://hub@127.0.0.1:{port}/hub")
    spent = []
    for callers in (5, 1):
        begun = time.monotonic()
        told = await asyncio.gather(
            *(hung.recipients(b"", day("05-05")) for _ in range(callers)), return_exceptions=True
        )
        spent.append(time.monotonic() - begun)

        assert [DirectoryUnavailable] * callers == [type(one) for one in told]
    silent.close()

    assert (True, True) == (spent[0] < 3.5, spent[1] < 0.5)


@pytest.mark.postgres
async def test_a_database_that_is_back_is_asked_again_after_a_moment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(looking, "_PAUSE", 0.2)
    with engine_url("postgres", tmp_path) as url, a_directory(url, tmp_path) as directory:
        await directory.register(key(), period("01-01"))
        there: Any = directory._looking
        place, there._url = there._url, "postgresql://hub@127.0.0.1:1/hub"
        with pytest.raises(DirectoryUnavailable):
            await known(directory, "05-05")
        there._url = place
        with pytest.raises(DirectoryUnavailable):
            await known(directory, "05-05")
        await asyncio.sleep(0.3)

        assert {"2"} == await known(directory, "05-05")
        assert [{"2"}] * 3 == list(await asyncio.gather(*(known(directory, "05-05") for _ in range(3))))


@pytest.mark.postgres
async def test_who_stops_waiting_leaves_no_answer_behind_for_the_next(tmp_path: Path):
    with engine_url("postgres", tmp_path) as url, a_directory(url, tmp_path) as directory:
        await directory.register(key(), period("01-01"))
        await known(directory, "05-05")
        impatient = asyncio.create_task(known(directory, "05-05"))
        await asyncio.sleep(0)
        impatient.cancel()
        asked = [known(directory, "05-05", subject) for subject in (BEA, ANN, BEA)]

        assert [set(), {"2"}, set()] == list(await asyncio.gather(*asked))


async def test_another_key_is_refused_because_it_would_find_nobody(url: str, tmp_path: Path):
    with a_directory(url, tmp_path / "one"):
        pass

    with pytest.raises(ConfigurationError, match="key"), a_directory(url, tmp_path / "two"):
        pass


async def test_the_database_holds_no_number_and_no_case_in_clear(url: str, tmp_path: Path):
    with a_directory(url, tmp_path) as directory:
        await directory.register(key(ANN), period("01-01"), dossier="A-2026-1")
        await directory.replaced(ANN, BEA)
    database = Database(url, "directory")
    rows = []
    for table in metadata.sorted_tables:
        rows += database.now(lambda connection, table=table: connection.execute(select(table)).all())
    database.close()

    kept = " ".join(str(bytes(one) if isinstance(one, memoryview) else one) for row in rows for one in row)

    assert not [word for word in (ANN, BEA, "A-2026-1") if word in kept]


# --- a file that is handed over ---------------------------------------------------------------------------------------


async def holders(directory: Directory, on: str) -> list[str]:
    return [organisation for organisation, _, _ in await directory.recipients(ANN, day(on))]


async def test_a_file_that_moved_has_one_keeper_on_every_day(directory: Directory):
    await directory.register(key(), period("03-01"))
    told = await directory.move(key(), OTHER_CENTRE, day("06-15"))

    assert ("registered", OTHER_CENTRE) == (told.result, told.registration.key.organisation)
    assert [[CENTRE], [CENTRE], [OTHER_CENTRE], [OTHER_CENTRE]] == [
        await holders(directory, on) for on in ("03-01", "06-14", "06-15", "12-31")
    ]


async def test_a_file_that_began_the_day_it_moved_was_never_kept_by_the_first(directory: Directory):
    await directory.register(key(), period("06-15"))
    await directory.move(key(), OTHER_CENTRE, day("06-15"))

    assert [[], [OTHER_CENTRE]] == [await holders(directory, on) for on in ("06-14", "06-15")]


async def test_moved_again_it_is_where_it_was(directory: Directory):
    await directory.register(key(), period("03-01"))
    await directory.move(key(), OTHER_CENTRE, day("06-15"))

    assert "unchanged" == (await directory.move(key(), OTHER_CENTRE, day("06-15"))).result
    assert [OTHER_CENTRE] == await holders(directory, "06-15")


@pytest.mark.parametrize(("organisation", "reason"), [(OTHER_CENTRE, "NOT_REGISTERED"), (TOWN, "QUALITY_NOT_ALLOWED")])
async def test_what_cannot_move_stays_with_nobody_else(directory: Directory, organisation: str, reason: str):
    await directory.register(key(quality="7"), period("03-01"))
    with pytest.raises(SourceRefused) as refused:
        await directory.move(key(), organisation, day("06-15"))

    assert (reason, [CENTRE]) == (refused.value.reason, await holders(directory, "06-15"))
