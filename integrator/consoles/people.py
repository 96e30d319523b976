"""Who is signed in."""

from __future__ import annotations

import json
from dataclasses import dataclass

from audit import Subject


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody at the consoles; what rights.py and the desk need to know of them."""

    id: str  # of the account; never a national number
    name: str  # as shown on the pages
    roles: frozenset[str]  # citizen | dpo | hub_dpo | auditor | steward (keeps the texts of authorisations)
    org: str | None = None  # enterprise number of whom a DPO answers for
    subject: Subject | None = None  # who a citizen is
    language: str | None = None  # chosen once; None = as the browser asks

    def text(self) -> str:
        """As JSON, for sealing.

        >>> Person.read(Person("a-1", "Anna", frozenset({"auditor"})).text()).name
        'Anna'
        """
        subject = [self.subject.type, self.subject.id] if self.subject else None
        return json.dumps([self.id, self.name, sorted(self.roles), self.org, subject, self.language])

    @classmethod
    def read(cls, text: str) -> Person:
        """The inverse of `text`."""
        id_, name, roles, org, subject, language = json.loads(text)
        return cls(id_, name, frozenset(roles), org, Subject(*subject) if subject else None, language)
