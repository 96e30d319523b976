"""Rows of an HR package: who joins has access, who leaves has none, and the same row again changes nothing."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import pytest

from integrator.adapters.intake import Stopped, Taken
from integrator.adapters.staffing import NotTaken, Tells, staffing
from integrator.errors import ConfigurationError, LedgerUnwritable
from tests.unit.adapters import kit

DATA: dict[str, Any] = {
    "adapter": "hr",
    "format": {"kind": "delimited", "encoding": "utf-8", "separator": ";"},
    "fields": {
        "contract": {"column": "C", "required": True}, "login": {"column": "L", "required": True},
        "state": {"column": "S", "type": "code", "codes": {"in": True, "out": False}, "required": True},
        "unit": {"column": "U"}, "function": {"column": "F"}, "person": {"column": "P", "type": "ssin"},
    },
    "staff": {
        "organisation": "ixelles", "application": "hr", "purpose": "staff_directory", "contract": "contract", "active": "state",
        "user": {"userName": "login", "department": "unit", "role": "function", "nationalNumber": "person"},
    },
}  # fmt: skip


class People:
    """A directory in memory that counts what was changed."""

    def __init__(self) -> None:
        self.users: dict[str, dict[str, Any]] = {}
        self.changes: list[str] = []
        self.wrong: Exception | None = None

    async def find(self, login: str) -> Mapping[str, Any] | None:
        if self.wrong is not None:
            raise self.wrong
        return self.users.get(login)

    async def create(self, user: Mapping[str, Any]) -> None:
        self.changes.append("created")
        self.users[user["userName"]] = {**user, "id": f"a-{len(self.users)}"}

    async def replace(self, id_: str, user: Mapping[str, Any]) -> None:
        self.changes.append("replaced")
        self.users[user["userName"]] = {**user, "id": id_}


def row(contract: str, *, active: bool, login: str = "an", number: int = 1) -> Taken:
    values = {"contract": contract, "state": active, "login": login, "unit": "Registry", "function": "registry_clerk"}
    return Taken(f"{contract}-{active}-{number}", number, {**values, "person": kit.PEOPLE[0]})


@pytest.fixture
def people() -> People:
    return People()


@pytest.fixture
def tells(people: People) -> Tells:
    part = staffing(kit.layout(DATA))
    assert part is not None
    return Tells(part, people)


async def test_who_joins_stands_in_the_directory_with_the_function_of_the_contract(
    tells: Tells, people: People
) -> None:
    assert {} == await tells([row("C-1", active=True)])

    made = people.users["an"]
    assert ("C-1", True, [{"value": "registry_clerk"}]) == (made["externalId"], made["active"], made["roles"])
    assert {"department": "Registry"} == made["urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"]


async def test_who_leaves_is_not_active_any_more(tells: Tells, people: People) -> None:
    await tells([row("C-1", active=True), row("C-1", active=False)])

    assert False is people.users["an"]["active"]


async def test_the_end_of_an_older_contract_takes_nothing_from_who_has_a_newer_one(
    tells: Tells, people: People
) -> None:
    await tells([row("C-1", active=True), row("C-2", active=True), row("C-1", active=False)])

    assert (True, "C-2") == (people.users["an"]["active"], people.users["an"]["externalId"])


async def test_who_never_came_does_not_leave(tells: Tells, people: People) -> None:
    await tells([row("C-1", active=False)])

    assert [] == people.changes


async def test_a_row_that_comes_again_after_a_kill_leaves_one_user(tells: Tells, people: People) -> None:
    await tells([row("C-1", active=True)])
    before = copy.deepcopy(people.users)
    await tells([row("C-1", active=True)])

    assert before == people.users


async def test_a_row_that_the_directory_refuses_waits_and_a_directory_that_is_out_stops_the_file(
    tells: Tells, people: People
) -> None:
    people.wrong = NotTaken()
    refused = await tells([row("C-1", active=True)])
    people.wrong = LedgerUnwritable()
    with pytest.raises(Stopped) as stopped:
        await tells([row("C-1", active=True)])

    assert ({"C-1-True-1": "NOT_ACCEPTED"}, frozenset()) == (refused, stopped.value.settled)


@pytest.mark.parametrize(("place", "value"), [
    (("staff", "active"), "nobody"), (("staff", "user"), {"userName": "unit"}), (("deliver",), {"service": "x"}),
], ids=["a_field_that_is_none", "a_login_that_may_be_missing", "told_to_as_well"])  # fmt: skip
def test_what_contradicts_itself_is_refused_at_the_start(place: tuple[str, ...], value: Any) -> None:
    data = copy.deepcopy(DATA)
    inner: Any = data
    for name in place[:-1]:
        inner = inner[name]
    inner[place[-1]] = value

    with pytest.raises(ConfigurationError):
        staffing(kit.layout(data))
