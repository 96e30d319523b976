"""What the KBO hides is not a value: the privacy text is taken out of an answer, and an address that is a home with it.

A natural person's home address is never public: the oldest active establishment stands in for it (OBAD). A seat (REGO)
in the record of a natural person is therefore taken out too, even when the source sends it by mistake.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

import yaml

from integrator.transport.xml import Element

D: Final = "{http://economie.fgov.be/kbopub/webservices/v1/datamodel}"
_NATURAL: Final = "1"


class Privacy:
    """The texts that mean "hidden", in every language. `clean` changes a document and names what it took out."""

    def __init__(self, texts: Iterable[str], marks: Iterable[str]) -> None:
        self._texts = frozenset(_plain(text) for text in texts)
        self._marks = tuple(mark.encode("ascii") for mark in marks)

    @classmethod
    def load(cls, path: Path) -> Privacy:
        """From privacy.yaml."""
        entries = yaml.safe_load(path.read_text(encoding="utf-8"))
        return cls([entry["text"] for entry in entries], [entry["mark"] for entry in entries])

    def clean(self, enterprise: Element, body: bytes) -> tuple[str, ...]:
        """Take out what is hidden; our names of the fields that lost something, each once."""
        lost: list[str] = []
        if any(mark in body for mark in self._marks):
            hidden = [element for element in enterprise.iter() if element.text and _plain(element.text) in self._texts]
            lost += [_without(element) for element in hidden]
        if enterprise.findtext(f"{D}TypeOfEnterprise/{D}Code") == _NATURAL:
            seats = [one for one in enterprise.iterfind(f"{D}Address") if one.findtext(f"{D}Type") == "REGO"]
            for seat in seats:
                enterprise.remove(seat)
            if seats and enterprise.find(f"{D}Address") is None:
                lost.append("address")
        return tuple(dict.fromkeys(name for name in lost if name))


def _without(element: Element) -> str:
    """Take out the block that a hidden text stands in; of a hidden address no other one beside it may stay either."""
    block, owner = element, element.getparent()
    while owner is not None and owner.tag not in _OWNERS:
        block, owner = owner, owner.getparent()
    if owner is None:
        return ""  # its block is gone already
    kind = str(block.tag).removeprefix(D)
    if kind == "Denomination":
        kind += block.findtext(f"{D}Code") or ""
    for gone in owner.findall(f"{D}Address") if kind == "Address" else [block]:
        owner.remove(gone)
    return _OWNERS[str(owner.tag)] + _FIELDS.get(kind, "")


_OWNERS: Final = {f"{D}Enterprise": "", f"{D}EstablishmentUnit": "establishmentUnits."}
_FIELDS: Final = {
    "Address": "address",
    "Denomination001": "legalName",
    "Denomination002": "abbreviatedName",
    "Denomination003": "commercialName",
    "JuridicalForm": "legalForm",
    "JuridicalSituation": "legalSituation",
    "Activity": "economicActivities",
}


def _plain(text: str) -> str:
    """How a text is compared: without case, runs of space, and a full stop at the end."""
    return " ".join(text.split()).rstrip(".").casefold()
