"""The cards of one whole file, found by plate and by address; and what could not be read, so that it is never a zero.

bytes ─► lines ─► header, trailer and count hold? ─no─► NotWhole
                        └─yes─► each row: a card, or a doubt about everything it could concern
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from connectors.parking_cards.layout import NONE, Layout, Slice

Address = tuple[bytes, bytes, bytes, bytes]  # nis, street code, house number, box: as compared, see `plain`
_NUMBERS: Final = frozenset({"house_number", "box"})  # compared without case, spaces and zeros in front
NEVER: Final = b"99999999"  # the end of a card that has none


class NotWhole(Exception):
    """This is not a whole file of the package; `code` is a line of faults.yaml."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Card:
    """What counts of a card. Days are yyyymmdd, so that they compare as they stand."""

    start: bytes
    end: bytes
    counts: bool  # by its status

    def valid_on(self, day: bytes) -> bool:
        return self.counts and self.start <= day <= self.end


@dataclass(slots=True)
class Register:
    """One file, read."""

    made: bytes  # yyyymmddhhmmss, by the package's own clock
    rows: int = 0
    by_plate: dict[bytes, list[Card]] = field(default_factory=dict)
    by_address: dict[Address, list[Card]] = field(default_factory=dict)
    doubtful_plates: set[bytes] = field(default_factory=set)
    doubtful_addresses: set[Address] = field(default_factory=set)
    any_plate: bool = False  # a row whose plate cannot be read: it could be any
    any_address: bool = False
    rejected: dict[str, int] = field(default_factory=dict)  # reason -> rows set aside

    def plate(self, plate: bytes) -> list[Card] | None:
        """Its cards; None when a bad row could be one of them."""
        return None if self.any_plate or plate in self.doubtful_plates else self.by_plate.get(plate, [])

    def address(self, address: Address) -> list[Card] | None:
        """Its cards; None when a bad row could be one of them."""
        return None if self.any_address or address in self.doubtful_addresses else self.by_address.get(address, [])


def read(data: bytes, layout: Layout) -> Register:
    """Read a file. Raises `NotWhole`; a bad row does not, it leaves its doubts in the register."""
    lines = _lines(data, layout)
    made = layout.header["made"].of(lines[0])
    if any(slice_.of(lines[0]) is None for slice_ in layout.header.values()) or made is None:
        raise NotWhole("LAYOUT")
    promised = _promised(lines[-1], layout)
    register = Register(made)
    foreign = layout.foreign.search(data.replace(layout.line_end, b""))
    fields = Fields(layout)
    for line in lines[1:-1]:
        if len(line) != layout.length or (foreign and layout.foreign.search(line)):
            _reject(register, "LINE", None, None)  # nothing in it can be trusted to stand where it should
        else:
            _row(register, fields.of(line), layout.counts)
    # A row too many is rubbish and already a doubt; a row too few means that cards are missing.
    if register.rows + sum(register.rejected.values()) < promised or register.rows > promised:
        raise NotWhole("INCOMPLETE")
    return register


def plain(number: str | bytes) -> bytes:
    """A house or box number as it is compared: capitals, no spaces, no zeros in front.

    >>> plain("0012 a"), plain(b"B003"), plain("0")
    (b'12A', b'B003', b'0')
    """
    text = number if isinstance(number, bytes) else number.encode("cp1252", "replace")
    return text.replace(b" ", b"").upper().lstrip(b"0") or (b"0" if text.strip() else b"")


def _lines(data: bytes, layout: Layout) -> list[bytes]:
    if not data.endswith(layout.line_end):
        raise NotWhole("INCOMPLETE")
    lines = data.split(layout.line_end)[:-1]
    if len(lines) < 2 or len(lines[0]) != layout.length or len(lines[-1]) != layout.length:
        raise NotWhole("INCOMPLETE")
    return lines


def _promised(line: bytes, layout: Layout) -> int:
    count = layout.trailer["count"].of(line)
    if layout.trailer["type"].of(line) is None or count is None:
        raise NotWhole("INCOMPLETE")
    return int(count)


class Fields:
    """Takes lines apart. Most fields hold the same few values over and over: each value is looked at once per file."""

    def __init__(self, layout: Layout) -> None:
        self._parts: list[tuple[str, Slice, dict[bytes, bytes | None]]] = [
            (name, slice_, {}) for name, slice_ in layout.card.items()
        ]

    def of(self, line: bytes) -> dict[str, bytes | None]:
        """Every field of a line; None for one that does not have its form."""
        found = {}
        for name, slice_, known in self._parts:
            raw = line[slice_.start : slice_.end]
            if raw not in known:
                value = slice_.of(line)
                known[raw] = plain(value) if value is not None and name in _NUMBERS else value
            found[name] = known[raw]
        return found


def _row(register: Register, fields: dict[str, bytes | None], counts: frozenset[bytes]) -> None:
    plate, address = fields["plate"], _address(fields)
    start, end, status = fields["start"], fields["end"], fields["status"]
    if fields["type"] is None:
        _reject(register, "TYPE", None, None)
    elif plate is None or address is None:
        _reject(register, "KEY", plate, address)
    elif start is None or end is None or status is None or (end != NONE and end < start):
        _reject(register, "VALUE", plate, address)
    else:
        card = Card(start, NEVER if end == NONE else end, status in counts)
        register.rows += 1
        register.by_plate.setdefault(plate, []).append(card)
        register.by_address.setdefault(address, []).append(card)


def _address(fields: dict[str, bytes | None]) -> Address | None:
    nis, street, house, box = (fields[name] for name in ("nis", "street_code", "house_number", "box"))
    return None if nis is None or street is None or house is None or box is None else (nis, street, house, box)


def _reject(register: Register, reason: str, plate: bytes | None, address: Address | None) -> None:
    """Set a row aside, and doubt whatever it could have been about."""
    register.rejected[reason] = register.rejected.get(reason, 0) + 1
    if plate is None:
        register.any_plate = True
    else:
        register.doubtful_plates.add(plate)
    if address is None:
        register.any_address = True
    else:
        register.doubtful_addresses.add(address)
