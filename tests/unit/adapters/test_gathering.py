"""Rows that mean something together only: what does not balance is refused whole, what is added up is exact, once."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrator.adapters.book import Book
from integrator.adapters.checking import check
from integrator.adapters.gathering import compile_gather
from integrator.adapters.intake import Intake, Stopped, Taken
from integrator.adapters.participation import participations
from integrator.adapters.wholes import AsOne
from integrator.database import Database
from integrator.errors import ConfigurationError
from tests.unit.adapters import kit

FIELDS: dict[str, Any] = {
    "article": {"column": "Article", "required": True, "pattern": "\\d{3}"},
    "name": {"column": "Nom"},
    "side": {"column": "Sens", "type": "code", "codes": {"D": "debit", "C": "credit"}, "required": True},
    "amount": {"column": "Montant", "type": "decimal", "required": True},
}
GATHER: dict[str, Any] = {
    "by": ["article"], "sums": {"debit": {"of": "amount", "where": {"side": "debit"}}},
    "lines": {"name": "entries", "by": ["side"], "sums": {"amount": {"of": "amount"}}},
}  # fmt: skip
DATA: dict[str, Any] = {
    "adapter": "wages", "format": {"kind": "delimited", "encoding": "utf-8", "separator": ";"}, "fields": FIELDS,
    "even": {"by": ["article"], "amount": "amount", "side": "side", "plus": "debit", "minus": "credit"},
    "deposit": {
        "service": "payroll.book", "organisation": "ixelles", "application": "a-package", "purpose": "payroll_booking",
        "keys": {"recipient": {"value": "1992100975"}}, "content": {"entries": "entries"}, "gather": GATHER,
    },
}  # fmt: skip
EVEN = ["101;Jansen;D;10,10", "101;Peeters;D;0,90", "101;Jansen;C;11,00", "202;Dubois;D;1,00", "202;Dubois;C;1,00"]


class Hub:
    """Takes each key once; refuses, or is down, as a test says."""

    def __init__(self) -> None:
        self.taken: dict[str, dict[str, Any]] = {}
        self.refuses: dict[str, str] = {}  # article -> reason
        self.down = False

    async def __call__(self, rows: Sequence[Taken]) -> Mapping[str, str]:
        if self.down:
            raise Stopped(frozenset(one.key for one in rows[:1]), {})
        refused = {one.key: self.refuses[one.about] for one in rows if one.about in self.refuses}
        for one in rows:
            if one.key not in refused:
                self.taken.setdefault(one.key, one.values)
        return refused


@pytest.fixture
def hub() -> Hub:
    return Hub()


@pytest.fixture
def take(tmp_path: Path, hub: Hub) -> Any:
    database = Database(f"sqlite:///{tmp_path / 'adapters.db'}", "adapters")
    layout = kit.layout(DATA)
    effect = AsOne([(part, hub) for part in participations(layout)])
    turned = lambda use, text: text[::-1]
    intake = Intake(layout, database, effect, seal=turned, unseal=turned, now=lambda: 1.0, batch=2)

    def work(rows: Sequence[str]) -> Any:
        path = tmp_path / "wages.csv"
        path.write_text("\n".join(["Article;Nom;Sens;Montant", *rows, ""]))
        return asyncio.run(intake.take(path))

    yield work
    assert [] == database.now(lambda c: Book(c).waiting("wages"))  # no part of such a file ever waits
    database.close()


def test_rows_become_one_message_for_each_of_what_they_are_gathered_by(take: Any, hub: Hub) -> None:
    assert "done" == take(EVEN).state
    lines = [{"side": "credit", "amount": Decimal("11.00")}, {"side": "debit", "amount": Decimal("11.00")}]

    assert [("101", lines), ("202", 2)] == [
        (one["article"], one["entries"] if one["article"] == "101" else len(one["entries"]))
        for one in hub.taken.values()
    ]


def test_an_article_that_is_not_even_refuses_the_file_and_is_named_and_no_person_is(take: Any, hub: Hub) -> None:
    result = take([*EVEN, "303;Dubois;D;0,01", "404;Dubois;C;0,01"])

    assert ("refused", "NOT_BALANCED 303, 404") == (result.state, result.file.reason)
    assert {} == hub.taken


def test_one_wrong_row_refuses_the_whole_file(take: Any, hub: Hub) -> None:
    result = take([*EVEN, "303;Dubois;D;much"])

    assert ("refused", "NOT_ALL_GOOD NOT_A_NUMBER", {}) == (result.state, result.file.reason, hub.taken)


def test_a_message_that_the_hub_refuses_refuses_the_file_and_the_same_file_brings_what_is_missing(
    take: Any, hub: Hub
) -> None:
    hub.refuses = {"202": "NO_AUTHORISATION"}
    assert "NO_AUTHORISATION 202" == take(EVEN).file.reason

    hub.refuses = {}
    assert "done" == take(EVEN).state
    assert ["101", "202"] == [one["article"] for one in hub.taken.values()]


def test_another_file_that_says_the_same_has_no_second_effect(take: Any, hub: Hub) -> None:
    take(EVEN)
    before = dict(hub.taken)

    take(["202;Somebody;C;1,00", "202;Somebody;D;1,00", *reversed(EVEN[:3])])
    assert before == hub.taken


def test_a_hub_that_is_down_leaves_the_file_where_it_is(take: Any, hub: Hub) -> None:
    hub.down = True
    with pytest.raises(Stopped):
        take(EVEN)

    hub.down = False
    assert ("done", 2) == (take(EVEN).state, len(hub.taken))


def test_what_is_one_for_a_message_must_be_one() -> None:
    gather = compile_gather({"by": ["article"], "same": ["name"]}, FIELDS)

    with pytest.raises(Exception, match="NOT_THE_SAME") as caught:
        gather.messages([{"article": "101", "name": "Jansen"}, {"article": "101", "name": "Peeters"}])
    assert "Jansen" not in str(vars(caught.value))


@given(st.lists(st.tuples(st.decimals(0, 10**12, places=2), st.decimals(0, 10**12, places=2)), min_size=1, max_size=30))
def test_a_sum_of_products_is_rounded_once_half_up_whatever_the_order(rows: list[tuple[Decimal, Decimal]]) -> None:
    fields = {**FIELDS, "rate": {"type": "decimal"}}
    gather = compile_gather(
        {"by": ["article"], "sums": {"cost": {"of": "amount", "times": "rate", "decimals": 2}}}, fields
    )
    made = [{"article": "101", "amount": hours, "rate": rate} for hours, rate in rows]
    cents = sum(int(hours.scaleb(2)) * int(rate.scaleb(2)) for hours, rate in rows)

    for order in (made, made[::-1]):
        assert [Decimal((cents + 50) // 100).scaleb(-2)] == [one["cost"] for one in gather.messages(order)]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"by": ["name"]}, "must be required"),
        ({"by": ["nothing"]}, "is no field"),
        ({"by": ["article"], "sums": {"total": {"of": "name"}}}, "no number"),
        ({"by": ["article"], "sums": {"total": {"of": "amount", "times": "amount"}}}, "to how many decimals"),
        ({"by": ["article"], "sums": {"article": {"of": "amount"}}}, "one name for two things"),
    ],
)
def test_what_cannot_be_gathered_is_said_at_start(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        compile_gather(wrong, FIELDS)


def test_a_side_that_is_neither_is_no_balance() -> None:
    sides = {**FIELDS, "side": {**FIELDS["side"], "codes": {"D": "debit", "C": "credit", "X": "other"}}}

    with pytest.raises(ConfigurationError, match=r"even\.side"):
        kit.layout({**DATA, "fields": sides})


def test_a_file_taken_whole_needs_to_say_what_its_rows_make() -> None:
    deposit = {name: value for name, value in DATA["deposit"].items() if name != "gather"} | {"content": {}}

    with pytest.raises(ConfigurationError, match="gathers its rows"):
        participations(kit.layout({**DATA, "deposit": deposit}))


def test_a_check_of_such_a_file_says_so_before_anything_is_loaded(tmp_path: Path) -> None:
    path = tmp_path / "wages.csv"
    path.write_text("\n".join(["Article;Nom;Sens;Montant", "101;Jansen;D;1,00", ""]))

    refused = check(kit.layout(DATA), path).json()["refused"]
    assert "NOT_BALANCED 101" == refused["reason"]
    assert "two sides differ" in refused["advice"]
