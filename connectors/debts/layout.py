"""How one accounting package tells what is owed: packages/<package>.yaml, read at start. Its words in, ours out.

An answer is believed whole or not at all: an amount that is none, a word that the table does not have, or a reference that does
not add up makes nothing of it known. Leaving one item out would make the sum smaller, and nobody would see it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

import yaml

from integrator.errors import ConfigurationError
from integrator.transport.jsonbody import Shape

_CONTRACT: Final = "2026-11"
_TOP: Final = frozenset(
    {"package", "path", "ask", "pages", "about", "items", "kind", "amount", "dueDate", "reference", "state"}
)
KINDS: Final = frozenset({"parking", "tax", "restHome", "meals", "rent", "charges"})
STATES: Final = frozenset({"open", "disputed", "paymentPlan"})


class Unreadable(ValueError):
    """What a package said of an item cannot be taken for true. The reason is a code: never a part of it."""


@dataclass(frozen=True, slots=True)
class Pages:
    """Of a package that answers page by page: the names it has for them."""

    number: str  # asked for, and said again in the answer; from 1
    of: str  # how many pages there are
    count: str  # how many items there are on all of them


@dataclass(frozen=True, slots=True)
class Layout:
    """One package: where it is asked, and how its answer is read."""

    package: str
    path: str
    ask: str  # what it calls the number of the person, in the question …
    about: tuple[str, ...]  # … and where it says it again
    items: str
    pages: Pages | None
    shape: Shape
    _read: Mapping[str, Callable[[Mapping[str, Any]], str]]

    @classmethod
    def load(cls, path: Path) -> Layout:
        """Raises `ConfigurationError` for a file that is none."""
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
        try:
            if data["package"] != path.stem or set(data) - _TOP:
                raise ConfigurationError(f"connectors/debts/packages/{path.name}: another name, or a word that is none")
            read = {
                "kind": _word(data["kind"], KINDS), "amount": _found(data["amount"]["at"], AMOUNTS[data["amount"]["form"]]),
                "dueDate": _found(data["dueDate"]["at"], DAYS[data["dueDate"]["form"]]),
                "reference": _found(data["reference"]["at"], structured), "state": _word(data["state"], STATES),
            }  # fmt: skip
            shape = Shape.load(path.parent.parent / "contract" / _CONTRACT / f"{path.stem}.schema.json")
            pages = Pages(**data["pages"]) if "pages" in data else None
            about = tuple(data["about"].split("/"))
            return cls(path.stem, data["path"], data["ask"], about, data["items"], pages, shape, read)
        except (KeyError, TypeError, OSError) as error:
            raise ConfigurationError(f"connectors/debts/packages/{path.name}: {error} is missing or unknown") from error

    def item(self, said: Mapping[str, Any]) -> dict[str, str]:
        """One item in our words. Raises `Unreadable`."""
        return {name: read(said) for name, read in self._read.items()}


def in_cents(said: Any) -> str:
    """A whole number of cents.

    >>> in_cents(2500), in_cents(7)
    ('25.00', '0.07')
    """
    if type(said) is not int or not 0 < said < 10**11:
        raise Unreadable("AMOUNT")
    return f"{said // 100}.{said % 100:02}"


def with_comma(said: Any) -> str:
    """Euro, with points between thousands (all of them or none) and a comma before the cents.

    >>> with_comma("1.234,56"), with_comma("12,00")
    ('1234.56', '12.00')
    """
    if not isinstance(said, str) or not re.fullmatch(r"(\d{1,3}(\.\d{3}){1,2}|\d{1,9}),\d\d", said, re.ASCII):
        raise Unreadable("AMOUNT")
    return _more_than_nothing(said.replace(".", "").replace(",", "."))


def with_point(said: Any) -> str:
    """Euro, with a point before the cents.

    >>> with_point("612.40")
    '612.40'
    """
    if not isinstance(said, str) or not re.fullmatch(r"\d{1,9}\.\d\d", said, re.ASCII):
        raise Unreadable("AMOUNT")
    return _more_than_nothing(said)


def structured(said: Any) -> str:
    """A structured communication, with or without its signs: ten digits, and the rest of their division by 97 (97 for 0).

    >>> structured("090933755493"), structured("+++123/4567/89002+++")
    ('+++090/9337/55493+++', '+++123/4567/89002+++')
    """
    found = re.fullmatch(r"\+\+\+(\d{3})/(\d{4})/(\d{5})\+\+\+|(\d{12})", str(said), re.ASCII)
    digits = "".join(part for part in found.groups() if part) if found else ""
    if not digits or (int(digits[:10]) % 97 or 97) != int(digits[10:]):
        raise Unreadable("REFERENCE")
    return f"+++{digits[:3]}/{digits[3:7]}/{digits[7:]}+++"


def _more_than_nothing(amount: str) -> str:
    if not amount.strip("0."):
        raise Unreadable("AMOUNT")
    return f"{int(amount[:-3])}{amount[-3:]}"


def _day(form: str, order: tuple[int, int, int]) -> Callable[[Any], str]:
    def read(said: Any) -> str:
        found = re.fullmatch(form, str(said), re.ASCII)
        if found is None:
            raise Unreadable("DAY")
        try:
            return date(*(int(found[place]) for place in order)).isoformat()
        except ValueError:
            raise Unreadable("DAY") from None

    return read


AMOUNTS: Final[Mapping[str, Callable[[Any], str]]] = {"cents": in_cents, "comma": with_comma, "point": with_point}
DAYS: Final[Mapping[str, Callable[[Any], str]]] = {
    "yyyy-mm-dd": _day(r"(\d{4})-(\d\d)-(\d\d)", (1, 2, 3)),
    "dd/mm/yyyy": _day(r"(\d\d)/(\d\d)/(\d{4})", (3, 2, 1)),
    "yyyymmdd": _day(r"(\d{4})(\d\d)(\d\d)", (1, 2, 3)),
}


def _found(at: str, read: Callable[[Any], str]) -> Callable[[Mapping[str, Any]], str]:
    path = tuple(at.split("/"))
    return lambda said: read(_walk(said, path))


def _word(spec: Mapping[str, Any], ours: frozenset[str]) -> Callable[[Mapping[str, Any]], str]:
    words = {str(theirs): str(word) for theirs, word in spec["words"].items()}
    if set(words.values()) - ours:
        raise KeyError(sorted(set(words.values()) - ours)[0])

    def read(said: Any) -> str:
        if str(said) not in words:
            raise Unreadable("WORD")
        return words[str(said)]

    return _found(spec["at"], read)


def _walk(said: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        said = said.get(name) if isinstance(said, Mapping) else None
    return said


def about(document: Mapping[str, Any], layout: Layout) -> Any:
    """Whom the package says that its answer is about."""
    return _walk(document, layout.about)
