"""KBO's vocabulary in XML: escaped text, descriptions in the language asked, validity, addresses, denominations."""

from __future__ import annotations

from html import escape
from pathlib import Path

import yaml

from mock_sources.world import World
from mock_sources.world.facts import Address, Denomination, Names

_LABELS: dict[str, dict[str, dict[str, str]]] = yaml.safe_load(
    Path(__file__).with_name("labels.yaml").read_text("utf-8")
)
_LANGUAGES = {"1": "fr", "2": "nl", "3": "de", "4": "en"}  # KBO's own language codes; 0 = unknown


def text(name: str, value: str) -> str:
    """One element with text.

    >>> text("Street", "Pijl & Boog")
    '<dat:Street>Pijl &amp; Boog</dat:Street>'
    """
    return f"<dat:{name}>{escape(value, quote=False)}</dat:{name}>"


def description(value: str, language: str | None) -> str:
    """A text with its language; the language is left out where KBO does not know it."""
    spoken = "" if language is None else f"<dat:Language>{language}</dat:Language>"
    return f"<dat:Description>{text('Value', value)}{spoken}</dat:Description>"


def coded(code_list: str, code: str, language: str) -> str:
    """Code and its description; a code outside the list stands alone."""
    labels = _LABELS[code_list].get(code)
    shown = f"<dat:Code>{code}</dat:Code>"
    return shown if labels is None else shown + description(labels[language], language)


def validity(start: str, end: str | None) -> str:
    """From when to when."""
    until = "" if end is None else f"<dat:End>{day(end)}</dat:End>"
    return f"<dat:Validity><dat:Begin>{day(start)}</dat:Begin>{until}</dat:Validity>"


def day(date: str) -> str:
    """A date for xs:date, which knows no unknown parts: those become the first.

    >>> day("1961-00-00")
    '1961-01-01'
    """
    return date.replace("-00", "-01")


def denomination(name: Denomination) -> str:
    """A name keeps its own language, whatever language is asked."""
    shown = f"<dat:Code>{name.code}</dat:Code>{description(name.text, _LANGUAGES.get(name.language))}"
    return f"<dat:Denomination>{shown}{validity(name.start, name.end)}</dat:Denomination>"


def address(world: World, kind: str, place: Address, span: str, language: str) -> str:
    """An address in the language asked; French stands in for English, and for German where there is none."""
    municipality = world.municipality(place.nis)
    city = "" if municipality is None else _in(municipality.names, language)
    parts = [text("Type", kind), text("Street", _in(place.street.names, language))]
    parts += [text("StreetCode", place.street.rrn_code), text("HouseNumber", place.number)]
    if place.box is not None:
        parts.append(text("Box", place.box))
    parts.append(text("Zipcode", place.postcode))
    spoken = language if language in ("nl", "fr", "de") else "fr"
    parts.append(f"<dat:Municipality>{text('NisCode', place.nis)}{description(city, spoken)}</dat:Municipality>")
    return f"<dat:Address>{''.join(parts)}{span}</dat:Address>"


def private_address(kind: str, language: str) -> str:
    """An address that is withheld: the privacy text where the street would be, and nothing else."""
    return f"<dat:Address>{text('Type', kind)}{text('Street', _LABELS['privacy']['text'][language])}</dat:Address>"


def _in(names: Names, language: str) -> str:
    if language == "nl":
        return names.nl
    return names.de if language == "de" and names.de else names.fr
