"""When two addresses are one: sources write streets, numbers and boxes in many ways. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any

_BOX = re.compile(r"^(bus|boite|bte|box|b)(?=[0-9])")


def building(address: Mapping[str, Any]) -> tuple[str, ...]:
    return str(address.get("postCode", "")), plain(address.get("houseNumber", "")).lstrip("0")


def door(address: Mapping[str, Any]) -> tuple[str, ...]:
    box = _BOX.sub("", plain(address.get("boxNumber", "")))
    return (*building(address), box.lstrip("0"))


def streets(address: Mapping[str, Any]) -> set[str]:
    name = address.get("streetName")
    names = name.values() if isinstance(name, Mapping) else [name] if name else []
    return {plain(one) for one in names} - {""}


def plain(value: Any) -> str:
    """Lower case without accents, spaces or punctuation: sources write one street in many ways.

    >>> plain("Rue de l’Été, 12") == plain("RUE DE L'ETE 12")
    True
    """
    letters = unicodedata.normalize("NFKD", str(value)).casefold()
    return "".join(letter for letter in letters if letter.isalnum())
