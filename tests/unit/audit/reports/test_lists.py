"""What went wrong, who looked, what was granted and never used, what ran under which text: counted once, found again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from audit import FileKeyRing, Ledger, Store, Subject, settle
from audit.keeping import Order, hold
from audit.reports import Granted, Reports, Tally
from tests.unit.audit.kit import NOON, Clock
from tests.unit.audit.reports.conftest import ALWAYS, ANNA, BERT, BRUSSELS, IXELLES, MINUTE, Town, both

YEAR = (NOON - 40 * 24 * 60 * MINUTE, NOON + 300 * 24 * 60 * MINUTE)


def indices(page) -> list[int]:
    return [row.index for row in page.rows]


@both
def test_refusals_are_listed_newest_first_and_by_reason(town: Town, reports: Reports) -> None:
    first = town.denied(reason="NO_AUTHORISATION")
    second = town.denied(reason="EXPIRED")
    town.exchange()

    assert [second.index, first.index] == indices(reports.denied(*ALWAYS))
    assert [first.index] == indices(reports.denied(*ALWAYS, reason="NO_AUTHORISATION"))


def test_a_refusal_that_came_after_the_source_was_asked_is_a_refusal(town: Town, reports: Reports) -> None:
    _, late = town.exchange(clear={"status": "Error", "reason_code": "TERRITORY"})
    _, broken = town.exchange(clear={"status": "Error", "reason_code": "SOURCE_UNAVAILABLE"})

    assert [late.index] == indices(reports.denied(*ALWAYS))
    assert [broken.index] == indices(reports.failed(*ALWAYS))


def test_one_organisation_s_refusals_are_its_own(town: Town, reports: Reports) -> None:
    town.denied(org=IXELLES)
    own = town.denied(org=BRUSSELS)

    assert [own.index] == indices(reports.denied(*ALWAYS, org=BRUSSELS))


@both
def test_refusals_are_paged_without_a_gap_while_more_come_in(town: Town, reports: Reports) -> None:
    written = [town.denied().index for _ in range(5)]
    seen, cursor = [], None
    for _ in range(3):
        page = reports.denied(*ALWAYS, cursor=cursor, limit=2)
        seen += indices(page)
        town.denied()
        cursor = page.next

    assert (written[::-1], None) == (seen, cursor)


@both
def test_refusals_are_counted_by_reason_and_consumer(town: Town, reports: Reports) -> None:
    for reason in ("EXPIRED", "NO_AUTHORISATION", "EXPIRED"):
        town.denied(reason=reason)

    assert [
        Tally("EXPIRED", IXELLES, "counter", "person.get", 2),
        Tally("NO_AUTHORISATION", IXELLES, "counter", "person.get", 1),
    ] == reports.denied_by_reason(*YEAR)


@both
def test_refusals_of_two_days_are_counted_by_day(town: Town, reports: Reports) -> None:
    town.denied()
    town.clock.now += 24 * 60 * MINUTE
    town.denied()

    assert {20261123: 1, 20261124: 1} == {one.day: one.count for one in reports.denied_by_reason(*YEAR, by_day=True)}


@both
def test_a_dangling_intent_is_listed_until_it_is_settled(town: Town, reports: Reports) -> None:
    left = town.write("intent", subjects=[("nrn", ANNA)])
    town.clock.now += 5 * MINUTE
    before = indices(reports.dangling(*ALWAYS))
    [settled] = settle(town.ledger)

    assert ([left.index], []) == (before, indices(reports.dangling(*ALWAYS)))
    assert [settled.index] == indices(reports.unknown(*ALWAYS))


def test_an_intent_of_this_minute_is_not_dangling_yet(town: Town, reports: Reports) -> None:
    town.write("intent", subjects=[("nrn", ANNA)])

    assert [] == reports.dangling(*ALWAYS).rows


def test_who_read_the_ledger_is_listed_by_organisation(town: Town, reports: Reports) -> None:
    town.write("audit.read", org=IXELLES, subjects=[("nrn", ANNA)])
    look = town.write("audit.read", org=BRUSSELS, subjects=[("nrn", BERT)])

    assert [look.index] == indices(reports.reads(*ALWAYS, org=BRUSSELS))


@both
def test_a_granted_field_that_nobody_ever_got_is_named(town: Town, reports: Reports) -> None:
    town.exchange(policy="protocol-1", fields=("address.postCode", "name"))
    granted = [Granted("protocol-1", "person.get", name) for name in ("address", "name", "birthDate")]

    assert [("birthDate", 1, 0)] == [
        (one.field, one.answered, one.delivered) for one in reports.unused_fields(granted, *YEAR)
    ]


def test_a_field_that_only_serves_an_answer_is_used_when_the_answer_is_given(town: Town, reports: Reports) -> None:
    town.exchange(policy="protocol-1", name="permit.check", fields=("answer:alive",))
    inside = Granted("protocol-1", "person.get", "deathDate", within=(("permit.check", "answer:alive"),))
    never = Granted("protocol-1", "person.get", "parents", within=(("permit.check", "answer:related"),))

    assert [never.field] == [one.field for one in reports.unused_fields([inside, never], *YEAR)]


def test_what_another_organisation_used_does_not_count_here(town: Town, reports: Reports) -> None:
    town.exchange(policy="protocol-1", org=IXELLES)
    granted = [Granted("protocol-1", "person.get", "name")]

    assert [0, 1] == [reports.field_use(granted, *YEAR, org=org)[0].delivered for org in (BRUSSELS, IXELLES)]


@both
def test_entries_under_a_policy_version_are_found_across_blocks(town: Town, reports: Reports) -> None:
    first = [town.exchange(policy="wide")[1].index for _ in range(3)]
    town.ledger.append_blocking([_noise(town) for _ in range(600)])
    last = town.exchange(policy="wide")[1].index
    town.exchange(policy="narrow")
    seen, cursor = [], None
    while True:
        page = reports.under_policy("sha256:wide", *ALWAYS, cursor=cursor, limit=2, kind="outcome")
        seen += indices(page)
        cursor = page.next
        if cursor is None:
            break

    assert [last, *reversed(first)] == seen


def _noise(town: Town):
    from tests.unit.audit.kit import a_draft

    return a_draft("admin", trace_id=town.trace())


def test_those_whose_data_were_given_under_a_version_are_named_once(town: Town, reports: Reports) -> None:
    for who in (ANNA, BERT, ANNA):
        town.exchange(who, policy="wide")
    town.denied(ANNA, policy="wide")
    people, _ = reports.affected_subjects("sha256:wide", *ALWAYS)

    assert {Subject("nrn", ANNA): 2, Subject("nrn", BERT): 1} == {who: len(rows) for who, rows in people.items()}


@both
def test_nothing_is_counted_twice_by_two_followers(
    town: Town, reports: Reports, store: Store, keyring: FileKeyRing
) -> None:
    town.denied()
    other = Reports(store, keyring)
    other.follower.follow()
    other.close()
    town.denied()

    assert 2 == reports.denied_by_reason(*YEAR)[0].count


@both
def test_counts_made_anew_are_the_same(town: Town, reports: Reports) -> None:
    town.denied()
    town.exchange(policy="protocol-1")
    granted = [Granted("protocol-1", "person.get", "name")]
    before = reports.denied_by_reason(*YEAR), reports.field_use(granted, *YEAR)
    reports.follower.rebuild()

    assert before == (reports.denied_by_reason(*YEAR), reports.field_use(granted, *YEAR))


def test_a_page_says_how_far_behind_the_counts_are(town: Town, reports: Reports) -> None:
    town.ledger.append_blocking([_noise(town) for _ in range(1500)])

    assert (500, 0) == (reports.denied(*ALWAYS).behind, reports.denied(*ALWAYS).behind)


@both
def test_health_counts_what_hangs(town: Town, reports: Reports) -> None:
    left = town.write("intent", subjects=[("nrn", ANNA)])
    town.clock.now += 5 * MINUTE
    health = reports.health()

    assert (1, left.ts, left.ts, (202611,)) == (health.dangling, health.oldest_dangling, health.newest, health.months)


def test_a_month_that_should_have_been_forgotten_is_named(town: Town, reports: Reports) -> None:
    town.write("admin", retention="M6")
    town.write("admin", retention="Y10")
    town.clock.now += 240 * 24 * 60 * MINUTE

    assert {"M6": True, "Y10": False} == {one.retention: one.overdue for one in reports.retention()}


@both
def test_two_numbers_of_one_person_are_searched_together(
    town: Town, reports: Reports, store: Store, keyring: FileKeyRing
) -> None:
    from audit.seal import Sealer

    old = town.denied(BERT)
    new = town.denied(ANNA)
    store.alias([(2026, *(Sealer(keyring).subject_tag("nrn", who, 2026) for who in (BERT, ANNA)))])

    assert [new.index, old.index] == indices(reports.about(Subject("nrn", ANNA), *ALWAYS))


@both
def test_what_is_restricted_is_not_shown_to_the_person(town: Town, reports: Reports, store: Store) -> None:
    hidden, shown = town.denied(), town.denied()
    store.set_vis(town.ledger.shard, hidden.index, 1)
    her = Subject("nrn", ANNA)

    assert ([shown.index], 2) == (
        indices(reports.about(her, *ALWAYS, shown=True)),
        len(reports.about(her, *ALWAYS).rows),
    )


def test_reports_of_two_shards_are_one_list(
    town: Town, reports: Reports, store: Store, open_ledger: Callable[..., Ledger], clock: Clock
) -> None:
    other = Town(open_ledger(store, shard="another"), clock)
    town.denied(), other.denied(), town.denied()

    assert [town.ledger.shard, "another", town.ledger.shard] == [row.shard for row in reports.denied(*ALWAYS).rows]


def test_the_anchor_log_in_the_same_store_is_no_exchange(
    town: Town, reports: Reports, store: Store, open_ledger: Callable[..., Ledger]
) -> None:
    from audit.entry import Part, Prepared

    note = Prepared("checkpoint", NOON, 202611, None, b"h" * 32, b"origin\n1\n", None, None, None, None, "Y10", (Part(0, None, (None,) * 3, (None,) * 3),))  # fmt: skip
    writer = store.writer("hub/anchor")
    writer.append([note], 0)
    writer.close()
    town.denied()

    assert (1, None, 0) == (
        reports.denied_by_reason(*YEAR)[0].count,
        reports.row("hub/anchor", 0),
        reports.follower.behind(),
    )


@both
def test_who_reads_a_list_is_told_which_rows_are_kept_from_somebody(town: Town, reports: Reports, store: Store) -> None:
    hidden = town.denied(policy="wide")
    store.set_vis(town.ledger.shard, hidden.index, 1)
    trace = reports.row(town.ledger.shard, hidden.index).trace_id

    assert [1, 1, 1, 1] == [
        page.rows[0].vis
        for page in (
            reports.denied(*ALWAYS), reports.under_policy("sha256:wide", *ALWAYS), reports.exchange(trace),
            reports.about(Subject("nrn", ANNA), *ALWAYS),
        )
    ]  # fmt: skip


def test_a_month_that_somebody_holds_is_late_for_nobody(town: Town, reports: Reports) -> None:
    town.write("admin", retention="M6")
    town.clock.now += 240 * 24 * 60 * MINUTE
    hold(
        town.ledger,
        Order("judge-1", "eli/be/law/1", "court", "2026/9", "inquiry"),
        retention="M6",
        review=date(2030, 1, 1),
    )
    [kept] = [one for one in reports.retention() if one.retention == "M6"]

    assert (True, False) == (kept.held, kept.overdue)
