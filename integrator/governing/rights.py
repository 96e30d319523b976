"""Who takes steps about texts, in which role, and of whom he sees what was asked."""

from __future__ import annotations

from typing import Protocol

from integrator.errors import Issue, MalformedRequest
from integrator.governing.words import REASON, GoverningRefused

ROLES = frozenset(("steward", "dpo", "hub_dpo"))
OFFICERS = frozenset(("dpo", "hub_dpo"))


class Person(Protocol):
    """Who takes a step, as far as rights go."""

    @property
    def id(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def roles(self) -> frozenset[str]: ...
    @property
    def org(self) -> str | None: ...


def role_of(person: Person) -> str:
    """The role a step is taken in, the strongest. Raises `GoverningRefused`."""
    for role in ("hub_dpo", "dpo", "steward"):
        if role in person.roles:
            return role
    raise GoverningRefused("NOT_FOR_YOU")


def traffic_seen(person: Person) -> str | None:
    """Of which organisation somebody sees what was asked; None = of all. An officer of none sees nobody's."""
    return None if person.roles & {"hub_dpo", "steward", "auditor"} else person.org or ""


def reason_of(words: str) -> str:
    """In one line. Raises `MalformedRequest`."""
    said = " ".join(words.split())
    if not REASON[0] <= len(said) <= REASON[1]:
        raise MalformedRequest(
            Issue("requiredInput", "body", "/reason", f"say why, in {REASON[0]} to {REASON[1]} characters")
        )
    return said
