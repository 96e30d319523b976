"""Everything that has a name people understand: organisations, sources, services, purposes, legal texts, fields.

Read once from config/, policies/, connectors/ and words/; nothing here is in the ledger, which holds codes only.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

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
    version: str  # sha256:… of the purpose's file it was read from


@dataclass(frozen=True, slots=True)
class Aim:
    """A purpose as a citizen reads it."""

    code: str
    title: LocalizedString
    why: LocalizedString
    legal_basis: str
    dpv: str = ""  # what sort of purpose, e.g. dpv:RequestedServiceProvision: the citizen asked for it himself


Text = Callable[[str], bytes | None]  # the text of a purpose by its digest, as it was when it decided


def _no_text(digest: str) -> bytes | None:
    return None


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
    texts: Text = _no_text
    _then: dict[str, tuple[Mapping[str, Aim], Mapping[str, Law]]] = field(default_factory=dict)

    def law_of(self, policy: Mapping[str, Any]) -> Law | None:
        """The law of an entry, as its text stood when it decided; today's, with another version, where that was not kept."""
        today = self.laws.get(str(policy.get("id", "")))
        version = str(policy.get("ver", ""))
        if not version or (today and today.version == version):
            return today
        return self._as_it_was(version)[1].get(str(policy.get("id", ""))) or today

    def aim_of(self, activity: str | None, policy: Mapping[str, Any]) -> Aim | None:
        """The purpose of an entry, likewise."""
        then = self._as_it_was(str(policy["ver"]))[0] if "ver" in policy else {}
        return then.get(activity or "") or self.aims.get(activity or "")

    def _as_it_was(self, version: str) -> tuple[Mapping[str, Aim], Mapping[str, Law]]:
        if version not in self._then:
            text = self.texts(version)
            if text is None:  # asked again next time: it may be on its way from another machine
                return {}, {}
            self._then[version] = _purpose("archived text", text)
        return self._then[version]

    def reread(self, texts: Mapping[str, bytes]) -> None:
        """Purposes and laws as other texts, by purpose, say them from now on: what was approved while the hub ran."""
        aims: dict[str, Aim] = {}
        laws: dict[str, Law] = {}
        for code, text in texts.items():
            found = _purpose(code, text)
            aims |= found[0]
            laws |= found[1]
        object.__setattr__(self, "aims", aims)  # whole, so that a page being made sees one set or the other
        object.__setattr__(self, "laws", laws)

    def organisation(self, number: str | None, language: str) -> str:
        """The name of an organisation; its number when it has left, a plain word when there is none."""
        if number is None:
            return str(self.words[language]["no_organisation"])
        known = self.organisations.get(number)
        return known.in_(language) if known else number

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


def open_book(texts: Text = _no_text) -> Book:
    """Read everything. `texts`: where texts of before are found. Raises `ConfigurationError` naming the file."""
    bodies = read_yaml(folder("config") / "organisations.yaml")["organisations"]
    aims: dict[str, Aim] = {}
    laws: dict[str, Law] = {}
    for path in sorted(folder("policies").glob("*.yaml")):
        found = _purpose(path.name, path.read_bytes())
        aims |= found[0]
        laws |= found[1]
    services = [read_yaml(path) for path in sorted((folder("config") / "services").glob("*.yaml"))]
    return Book(
        {one["number"]: LocalizedString.read(one["names"]) for one in bodies.values()},
        {path.parent.name: LocalizedString.read(read_yaml(path)["title"]) for path in sorted(folder("connectors").glob("*/connector.yaml"))},
        {one["service"]: LocalizedString.read(one["title"]) for one in services},
        {check["code"]: LocalizedString.read(check["title"]) for one in services for check in one.get("checks") or ()},
        aims,
        laws,
        {name: LocalizedString.read(title) for name, title in read_yaml(_WORDS / "fields.yaml").items()},
        {language: read_yaml(_WORDS / f"explain.{language}.yaml") for language in LANGUAGES},
        texts,
    )  # fmt: skip


def _purpose(name: str, text: bytes) -> tuple[Mapping[str, Aim], Mapping[str, Law]]:
    """What one text says, as people read it: its purpose by activity, its laws by authorisation."""
    data = parse_yaml(name, text)
    aim = Aim(
        data["purpose"], LocalizedString.read(data["title"]), LocalizedString.read(data["why"]), data["legalBasis"],
        str(data.get("dpv", "")),
    )  # fmt: skip
    version = "sha256:" + hashlib.sha256(text).hexdigest()
    return {data["processingActivity"]: aim}, {one["id"]: _law(one, version) for one in data["authorisations"]}


def _law(authorisation: Mapping[str, Any], version: str) -> Law:
    legal = authorisation["legal"]
    text = LocalizedString.read(legal["text"]) if "text" in legal else None
    return Law(
        authorisation["id"], legal["kind"], str(legal["number"]), str(legal["issuer"]), str(legal["date"]), text, version
    )  # fmt: skip
