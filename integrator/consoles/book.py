"""Everything that has a name people understand: organisations, sources, services, purposes, legal texts, fields.

Read once from config/, policies/, connectors/ and words/; nothing here is in the ledger, which holds codes only.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from integrator import directory
from integrator.model import LocalizedString
from integrator.places import folder, parse_yaml, read_yaml

LANGUAGES = ("nl", "fr", "en")
_WORDS = Path(__file__).parent / "words"


@dataclass(frozen=True, slots=True)
class Law:
    """The legal text an authorisation rests on."""

    authorisation: str
    kind: str  # deliberation | protocol | ministerialDecision | law
    number: str
    issuer: str
    date: str
    text: LocalizedString | None
    version: str  # sha256:… of the purpose's file as it stands today


@dataclass(frozen=True, slots=True)
class Aim:
    """A purpose as a citizen reads it."""

    code: str
    title: LocalizedString
    why: LocalizedString
    legal_basis: str
    dpv: str = ""  # what sort of purpose, e.g. dpv:RequestedServiceProvision: the citizen asked for it himself
    disclosure: Mapping[str, Any] = dataclasses.field(
        default_factory=dict
    )  # when the subject may see it: rule, thirdPartySafe


@dataclass(frozen=True, slots=True)
class Book:
    """Names by code; what is not in it has no name, and its code is shown."""

    organisations: Mapping[str, LocalizedString]  # by enterprise number
    sources: Mapping[str, LocalizedString]  # by connector id
    services: Mapping[str, LocalizedString]
    answers: Mapping[str, LocalizedString]  # by code of a check
    aims: Mapping[str, Aim]  # by processing activity
    laws: Mapping[str, Law]  # by authorisation
    fields: Mapping[str, LocalizedString]
    words: Mapping[str, Mapping[str, Any]]  # by language: explain.<language>.yaml
    qualities: Mapping[str, LocalizedString] = dataclasses.field(
        default_factory=dict
    )  # of registrations in the directory, by code

    def organisation(self, number: str | None, language: str) -> str:
        """The name of an organisation; its number when it has left, a plain word when there is none."""
        if number is None:
            return str(self.words[language]["no_organisation"])
        known = self.organisations.get(number)
        return known.in_(language) if known else number

    def purpose(self, code: str) -> Aim | None:
        """A purpose by its code."""
        return next((aim for aim in self.aims.values() if aim.code == code), None)

    def source(self, code: str | None, language: str) -> str:
        """The name of a source."""
        known = self.sources.get(code or "")
        return known.in_(language) if known else str(self.words[language]["no_source"])

    def field(self, name: str, language: str) -> str:
        """The title of a field, or of an answer (`answer:alive`)."""
        if name.startswith("answer:"):
            known = self.answers.get(name.removeprefix("answer:"))
            return known.in_(language) if known else name.removeprefix("answer:")
        whole = self.fields.get(name)
        if whole:
            return whole.in_(language)
        first, *inner = [self.fields[word].in_(language) if word in self.fields else word for word in name.split(".")]
        return f"{first} ({', '.join(inner)})" if inner else first


def open_book() -> Book:
    """Read everything. Raises `ConfigurationError` naming the file."""
    bodies = read_yaml(folder("config") / "organisations.yaml")["organisations"]
    aims, laws = {}, {}
    for path in sorted(folder("policies").glob("*.yaml")):
        text = path.read_bytes()
        data = parse_yaml(path.name, text)
        aims[data["processingActivity"]] = Aim(
            data["purpose"], LocalizedString.read(data["title"]), LocalizedString.read(data["why"]), data["legalBasis"],
            str(data.get("dpv", "")), data["disclosure"],
        )  # fmt: skip
        for one in data["authorisations"]:
            laws[one["id"]] = _law(one, "sha256:" + hashlib.sha256(text).hexdigest())
    services = [read_yaml(path) for path in sorted((folder("config") / "services").glob("*.yaml"))]
    return Book(
        {one["number"]: LocalizedString.read(one["names"]) for one in bodies.values()},
        {path.parent.name: LocalizedString.read(read_yaml(path)["title"]) for path in sorted(folder("connectors").glob("*/connector.yaml"))}
        | {directory.SOURCE: directory.manifest().title},
        {one["service"]: LocalizedString.read(one["title"]) for one in services},
        {check["code"]: LocalizedString.read(check["title"]) for one in services for check in one.get("checks") or ()},
        aims,
        laws,
        {name: LocalizedString.read(title) for name, title in read_yaml(_WORDS / "fields.yaml").items()},
        {language: read_yaml(_WORDS / f"explain.{language}.yaml") for language in LANGUAGES},
        _qualities(),
    )  # fmt: skip


def _qualities() -> dict[str, LocalizedString]:
    listed = read_yaml(folder("config") / "directory.yaml")["codes"]
    codes = read_yaml(folder("mappings") / "codes" / f"{listed}.yaml")["codes"]
    return {code: LocalizedString.read(label) for code, label in codes.items()}


def _law(authorisation: Mapping[str, Any], version: str) -> Law:
    legal = authorisation["legal"]
    text = LocalizedString.read(legal["text"]) if "text" in legal else None
    return Law(
        authorisation["id"], legal["kind"], str(legal["number"]), str(legal["issuer"]), str(legal["date"]), text, version
    )  # fmt: skip
