"""The small change of a Tx25 file: split dates, coded things, names and numbers, written as XML text.

Text, not trees: load benches run through this, and a file is twelve hundred elements of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from typing import Literal
from zlib import crc32

from mock_sources.world.facts import Name, Names, Person

Language = Literal["fr", "nl", "de"]
TX25 = "http://www.ibz.rrn.fgov.be/XSD/xm25/rn25Schema"
LANGUAGES: tuple[Language, ...] = ("fr", "nl", "de")
_USED = ' UsedFirstName="YES"'
CodeLists = Mapping[str, Mapping[str, list[str] | str]]


@lru_cache(maxsize=8192)
def split(date: str) -> str:
    """Write a date as the Rijksregister does: in parts, and only the parts that are known.

    >>> split("2001-10-18")
    '<r:Century>20</r:Century><r:Year>01</r:Year><r:Month>10</r:Month><r:Day>18</r:Day>'
    >>> split("1961-00-00")
    '<r:Century>19</r:Century><r:Year>61</r:Year>'
    """
    parts = zip(("Century", "Year", "Month", "Day"), (date[:2], date[2:4], date[5:7], date[8:10]), strict=True)
    if date.startswith("0000"):
        return ""
    return "".join(
        f"<r:{name}>{value}</r:{name}>" for name, value in parts if value != "00" or name in ("Century", "Year")
    )


def it(name: str, type_: str, structure: str, start: str, end: str | None, content: str) -> str:
    """One type of information: its number, its dates, its content."""
    closed = f"<r:DelDate>{split(end)}</r:DelDate>" if end else ""
    return (
        f'<r:{name} Structure="{structure}" Type="{type_}"><r:Date>{split(start)}</r:Date>{closed}{content}</r:{name}>'
    )


def group(name: str, items: list[str]) -> str:
    """The element round all items of one type, or nothing when there are none."""
    return f'<r:{name} xmlns:r="{TX25}">{"".join(items)}</r:{name}>' if items else ""


def alone(item: str) -> str:
    """A type of information that has no group round it. Like a group it declares the prefix, as real answers do."""
    at = item.index(" ") if item else 0
    return f'{item[:at]} xmlns:r="{TX25}"{item[at:]}' if item else ""


def text(name: str, value: str) -> str:
    """One element with text."""
    return f"<r:{name}>{escape(value, quote=False)}</r:{name}>"


def coded(name: str, code: str, label: str) -> str:
    """One element with Code and Label."""
    return f"<r:{name}><r:Code>{code}</r:Code><r:Label>{escape(label, quote=False)}</r:Label></r:{name}>"


@lru_cache(maxsize=4096)
def name_xml(name: Name) -> str:
    """A name with the Rijksregister's own number for each word; the first given name is the one in use.

    One-word people exist: then there is no FirstName at all.
    """
    last = "".join(
        f"<r:LastName><r:Code>1{_number(word, 7)}</r:Code>{text('Label', word)}</r:LastName>" for word in name.last
    )
    first = "".join(
        f"<r:FirstName{_USED if at == 0 and len(name.first) > 1 else ''}>"
        f"<r:Code>000{_number(word, 5)}</r:Code>{text('Label', word)}</r:FirstName>"
        for at, word in enumerate(name.first)
    )
    return f"<r:Name>{last}{first}</r:Name>"


def number_xml(person: Person) -> str:
    """NationalNumber with birth date and sex, as it stands wherever a file points at somebody."""
    sex = f"<r:Sex>{person.sex}</r:Sex>" if person.sex in ("1", "2") else ""
    return (
        f"<r:NationalNumber><r:NationalNumber>{person.ssin}</r:NationalNumber>"
        f"<r:Date>{split(person.birth_date)}</r:Date>{sex}</r:NationalNumber>"
    )


def act_number(*of: str) -> str:
    """A number for a deed of civil status: four digits, always the same for the same event."""
    return _number("/".join(of), 4)


def dabs_number(date: str, *of: str) -> str:
    """DabsNumber of a deed drawn up since the database for civil status (DABS) opened, else nothing."""
    return text("DabsNumber", f"{date[:4]}{_number('/'.join(of), 8)}") if date >= "2019-03-31" else ""


def in_language(names: Names, language: Language) -> str:
    """A name in the language asked; what has no German name keeps its French one."""
    return getattr(names, language) or names.fr


@dataclass(frozen=True, slots=True)
class Words:
    """The code lists in one language."""

    language: Language
    lists: Mapping[str, Mapping[str, str]]

    def label(self, name: str, code: str) -> str:
        """The label of a code, or the code itself: the register shows unknown codes bare."""
        return self.lists[name].get(code, code)

    def coded(self, element: str, name: str, code: str) -> str:
        """Code and Label of one entry of a list."""
        return coded(element, code, self.label(name, code))


def words_in(language: Language, lists: CodeLists) -> Words:
    """Take one language out of the code lists; entries without languages stand for all three."""
    at = LANGUAGES.index(language)
    return Words(
        language,
        {
            name: {code: entry if isinstance(entry, str) else entry[at] for code, entry in entries.items()}
            for name, entries in lists.items()
        },
    )


def _number(word: str, digits: int) -> str:
    return f"{crc32(word.encode()) % 10**digits:0{digits}d}"
