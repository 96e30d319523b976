"""`integrator check` and `where`: a part that hides a field of the element is refused, and nothing else is."""

from __future__ import annotations

from typing import Any

import pytest

from integrator.checks_where import of_composition
from integrator.services import Service, compile_service

TITLE = {"nl": "a", "fr": "b", "en": "c"}


def plain(name: str, list_name: str | None, *offers: str) -> Service:
    """A service that answers with these fields: enough of one for a composition to name it."""
    made = compile_service({"service": name, "route": f"POST /{name}", "title": TITLE}, {}, sandbox=frozenset())
    object.__setattr__(made, "offers", frozenset(offers))
    object.__setattr__(made, "list_name", list_name)
    return made


FAMILY = plain("family", None, "address", "address.city", "members", "members.ssin", "members.role", "members.role.code", "members.papers", "members.papers.kind")
PLATES = plain("plates", "items", "holder", "holder.ssin", "status", "item")
SERVICES = {"family": FAMILY, "plates": PLATES}
KEYS = {"cars": {"type": "list", "of": {"type": "object", "properties": {"owner": {"type": "text"}}}}}


def said(rule: Any, parts: dict[str, str], where: str = "rule") -> list[tuple[str, tuple[Any, ...]]]:
    """What is said of a composition with this rule; `parts`: name -> service."""
    check = {"code": "one", "title": TITLE, "source": "a", "rule": {"present": "$cars"}, where: rule}
    data = {
        "service": "whole", "route": "POST /whole", "title": TITLE, "keys": KEYS, "checks": [check],
        "parts": {name: {"service": service, "fields": ["address"]} for name, service in parts.items()},
        "parameters": {"limits": [{"zone": "A", "rate": {"low": 1}}]},
    }  # fmt: skip
    return list(of_composition(data, compile_service(data, SERVICES, sandbox=frozenset()), SERVICES))


HIDDEN = {
    "a field compared with a literal": ({"some": {"in": "family.members", "where": {"equal": ["role.code", {"value": "1"}]}}}, "role"),
    "the field of an answer that is a list": ({"some": {"in": "plates.items", "where": {"present": "holder.ssin"}}}, "holder"),
    "the second operand": ({"some": {"in": "plates.items", "where": {"equal": ["$cars", "status"]}}}, "status"),
    "one of several choices": ({"some": {"in": "plates.items", "where": {"oneOf": ["status", "A", "B"]}}}, "status"),
    "under all, any and not": ({"not": {"any": [{"all": [{"some": {"in": "family.members", "where": {"not": {"absent": "ssin"}}}}]}]}}, "ssin"),
    "what is counted": ({"count": {"of": "family.members", "where": {"present": "role"}, "below": 2}}, "role"),
    "a list inside an element": ({"some": {"in": "family.members", "where": {"some": {"in": "papers", "where": {"present": "kind"}}}}}, "kind"),
    "the list itself that stands in an element": ({"some": {"in": "family.members", "where": {"notEmpty": "papers"}}}, "papers"),
    "a list of an element, by its whole": ({"some": {"in": "family.members", "where": {"some": {"in": "item.papers", "where": {"present": "kind"}}}}}, "kind"),
    "the whole element": ({"some": {"in": "family.members", "where": {"present": "item.ssin"}}}, "item"),
    "an element of the parameters": ({"some": {"in": "$parameters.limits", "where": {"present": "rate.low"}}}, "rate"),
    "an element of the request": ({"some": {"in": "$cars", "where": {"present": "owner"}}}, "owner"),
    "how many there may be, beside an element": ({"some": {"in": "family.members", "where": {"count": {"of": "$cars", "atMost": "role"}}}}, "role"),
}


@pytest.mark.parametrize("wound", HIDDEN)
def test_a_part_that_hides_a_field_of_the_element_is_refused(wound: str) -> None:
    rule, name = HIDDEN[wound]
    found = said(rule, {"family": "family", "plates": "plates", name: "plates"})

    assert [("checks", 0, "rule")] == [place for _, place in found], found
    assert f"reads the part {name} and hides" in found[0][0] and found[0][0].endswith("give the part another name")


@pytest.mark.parametrize("wound", HIDDEN)
def test_the_same_rule_beside_a_part_of_another_name_is_not(wound: str) -> None:
    assert [] == said(HIDDEN[wound][0], {"family": "family", "plates": "plates", "other": "plates"})


@pytest.mark.parametrize(
    "rule",
    [
        {"present": "role.items"},
        {"some": {"in": "role.items", "where": {"present": "status"}}},
        {"some": {"in": "plates.items", "where": {"equal": ["holder.ssin", "role.items.0.status"]}}},
        {"some": {"in": "family.members", "where": {"oneOf": ["ssin", "role"]}}},
        {"some": {"in": "family.members", "where": {"equal": ["ssin", {"value": "role"}]}}},
        {"some": {"in": "family.members", "where": {"equal": ["ssin", "$role"]}}},
    ],
    ids=["outside of where", "the list that is looked through", "an element without such a field", "a choice", "a literal", "a key"],
)  # fmt: skip
def test_a_part_that_hides_nothing_may_be_named_wherever_it_is(rule: Any) -> None:
    assert [] == said(rule, {"family": "family", "plates": "plates", "role": "plates"})


def test_a_field_hidden_from_what_must_be_known_first_or_from_when_is_told_where_it_stands() -> None:
    rule = {"some": {"in": "family.members", "where": {"present": "role"}}}
    parts = {"family": "family", "role": "plates"}

    assert ("checks", 0, "when") == said(rule, parts, "when")[0][1]
    assert ("checks", 0, "needs", 0, "rule") == said([{"rule": rule, "reason": "NOT_KNOWN"}], parts, "needs")[0][1]


def test_a_field_hidden_from_the_when_of_a_part_is_told_where_it_stands() -> None:
    rule = {"some": {"in": "family.members", "where": {"present": "role"}}}
    parts = {"family": {"service": "family", "fields": ["members"]}, "role": {"service": "plates", "fields": ["status"], "when": rule}}
    data = {"service": "whole", "route": "POST /whole", "title": TITLE, "parts": parts}

    found = list(of_composition(data, compile_service(data, SERVICES, sandbox=frozenset()), SERVICES))

    assert [("parts", "role", "when")] == [place for _, place in found]
