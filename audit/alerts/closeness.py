"""How near an agent is to the person they ask about: codes only, computed while both are known, and forgotten at once.

    clear["flags"] = sorted(flags(agent, subject))        in the intent of the exchange, by whoever knows both

The codes say nothing about who either is. A surname that many bear says nothing at all, so it is no flag.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class About:
    """What is compared; "" = not known, and never equal to anything."""

    number: str = ""  # national number, 11 digits
    surname: str = ""
    address: str = ""  # a code of the address register
    household: str = ""  # number of the household's reference person
    employer: str = ""  # enterprise number


def flags(agent: About, subject: About, *, common: Callable[[str], bool] = lambda surname: False) -> frozenset[str]:
    """SELF alone, or any of SAME_HOUSEHOLD, SAME_ADDRESS, SAME_SURNAME, COLLEAGUE.

    `common`: whether a surname (in lower case, without accents) is too frequent to mean anything.

    >>> sorted(flags(About(surname="Maës", address="a-1"), About(surname="MAES", address="a-1")))
    ['SAME_ADDRESS', 'SAME_SURNAME']
    >>> flags(About(number="85610100147"), About(number="85610100147", surname="Maes"))
    frozenset({'SELF'})
    """
    if agent.number and agent.number == subject.number:
        return frozenset(("SELF",))
    surname = _plain(agent.surname)
    same = {
        "SAME_HOUSEHOLD": _same(agent.household, subject.household),
        "SAME_ADDRESS": _same(agent.address, subject.address),
        "SAME_SURNAME": _same(surname, _plain(subject.surname)) and not common(surname),
        "COLLEAGUE": _same(agent.employer, subject.employer),
    }
    return frozenset(code for code, is_so in same.items() if is_so)


def _same(one: str, other: str) -> bool:
    return bool(one) and one == other


def _plain(name: str) -> str:
    letters = unicodedata.normalize("NFKD", name).casefold()
    return " ".join("".join(letter for letter in letters if not unicodedata.combining(letter)).split())
