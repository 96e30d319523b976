"""The card file's layout: 200 characters a record in cp1252, then CR LF; one header, the cards, one trailer.

FIELDS is the whole truth about positions; README.md shows the same table to people. Text is left-aligned and padded
with spaces, numbers are right-aligned with zeros, dates are yyyymmdd and all zeros when there is none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

ENCODING = "cp1252"
LENGTH = 200  # characters, without the line end
LINE_END = b"\r\n"
LAYOUT = "PARKCARD02"


@dataclass(frozen=True, slots=True)
class Record:
    """One card as the package keeps it; texts already cut to what it can hold."""

    plate: str
    nis: str
    street_code: str  # the Rijksregister's, four digits
    house_number: str
    box: str
    holder: str  # national number, or "" for a company's card
    start: str  # yyyy-mm-dd
    end: str
    status: str  # A active, S suspended, X cancelled
    kind: str  # R resident, C car sharing, P professional
    street: str
    municipality: str
    name: str  # of the holder: SURNAME, First names


FIELDS: tuple[tuple[str, int, int], ...] = (  # (name, first position from 1, length)
    ("record type", 1, 1),
    ("plate", 2, 8),
    ("nis", 10, 5),
    ("street_code", 15, 4),
    ("house_number", 19, 12),
    ("box", 31, 12),
    ("holder", 43, 11),
    ("start", 54, 8),
    ("end", 62, 8),
    ("status", 70, 1),
    ("kind", 71, 1),
    ("street", 72, 40),
    ("municipality", 112, 30),
    ("name", 142, 50),
    ("reserved", 192, 9),
)


def encode(records: Iterable[Record], made: datetime) -> Iterator[bytes]:
    """The file line by line, line ends included; the trailer counts the cards that went before."""
    count = 0
    yield _line(f"H{LAYOUT}{made:%Y%m%d%H%M%S}")
    for record in records:
        count += 1
        yield _line(_card(record))
    yield trailer(count)


def trailer(count: int) -> bytes:
    """The last line: how many card records there are.

    >>> trailer(3)[:10], len(trailer(3))
    (b'T000000003', 202)
    """
    return _line(f"T{count:09d}")


def _card(record: Record) -> str:
    fields = (
        record.plate,
        record.nis,
        record.street_code,
        record.house_number,
        record.box,
        record.holder,
        record.start.replace("-", ""),
        record.end.replace("-", ""),
        record.status,
        record.kind,
        record.street,
        record.municipality,
        record.name,
    )
    return "K" + "".join(_fit(text, length) for text, (_, _, length) in zip(fields, FIELDS[1:-1], strict=True))


def _fit(text: str, length: int) -> str:
    return text[:length].ljust(length)


def _line(text: str) -> bytes:
    """Signs that cp1252 does not have (Ł, ő) become "?": the package lost them when the card was typed."""
    return text.ljust(LENGTH).encode(ENCODING, "replace") + LINE_END
