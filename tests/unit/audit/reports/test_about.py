"""What a person, or who answers for an organisation, finds about one person: all of it, once, and nothing else."""

from __future__ import annotations

import pytest

from audit import KeyMissing, Store, Subject, settle
from audit.reports import CursorInvalid, Reports, role_of
from tests.unit.audit.kit import SHARD
from tests.unit.audit.reports.conftest import ALWAYS, ANNA, BERT, BRUSSELS, IXELLES, MINUTE, Town, both

HER = Subject("nrn", ANNA)


def indices(page) -> list[int]:
    return [row.index for row in page.rows]


@both
def test_an_exchange_is_told_once_by_its_outcome(town: Town, reports: Reports) -> None:
    _, first = town.exchange()
    _, second = town.exchange()
    town.exchange(BERT)

    assert [second.index, first.index] == indices(reports.about(HER, *ALWAYS))


def test_a_row_says_who_why_and_what_without_opening_anything(town: Town, reports: Reports) -> None:
    asked, told = town.exchange(policy="protocol-1", fields=("address", "name"))
    [row] = reports.about(HER, *ALWAYS).rows

    assert (SHARD, told.index, asked.index, "outcome", "Ok", IXELLES, "counter", "protocol-1", ("address", "name"), None) == (
        row.shard, row.index, row.ref, row.kind, row.status, row.org, row.app, row.policy["id"], row.categories, row.parent,
    )  # fmt: skip


def test_an_intent_nobody_knows_the_end_of_is_shown(town: Town, reports: Reports) -> None:
    left = town.write("intent", subjects=[("nrn", ANNA)])
    town.exchange()

    assert ("intent", left.index) == [(row.kind, row.index) for row in reports.about(HER, *ALWAYS).rows][-1]


@both
def test_an_intent_settled_after_a_crash_is_shown_as_unknown(town: Town, reports: Reports) -> None:
    left = town.write("intent", subjects=[("nrn", ANNA)])
    town.clock.now += 5 * MINUTE
    [settled] = settle(town.ledger)
    [row] = reports.about(HER, *ALWAYS).rows

    assert ("unknown", left.index, settled.index, "OUTCOME_NOT_RECORDED") == (
        row.kind, row.index, row.settled_by, row.reason,
    )  # fmt: skip


@both
def test_pages_follow_each_other_without_a_gap_while_the_list_grows(town: Town, reports: Reports) -> None:
    written = [town.exchange()[1].index for _ in range(7)]
    seen, cursor = [], None
    while True:
        page = reports.about(HER, *ALWAYS, cursor=cursor, limit=2)
        seen += indices(page)
        town.exchange()
        cursor = page.next
        if cursor is None:
            break

    assert written[::-1] == seen


@both
def test_more_than_one_chunk_comes_back_whole(town: Town, reports: Reports) -> None:
    town.ledger.append_blocking([_refusal(town) for _ in range(250)])

    assert list(range(249, -1, -1)) == indices(reports.about(HER, *ALWAYS, limit=1000))


def _refusal(town: Town):
    from tests.unit.audit.kit import a_draft

    return a_draft("denied", trace_id=town.trace(), subjects=[("nrn", ANNA)])


def test_the_questions_of_one_composition_stay_on_one_page(town: Town, reports: Reports) -> None:
    town.exchange()
    trace = town.trace()
    for _ in range(3):
        town.exchange(trace_id=trace)

    assert [trace] * 3 == [row.trace_id for row in reports.about(HER, *ALWAYS, limit=2).rows]


@both
def test_an_organisation_sees_only_its_own_rows(town: Town, reports: Reports) -> None:
    _, own = town.exchange(org=BRUSSELS)
    town.exchange(org=IXELLES)

    assert [own.index] == indices(reports.about(HER, *ALWAYS, org=BRUSSELS))


@pytest.mark.parametrize("only", [{"app": "other"}, {"kind": "denied"}, {"name": "household.get"}, {"activity": "x"}])
def test_a_filter_leaves_out_what_it_does_not_name(town: Town, reports: Reports, only: dict[str, str]) -> None:
    town.exchange()

    assert ([], None) == (reports.about(HER, *ALWAYS, **only).rows, reports.about(HER, *ALWAYS, **only).next)


def test_a_period_begins_with_its_first_microsecond_and_ends_before_its_last(town: Town, reports: Reports) -> None:
    at = town.denied().ts

    assert [1, 0, 0] == [len(reports.about(HER, *when).rows) for when in ((at, at + 1), (at - 1, at), (at + 1, at + 2))]


@both
def test_years_are_searched_each_under_its_own_key(town: Town, reports: Reports, keyring) -> None:
    old = town.denied()
    town.clock.now += 370 * 24 * 60 * MINUTE
    new = town.denied()

    assert [new.index, old.index] == indices(reports.about(HER, *ALWAYS))


def test_a_year_whose_key_is_gone_is_unsearchable_not_empty(town: Town, store: Store, keyring, clock) -> None:
    town.denied()
    keyring.destroy("idx-subject-2026")
    reports = Reports(store, keyring, clock)

    with pytest.raises(KeyMissing):
        reports.about(HER, *ALWAYS)
    reports.close()


@both
def test_a_ledger_that_never_held_a_person_answers_with_nothing(town: Town, reports: Reports) -> None:
    town.write("admin")

    assert [] == reports.about(HER, *ALWAYS).rows


@pytest.mark.parametrize("cursor", ["x", "WzEsMl0", "eyJhIjoxfQ", "WzEsMiwzLC00XQ", "é", "WzEsMiwzLHRydWVd"])
def test_a_cursor_that_is_not_ours_is_refused(reports: Reports, cursor: str) -> None:
    with pytest.raises(CursorInvalid):
        reports.about(HER, *ALWAYS, cursor=cursor)


def test_opening_an_outcome_tells_what_its_intent_holds(town: Town, reports: Reports) -> None:
    town.exchange(fields=("address", "name"))
    details = reports.details(reports.about(HER, *ALWAYS).rows[0])

    assert ("2026/117", ("address", "name"), None) == (details.case_ref, details.fields, details.agent)


def test_the_agent_stays_closed_until_that_audience_is_asked_for(town: Town, reports: Reports) -> None:
    town.exchange()
    row = reports.about(HER, *ALWAYS).rows[0]

    assert {"id": "agent-77"} == reports.details(row, ("subject", "agent")).agent


def test_a_forgotten_month_says_erased_and_keeps_the_row(town: Town, reports: Reports, keyring) -> None:
    town.exchange()
    row = reports.about(HER, *ALWAYS).rows[0]
    keyring.destroy("kek-Y10-2026-11-subject")

    assert (True, ()) == (reports.details(row).erased, reports.details(row).fields)


@both
def test_each_person_of_an_entry_finds_their_own_part_and_role(town: Town, reports: Reports) -> None:
    town.write("denied", subjects=[("nrn", BERT, "data-subject"), ("nrn", ANNA, "household-member")])
    [row] = reports.about(HER, *ALWAYS).rows

    assert (1, "household-member") == (row.part, role_of(reports.details(row), HER))


@both
def test_what_an_agent_did_is_one_row_for_each_exchange(town: Town, reports: Reports) -> None:
    town.exchange(agent="agent-1")
    _, told = town.exchange(agent="agent-2")
    shared = town.write("denied", subjects=[("nrn", ANNA), ("nrn", BERT)], agent="agent-2")

    assert [shared.index, told.index] == indices(reports.by_agent("agent-2", *ALWAYS))


def test_an_agent_of_another_organisation_is_nobody_here(town: Town, reports: Reports) -> None:
    town.exchange(agent="agent-1", org=IXELLES)

    assert [] == reports.by_agent("agent-1", *ALWAYS, org=BRUSSELS).rows


@both
def test_an_exchange_is_found_by_its_trace_in_order(town: Town, reports: Reports) -> None:
    town.exchange()
    asked, told = town.exchange(BERT)
    trace = reports.about(Subject("nrn", BERT), *ALWAYS).rows[0].trace_id

    assert [asked.index, told.index] == indices(reports.exchange(trace))


@both
def test_somebody_else_s_exchange_looks_like_one_that_never_was(town: Town, reports: Reports) -> None:
    town.exchange()
    town.exchange(BERT)
    theirs = reports.about(Subject("nrn", BERT), *ALWAYS).rows[0].trace_id

    assert reports.exchange("f" * 32, about=HER) == reports.exchange(theirs, about=HER)


def test_an_exchange_that_has_not_ended_yet_is_found_by_its_trace(town: Town, reports: Reports) -> None:
    left = town.write("intent", subjects=[("nrn", ANNA)], trace_id="5" * 32)

    assert [left.index] == indices(reports.exchange("5" * 32)) == indices(reports.exchange("5" * 32, about=HER))


def test_what_was_settled_belongs_to_whom_the_intent_carried(town: Town, reports: Reports) -> None:
    left = town.write("intent", subjects=[("nrn", ANNA)], trace_id="5" * 32)
    town.clock.now += 5 * MINUTE
    [settled] = settle(town.ledger)

    assert [left.index, settled.index] == indices(reports.exchange("5" * 32, about=HER))
    assert [] == indices(reports.exchange("5" * 32, about=Subject("nrn", BERT)))
