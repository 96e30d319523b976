"""PATCH: what each operation does, what none may do, and that any document at all is done or refused in words."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrator.agents.scim import filters, shaping
from integrator.agents.scim.errors import ScimRefused
from integrator.agents.scim.patching import patched
from integrator.agents.scim.schemas import AGENT, ENTERPRISE
from integrator.agents.scim.shaping import read_resource
from tests.unit.agents.town import CORE, GROUP, PATCH, USER

ANNA: dict[str, Any] = {
    "schemas": [f"{CORE}:User"], "userName": "anna", "active": True, "name": {"familyName": "Peeters", "givenName": "Anna"},
    "emails": [{"value": "a@work.example", "type": "work", "primary": True}, {"value": "a@home.example", "type": "home"}],
    "roles": [{"value": "registry_clerk"}], ENTERPRISE: {"department": "Population", "costCenter": "12"},
}  # fmt: skip


def change(*operations: Any) -> dict[str, Any]:
    return read_resource(USER, patched(USER, ANNA, {"schemas": [PATCH], "Operations": list(operations)}))


def test_a_value_is_replaced_and_the_rest_stays() -> None:
    done = change({"op": "Replace", "path": "name.givenName", "value": "Ann"})

    assert {"familyName": "Peeters", "givenName": "Ann"} == done["name"]
    assert "Population" == done[ENTERPRISE]["department"]


def test_what_is_replaced_by_an_object_keeps_the_parts_not_named() -> None:
    assert {"familyName": "Janssens", "givenName": "Anna"} == change(
        {"op": "replace", "path": "name", "value": {"familyName": "Janssens"}}
    )["name"]


def test_without_path_every_attribute_of_the_value_is_set_also_by_its_long_name() -> None:
    done = change(
        {"op": "replace", "value": {"active": "False", f"{ENTERPRISE}:department": "Logement", "title": "chef"}}
    )

    assert (False, "Logement", "12", "chef") == (
        done["active"],
        done[ENTERPRISE]["department"],
        done[ENTERPRISE]["costCenter"],
        done["title"],
    )


def test_an_element_is_added_and_not_twice() -> None:
    add = {"op": "add", "path": "roles", "value": [{"value": "parking_clerk"}]}

    assert [{"value": "registry_clerk"}, {"value": "parking_clerk"}] == change(add, add)["roles"]


def test_a_new_primary_takes_the_place_of_the_old_one() -> None:
    done = change({"op": "add", "path": "emails", "value": [{"value": "b@work.example", "primary": True}]})

    assert ["b@work.example"] == [one["value"] for one in done["emails"] if one.get("primary")]


def test_only_the_chosen_element_changes() -> None:
    done = change({"op": "replace", "path": 'emails[type eq "home"].value', "value": "new@home.example"})

    assert ["a@work.example", "new@home.example"] == [one["value"] for one in done["emails"]]


def test_an_element_that_is_not_there_is_made_by_add_as_its_filter_says() -> None:
    done = change({"op": "add", "path": 'emails[type eq "other"].value', "value": "o@example.org"})

    assert {"type": "other", "value": "o@example.org"} == done["emails"][-1]


def test_the_chosen_element_goes() -> None:
    assert ["home"] == [one["type"] for one in change({"op": "remove", "path": 'emails[type eq "work"]'})["emails"]]


def test_an_extension_goes_as_a_whole() -> None:
    assert ENTERPRISE not in change({"op": "remove", "path": ENTERPRISE})


def test_what_this_hub_never_keeps_is_accepted_and_not_kept() -> None:
    done = change(
        {"op": "add", "path": "phoneNumbers", "value": [{"value": "02"}]},
        {"op": "add", "value": {"photos": [{"value": "x"}]}},
    )

    assert not {"phoneNumbers", "photos"} & done.keys()


@pytest.mark.parametrize(
    ("operation", "kind"),
    [
        ({"op": "remove"}, "noTarget"), ({"op": "replace", "path": 'emails[type eq "x"].value', "value": "y"}, "noTarget"),
        ({"op": "remove", "path": 'emails[type eq "x"]'}, "noTarget"), ({"op": "replace", "path": "nobody", "value": 1}, "invalidPath"),
        ({"op": "replace", "path": "emails[", "value": 1}, "invalidPath"), ({"op": "replace", "path": 'emails[type eq "x"]value', "value": 1}, "invalidPath"),
        ({"op": "replace", "path": "emails[type is 1]", "value": 1}, "invalidFilter"), ({"op": "replace", "path": "id", "value": "x"}, "mutability"),
        ({"op": "add", "path": "groups", "value": []}, "mutability"), ({"op": "move", "path": "title"}, "invalidSyntax"), ({"path": "title"}, "invalidSyntax"),
        ("add", "invalidSyntax"), ({"op": "remove", "path": "userName"}, "invalidValue"), ({"op": "add", "value": "x"}, "invalidValue"),
        ({"op": "replace", "path": "active", "value": "perhaps"}, "invalidValue"), ({"op": "replace", "path": "title", "value": {"a": 1}}, "invalidValue"),
        ({"op": "replace", "path": "title", "value": "85.66.08-123.41"}, "invalidValue"), ({"op": "add", "value": {"unknown": 1}}, "invalidPath"),
        ({"op": "replace", "path": f"{AGENT}:mandate", "value": "a b"}, "invalidValue"), ({"op": "add", "path": "emails", "value": [{"primary": True}, {"primary": True, "value": "x"}]}, "invalidValue"),
    ],
    ids=range(20),
)  # fmt: skip
def test_what_cannot_be_done_says_why(operation: Any, kind: str) -> None:
    with pytest.raises(ScimRefused) as refused:
        change(operation)

    assert (400, kind) == (refused.value.status, refused.value.kind)


def test_nothing_is_changed_in_place() -> None:
    before = copy.deepcopy(ANNA)
    change(
        {"op": "replace", "path": "emails.value", "value": "x"},
        {"op": "remove", "path": "name.givenName"},
        {"op": "remove", "path": "title"},
    )

    assert before == ANNA


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=12) | st.sampled_from(["work", "true", "registry_clerk"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8) | st.sampled_from(["value", "type", "primary", "userName", "$ref", ENTERPRISE]), inner, max_size=4),
    max_leaves=8,
)  # fmt: skip
PATHS = st.sampled_from(
    ["userName", "active", "name", "name.familyName", "emails", 'emails[type eq "work"]', 'emails[type eq "work"].value', "emails.value", "emails[primary eq true].primary", "roles",
     'roles[value eq "x" or not (value pr)].display', ENTERPRISE, f"{ENTERPRISE}:department", f"{ENTERPRISE}:manager", f"{ENTERPRISE}:manager.value", AGENT, f"{AGENT}:nationalNumber", "schemas",
     "externalId", "meta.created", "phoneNumbers", "groups"]
) | st.text(max_size=20)  # fmt: skip
OPERATIONS = st.lists(
    st.fixed_dictionaries(
        {"op": st.sampled_from(["add", "remove", "replace", "Add"])}, optional={"path": PATHS, "value": JSON}
    )
    | JSON,
    max_size=4,
)


@given(OPERATIONS)
def test_any_document_is_done_or_refused(operations: list[Any]) -> None:
    try:
        done = change(*operations)
    except ScimRefused as refused:
        assert refused.status in (400, 413)
        return
    assert done == read_resource(USER, done)
    assert done["userName"]


@pytest.mark.parametrize(
    "chosen", ['type eq "User"', 'value eq "a-{0}"', 'value eq "A-{0}"'], ids=["all", "each", "each_in_another_case"]
)
def test_a_group_that_is_changed_member_by_member_is_not_weighed_member_by_member(
    chosen: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thousand operations of a feed on two thousand members: what cannot fit is not compared as a filter compares."""
    weighed = []
    real = filters.Test.matches

    def matches(test: filters.Test, resource: dict[str, Any]) -> bool:
        weighed.append(1)
        return real(test, resource)

    monkeypatch.setattr(filters.Test, "matches", matches)
    members = [{"value": f"a-{number}", "type": "User"} for number in range(300)]
    group = {"schemas": [f"{CORE}:Group"], "displayName": "clerks", "members": members}
    operations = [{"op": "remove", "path": f"members[{chosen.format(number)}]"} for number in range(100)]
    if "User" in chosen:
        operations = operations[:1]
    left = patched(GROUP, group, {"schemas": [PATCH], "Operations": operations})["members"]

    assert ([] if "User" in chosen else members[100:]) == left
    assert len(weighed) <= 300


def test_members_that_stand_there_twice_are_kept_once_where_they_stood_first() -> None:
    members = [
        {"value": "b"},
        {"value": "a"},
        {"type": "User", "value": "b"},
        {"value": "b"},
        {"value": "b", "type": "User"},
    ]
    read = read_resource(GROUP, {"schemas": [f"{CORE}:Group"], "displayName": "clerks", "members": members})

    assert [{"value": "b"}, {"value": "a"}, {"type": "User", "value": "b"}] == read["members"]


def test_two_thousand_members_are_read_without_comparing_each_with_each(monkeypatch: pytest.MonkeyPatch) -> None:
    class Counted(dict[str, Any]):
        compared = 0

        def __eq__(self, other: object) -> bool:
            Counted.compared += 1
            return super().__eq__(other)

        __hash__ = None  # type: ignore[assignment]

    monkeypatch.setattr(shaping, "_object", lambda attributes, value, name: Counted(value))
    members = [{"value": f"a-{number}"} for number in range(2_000)]
    kept = read_resource(GROUP, {"schemas": [f"{CORE}:Group"], "displayName": "clerks", "members": members})["members"]

    assert (2_000, 0) == (len(kept), Counted.compared)
