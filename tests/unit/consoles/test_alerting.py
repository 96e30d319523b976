"""Alerts reach those whose they are, in their language; others learn not even that there is one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from audit import FileKeyRing, Ledger, Store, open_store
from audit.alerts import Alerts, Judge, Watch
from audit.alerts import watch as watching
from audit.reports import Reports
from audit.reports.tables import open_tables
from integrator.alerting import alert_rules
from integrator.consoles.alerting import AlertDesk
from integrator.consoles.looking import Desk
from integrator.consoles.rights import LookRefused, NothingThere
from integrator.errors import MalformedRequest
from tests.unit.audit.kit import NOON, a_draft
from tests.unit.consoles.desk import ANNA, AUDITOR, BRUSSELS, CITIZEN, DPO, HUB_DPO, IXELLES, WHY


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = open_store(f"sqlite:///{tmp_path}/ledger.db")
    yield store
    store.close()


@pytest.fixture
def alert_desk(store: Store, tmp_path: Path) -> Iterator[AlertDesk]:
    """Somebody in Ixelles and somebody in Brussels looked themselves up."""
    keyring = FileKeyRing(tmp_path / "keys")
    with Ledger(store, keyring, shard="hub/test/alerts/2026", clock=lambda: NOON) as ledger:
        for number, org in enumerate((IXELLES, BRUSSELS), 1):
            clear = {"consumer": {"org": org, "app": "counter"}, "flags": ["SELF"]}
            ledger.append_blocking([a_draft("denied", trace_id=f"{number:032x}", clear=clear, subjects=[ANNA])])
        tables, rules = open_tables(store, watching.SCHEMA), alert_rules()
        Watch(store, tables, ledger.append_blocking, Judge(rules)).step()
        reports = Reports(store, keyring, lambda: NOON)
        yield AlertDesk(Desk(reports, ledger), Alerts(store, ledger.append_blocking), rules)
        reports.close(), tables.close()


@pytest.mark.parametrize(("person", "orgs"), [(DPO, {IXELLES}), (HUB_DPO, {IXELLES, BRUSSELS})], ids=["dpo", "hub_dpo"])
async def test_a_dpo_sees_the_alerts_of_whom_they_answer_for(
    alert_desk: AlertDesk, person: Any, orgs: set[str]
) -> None:
    assert orgs == {one.alert.org for one in (await alert_desk.open(person, "nl")).items}


@pytest.mark.parametrize(("language", "title"), [("nl", "Een medewerker zocht zichzelf op"), ("fr", "Un agent a consulté ses propres données"), ("en", "A member of staff looked up their own data")])  # fmt: skip
async def test_an_alert_speaks_the_reader_s_language(alert_desk: AlertDesk, language: str, title: str) -> None:
    [one] = (await alert_desk.open(DPO, language)).items

    assert (title, "high") == (one.title, one.severity)


@pytest.mark.parametrize("person", [CITIZEN, AUDITOR], ids=["citizen", "auditor"])
async def test_others_see_none_and_settle_none(alert_desk: AlertDesk, store: Store, person: Any) -> None:
    id = (await alert_desk.open(HUB_DPO, "en")).items[0].alert.id
    before = store.size("hub/test/alerts/2026")

    with pytest.raises(LookRefused):
        await alert_desk.open(person, "en")
    with pytest.raises(LookRefused):
        await alert_desk.justify(person, id, WHY)
    assert before == store.size("hub/test/alerts/2026")


async def test_reading_the_alerts_is_a_look_in_the_ledger(alert_desk: AlertDesk, store: Store) -> None:
    await alert_desk.open(DPO, "en")

    assert [b"audit.alerts" in one.body for one in store.rare(["audit.read"], 0, 2 * NOON)] == [True]


async def test_a_dpo_settles_an_alert_and_it_leaves_the_list(alert_desk: AlertDesk) -> None:
    id = (await alert_desk.open(DPO, "en")).items[0].alert.id
    await alert_desk.escalate(DPO, id, WHY)

    assert ([], [id]) == (
        (await alert_desk.open(DPO, "en")).items,
        [one.alert.id for one in (await alert_desk.open(DPO, "en", state="escalated")).items],
    )


async def test_another_organisation_s_alert_looks_like_none(alert_desk: AlertDesk) -> None:
    [theirs] = [one.alert.id for one in (await alert_desk.open(HUB_DPO, "en")).items if one.alert.org == BRUSSELS]

    for id in (theirs, "hub/test/alerts/2026/0", "nowhere/1"):
        with pytest.raises(NothingThere):
            await alert_desk.justify(DPO, id, WHY)


@pytest.mark.parametrize("words", ["", "short"])
async def test_words_that_say_nothing_settle_nothing(alert_desk: AlertDesk, words: str) -> None:
    id = (await alert_desk.open(DPO, "en")).items[0].alert.id

    with pytest.raises(MalformedRequest):
        await alert_desk.justify(DPO, id, words)


async def test_a_second_word_is_refused(alert_desk: AlertDesk) -> None:
    id = (await alert_desk.open(DPO, "en")).items[0].alert.id
    await alert_desk.justify(DPO, id, WHY)

    with pytest.raises(MalformedRequest):
        await alert_desk.escalate(HUB_DPO, id, WHY)
