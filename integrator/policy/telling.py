"""A decision told in Dutch, French and English. The wording is data (words.yaml); here stands only what is said when."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from integrator.places import read_yaml
from integrator.policy.lines import Difference, More
from integrator.policy.terms import Ask, Denial, Permit
from integrator.policy.why import Change, Why

LANGUAGES = ("nl", "fr", "en")
Naming = Callable[[str, str, str], str]  # kind (organisation, purpose, service, field, key, line), code, language


@cache
def words() -> Mapping[str, Any]:
    """Every sentence, by what it is for and by language."""
    found: Mapping[str, Any] = read_yaml(Path(__file__).with_name("words.yaml"))
    return found


def as_written(kind: str, code: str, language: str) -> str:
    """The naming of those who have no names: codes as they stand."""
    return code


def tell(found: Why, ask: Ask, language: str, naming: Naming = as_written) -> tuple[str, ...]:
    """The decision in sentences, the most important first. `language`: nl, fr or en; another one is told in English."""
    language = language if language in LANGUAGES else "en"
    if isinstance(found.decision, Denial):
        return tuple(_refused(found, found.decision, ask, language, naming))
    return tuple(_permitted(found, found.decision, language, naming))


def refusal(denial: Denial, ask: Ask, language: str, naming: Naming = as_written) -> str:
    """The reason of a refusal, in one sentence."""
    return str(words()["reasons"][denial.reason][language]).format(
        purpose=naming("purpose", ask.purpose, language), service=naming("service", ask.service, language),
        organisation=naming("organisation", ask.organisation, language), rule=naming("line", denial.rule or "–", language),
    )  # fmt: skip


def change_text(change: Change, language: str, naming: Naming = as_written) -> str:
    """One change, as the end of a sentence.

    >>> change_text(Change("key", "plateNumber", ("ssin",)), "en")
    'search by ssin instead of plateNumber'
    """
    kind = "key_left_out" if change.kind == "key" and not change.to else change.kind
    to = ", ".join(naming(change.kind, one, language) for one in change.to)
    return str(words()["changes"][kind][language]).format(was=naming(change.kind, change.was, language), to=to)


def changes_json(changes: Sequence[Change]) -> list[dict[str, Any]]:
    """Changes for a caller. Which organisations do have the right is not told: it is none of the caller's business."""
    told = []
    for change in changes:
        line: dict[str, Any] = {"kind": change.kind}
        if change.was:
            line["from"] = change.was
        if change.to and change.kind != "organisation":
            line["to"] = list(change.to)
        told.append(line | {"text": {language: change_text(change, language) for language in LANGUAGES}})
    return told


def tell_difference(one: Difference, language: str, naming: Naming = as_written) -> tuple[str, ...]:
    """What organisations gain, then what they lose, each in one sentence."""
    organisations = [naming("organisation", number, language) for number in one.organisations]
    filled = {
        "organisations": ", ".join(organisations), "purpose": naming("purpose", one.purpose, language),
        "service": naming("service", one.service, language),
    }  # fmt: skip
    return tuple(
        str(words()[verb][language]).format(what="; ".join(_more(more, language) for more in items), **filled)
        for verb, items in (("gains", one.gained), ("loses", one.lost))
        if items
    )


def _more(more: More, language: str) -> str:
    kind = "endless" if more.kind == "until" and not more.names else more.kind
    return str(words()["differences"][kind][language]).format(names=", ".join(more.names)).strip()


def _permitted(found: Why, permit: Permit, language: str, naming: Naming) -> Iterator[str]:
    said = words()
    first, *others = (naming("line", one, language) for one in found.by)
    fields = ", ".join(naming("field", name, language) for name in permit.categories)
    yield said["permitted"][language].format(line=first, fields=fields)
    for kept in found.kept:
        purposes = ", ".join(naming("purpose", one, language) for one in kept.elsewhere)
        field = naming("field", kept.withheld.field, language)
        yield said["elsewhere" if purposes else "withheld"][language].format(field=field, purposes=purposes)
    yield said["also" if others else "alone"][language].format(lines=", ".join(others))
    if found.changes:
        yield said["until"][language].format(day=found.changes[0].to[0])
    else:
        yield said["endless"][language]


def _refused(found: Why, denial: Denial, ask: Ask, language: str, naming: Naming) -> Iterator[str]:
    said = words()
    yield refusal(denial, ask, language, naming)
    if not found.changes:
        yield said["nothing"][language]
        return
    yield said["nearest"][language].format(lines=", ".join(naming("line", one, language) for one in found.by[:3]))
    yield said["one" if len(found.changes) == 1 else "several"][language]
    for change in found.changes:
        yield "– " + change_text(change, language, naming)
