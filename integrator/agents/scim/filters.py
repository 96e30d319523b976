"""Filters (RFC 7644 §3.4.2.2) from text to something that says yes or no about a resource.

    userName sw "b" and not (active eq false or emails[type eq "work" and value co "@"])

`not` binds tightest, then `and`, then `or`. A filter has a length and a depth that a person could still read.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from integrator.agents.scim.errors import ScimRefused, invalid
from integrator.agents.scim.paths import NoSuchPath, Place, find_place
from integrator.agents.scim.schemas import Attribute, Kind

LONGEST = 2_000
DEEPEST = 20
Resource = Mapping[str, Any]

_TOKEN = re.compile(
    r"""\s*(?:(?P<punctuation>[()\[\]])|(?P<text>"(?:[^"\\\x00-\x1f]|\\.)*")|(?P<word>[A-Za-z0-9_$:.+-]+))""", re.DOTALL
)
_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "eq": lambda a, b: a == b, "co": lambda a, b: b in a, "sw": lambda a, b: a.startswith(b), "ew": lambda a, b: a.endswith(b),
    "gt": lambda a, b: a > b, "ge": lambda a, b: a >= b, "lt": lambda a, b: a < b, "le": lambda a, b: a <= b,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Test:
    """One comparison; `operator` `pr` has no value."""

    place: Place
    operator: str
    value: Any = None

    def matches(self, resource: Resource) -> bool:
        found = list(self.place.values(resource))
        if self.operator == "pr":
            return bool(found)
        if self.value is None:  # absent and null are the same (RFC 7643 §2.5)
            return bool(found) is (self.operator == "ne")
        leaf = self.place.leaf
        if self.operator == "ne":
            return not any(_compare(leaf, "eq", one, self.value) for one in found)
        return any(_compare(leaf, self.operator, one, self.value) for one in found)

    def places(self) -> Iterator[Place]:
        yield self.place


@dataclass(frozen=True, slots=True)
class Within:
    """`emails[…]`: some element satisfies all of it."""

    place: Place
    inner: Filter

    def matches(self, resource: Resource) -> bool:
        return any(self.inner.matches(one) for one in elements(self.place, resource))

    def places(self) -> Iterator[Place]:
        yield self.place
        yield from self.inner.places()


@dataclass(frozen=True, slots=True)
class Joined:
    """`and` or `or` of several; `not` of one."""

    word: str
    parts: tuple[Filter, ...]

    def matches(self, resource: Resource) -> bool:
        if self.word == "not":
            return not self.parts[0].matches(resource)
        return (all if self.word == "and" else any)(one.matches(resource) for one in self.parts)

    def places(self) -> Iterator[Place]:
        for one in self.parts:
            yield from one.places()


Filter = Test | Within | Joined


def elements(place: Place, resource: Resource) -> list[Resource]:
    """The elements of a list of complex values."""
    found = place.holder(resource).get(place.attribute.name) if place.attribute else None
    return [one for one in (found if isinstance(found, list) else [found]) if isinstance(one, Mapping)]


def parse_filter(kind: Kind, text: str) -> Filter:
    """Raises `ScimRefused` (400 invalidFilter), whatever the text is."""
    if len(text) > LONGEST:
        raise invalid("invalidFilter", f"A filter has at most {LONGEST} characters.")
    return _Parser(text, lambda name: find_place(kind, name)).whole()


def parse_inner(place: Place, text: str) -> Filter:
    """What stands between [ and ] of a path: names are parts of `place`."""
    if len(text) > LONGEST:
        raise invalid("invalidFilter", f"A filter has at most {LONGEST} characters.")
    return _Parser(text, lambda name: _inside(place, name)).whole()


def _inside(place: Place, name: str) -> Place:
    part = place.attribute.sub.get(name.lower()) if place.attribute else None
    if part is None:
        raise NoSuchPath
    return Place(None, part)


class _Parser:
    """Recursive descent over tokens; `find` gives a name its place."""

    def __init__(self, text: str, find: Callable[[str], Place]) -> None:
        self._tokens, self._find, self._at = list(_tokens(text)), find, 0

    def whole(self) -> Filter:
        found = self._either(0)
        if self._at != len(self._tokens):
            raise _wrong()
        return found

    def _either(self, depth: int) -> Filter:
        return self._join("or", self._both, depth)

    def _both(self, depth: int) -> Filter:
        return self._join("and", self._one, depth)

    def _join(self, word: str, inner: Callable[[int], Filter], depth: int) -> Filter:
        if depth > DEEPEST:
            raise invalid("invalidFilter", f"A filter is nested at most {DEEPEST} deep.")
        parts = [inner(depth)]
        while self._peek() == word:
            self._at += 1
            parts.append(inner(depth))
        return parts[0] if len(parts) == 1 else Joined(word, tuple(parts))

    def _one(self, depth: int) -> Filter:
        if self._peek() == "not":
            self._at += 1
            if self._peek() != "(":
                raise _wrong()
            return Joined("not", (self._group(depth),))
        if self._peek() == "(":
            return self._group(depth)
        return self._test(depth)

    def _group(self, depth: int) -> Filter:
        self._at += 1
        inner = self._either(depth + 1)
        self._expect(")")
        return inner

    def _test(self, depth: int) -> Filter:
        place = self._place(self._next())
        if self._peek() == "[":
            if place.part is not None or place.attribute is None or not place.attribute.sub:
                raise _wrong()
            self._at += 1
            outer, self._find = self._find, lambda name: _inside(place, name)
            inner = self._either(depth + 1)
            self._find = outer
            self._expect("]")
            return Within(place, inner)
        operator = self._next().lower()
        if operator == "pr":
            return Test(place, "pr")
        if operator != "ne" and operator not in _COMPARE:
            raise _wrong()
        return Test(place, operator, _value(place, operator, self._next()))

    def _place(self, name: str) -> Place:
        try:
            return self._find(name)
        except NoSuchPath:
            raise invalid("invalidFilter", "The filter names an attribute that does not exist here.") from None

    def _peek(self) -> str:
        token = self._tokens[self._at] if self._at < len(self._tokens) else ""
        return token.lower() if token[:1] != '"' else token

    def _next(self) -> str:
        if self._at >= len(self._tokens):
            raise _wrong()
        self._at += 1
        return self._tokens[self._at - 1]

    def _expect(self, token: str) -> None:
        if self._next() != token:
            raise _wrong()


def _tokens(text: str) -> Iterator[str]:
    at = 0
    text = text.rstrip()
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            raise _wrong()
        at = found.end()
        yield found[0].strip()


def _value(place: Place, operator: str, token: str) -> Any:
    """The JSON value, of the attribute's own type. Raises `ScimRefused`."""
    try:
        value = json.loads(token)
        if isinstance(value, str) and "\0" in value:
            raise _wrong()
        str(value).encode()  # not half a character: no database takes it, and nobody is called so
    except ValueError:
        raise _wrong() from None
    leaf = place.leaf
    if value is None:
        if operator in ("eq", "ne"):
            return None
    elif leaf is not None and leaf.type == "boolean":
        if isinstance(value, bool) and operator in ("eq", "ne"):
            return value
    elif isinstance(value, str):
        if leaf is None or leaf.type != "dateTime" or operator in ("co", "sw", "ew"):
            return value
        if (moment := as_moment(value)) is not None:
            return moment
    raise invalid("invalidFilter", "This attribute cannot be compared so: look at its type in /Schemas.")


def _compare(leaf: Attribute | None, operator: str, found: Any, wanted: Any) -> bool:
    if isinstance(found, bool) or isinstance(wanted, bool):
        return found is wanted
    if not isinstance(found, str):
        return False
    if isinstance(wanted, float):
        moment = as_moment(found)
        return moment is not None and _COMPARE[operator](moment, wanted)
    if leaf is None or not leaf.exact:
        found, wanted = found.casefold(), wanted.casefold()
    return _COMPARE[operator](found, wanted)


def as_moment(text: str) -> float | None:
    """Epoch seconds of an xsd:dateTime; None when it is none."""
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None


def _wrong() -> ScimRefused:
    return invalid("invalidFilter", "The filter is not written as RFC 7644 §3.4.2.2 writes it.")
