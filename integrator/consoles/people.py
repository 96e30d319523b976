"""Who is signed in, and for whom they act."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

from audit import Subject


@dataclass(frozen=True, slots=True)
class Acting:
    """A mandate that somebody uses now. `own`: who they are themselves."""

    mandate: str  # its id
    scope: frozenset[str]  # look, evidence, contest
    own: Subject
    roles: frozenset[str] = frozenset({"citizen"})  # of their own, for when they stop


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody at the consoles; what rights.py and the desk need to know of them."""

    id: str  # of the account; never a national number
    name: str  # as shown on the pages
    roles: frozenset[str]  # citizen | dpo | hub_dpo | auditor | steward (keeps the texts of authorisations)
    org: str | None = None  # enterprise number of whom a DPO answers for
    subject: Subject | None = None  # who a citizen is; while acting, who they act for
    language: str | None = None  # chosen once; None = as the browser asks
    acting: Acting | None = None  # None = for themself

    def for_(self, subject: Subject, acting: Acting) -> Person:
        """The same person acting for somebody: a citizen and nothing else meanwhile."""
        return replace(self, subject=subject, acting=replace(acting, roles=self.roles), roles=frozenset({"citizen"}))

    def themself(self) -> Person:
        """The same person, acting for nobody."""
        if self.acting is None:
            return self
        return replace(self, subject=self.acting.own, roles=self.acting.roles, acting=None)

    def text(self) -> str:
        """As JSON, for sealing.

        >>> Person.read(Person("a-1", "Anna", frozenset({"auditor"})).text()).name
        'Anna'
        """
        subject = [self.subject.type, self.subject.id] if self.subject else None
        told: list[Any] = [self.id, self.name, sorted(self.roles), self.org, subject, self.language]
        if self.acting is not None:
            one = self.acting
            told.append([one.mandate, sorted(one.scope), [one.own.type, one.own.id], sorted(one.roles)])
        return json.dumps(told)

    @classmethod
    def read(cls, text: str) -> Person:
        """The inverse of `text`."""
        id_, name, roles, org, subject, language, *more = json.loads(text)
        acting = (
            Acting(more[0][0], frozenset(more[0][1]), Subject(*more[0][2]), frozenset(more[0][3])) if more else None
        )
        return cls(id_, name, frozenset(roles), org, Subject(*subject) if subject else None, language, acting)
