"""The hub's part in keeping: classes as data, a daily chore that never falls over, aliases told by sources."""

from __future__ import annotations

import json
from datetime import date

import pytest
import yaml
from jsonschema import Draft202012Validator

from audit import Draft, FileKeyRing, Ledger, LedgerError, Subject, find_by_subject, open_store
from audit.keeping import Order, orders, restrict
from audit.keeping.aliases import RETENTION as ALIASES
from audit.keeping.maps import prove_day
from integrator import places
from integrator.errors import ConfigurationError
from integrator.keeping import Keeper, retention_classes

NOW = 1_795_440_600.0  # 23 November 2026
TEN_YEARS = 10 * 366 * 86_400
OLD, NEW = "85610100147", "85610100246"
FAR = 2**52


class Writer:
    def __init__(self, ledger):
        self.ledger = ledger


@pytest.fixture
def store(tmp_path):
    opened = open_store(f"sqlite:///{tmp_path}/ledger.db")
    yield opened
    opened.close()


@pytest.fixture
def time():
    return [NOW]


@pytest.fixture
def keeper(store, tmp_path, time):
    keyring = FileKeyRing(tmp_path / "keys")
    with Ledger(store, keyring, shard="x/2026", clock=lambda: int(time[0] * 1e6)) as ledger:
        yield Keeper(store, keyring, Writer(ledger), retention_classes(), lambda: time[0], tmp_path / "maps")


def an_intent(number=OLD):
    return Draft(
        "intent",
        "0192f3a47c1e7d3a9b5e2f6a8c4d1e70",
        "b7ad6b7169203331",
        "person.get",
        "Y10",
        subjects=[("nrn", number)],
    )


def test_every_class_that_anything_is_recorded_under_has_a_term():
    policies = {yaml.safe_load(path.read_text())["retention"] for path in places.folder("policies").glob("*.yaml")}

    assert {*policies, orders.RETENTION, ALIASES} <= retention_classes().keys()


def test_the_classes_are_written_as_their_schema_says():
    schema = json.loads((places.folder("config") / "schema" / "retention.schema.json").read_text())
    data = yaml.safe_load((places.folder("config") / "retention.yaml").read_text())

    assert [] == list(Draft202012Validator(schema).iter_errors(data))


@pytest.mark.parametrize(
    "text",
    ["classes: [Y10]", "{}", "classes: {Y10: {months: 0, legalBasis: law}}", "classes: {Y10: {months: 12}}"],
    ids=["a_list", "nothing", "no_month", "no_legal_basis"],
)
def test_classes_that_say_no_term_stop_the_hub(tmp_path, text):
    (tmp_path / "retention.yaml").write_text(text)

    with pytest.raises(ConfigurationError, match=r"retention\.yaml"):
        retention_classes(tmp_path / "retention.yaml")


def test_the_daily_chore_erases_what_is_due_and_nothing_else(keeper, time):
    keeper.writer.ledger.append_blocking([an_intent()])
    assert [] == keeper.daily()
    time[0] += TEN_YEARS + 40 * 86_400
    [late] = keeper.writer.ledger.append_blocking([an_intent()])

    assert [("Y10", 202611)] == [(one.retention, one.month) for one in keeper.daily()]
    assert [late.index] == [
        hit.index for hit in find_by_subject(keeper.store, keeper.keyring, Subject("nrn", OLD), 0, FAR)
    ]


def test_the_daily_chore_proves_yesterday_complete(keeper, time):
    keeper.writer.ledger.append_blocking([an_intent()])
    time[0] += 86_400
    keeper.daily()

    assert [[("x/2026", 0)]] == [
        list(one.places)
        for one in prove_day(keeper.store, keeper.keyring, keeper.maps, Subject("nrn", OLD), date(2026, 11, 23))
    ]


def test_the_daily_chore_finishes_what_a_crash_left(keeper, monkeypatch):
    keeper.writer.ledger.append_blocking([an_intent()])
    with monkeypatch.context() as crash, pytest.raises(ZeroDivisionError):
        crash.setattr(keeper.store, "set_vis", lambda *_: 1 // 0)
        restrict(keeper.store, keeper.writer.ledger, "x/2026", [0], Order("dpo-1", "law"), review=date(2027, 11, 23))
    keeper.daily()

    assert [1] == [hit.vis for hit in find_by_subject(keeper.store, keeper.keyring, Subject("nrn", OLD), 0, FAR)]


def test_a_map_that_fails_does_not_keep_what_is_due(keeper, time):
    keeper.writer.ledger.append_blocking([an_intent()])
    time[0] += TEN_YEARS + 40 * 86_400
    keeper.maps.write_text("where the folder of maps should be")

    with pytest.raises(OSError, match="exists"):
        keeper.daily()
    assert "Y10" not in {code for code, _ in keeper.store.kept()}


def test_a_ledger_that_cannot_be_written_erases_nothing_and_says_so(keeper, time):
    keeper.writer.ledger.append_blocking([an_intent()])
    time[0] += TEN_YEARS + 40 * 86_400
    keeper.writer.ledger.close()

    with pytest.raises(LedgerError):
        keeper.daily()
    assert [("Y10", 202611)] == keeper.store.kept()


def test_a_replaced_number_keeps_its_history(keeper):
    keeper.writer.ledger.append_blocking([an_intent()])
    keeper.replaced(("nrn", OLD), NEW, "register")

    assert {0, 1} == {hit.index for hit in find_by_subject(keeper.store, keeper.keyring, Subject("nrn", NEW), 0, FAR)}


@pytest.mark.parametrize("number", ["85.61.01-002.46", "", "8561010024"], ids=["dotted", "empty", "too_short"])
def test_a_number_of_another_spelling_is_linked_to_nobody(keeper, number):
    keeper.replaced(("nrn", OLD), number, "register")

    assert 0 == keeper.writer.ledger.size


def test_an_alias_that_cannot_be_recorded_is_told_without_its_numbers(keeper, capsys, caplog):
    keeper.writer.ledger.close()
    keeper.replaced(("nrn", OLD), NEW, "register")
    said = capsys.readouterr()

    assert not any(number in said.out + said.err + caplog.text for number in (OLD, NEW))
    assert 0 == keeper.store.size("x/2026")
