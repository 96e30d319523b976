"""Keys at the door: what cannot be right is refused with advice, and never repeated back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrator.errors import ConfigurationError, MalformedRequest
from integrator.keytypes import compile_key, ssin_world, valid_date

SANDBOX, PRODUCTION = frozenset({"53480200724"}), None  # the one BIS number is a published test vector of the KSZ
TEST_NUMBER = "85660812341"


def read(kind, value, sandbox=SANDBOX, **more):
    return compile_key("key", {"type": kind, **more}, sandbox=sandbox).read(value, "/key")


def refusal(kind, value, sandbox=SANDBOX, **more):
    with pytest.raises(MalformedRequest) as raised:
        read(kind, value, sandbox, **more)
    return raised.value.issues[0]


@pytest.mark.parametrize(
    ("kind", "given_", "expected"),
    [
        ("ssin", TEST_NUMBER, TEST_NUMBER),
        ("ssin", "53480200724", "53480200724"),
        ("enterpriseNumber", "0314.595.348", "0314595348"),
        ("establishmentUnitNumber", "2000000339", "2000000339"),
        ("plate", "1-abc-123", "1ABC123"),
        ("plate", "MIJNAUTO", "MIJNAUTO"),
        ("nisCode", "21009", "21009"),
        ("date", "2024-02-29", "2024-02-29"),
        ("text", "  Łukasz d’Été  ", "Łukasz d’Été"),
    ],
    ids=[
        "test number",
        "named BIS number",
        "dotted enterprise",
        "establishment",
        "dashed plate",
        "personal plate",
        "municipality",
        "leap day",
        "name",
    ],
)
def test_a_right_key_becomes_canonical(kind, given_, expected):
    assert expected == read(kind, given_)


@pytest.mark.parametrize(
    ("kind", "value", "issue"),
    [
        ("ssin", TEST_NUMBER[:-1] + "2", "invalidInput"),
        ("ssin", "85.66.08-123.41", "schemaViolation"),
        ("ssin", int(TEST_NUMBER), "schemaViolation"),
        ("ssin", "８５660812341", "schemaViolation"),
        ("ssin", None, "schemaViolation"),
        ("enterpriseNumber", "0874713140", "invalidInput"),
        ("enterpriseNumber", "2000000339", "schemaViolation"),
        ("plate", "1ABC123; DROP", "schemaViolation"),
        ("vin", "WVWZZZ1KZ6W00000O", "schemaViolation"),
        ("date", "2023-02-29", "invalidInput"),
        ("date", "2023-13-01", "invalidInput"),
        ("date", "1961-00-00", "invalidInput"),
        ("text", "a\x00b", "schemaViolation"),
        ("text", "x" * 101, "outOfRange"),
        ("integer", True, "schemaViolation"),
        ("integer", 10**12, "outOfRange"),
        ("boolean", "perhaps", "schemaViolation"),
        ("postCode", "0999", "schemaViolation"),
    ],
    ids=lambda value: "" if not isinstance(value, str) or any(letter.isdigit() for letter in value) else value,
)
def test_a_wrong_key_is_refused_without_being_repeated(kind, value, issue):
    refused = refusal(kind, value)

    assert issue == refused.kind
    assert str(value) not in repr(refused)


def test_a_real_number_cannot_enter_the_sandbox():
    # Real on purpose: the wound is a real number in the sandbox. It is a published test vector, of nobody we know.
    assert "rejectedInput" == refusal("ssin", "93051822361").kind


def test_a_test_number_cannot_enter_production():
    assert "rejectedInput" == refusal("ssin", TEST_NUMBER, PRODUCTION).kind


def test_the_sandbox_exception_is_no_exception_in_production():
    assert "53480200724" == read("ssin", "53480200724", PRODUCTION)


@given(st.integers(0, 10**11 - 1))
def test_no_number_is_accepted_by_both_worlds(number):
    digits = f"{number:011d}"
    accepted = []
    for world in (frozenset(), PRODUCTION):
        try:
            accepted.append(read("ssin", digits, world))
        except MalformedRequest:
            continue
    assert len(accepted) <= 1


@pytest.mark.parametrize("vector", ["71640618918", "99691600243", "90651300312", "00630299891"])
def test_published_test_vectors_are_of_the_test_world(vector):
    assert "test" == ssin_world(vector)


def test_an_object_names_the_part_that_is_wrong():
    spec = {"properties": {"postCode": {"type": "postCode", "required": True}}}

    assert "requiredInput" == refusal("object", {}, **spec).kind
    assert "unknownInput" == refusal("object", {"postCode": "1050", "x": 1}, **spec).kind
    assert refusal("object", {"postCode": "x"}, **spec).detail.startswith("postCode:")


def test_quarters_are_kept_as_they_are():
    asked = {"begin": "2025Q4", "end": "2026Q3"}

    assert asked == read("quarters", asked, max=4)


@pytest.mark.parametrize(
    ("value", "issue"),
    [
        ({"begin": "2026Q3", "end": "2026Q2"}, "outOfRange"),
        ({"begin": "2025Q3", "end": "2026Q3"}, "outOfRange"),
        ({"begin": "2026Q3"}, "schemaViolation"),
        ({"begin": "2026Q3", "end": "2026Q3", "page": "1"}, "schemaViolation"),
        ({"begin": "20263", "end": "2026Q3"}, "schemaViolation"),
        ({"begin": 2026, "end": "2026Q3"}, "schemaViolation"),
        ("2026Q3", "schemaViolation"),
    ],
    ids=["backwards", "one_too_many", "endless", "unknown_part", "another_form", "a_number", "a_text"],
)
def test_quarters_that_cannot_be_asked(value, issue):
    assert issue == refusal("quarters", value, max=4).kind


def test_an_unknown_type_stops_the_start():
    with pytest.raises(ConfigurationError):
        compile_key("key", {"type": "guess"}, sandbox=SANDBOX)


@given(st.dates())
def test_every_date_that_exists_is_valid(day):
    assert valid_date(day.isoformat())
