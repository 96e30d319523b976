"""Who may ask what of the ledger, and how far they see: the table in rights.yaml, and the one function that reads it.

A refusal says what somebody may not do, never whether there would have been something to see.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal, Protocol, get_args

from audit import Subject
from integrator.errors import ConfigurationError, HubError, RequestRefused
from integrator.places import read_yaml

Role = Literal["citizen", "dpo", "hub_dpo", "auditor", "steward"]
Scope = Literal["own", "organisation", "all"]
ROLES: tuple[str, ...] = get_args(Role)  # the narrowest first


class LookRefused(RequestRefused):
    """This person may not ask this; `reason` says what stands in the way. Nothing was looked at, nothing is written."""

    code, where = "LOOK_REFUSED", "C1"
    advice = "Your role does not reach this far. The data protection officer of the hub answers what you may not see."

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason  # NOT_YOUR_QUESTION | ONLY_YOURSELF | ONLY_YOUR_ORGANISATION


class NothingThere(RequestRefused):
    """No such entry for this person: it does not exist, or is not theirs to see. Nobody is told which."""

    code, where = "NOTHING_THERE", "C1"
    advice = "There is no such line for you. Copy shard and index from a list of yours."


class LedgerUnreadable(HubError):
    """The ledger cannot be searched now: the store is down, a key is missing, or an entry was altered. Never "no rows"."""

    code, where, retryable = "LEDGER_UNREADABLE", "C2", True
    advice = "This is not an empty list: the record could not be searched. Try again later; the operator sees why."
    retry_after: int = 30


class Person(Protocol):
    """Who is signed in, as far as rights go."""

    @property
    def id(self) -> str: ...  # of the account; never a national number
    @property
    def roles(self) -> frozenset[str]: ...
    @property
    def org(self) -> str | None: ...  # enterprise number of whom a DPO answers for
    @property
    def subject(self) -> Subject | None: ...  # who a citizen is


@dataclass(frozen=True, slots=True)
class Right:
    """What somebody may see of one question."""

    question: str
    role: str
    scope: Scope
    subject: Subject | None  # whom it is about; always oneself where the scope is `own`
    org: str | None  # whose rows only; always one's own where the scope is `organisation`
    needs_reason: bool
    recorded: bool


@dataclass(frozen=True, slots=True)
class Question:
    """One line of the table."""

    name: str
    what: str
    roles: Mapping[str, Scope]
    reason: bool = True
    recorded: bool = True


@cache
def questions(table: str = "rights.yaml") -> Mapping[str, Question]:
    """The table; exports have one of their own. Raises `ConfigurationError` for a role or a scope that does not exist: a typing error grants nothing."""
    path = Path(__file__).parent / table
    found = {name: Question(name, **row) for name, row in read_yaml(path).items()}
    for question in found.values():
        if (
            not question.roles
            or set(question.roles) - set(ROLES)
            or set(question.roles.values()) - set(get_args(Scope))
        ):
            raise ConfigurationError(f"{table}: {question.name} names no role, or one that does not exist")
    return found


def may(
    person: Person,
    question: str,
    *,
    org: str | None = None,
    subject: Subject | None = None,
    role: str | None = None,
    table: str = "rights.yaml",
) -> Right:
    """The right by which a person asks a question, the narrowest that fits; or `LookRefused`.

    `org` and `subject` are what is asked for; `role` chooses among several roles of one person.
    """
    line = questions(table).get(question)
    held = [one for one in ROLES if line and one in person.roles and one in line.roles and role in (None, one)]
    if line is None or not held:
        raise LookRefused("NOT_YOUR_QUESTION")
    refusal = "NOT_YOUR_QUESTION"
    for one in held:
        scope = line.roles[one]
        if scope == "own":
            own = person.subject
            fits = own is not None and org is None and (_same(subject, own) if subject else held == [one])
            if fits:
                return Right(question, one, scope, own, None, False, line.recorded)
            refusal = "ONLY_YOURSELF"
        elif scope == "organisation":
            if person.org is not None and org in (None, person.org):
                return Right(question, one, scope, subject, person.org, line.reason, line.recorded)
            refusal = "ONLY_YOUR_ORGANISATION"
        else:
            return Right(question, one, scope, subject, org, line.reason, line.recorded)
    raise LookRefused(refusal)


def _same(one: Subject, other: Subject) -> bool:
    return (one.type, one.id) == (other.type, other.id)
