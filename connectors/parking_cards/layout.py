"""The layout of the card file as data (layout.yaml), compiled to byte slices and forms. Bytes in, values out, no I/O.

One byte is one sign in cp1252, so every field is a fixed slice of a line; nothing is searched for, nothing is guessed.
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

Form = Callable[[bytes], bool]
NONE: Final = b"00000000"  # a day that there is not


@dataclass(frozen=True, slots=True)
class Slice:
    """Where a field stands in a line, and whether what stands there can be it."""

    start: int
    end: int
    fits: Form

    def of(self, line: bytes) -> bytes | None:
        """The field without its padding; None when it does not have the form of the field."""
        field = line[self.start : self.end].rstrip(b" ")
        return field if self.fits(field) else None


@dataclass(frozen=True, slots=True)
class Layout:
    """Everything that layout.yaml says."""

    length: int  # bytes of a line, without its end
    line_end: bytes
    header: Mapping[str, Slice]
    card: Mapping[str, Slice]
    trailer: Mapping[str, Slice]
    counts: frozenset[bytes]
    foreign: re.Pattern[
        bytes
    ]  # bytes that no line can hold: control signs, and those that the encoding leaves undefined

    @classmethod
    def load(cls, path: Path) -> Layout:
        """Raises `ConfigurationError` when the file does not describe lines that hang together."""
        try:
            data = yaml.safe_load(path.read_text(encoding="utf-8"))
            records = {name: _slices(data[name], data["length"]) for name in ("header", "card", "trailer")}
            return cls(
                int(data["length"]), data["lineEnd"].encode("ascii"), records["header"], records["card"],
                records["trailer"], frozenset(code.encode("ascii") for code in data["counts"]), _foreign(data["encoding"]),
            )  # fmt: skip
        except (LookupError, TypeError, ValueError, re.error) as error:
            raise ConfigurationError(f"connectors/parking_cards/layout.yaml: {error!r}") from error


def _slices(fields: Mapping[str, Mapping[str, Any]], length: int) -> dict[str, Slice]:
    slices = {}
    taken = 0
    for name, field in fields.items():
        start, end = field["position"] - 1, field["position"] - 1 + field["length"]
        if start < taken or end > length:
            raise ValueError(f"{name} lies over its neighbour or beyond the line")
        slices[name], taken = Slice(start, end, _form(str(field["form"]))), end
    return slices


def _form(written: str) -> Form:
    if written == "day":
        return is_day
    if written == "day or zeros":
        return lambda field: field == NONE or is_day(field)
    matches = re.compile(written.encode("ascii")).fullmatch
    return lambda field: matches(field) is not None


def is_day(field: bytes) -> bool:
    """Whether yyyymmdd is a day that exists.

    >>> is_day(b"20240229"), is_day(b"20230229"), is_day(b"2024 229")
    (True, False, False)
    """
    try:
        date(int(field[:4]), int(field[4:6]), int(field[6:]))
    except ValueError:
        return False
    return len(field) == 8 and field.isdigit()


def _foreign(encoding: str) -> re.Pattern[bytes]:
    """A pattern of the bytes that cannot stand in a line of this one-byte encoding."""
    undefined = [number for number in range(256) if number < 32 or not _decodes(bytes([number]), encoding)]
    return re.compile(b"[" + b"".join(re.escape(bytes([number])) for number in undefined) + b"]")


def _decodes(sign: bytes, encoding: str) -> bool:
    try:
        sign.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True
