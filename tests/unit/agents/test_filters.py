"""Filters: what RFC 7644 writes is read, and what anybody writes is refused in words, never otherwise."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrator.agents.scim.errors import ScimRefused
from integrator.agents.scim.filters import parse_filter
from integrator.agents.scim.schemas import AGENT, ENTERPRISE
from tests.unit.agents.town import USER

ANNA: dict[str, Any] = {
    "id": "a-anna", "userName": "Anna.Peeters", "active": True, "externalId": "HR-1", "name": {"familyName": "Peeters"},
    "emails": [{"value": "a@work.example", "type": "work", "primary": True}, {"value": "a@home.example", "type": "home"}],
    "meta": {"lastModified": "2026-11-23T10:00:00.000Z"}, ENTERPRISE: {"department": "Population"},
}  # fmt: skip


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('userName eq "anna.peeters"', True), ('externalId eq "hr-1"', False), ('userName sw "ANNA"', True), ('userName ew "s"', True),
        ('USERNAME EQ "anna.peeters"', True), ('name.familyName co "eet"', True), ('name.familyName ne "Peeters"', False),
        ("title pr", False), ("name.familyName pr", True), ("active eq true", True), ("active ne true", False), ("title eq null", True),
        ("userName ne null", True), ('emails co "@work"', True), ('emails[type eq "work" and value co "@work"]', True),
        ('emails[type eq "home" and value co "@work"]', False), ('emails.type eq "home"', True), ("emails[primary eq true]", True),
        (f'{ENTERPRISE}:department eq "population"', True), (f"{ENTERPRISE}:costCenter pr", False),
        ('meta.lastModified gt "2026-11-23T09:00:00Z"', True), ('meta.lastModified le "2026-11-23T11:00:00+01:00"', True),
        ('meta.lastModified lt "2026-11-23T11:00:00+01:00"', False), ('userName gt "B"', False), ('userName ge "a"', True),
        ('not (userName eq "x")', True), ('userName eq "x" or active eq true', True), ('userName eq "x" or active eq true and title pr', False),
        ('(userName eq "x" or active eq true) and not (title pr)', True), ('userName eq "Anna.Peeters" ', True),
        ('userName eq "quote \\" inside"', False), ("id eq \"a-anna\"", True),
    ],
    ids=range(32),
)  # fmt: skip
def test_what_a_filter_chooses(text: str, expected: bool) -> None:
    assert expected is parse_filter(USER, text).matches(ANNA)


@pytest.mark.parametrize(
    "text",
    ["", " ", "userName", "userName eq", 'userName is "x"', 'userName eq "x" and', 'userName eq "x" userName', "userName eq x", "(userName pr", "userName pr)",
     'not userName eq "x"', "nobody pr", 'emails[type eq "work"', "userName[value pr]", "emails[nothing pr]", "emails.nothing pr", 'active eq "yes"', "active gt true",
     "userName eq 1", 'meta.created gt "yesterday"', "userName gt null", "[", '"', "emails[emails[type pr]]", "urn:x:y pr", "name.familyName.x pr", 'userName eq "\x00"',
     "(" * 30 + "userName pr" + ")" * 30, "userName pr or " * 200 + "userName pr"],
    ids=range(29),
)  # fmt: skip
def test_what_is_no_filter_is_refused_as_one(text: str) -> None:
    with pytest.raises(ScimRefused) as refused:
        parse_filter(USER, text)

    assert (400, "invalidFilter") == (refused.value.status, refused.value.kind)


PIECES = st.sampled_from(
    ["userName", "emails", "[", "]", "(", ")", "not", "and", "or", "eq", "ne", "co", "pr", "gt", '"x"', "true", "null", "1", " ", ".", "value", "type", "active",
     ENTERPRISE, AGENT, ":", "department", '"\\u0041"', "meta.created", "-", "1e999", "NaN", '"\\ud800"', "é"]
)  # fmt: skip


@given(
    st.one_of(
        st.text(max_size=80), st.lists(PIECES, max_size=14).map(" ".join), st.lists(PIECES, max_size=14).map("".join)
    )
)
def test_any_text_is_a_filter_or_refused(text: str) -> None:
    try:
        found = parse_filter(USER, text)
    except ScimRefused as refused:
        assert (400, "invalidFilter") == (refused.status, refused.kind)
        return
    assert found.matches(ANNA) in (True, False)
    assert isinstance([one.personal for one in found.places()], list)


def filters(depth: int = 3) -> Any:
    """(text, what it says of ANNA) of filters put together by the grammar."""
    tests = st.sampled_from(
        [("active eq true", True), ("title pr", False), ('emails[type eq "work"]', True), ('userName eq "x"', False)]
    )
    if depth == 0:
        return tests
    inner = filters(depth - 1)
    both = st.tuples(inner, inner).map(lambda two: (f"({two[0][0]}) and ({two[1][0]})", two[0][1] and two[1][1]))
    either = st.tuples(inner, inner).map(lambda two: (f"({two[0][0]}) or ({two[1][0]})", two[0][1] or two[1][1]))
    return st.one_of(tests, both, either, inner.map(lambda one: (f"not ({one[0]})", not one[1])))


@given(filters())
def test_and_or_not_mean_what_they_mean(filter_: tuple[str, bool]) -> None:
    assert filter_[1] is parse_filter(USER, filter_[0]).matches(ANNA)
