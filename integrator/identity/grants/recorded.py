"""Why a recorded exchange ended as it did, from the clear part of its entries: no person, no case, no key.

Where the keys and fields that are sealed would be needed to say more, that is said.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from integrator.policy import ADVICE, Ask, Denial, Facts, Policies
from integrator.policy.telling import LANGUAGES, Naming, as_written, changes_json, refusal, tell, words
from integrator.policy.terms import QUESTION
from integrator.policy.why import Why, why
from integrator.services import Service

Json = dict[str, Any]
CONCLUDES = ("outcome", "denied", "unknown")
_SEALED = ("KEY_NOT_GRANTED", "NOTHING_GRANTED")  # which key, which field: not in the clear part


@dataclass(frozen=True, slots=True)
class Recorded:
    """One concluding entry, and the decision made again on what it says in clear."""

    entry: Mapping[str, Any]
    ask: Ask
    why: Why
    policies: Policies

    @property
    def reason(self) -> str | None:
        return self.entry.get("reason_code")

    @property
    def rule(self) -> str | None:
        """The authorisation that decided then; None where none did."""
        named = (self.entry.get("policy") or {}).get("id")
        return None if named in (None, "none") else str(named)

    @property
    def again(self) -> bool:
        """Whether deciding again on the clear part refuses for the same reason by the same text."""
        decision = self.why.decision
        return isinstance(decision, Denial) and (decision.reason, decision.rule) == (self.reason, self.rule)

    @property
    def changed(self) -> bool:
        """Whether the text that decided is another one today."""
        version = (self.entry.get("policy") or {}).get("ver")
        lines = self.policies.grants(self.ask.purpose, self.ask.organisation)
        today = {f"sha256:{line.digest}" for line in lines if line.authorisation == self.rule}
        return version is not None and version not in today

    def sentences(self, language: str, naming: Naming = as_written) -> Iterator[str]:
        """Told in one language, the most important first."""
        said = words()
        if self.reason is not None and self.again:
            yield from tell(self.why, self.ask, language, naming)  # the clear part is enough to decide again
        elif self.reason is not None and self.reason in ADVICE:
            yield refusal(Denial(self.reason, self.rule, ""), self.ask, language, naming)
            if self.reason in _SEALED:
                yield said["sealed"][language]
        else:
            given = ", ".join(self.entry.get("categories", ())) or "–"
            yield said["permitted"][language].format(line=self.rule or "–", fields=given)
        if self.changed:
            yield said["today"][language]


def recorded(policies: Policies, services: Mapping[str, Service], entry: Mapping[str, Any]) -> Recorded | None:
    """None when the hub no longer has the service."""
    service = services.get(str(entry["name"]))
    if service is None:
        return None
    activity, reason = entry.get("dpl.core.processing_activity_id"), entry.get("reason_code")
    purpose = next((one.code for one in policies.purposes.values() if one.activity == activity), "–")
    ask = Ask(
        entry["consumer"]["org"], entry["consumer"]["app"], purpose, service.name, frozenset(), service.offers,
        history=reason == "HISTORY_NOT_GRANTED", part="parent_span_id" in entry,
        direction=(entry.get("asked") or {}).get("as", QUESTION),
    )  # fmt: skip
    return Recorded(entry, ask, why(policies, ask, entry["ts"] / 1e6, _facts(policies, ask, reason)), policies)


def _facts(policies: Policies, ask: Ask, reason: str | None) -> Facts:
    """What must have been known, as far as the entry tells: every condition was met, but for the one that refused."""
    known = policies.met(ask.purpose, ask.organisation)
    missing = {
        "ROLE_NOT_ALLOWED": replace(known, roles=frozenset()), "ASSURANCE_TOO_LOW": replace(known, assurance=None),
        "NOT_REGISTERED": replace(known, registered=frozenset()), "DOSSIER_MISSING": replace(known, dossier=False),
        "REGISTRATION_UNKNOWN": replace(known, registered=None),
    }  # fmt: skip
    return missing.get(reason or "", known)


def told(one: Recorded, naming: Naming = as_written) -> Json:
    """As the API says it."""
    denied = one.reason is not None and one.reason in ADVICE
    shown: Json = {
        "service": one.entry["name"], "ended": one.entry["type"], "purpose": one.ask.purpose, "application": one.ask.application,
        "decision": "deny" if denied else "permit", "fields": list(one.entry.get("categories", ())),
        "told": {language: list(one.sentences(language, naming)) for language in LANGUAGES},
        "textChanged": one.changed,
    }  # fmt: skip
    for name, value in (("reason", one.reason), ("rule", one.rule)):
        if value is not None:
            shown[name] = value
    if denied and one.again:
        shown |= {"nearest": list(one.why.by), "changes": changes_json(one.why.changes)}
    return shown
