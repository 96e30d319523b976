"""Figures of exchanges for everybody: what is counted, when it is published, and that it never changes."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

import orjson
import pytest

from integrator.database import Database
from integrator.governing.traffic import Shape, Traffic
from integrator.opened import figures
from integrator.opened.figures import Rule, counted, due, publish, span, table
from integrator.opened.published import ROOM, Published

RULE = Rule(10, 5, 5)


def at(day: str) -> float:
    return datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp()


def shape(org="0207373429", purpose="local_tax", service="person.get", *, part=False, outcome="permit") -> Shape:
    activity = f"https://ropa.integrator.example/{purpose}/v1"
    return Shape(org, "app", activity, service, None, None, False, part, "x", outcome)


@pytest.fixture
def published(tmp_path):
    database = Database(f"sqlite:///{tmp_path / 'open.db'}", ROOM)
    yield Published(database)
    database.close()


def test_refusals_and_parts_of_a_composition_are_no_exchanges():
    asked = Counter({shape(): 12, shape(part=True): 40, shape(outcome="NO_AUTHORISATION"): 7})

    assert {("0207373429", "local_tax", "person.get"): 12} == counted(Traffic(asked))


def test_applications_and_ways_to_ask_are_added_up():
    asked = Counter({shape(): 6, shape()._replace(app="other"): 6})

    assert {("0207373429", "local_tax", "person.get"): 12} == counted(Traffic(asked))


def test_a_table_says_totals_by_leaving_out_what_they_go_over():
    body = orjson.loads(table("2026-10", {("o", "p", "s"): 12, ("o", "p", "t"): 23}, RULE, at("2026-11-06")))

    assert {"organisation": "o", "purpose": "p", "service": "s", "exchanges": 10} in body["items"]
    assert {"exchanges": 35} in body["items"]
    assert (10, 5, "2026-10") == (body["atLeast"], body["roundedTo"], body["period"])


def test_a_small_cell_is_nowhere_in_the_table():
    body = table("2026-10", {("o", "p", "rare"): 3, ("o", "p", "s"): 500}, RULE, at("2026-11-06"))

    assert b"rare" not in body


@pytest.mark.parametrize(
    ("day", "last"), [("2026-11-05", "2026-09"), ("2026-11-06", "2026-10"), ("2027-01-05", "2026-11"), ("2027-01-06", "2026-12")]
)  # fmt: skip
def test_a_month_is_published_some_days_after_it_ended(day, last):
    assert last == due(at(day), RULE, frozenset())[-1]


def test_a_month_that_was_published_is_not_due_again():
    assert "2026-10" not in due(at("2026-11-10"), RULE, frozenset({"2026-10"}))


def test_a_month_lasts_until_the_next_one_begins():
    assert (at("2026-12-01"), at("2027-01-01")) == span("2026-12")


def test_what_was_published_stays_though_the_ledger_says_more_later_and_k_is_another(published, monkeypatch):
    month = {span("2026-10"): Traffic(Counter({shape(): 40}))}
    monkeypatch.setattr(figures, "traffic_of", lambda ledger, since, until: month.get((since, until), Traffic()))
    assert ["2026-10"] == publish(published, "ledger", RULE, at("2026-11-07"))
    before = published.read("exchanges", "2026-10")

    month[span("2026-10")].asked[shape()] += 1
    assert [] == publish(published, "ledger", Rule(2, 1, 0), at("2026-11-08"))
    assert not published.publish("exchanges", "2026-10", b"{}", at("2026-11-08"))
    assert before == published.read("exchanges", "2026-10")


def test_a_month_without_exchanges_is_not_published(published, monkeypatch):
    monkeypatch.setattr(figures, "traffic_of", lambda ledger, since, until: Traffic())

    assert [] == publish(published, "ledger", RULE, at("2026-11-07"))
