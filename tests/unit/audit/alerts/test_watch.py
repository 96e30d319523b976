"""Alerts are entries of the ledger: raised once, whoever watches, and settled by a person with words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
import pytest

from audit import FileKeyRing, Ledger, LedgerUnwritable, Store, Subject, find_by_subject, open_entry, open_store, settle
from audit.alerts import Alerts, Protected, Sealed, Watch, breach, look_of
from audit.alerts.alerts import AlertSettled, AlertUnknown
from audit.alerts.protected import TwoNeeded
from audit.exports import View, Walk
from audit.reports import CursorInvalid
from audit.reports.tables import Tables
from audit.seal import Sealer
from tests.unit.audit.alerts.conftest import both
from tests.unit.audit.kit import NOON, Clock
from tests.unit.audit.reports.conftest import ANNA, BERT, BRUSSELS, IXELLES, MINUTE, Town

WORDS = "checked with the desk: the person stood there"
SELF = {"clear": {"flags": ["SELF"]}}


def rules_of(alerts: Alerts, **asked: Any) -> list[str]:
    return [one.rule for one in alerts.open(**asked).alerts if one.rule != "RANDOM_SAMPLE"]


def own(town: Town, **more: Any) -> int:
    return town.exchange(**{**SELF, **more})[1].index


@both
def test_a_look_that_a_rule_minds_becomes_an_alert(town: Town, watch: Callable[..., Watch], alerts: Alerts) -> None:
    town.exchange(BERT)
    index = own(town)
    watch().step()
    [alert] = [one for one in alerts.open().alerts if one.rule == "OWN_DATA"]

    assert (town.ledger.shard, index, IXELLES, "counter", "open") == (
        alert.shard,
        alert.index,
        alert.org,
        alert.app,
        alert.state,
    )


@both
def test_after_a_restart_nothing_is_raised_twice_and_nothing_is_forgotten(
    town: Town, watch: Callable[..., Watch], alerts: Alerts
) -> None:
    own(town)
    watch().step()
    own(town)
    later = watch()
    later.step(), later.step()

    assert ["OWN_DATA"] * 2 == rules_of(alerts)


def test_a_crash_between_alert_and_place_raises_it_once(
    town: Town, watch: Callable[..., Watch], alerts: Alerts, tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    town.exchange(BERT)
    first = watch()
    first.step()
    own(town)
    with monkeypatch.context() as patch:
        patch.setattr(tables, "write", lambda *what: (_ for _ in ()).throw(RuntimeError("killed")))
        with pytest.raises(RuntimeError):
            first.step()
    watch().step()

    assert ["OWN_DATA"] == rules_of(alerts)


def test_a_first_run_that_crashed_raises_nothing_twice(
    town: Town, watch: Callable[..., Watch], alerts: Alerts, tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    own(town)
    with monkeypatch.context() as patch:
        patch.setattr(tables, "write", lambda *what: (_ for _ in ()).throw(RuntimeError("killed")))
        with pytest.raises(RuntimeError):
            watch().step()
    watch().step()

    assert ["OWN_DATA"] == rules_of(alerts)


def test_an_alert_that_cannot_be_written_is_raised_by_the_next_step(
    town: Town, store: Store, tables: Tables, watch: Callable[..., Watch], alerts: Alerts
) -> None:
    own(town)
    broken = watch()

    def down(drafts: Any) -> Any:
        raise LedgerUnwritable("down")

    working, broken._append = broken._append, down
    with pytest.raises(LedgerUnwritable):
        broken.step()
    broken._append = working
    broken.step()

    assert ["OWN_DATA"] == rules_of(alerts)


def test_a_window_that_a_restart_cuts_in_two_is_whole(
    town: Town, store: Store, watch: Callable[..., Watch], alerts: Alerts, keys: FileKeyRing
) -> None:
    people = [f"6161{n:05d}00" for n in range(1, 13, 2)]
    ordinal = Sealed(store, keys).ordinal
    for half in (people[:3], people[3:]):
        for who in half:
            town.clock.now -= MINUTE // 2
            town.exchange(who)
        watch(ordinal=ordinal).step()

    assert ["ENUMERATION"] == rules_of(alerts)


@both
def test_two_watches_take_turns_and_raise_once(town: Town, watch: Callable[..., Watch], alerts: Alerts) -> None:
    one, other = watch(), watch()
    for watcher in (one, other, one, other):
        own(town)
        watcher.step()
        watcher.step()

    assert 4 == len(rules_of(alerts))


def test_an_alert_stands_in_nobody_s_own_list(
    town: Town, store: Store, watch: Callable[..., Watch], keys: FileKeyRing
) -> None:
    own(town)
    watch().step()
    hits = find_by_subject(store, keys, Subject("nrn", ANNA), 0, 2 * NOON)
    kinds = [open_entry(store, keys, hit.shard, hit.index).entry["type"] for hit in hits]
    raised = b"".join(stored.body for stored in store.rare(["alert"], 0, 2 * NOON))

    assert ["outcome", "intent"] == kinds
    assert ANNA.encode() not in raised
    assert b"_sd" not in raised


@both
@pytest.mark.parametrize(("word", "state"), [("justify", "justified"), ("escalate", "escalated")])
def test_a_person_settles_an_alert_with_words(
    town: Town, store: Store, watch: Callable[..., Watch], alerts: Alerts, keys: FileKeyRing, word: str, state: str
) -> None:
    own(town)
    watch().step()
    id = alerts.open().alerts[0].id
    record = getattr(alerts, word)(id, "dpo-1", f"  {WORDS}\n")
    entry = open_entry(store, keys, town.ledger.shard, record.index)

    assert ([], state, [id]) == (
        rules_of(alerts),
        alerts.get(id).state,
        [one.id for one in alerts.open(state=state).alerts],
    )
    assert (WORDS, {"id": "dpo-1"}, "annotate") == (
        entry.values["justification"],
        entry.values["agent"],
        entry.entry["type"],
    )


def test_what_was_settled_stays_settled(town: Town, watch: Callable[..., Watch], alerts: Alerts) -> None:
    own(town)
    watch().step()
    id = alerts.open().alerts[0].id
    alerts.justify(id, "dpo-1", WORDS)

    with pytest.raises(AlertSettled):
        alerts.escalate(id, "dpo-2", WORDS)


@pytest.mark.parametrize("words", ["", "ok", " " * 40, "x" * 501])
def test_a_settlement_without_words_is_none(
    town: Town, watch: Callable[..., Watch], alerts: Alerts, words: str
) -> None:
    own(town)
    watch().step()

    with pytest.raises(ValueError, match="say why"):
        alerts.justify(alerts.open().alerts[0].id, "dpo-1", words)


@pytest.mark.parametrize(
    "id", ["", "x", "nowhere/1", "{shard}/0", "{shard}/99", "{shard}/-1", "{shard}/1e3", "{shard}/²"]
)
def test_what_is_no_alert_cannot_be_settled(town: Town, alerts: Alerts, id: str) -> None:
    town.exchange()

    with pytest.raises(AlertUnknown):
        alerts.justify(id.format(shard=town.ledger.shard), "dpo-1", WORDS)


def test_an_organisation_s_dpo_sees_its_own_alerts(town: Town, watch: Callable[..., Watch], alerts: Alerts) -> None:
    own(town, org=BRUSSELS)
    own(town)
    watch().step()

    assert [BRUSSELS] == [one.org for one in alerts.open(org=BRUSSELS).alerts if one.rule == "OWN_DATA"]


@both
def test_pages_of_alerts_skip_nothing_while_more_come_and_some_are_settled(
    town: Town, watch: Callable[..., Watch], alerts: Alerts
) -> None:
    written = [own(town) for _ in range(5)]
    watcher = watch()
    watcher.step()
    seen, cursor = [], None
    for _ in range(9):
        page = alerts.open(cursor=cursor, limit=2, rule="OWN_DATA")
        seen += [one.index for one in page.alerts]
        alerts.justify(page.alerts[0].id, "dpo-1", WORDS) if page.alerts else None
        town.clock.now += MINUTE
        own(town), watcher.step()
        cursor = page.next
        if cursor is None:
            break

    assert sorted(written) == sorted(seen)


def test_a_cursor_that_is_not_ours_is_refused(alerts: Alerts) -> None:
    with pytest.raises(CursorInvalid):
        alerts.open(cursor="WzEsMl0")


def test_an_unknown_outcome_is_judged_by_whom_its_intent_names(
    town: Town, watch: Callable[..., Watch], alerts: Alerts, keys: FileKeyRing
) -> None:
    tag = Sealer(keys).subject_tag("nrn", ANNA, 2026, create=True)
    town.write("intent", subjects=[("nrn", ANNA)])
    town.clock.now += 5 * MINUTE
    settle(town.ledger)
    watch(protected=tag.__eq__).step()

    assert ["PROTECTED_PERSON"] == rules_of(alerts)


# --- what only the keys can tell --------------------------------------------------------------------------------------


def test_a_case_and_a_number_are_read_where_the_keys_are(
    town: Town, store: Store, tables: Tables, keys: FileKeyRing
) -> None:
    town.exchange()
    town.write("denied", subjects=[("nrn", BERT)])
    asked, bare = [look_of(one) for one in Walk(tables)]
    sealed = Sealed(store, keys)

    assert (True, False) == (sealed.has_case(asked), sealed.has_case(bare))
    assert [int(ANNA[:-2]), int(BERT[:-2])] == [sealed.ordinal(one) for one in (asked, bare)]


def test_a_forgotten_month_accuses_nobody(town: Town, store: Store, tables: Tables, keys: FileKeyRing) -> None:
    town.write("denied", subjects=[("nrn", BERT)])
    [look] = [look_of(one) for one in Walk(tables)]
    keys.destroy("kek-Y10-2026-11-subject")

    assert (True, None) == (Sealed(store, keys).has_case(look), Sealed(store, keys).ordinal(look))


# --- the protected list -----------------------------------------------------------------------------------------------


@pytest.fixture
def protected(town: Town, tables: Tables, keys: FileKeyRing, clock: Clock) -> Protected:
    return Protected(tables, keys, town.ledger.append_blocking, clock)


@both
def test_somebody_on_the_list_is_found_by_tag_this_year_and_the_next(
    town: Town, watch: Callable[..., Watch], alerts: Alerts, protected: Protected
) -> None:
    protected.add(Subject("nrn", ANNA), "dpo-1", "a minister")
    town.exchange(ANNA)
    town.exchange(BERT)
    town.clock.now += 60 * 24 * 60 * MINUTE
    town.exchange(ANNA)
    watch(protected=protected.__contains__).step()

    assert ["PROTECTED_PERSON"] * 2 == rules_of(alerts)


def test_somebody_taken_off_the_list_is_ordinary(
    town: Town, watch: Callable[..., Watch], alerts: Alerts, protected: Protected
) -> None:
    for change in (protected.add, protected.remove):
        change(Subject("nrn", ANNA), "dpo-1", "a minister, and no more")
    town.exchange(ANNA)
    watch(protected=protected.__contains__).step()

    assert [] == rules_of(alerts)


def test_the_list_holds_tags_and_names_nobody(protected: Protected, tables: Tables) -> None:
    protected.add(Subject("nrn", ANNA), "dpo-1", "a minister")

    assert ANNA not in str(tables.rows("SELECT * FROM alert_protected"))


@pytest.mark.parametrize("pair", [("dpo-1", "dpo-1"), ("dpo-1", ""), ("", "dpo-2"), ("dpo-1", "DPO-1")])
def test_one_person_does_not_read_the_list(protected: Protected, store: Store, pair: tuple[str, str]) -> None:
    with pytest.raises(TwoNeeded):
        protected.read(*pair, "yearly review")
    assert [] == store.rare(["admin"], 0, 2 * NOON)


def test_two_people_read_the_list_and_the_ledger_names_both(
    protected: Protected, store: Store, keys: FileKeyRing
) -> None:
    protected.add(Subject("nrn", ANNA), "dpo-1", "a minister")
    tags = protected.read("dpo-1", "dpo-2", "yearly review")
    entries = [open_entry(store, keys, one.shard, one.index) for one in store.rare(["admin"], 0, 2 * NOON)]

    assert 2 == len(tags)
    assert {"dpo-1", "dpo-2"} == {one.values["agent"]["id"] for one in entries if one.entry["name"] == "protected.read"}


# --- the scope of a breach --------------------------------------------------------------------------------------------


@both
def test_a_leaked_key_s_scope_is_whose_which_and_to_whom(
    town: Town, store: Store, tables: Tables, keys: FileKeyRing
) -> None:
    town.exchange(ANNA, app="leaked", fields=("address", "name"))
    town.exchange(ANNA, app="leaked", fields=("name",))
    town.exchange(BERT, app="other")
    town.denied(BERT, app="leaked")
    start = town.clock.now
    scope = breach(Walk(tables, 0, start + 1), View(store, keys, ("subject",)), "leaked")

    assert (2, 1, 0) == (scope.exchanges, scope.refused, scope.unknown)
    assert ({Subject("nrn", ANNA): 2}, {"name": 2, "address": 1}, {(IXELLES, "leaked"): 2}) == (
        scope.subjects, scope.categories, scope.recipients,
    )  # fmt: skip


def test_what_nobody_knows_belongs_to_the_scope(town: Town, store: Store, tables: Tables, keys: FileKeyRing) -> None:
    town.write("intent", subjects=[("nrn", ANNA)], app="leaked")
    town.clock.now += 5 * MINUTE
    settle(town.ledger)
    scope = breach(Walk(tables), View(store, keys, ("subject",)), "leaked")

    assert (1, 1, [ANNA]) == (scope.exchanges, scope.unknown, [who.id for who in scope.subjects])


def test_without_an_audience_a_scope_counts_tags(town: Town, store: Store, tables: Tables) -> None:
    town.exchange(ANNA, app="leaked"), town.exchange(ANNA, app="leaked")
    scope = breach(Walk(tables), View(store, None), "leaked")

    assert [("blind-tag", 2)] == [(who.type, times) for who, times in scope.subjects.items()]


def test_an_application_that_did_nothing_has_an_empty_scope(store: Store, tables: Tables, town: Town) -> None:
    scope = breach(Walk(tables), View(store, None), "leaked")

    assert (0, None, None, {}) == (scope.exchanges, scope.first, scope.last, scope.subjects)


def test_alerts_read_as_canonical_entries(town: Town, store: Store, watch: Callable[..., Watch]) -> None:
    own(town)
    watch().step()
    entry = orjson.loads(store.rare(["alert"], 0, 2 * NOON)[-1].body)

    assert {"alert", 1} == {entry["type"], entry["counts"]["looks"]}


def test_other_stores_are_no_concern(tmp_path: Any, keys: FileKeyRing) -> None:
    store = open_store(f"sqlite:///{tmp_path}/empty.db")
    with Ledger(store, keys, shard="audit.hub.example/test/node-9/2026") as ledger:
        assert [] == Alerts(store, ledger.append_blocking).open().alerts
    store.close()
