"""Names of fields: `address.postCode` stands inside `address`. What a service offers is read once, then looked up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache

Names = frozenset[str]


@lru_cache(maxsize=1024)  # wishes are the caller's to invent: what is remembered of them stays small
def expand(names: Names, offers: Names) -> Names:
    """Names with everything inside them, as far as the service offers it.

    >>> sorted(expand(frozenset({"address"}), frozenset({"address", "address.postCode", "ssin"})))
    ['address', 'address.postCode']
    """
    return _expanded(names, offers)


@lru_cache(maxsize=32_768)  # at most one for each line there is
def granted(names: Names, offers: Names) -> Names:
    """The same for the fields of a grant, of which there are only as many as the texts hold."""
    return _expanded(names, offers)


def _expanded(names: Names, offers: Names) -> Names:
    inside = _inside(offers)
    found = [inside[name] for name in names if name in inside]
    return found[0] if len(found) == 1 else frozenset().union(*found)


def tops(names: Iterable[str]) -> tuple[str, ...]:
    """Names without those that stand inside another one of the set, sorted.

    >>> tops({"address", "addressId", "address.postCode", "b.c"})
    ('address', 'addressId', 'b.c')
    """
    found, inside = [], "."
    for name in sorted(names):  # `.` sorts before every letter and digit: what stands inside a name follows it at once
        if not name.startswith(inside):
            found.append(name)
            inside = name + "."
    return tuple(found)


@lru_cache(maxsize=1024)
def _inside(offers: Names) -> Mapping[str, Names]:
    """For every name, and for every name above one: what is offered there and below."""
    found: dict[str, set[str]] = {}
    for offered in offers:
        for name in (offered, *_above(offered)):
            found.setdefault(name, set()).add(offered)
    return {name: frozenset(below) for name, below in found.items()}


def _above(name: str) -> tuple[str, ...]:
    """The names that this one stands inside.

    >>> _above("holder.address.postCode")
    ('holder', 'holder.address')
    """
    parts = name.split(".")
    return tuple(".".join(parts[:depth]) for depth in range(1, len(parts)))
