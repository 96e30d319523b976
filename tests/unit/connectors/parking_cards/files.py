"""Builds card files for tests from the package's own description, not from the connector's layout.yaml."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

WIDTHS = {"plate": 8, "nis": 5, "street_code": 4, "house_number": 12, "box": 12, "holder": 11, "start": 8, "end": 8,
          "status": 1, "kind": 1, "street": 40, "municipality": 30, "name": 50, "reserved": 9}  # fmt: skip
USUAL = {
    "plate": "1TST101", "nis": "21009", "street_code": "0042", "house_number": "12", "box": "", "holder": "85660812341",
    "start": "20240101", "end": "20271231", "status": "A", "kind": "R", "street": "Chaussée d’Ixelles",
    "municipality": "Ixelles", "name": "LANTIN, Aline",
}  # fmt: skip


def line(text: str) -> bytes:
    return text.ljust(200).encode("cp1252", "replace") + b"\r\n"


def card(fields: Mapping[str, str]) -> bytes:
    whole = {**USUAL, **fields}
    return line("K" + "".join(str(whole.get(name, "")).ljust(width)[:width] for name, width in WIDTHS.items()))


def whole(cards: Iterable[Mapping[str, str]], made: str = "20261130060000") -> bytes:
    rows = [card(fields) for fields in cards]
    return line(f"HPARKCARD02{made}") + b"".join(rows) + line(f"T{len(rows):09d}")


def wounded(data: bytes, wound: str | None) -> bytes | None:
    """A file with one wound; None = no file."""
    rows = data.split(b"\r\n")[:-1]
    middle = len(rows) // 2
    match wound:
        case None:
            return data
        case "absent":
            return None
        case "empty":
            return b""
        case "half_record":
            return data[: 202 * middle + 70]
        case "missing_trailer":
            return b"\r\n".join(rows[:-1]) + b"\r\n"
        case "trailer_only_begun":
            return data[:-1]
        case "wrong_count":
            return b"\r\n".join([*rows[:-1], line(f"T{len(rows) - 1:09d}")[:-2]]) + b"\r\n"
        case "one_card_too_many":
            return b"\r\n".join([*rows[:-1], line(f"T{len(rows) - 3:09d}")[:-2]]) + b"\r\n"
        case "garbage_line":
            return b"\r\n".join([*rows[:middle], b"\x81\x8d\x8f ### DISK ERROR 0x1F ###", *rows[middle:]]) + b"\r\n"
        case "garbage_instead_of_a_card":
            return b"\r\n".join([*rows[:middle], b"\x00" * 200, *rows[middle + 1 :]]) + b"\r\n"
        case "unix_line_ends":
            return data.replace(b"\r\n", b"\n")
        case "other_layout":
            return data.replace(b"PARKCARD02", b"PARKCARD03", 1)
        case "utf8":
            return data.decode("cp1252").encode()
        case "undefined_sign":
            return data.replace(b"LANTIN", b"LANT\x81N", 1)
        case "shifted_row":
            return data.replace(b"K1TST101 ", b"K1TST101", 1)
    raise ValueError(wound)
