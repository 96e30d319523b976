"""The register of processing activities (GDPR art. 30), made of the texts in force: nobody keeps it by hand.

    for each purpose: art. 30(1) a–g, for the controllers who ask;  once: art. 30(2) a–d, for the hub as their processor

What no text says (contacts, transfers, measures) is data in config/register.yaml. No cell is ever empty: what is missing
there is an error at start, not a blank in a legal document.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from integrator.errors import ConfigurationError
from integrator.governing.texts import Texts, digest
from integrator.model import LocalizedString
from integrator.places import folder, parse_yaml, read_yaml
from integrator.policy.reading import members
from integrator.services import Service

POINTS = ("controller", "purpose", "subjects", "data", "recipients", "transfers", "erasure", "measures")
PROCESSOR = ("processor", "controllers", "categories", "transfers", "measures")
LANGUAGES = ("nl", "fr", "en")
Lines = tuple[LocalizedString, ...]


@dataclass(frozen=True, slots=True)
class Activity:
    """One purpose. `points`: art. 30(1) by name, each at least one line in each language."""

    code: str
    title: LocalizedString
    activity: str  # its versioned number in the register (URI)
    version: str  # sha256:… of the text it was read from
    points: Mapping[str, Lines]


@dataclass(frozen=True, slots=True)
class Register:
    """Everything, as of one day."""

    day: date
    activities: tuple[Activity, ...]
    processor: Mapping[str, Lines]  # art. 30(2)

    def json(self) -> dict[str, Any]:
        return {
            "date": self.day.isoformat(),
            "legalBasis": "eu-gdpr:A30",
            "processor": {name: [line.json() for line in lines] for name, lines in self.processor.items()},
            "activities": [
                {
                    "purpose": one.code, "title": one.title.json(), "activity": one.activity, "version": one.version,
                    **{name: [line.json() for line in lines] for name, lines in one.points.items()},
                }
                for one in self.activities
            ],
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Names:
    """Where names are found: fields in words/fields.yaml of the consoles, organisations and sources in their rooms."""

    field: Mapping[str, LocalizedString]
    source: Mapping[str, LocalizedString]
    answer: Mapping[str, LocalizedString]


def make_register(
    texts: Texts, services: Mapping[str, Service], organisations: Mapping[str, Any], names: Names, day: date
) -> Register:
    """Raises `ConfigurationError` naming the purpose and the point that would be empty."""
    said = read_yaml(folder("config") / "register.yaml")
    classes = read_yaml(folder("config") / "retention.yaml")["classes"]
    activities = []
    for code, text in sorted(texts.items()):
        data = parse_yaml(code, text)
        points = {
            "controller": tuple(_controllers(data, organisations, said)),
            "purpose": tuple(_purpose(data, said)),
            "subjects": tuple(_subjects(data, services, said)),
            "data": tuple(_data(data, services, names, said)),
            "recipients": tuple(_recipients(data, organisations, said)),
            "transfers": (_text(said["transfers"]),),
            "erasure": tuple(_erasure(data, classes, said)),
            "measures": tuple(_text(one) for one in said["measures"]),
        }
        title = LocalizedString.read(data["title"])
        activities.append(
            Activity(code, title, data["processingActivity"], f"sha256:{digest(text)}", _full(code, points))
        )
    return Register(
        day, tuple(activities), _full("processor", _processor(activities, texts, organisations, names, said))
    )


def _controllers(
    data: Mapping[str, Any], organisations: Mapping[str, Any], said: Mapping[str, Any]
) -> Iterator[LocalizedString]:
    """(a) who, how they and their officers are reached."""
    yield from _named(data, organisations)
    yield _text(said["reached"])


def _purpose(data: Mapping[str, Any], said: Mapping[str, Any]) -> Iterator[LocalizedString]:
    """(b) why, and on which legal ground: with each legal text."""
    yield LocalizedString.read(data["why"])
    yield _text(said["ground"], basis=_same(data["legalBasis"]), dpv=_same(data["dpv"]))
    for one in data["authorisations"]:
        legal = one["legal"]
        until = (
            _text(said["until"], day=_same(str(one["validUntil"]))) if "validUntil" in one else _text(said["endless"])
        )
        yield _text(
            said["law"], id=_same(one["id"]), kind=_text(said["kinds"][legal["kind"]]), number=_same(str(legal["number"])),
            issuer=_same(str(legal["issuer"])), day=_same(str(legal["date"])), since=_same(str(one["validFrom"])), until=until,
        )  # fmt: skip


def _subjects(
    data: Mapping[str, Any], services: Mapping[str, Service], said: Mapping[str, Any]
) -> Iterator[LocalizedString]:
    """(c) whose data: what the services that are granted are about."""
    for service in sorted({grant["service"] for one in data["authorisations"] for grant in one["grants"]}):
        about = said["subjects"].get(service) or said["subjects"][services[service].subject_type]
        yield _text(said["by_service"], service=services[service].title, what=_text(about))


def _data(
    data: Mapping[str, Any], services: Mapping[str, Service], names: Names, said: Mapping[str, Any]
) -> Iterator[LocalizedString]:
    """(c) which data: every field and answer that is granted."""
    granted: dict[str, dict[str, None]] = {}
    for one in data["authorisations"]:
        for grant in one["grants"]:
            granted.setdefault(grant["service"], {}).update(dict.fromkeys(grant.get("fields") or grant["answers"]))
    for name, fields in sorted(granted.items()):
        service = services[name]
        known = names.answer if service.is_composition else names.field
        yield _text(said["by_service"], service=service.title, what=_joined([_field(one, known) for one in fields]))


def _recipients(
    data: Mapping[str, Any], organisations: Mapping[str, Any], said: Mapping[str, Any]
) -> Iterator[LocalizedString]:
    """(d) who receives them: the bodies that ask, and the citizen himself."""
    kinds: dict[str, int] = {}
    for number in {number for one in data["authorisations"] for number in members(one["organisations"], organisations)}:
        kind = next(one["kind"] for one in organisations["organisations"].values() if one["number"] == number)
        kinds[kind] = kinds.get(kind, 0) + 1
    for kind, n in sorted(kinds.items()):
        yield _text(said["recipient"][kind], n=_same(str(n)))
    yield _text(said["recipient"]["citizen"])


def _erasure(data: Mapping[str, Any], classes: Mapping[str, Any], said: Mapping[str, Any]) -> Iterator[LocalizedString]:
    """(f) when what is kept of a consultation goes; the data themselves are never kept here."""
    kept = classes[data["retention"]]
    yield _text(said["kept"], years=_same(str(kept["months"] // 12)), why=LocalizedString.read(kept["why"]))
    yield _text(said["not_kept"])


def _processor(
    activities: list[Activity], texts: Texts, organisations: Mapping[str, Any], names: Names, said: Mapping[str, Any]
) -> dict[str, Lines]:
    """Art. 30(2): who the hub is, for whom it works, what it does for each."""
    everybody = {
        name: None for _, text in sorted(texts.items()) for name in _named(parse_yaml("text", text), organisations)
    }
    return {
        "processor": tuple(_text(one) for one in said["processor"]),
        "controllers": tuple(everybody),
        "categories": (
            *(_text(one) for one in said["categories"]),
            _text(said["activities"], names=_joined([one.title for one in activities])),
            _text(said["sources"], names=_joined(list(names.source.values()))),
        ),
        "transfers": (_text(said["transfers"]),),
        "measures": tuple(_text(one) for one in said["measures"]),
    }


def _named(data: Mapping[str, Any], organisations: Mapping[str, Any]) -> list[LocalizedString]:
    numbers = {number for one in data["authorisations"] for number in members(one["organisations"], organisations)}
    found = [
        (one["names"], one["number"]) for one in organisations["organisations"].values() if one["number"] in numbers
    ]  # fmt: skip
    return [
        LocalizedString(*(f"{names[language]} ({number})" for language in LANGUAGES)) for names, number in found
    ]  # fmt: skip


def _field(name: str, known: Mapping[str, LocalizedString]) -> LocalizedString:
    """The title of a field; of one inside another: both."""
    if name in known:
        return known[name]
    words = [known.get(word, _same(word)) for word in name.split(".")]
    inside = {one: ", ".join(word.in_(one) for word in words[1:]) for one in LANGUAGES}
    return LocalizedString(*(words[0].in_(one) + (f" ({inside[one]})" if inside[one] else "") for one in LANGUAGES))


def _text(texts: Mapping[str, str], **filled: LocalizedString) -> LocalizedString:
    """A sentence with its blanks filled, each in its language."""
    return LocalizedString(
        *(texts[one].format(**{name: value.in_(one) for name, value in filled.items()}) for one in LANGUAGES)
    )


def _joined(lines: list[LocalizedString]) -> LocalizedString:
    return LocalizedString(*(", ".join(line.in_(one) for line in lines) for one in LANGUAGES))


def _same(word: str) -> LocalizedString:
    return LocalizedString(word, word, word)


def _full(whose: str, points: Mapping[str, Lines]) -> Mapping[str, Lines]:
    """No empty cell: a register with a hole in it is no register."""
    for name, lines in points.items():
        if not lines or not all(line.in_(one).strip() for line in lines for one in LANGUAGES):
            raise ConfigurationError(f"register: {whose} has nothing under {name}", advice="See config/register.yaml.")
    return points
