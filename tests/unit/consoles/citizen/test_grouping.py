"""Rows as people think of them: one exchange is one event, one case stands together, and nobody else's case joins it."""

from __future__ import annotations

from typing import Any

import pytest

from audit.reports import Details, Row
from integrator.consoles.citizen.grouping import cases_of, ending, events_of, kinds, whose
from tests.unit.consoles.desk import BRUSSELS, IXELLES
from tests.unit.consoles.doorstep import book

PERMIT, FINE, SOCIAL = (
    f"https://ropa.integrator.example/{name}/v1"
    for name in ("resident_permit", "administrative_fine", "social_inquiry")
)


def a_row(index: int, **changes: Any) -> Row:
    named = {
        "trace_id": f"{index:032x}",
        "span_id": f"{index:016x}",
        "parent": None,
        "kind": "outcome",
        "activity": PERMIT,
    }
    rest = dict.fromkeys(("reason", "app", "source", "operation", "op"))
    values = {
        "shard": "s",
        "index": index,
        "part": 0,
        "ts": index,
        "name": "person.get",
        "status": "Ok",
        "org": IXELLES,
        "initiator": "official",
    }
    return Row(**{**values, **rest, **named, **changes})


def test_parts_of_a_composition_stand_under_their_whole_wherever_they_come_in_the_list() -> None:
    rows = [a_row(3, trace_id="a", parent="w"), a_row(2, trace_id="a"), a_row(1, trace_id="a", parent="w"), a_row(0)]
    [whole, other] = events_of((row, Details()) for row in rows)

    assert (2, [3, 1], 0, ()) == (whole.row.index, [row.index for row, _ in whole.parts], other.row.index, other.parts)


def test_a_part_whose_whole_may_not_be_seen_speaks_for_itself() -> None:
    [event] = events_of([(a_row(1, trace_id="a", parent="w"), Details())])

    assert 1 == event.row.index


def test_events_of_one_case_stand_together_and_another_organisation_s_case_of_that_number_does_not() -> None:
    rows = [a_row(4), a_row(3, org=BRUSSELS), a_row(2), a_row(1)]
    numbers = ["2026/1", "2026/1", None, "2026/1"]
    found = cases_of(events_of((row, Details(case_ref=number)) for row, number in zip(rows, numbers, strict=True)))

    assert [("2026/1", [4, 1]), ("2026/1", [3]), (None, [2])] == [
        (case.number, [event.row.index for event in case.events]) for case in found
    ]


@pytest.mark.parametrize(
    ("expected", "changes"),
    [
        ("self", {"initiator": "self"}),
        ("for_me", {"initiator": "official"}),
        ("for_me", {"initiator": "system"}),
        ("own", {"activity": FINE}),
        ("task", {"activity": SOCIAL}),
        ("unsaid", {"activity": "unknown"}),
        ("check", {"kind": "audit.read"}),
        ("self", {"kind": "audit.read", "initiator": "self"}),
        ("mine", {"kind": "annotate", "initiator": "self"}),
        ("check", {"kind": "annotate"}),
    ],
)
def test_by_whom_a_line_came_about(expected: str, changes: dict[str, Any]) -> None:
    assert expected == whose(a_row(1, **changes), book())


@pytest.mark.parametrize(
    ("expected", "changes"),
    [
        ("outcome", {}),
        ("failed", {"status": "Error"}),
        ("denied", {"kind": "denied"}),
        ("other", {"kind": "audit.read"}),
    ],
)
def test_how_a_line_ended(expected: str, changes: dict[str, Any]) -> None:
    assert expected == ending(a_row(1, **changes))


def test_forty_fields_are_a_few_kinds_of_data_and_an_unknown_field_goes_by_its_service() -> None:
    assert ["identity", "address", "family"] == kinds(["members.ssin", "address.postCode", "familyName"], "person.get")
    assert ["vehicle"] == kinds(["status"], "vehicle.registrations")
    assert ["identity", "other"] == kinds(["somethingNew", "ssin"], "newService.get")
    assert [] == kinds(["answer:alive"], "person.lifeStatus")
