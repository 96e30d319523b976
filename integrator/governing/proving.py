"""What the machine says of changed texts before anybody approves: schema and collection, cases, loosenings, suspensions,
differences.

    proof = prove(newest_texts, changed, today, suspended)   in force, with what was approved for later in its place
    proof["sound"]        no error: it may be proposed
    proof["findings"]     [{"severity", "file", "line", "message"}], the first 200
    proof["cases"], proof["loosenings"]
    proof["differences"]  {"nl": [sentence, …], "fr": […], "en": […]}: who gains and loses what

Pure but for reading the other data rooms. Takes seconds of CPU: a hub runs it in a process of its own (apart.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import date
from typing import Any

from integrator import checks, places, settings
from integrator.checks import Finding, Lines
from integrator.errors import ConfigurationError
from integrator.governing.naming import naming
from integrator.governing.texts import Suspended, Texts, compile_texts, slipped
from integrator.mapping import load_sheets
from integrator.places import parse_yaml
from integrator.policy import Policies
from integrator.policy.cases import judge, mutants, survivors
from integrator.policy.lines import differences
from integrator.policy.telling import LANGUAGES, tell_difference
from integrator.services import Service, load_services

MOST = 200  # findings that are kept
Proof = dict[str, Any]


def prove(in_force: Texts, changed: Texts, today: date, suspended: frozenset[Suspended] = frozenset()) -> Proof:
    """Everything at once. Raises nothing for what is wrong with `changed`: that is what findings are for."""
    everything = {**in_force, **changed}
    names = {f"policies/{code}.yaml" for code in changed}
    found = [one for one in checks.check(places.home(), today, everything) if one.file in names or one.file == ""]
    found += list(_names(changed))
    proof: Proof = {"cases": 0, "loosenings": 0, "differences": {language: [] for language in LANGUAGES}}
    if not any(one.severity == "error" for one in found):
        _judge(proof, found, in_force, changed, everything, suspended)
    proof["findings"] = [_json(one) for one in sorted(set(found))[:MOST]]
    proof["sound"] = not any(one.severity == "error" for one in found)
    return proof


def _judge(
    proof: Proof,
    found: list[Finding],
    in_force: Texts,
    changed: Texts,
    everything: Texts,
    suspended: frozenset[Suspended],
) -> None:
    organisations, services = settings.organisations(), load_all_services()
    try:
        old, new = compile_texts(in_force, organisations), compile_texts(everything, organisations)
        held = [compile_texts(texts, organisations, suspended) for texts in (in_force, everything)] if suspended else []
    except ConfigurationError as error:
        found.append(Finding("policies/", 1, "error", str(error)))
        return
    found += [Finding("policies/", 1, "error", said) for said in (slipped(*held) if held else ())]
    offers = {name: service.offers for name, service in services.items()}
    keys = {name: frozenset(service.keys) for name, service in services.items()}
    directions = {name: service.directions for name, service in services.items()}
    for code, text in sorted(changed.items()):
        data = parse_yaml(code, text)
        proof["cases"] += len(data["cases"])
        proof["loosenings"] += sum(1 for _ in mutants(data, offers, keys, directions, organisations))
        found += tried(code, text, data, new, offers, keys, directions, organisations)
    named = naming(new.purposes, services, organisations)
    for one in differences(old, new, offers):
        for language in LANGUAGES:
            proof["differences"][language] += tell_difference(one, language, named)


def tried(
    code: str,
    text: bytes,
    data: Any,
    policies: Policies,
    offers: Any,
    keys: Any,
    directions: Any,
    organisations: Mapping[str, Any],
) -> Iterator[Finding]:
    """Every case judged, then every loosening that no case notices."""
    lines, name = Lines(text.decode()), f"policies/{code}.yaml"
    failed = 0
    for number, case in enumerate(data["cases"]):
        wanted, got = judge(code, case, policies, offers, organisations, data.get("given"))
        if wanted != got:
            failed += 1
            yield Finding(name, lines.at(("cases", number)), "error", f"expected {wanted}, the engine says {got}")
    if failed:
        return  # a case that fails as it is proves nothing about a looser text
    for mutant in survivors(data, offers, keys, directions, organisations):
        said = f"no case breaks when this is loosened by {mutant.said}: write the one that refuses it"
        yield Finding(name, lines.at(mutant.path), "error", said)


def _names(changed: Texts) -> Iterator[Finding]:
    """A text under another name than its own would replace the wrong one."""
    for code, text in changed.items():
        with suppress(ConfigurationError, KeyError, TypeError, UnicodeDecodeError):
            if parse_yaml(code, text)["purpose"] != code:
                yield Finding(f"policies/{code}.yaml", 1, "error", "`purpose:` is not the file's name")


def load_all_services() -> dict[str, Service]:
    """The services beside the hub."""
    return load_services(
        places.folder("config") / "services", load_sheets(places.folder("mappings")), sandbox=frozenset()
    )


def _json(one: Finding) -> dict[str, Any]:
    return {"severity": one.severity, "file": one.file, "line": one.line, "message": one.message}
