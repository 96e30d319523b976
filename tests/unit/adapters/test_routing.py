"""Where a row goes is told by a table: the first line that fits, each that does, and never whoever is at hand."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from connectors.client import Problem
from integrator.adapters.intake import Taken
from integrator.adapters.participation import faults, participations
from integrator.adapters.routing import compile_route
from integrator.commands.adapter_run import OverHttp
from integrator.errors import ConfigurationError
from tests.unit.adapters import kit
from tests.unit.adapters.test_participation import DEPOSIT, services

__all__ = ["services"]
KEY = str(uuid.UUID(int=7))
TABLE = [
    {"when": {"place": ["1050", "1000"], "kind": ["tree"]}, "value": "A"},
    {"when": {"place": ["1050"]}, "value": "B"},
    {"when": {"kind": ["tree"]}, "value": "A"},
]


def ends(how: str, row: dict[str, Any]) -> list[Any]:
    return compile_route({how: TABLE}, {"place", "kind"}, "a").ends(row)


@pytest.mark.parametrize(
    ("row", "first", "each"),
    [
        ({"place": "1050", "kind": "tree"}, ["A"], ["A", "B"]),
        ({"place": "1050", "kind": "lamp"}, ["B"], ["B"]),
        ({"place": "1050"}, ["B"], ["B"]),
        ({"place": "1070", "kind": "tree"}, ["A"], ["A"]),
        ({"place": "1070", "kind": "lamp"}, [], []),
        ({}, [], []),
    ],
)
def test_a_row_goes_to_the_first_that_fits_or_once_to_each(
    row: dict[str, Any], first: list[str], each: list[str]
) -> None:
    assert first == ends("first", row)
    assert each == ends("each", row)


def test_a_line_without_conditions_fits_every_row() -> None:
    assert ["Z"] == compile_route({"first": [{"value": "Z"}]}, set(), "a").ends({})


def test_a_table_over_a_field_that_no_row_has_is_told_before_the_start() -> None:
    with pytest.raises(ConfigurationError, match="kind, place"):
        compile_route({"each": TABLE}, {"other"}, "a")


def routed(how: str) -> Any:
    table = [
        {"when": {"remark": ["moved", "both"]}, "value": "1992100975"},
        {"when": {"remark": ["left", "both"]}, "value": "0207373429"},
    ]
    keys = {"ssin": "resident", "recipient": {how: table}}
    return participations(kit.layout({**kit.DELIMITED, "deposit": {**DEPOSIT, "keys": keys}}))[0]


def test_one_that_goes_to_several_is_one_message_to_each_under_a_key_of_its_own_and_always_the_same() -> None:
    row = {"invoice": "F0001", "resident": kit.PEOPLE[0], "remark": "both"}

    made = routed("each").bodies(KEY, row)

    assert ["1992100975", "0207373429"] == [body["recipient"] for _, body in made]
    assert 3 == len({KEY, *(key for key, _ in made)})
    assert made == routed("each").bodies(KEY, row)


def test_one_that_goes_to_the_first_keeps_the_key_of_its_row() -> None:
    row = {"invoice": "F0001", "resident": kit.PEOPLE[0], "remark": "both"}

    assert [(KEY, "1992100975")] == [(key, body["recipient"]) for key, body in routed("first").bodies(KEY, row)]


def test_a_row_that_fits_no_line_is_handed_to_nobody() -> None:
    assert [] == routed("first").bodies(KEY, {"invoice": "F0001", "resident": kit.PEOPLE[0], "remark": "other"})


def test_a_key_that_a_table_tells_is_not_missed(services: Any) -> None:
    assert [] == list(faults(routed("each"), services))
    keys = {"ssin": "resident", "recipient": {"value": "1"}, "plate": {"first": [{"value": "x"}]}}
    wrong = participations(kit.layout({**kit.DELIMITED, "deposit": {**DEPOSIT, "keys": keys}}))[0]
    assert "has no plate" in " ".join(faults(wrong, services))


class Desk:
    """A hub elsewhere, as a machine beside the package sees it."""

    def __init__(self, refuses: str = "") -> None:
        self.refuses, self.got = refuses, list[tuple[str, str]]()

    def send(self, service: str, key: str, **body: Any) -> None:
        if body["recipient"] == self.refuses:
            raise Problem(403, {"reason": "NO_AUTHORISATION"}, None, None)
        self.got.append((key, body["recipient"]))


async def test_beside_the_package_one_refusal_keeps_nothing_from_the_others_and_the_row_waits() -> None:
    desk: Any = Desk(refuses="1992100975")
    rows = [
        Taken(KEY, 1, {"invoice": "F0001", "resident": kit.PEOPLE[0], "remark": "both"}),
        Taken(str(uuid.UUID(int=8)), 2, {"invoice": "F0002", "resident": kit.PEOPLE[1], "remark": "nowhere"}),
    ]

    refused = await OverHttp(routed("each"), [desk])(rows)

    assert {KEY: "NO_AUTHORISATION", str(uuid.UUID(int=8)): "NO_ROUTE"} == refused
    assert ["0207373429"] == [recipient for _, recipient in desk.got]
