"""`integrator check`, conditions: roles and qualities that nobody has, and conditions that can never be met or never matter."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from integrator.policy.conditions import level
from integrator.services import Service

Codes = Mapping[str, frozenset[str]]  # of each code list, its codes
_LIST_OF = {"roles": "agent_role", "registration": "cbss_quality"}
Found = tuple[str, str, str]  # severity, what, the word of the grant it is about


def of_grant(grant: Mapping[str, Any], purpose: Mapping[str, Any], service: Service, codes: Codes) -> Iterator[Found]:
    """Findings about the conditions of one line."""
    for word, named in _LIST_OF.items():
        for code in sorted(set(grant.get(word, ())) - codes[named]):
            yield (
                "error",
                f"unknown {'role' if word == 'roles' else 'quality'} {code!r}: see mappings/codes/{named}.yaml",
                word,
            )
    yield from _impossible(grant, service)
    for kind in grant.get("breakable", ()):
        if kind not in grant and not (kind == "assurance" and "assurance" in purpose):
            yield "warning", f"unknown condition: {kind} is breakable, but this line does not ask for it", "breakable"
    if "assurance" in grant and level(grant["assurance"]) <= level(purpose.get("assurance")):
        yield "warning", "the purpose already asks for this assurance", "assurance"


def _impossible(grant: Mapping[str, Any], service: Service) -> Iterator[Found]:
    """Conditions that this service can never meet."""
    person = [key for key in grant["keys"] if (service.subject({key: "x"}) or ("",))[0] == "nrn"]
    if "registration" in grant and not person:
        yield (
            "error",
            f"can never apply: {service.name} names no person who could be in the files, by these keys",
            "registration",
        )
    facts = service.sheet.facts if service.sheet else {}
    for word, fact in (("minors", "birthDate"), ("territory", "municipality")):
        if grant.get(word, "any") != "any" and fact not in facts:
            yield "error", f"can never apply: of {service.name} nobody knows the {fact}", word
    if "results" in grant.get("limits", {}) and service.list_name is None:
        yield "warning", f"{service.name} gives one result: a limit of results does nothing", "limits"
    if "pseudonymise" in grant.get("obligations", {}) and service.is_composition:
        yield "warning", f"{service.name} releases no field: there is nothing to pseudonymise", "obligations"


def of_purpose(purpose: Mapping[str, Any], organisations: Mapping[str, Any]) -> Iterator[Found]:
    """Findings about what the purpose says of all its lines."""
    known = {*organisations["organisations"], "organisation", "integrator"}
    numbers = {one["number"] for one in organisations["organisations"].values()}
    for word, named in (
        ("controller", [purpose.get("controller", "organisation")]),
        ("processors", purpose.get("processors", ())),
    ):
        for one in named:
            if one not in known and one not in numbers:
                yield "error", f"no such organisation: {one!r}", word
    for law in purpose.get("laws", ()):
        texts = law["title"]
        if len({texts[language].strip() for language in ("nl", "fr", "en")}) < 3:
            yield "warning", "missing translation: a law has the same title in two languages", "laws"
