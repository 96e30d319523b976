"""From the claims of an ID token to a person, as the settings map them: names of claims, and what roles are called there."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from audit import Subject
from integrator.consoles.people import Person
from integrator.consoles.vault import Vault
from integrator.errors import MalformedRequest
from integrator.keytypes import compile_key

OFFICIAL = frozenset({"dpo", "hub_dpo", "auditor", "steward"})


@dataclass(frozen=True, slots=True)
class Claims:
    """`names`: ours -> theirs (name, number, roles, organisation). `roles`: theirs -> ours."""

    names: Mapping[str, str]
    roles: Mapping[str, str]
    organisations: Collection[str]  # enterprise numbers of the participants
    vault: Vault
    numbers: frozenset[str] | None = field(
        default=None
    )  # of the sandbox: real-looking ones it knows; None = production

    def person(self, issuer: str, claims: Mapping[str, Any]) -> Person:
        """Whoever has a national number is a citizen; other roles only as mapped; a dpo only with an organisation.

        A claim we do not know gives nothing.
        """
        said = claims.get(self.names.get("roles", "roles")) or ()
        roles = {self.roles.get(str(one)) for one in ([said] if isinstance(said, str) else said)} & OFFICIAL
        organisation = str(claims.get(self.names.get("organisation", "organisation")) or "") or None
        if organisation not in self.organisations:
            organisation = None
        if organisation is None:
            roles.discard("dpo")
        subject = self._subject(claims.get(self.names.get("number", "number")))
        held = frozenset(str(one) for one in roles) | ({"citizen"} if subject else frozenset())
        name = str(claims.get(self.names.get("name", "name")) or "")[:80]
        # The issuer's own number of a person may be a national number: a blind tag of it is what we know them by.
        known_by = "oidc-" + self.vault.tag("person", f"{issuer} {claims['sub']}")
        return Person(known_by, name, held, organisation if "dpo" in roles else None, subject)

    def _subject(self, number: Any) -> Subject | None:
        if not isinstance(number, str):
            return None
        try:
            return Subject("nrn", str(compile_key("number", {"type": "ssin"}, sandbox=self.numbers).read(number, "/")))
        except MalformedRequest:
            return None
