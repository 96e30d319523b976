"""Files mutated at random, of each format: no crash, no hang, and no row is taken in that the check would refuse."""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from integrator.adapters.checking import check
from integrator.adapters.intake import Intake, Taken
from integrator.database import Database
from tests.unit.adapters import kit

MUTATED = int(os.environ.get("FUZZED_FILES", "10000"))  # of each format
LONGEST = 10.0  # seconds for one file
_CSV = f'Facture;NISS;Montant;Remarque\r\nF0001;{kit.PEOPLE[0]};12,50;\r\nF0002;{kit.PEOPLE[1]};3,00;"deux; trois"\r\n'
_XML = '<i:all xmlns:i="urn:invented:invoice"><i:line><i:id>1</i:id><i:amount currency="EUR">12.50</i:amount></i:line></i:all>'
FORMATS: dict[str, tuple[dict[str, Any], bytes]] = {
    "fixed": (kit.FIXED, kit.fixed_file(kit.three_rows())),
    "delimited": (kit.DELIMITED, _CSV.encode()),
    "workbook": (kit.WORKBOOK, kit.workbook([["Ann", "02/11/2026", "7,60"], ["Bob", "03/11/2026", "8"]])),
    "xml": (kit.XML, _XML.encode()),
    "records": (kit.RECORDS, kit.records_file()),
}
_SIGNS = (
    b"\x00",
    b"\xff",
    b"\xef\xbb\xbf",
    b"\r",
    b"\n",
    b"\r\n",
    b'"',
    b";",
    b"=1+1",
    b"<!DOCTYPE a>",
    b"&a;",
    b"9" * 40,
    b"{",
    b"\\ud800",
    b"1e999",
    b'{"!": "MISSING"}',
    b"",
)


def mutated(content: bytes, chance: random.Random) -> bytes:
    """One to four wounds: bytes replaced, cut, repeated, or signs that mean something put in."""
    data = bytearray(content)
    for _ in range(chance.randint(1, 4)):
        start = chance.randrange(len(data) + 1)
        end = min(len(data), start + chance.choice((0, 1, 2, 8, 40)))
        kind = chance.randrange(4)
        if kind == 0:
            data[start:end] = chance.choice(_SIGNS)
        elif kind == 1:
            data[start:end] = chance.randbytes(end - start)
        elif kind == 2:
            data[start:start] = data[start:end] * chance.choice((1, 3))
        else:
            del data[end if chance.random() < 0.2 else start : end if chance.random() < 0.8 else len(data)]
    return bytes(data)


@pytest.mark.soak
@pytest.mark.parametrize("form", list(FORMATS))
def test_no_mutated_file_crashes_hangs_or_smuggles_a_row_in(form: str, tmp_path: Path) -> None:
    data, content = FORMATS[form]
    layout, chance, path = kit.layout(data), random.Random(20261128), tmp_path / "file"
    taken: list[int] = []

    async def effect(rows: Sequence[Taken]) -> None:
        taken.extend(row.number for row in rows)

    database = Database(f"sqlite:///{tmp_path}/adapters.db", "adapters")
    plain = lambda use, text: text
    intake = Intake(layout, database, effect, seal=plain, unseal=plain, now=lambda: 1.0)

    async def campaign() -> None:
        for number in range(MUTATED):
            path.write_bytes(mutated(content, chance))
            begun = time.monotonic()
            report = check(layout, path)
            taken.clear()
            if number % 20 == 0:  # the check is what all of them pass; every twentieth is taken in too
                result = await intake.take(path)
                bad = set(report.bad)
                allowed = [] if report.refusal else [at for at in range(1, report.rows + 1) if at not in bad]
                assert taken == ([] if result.state == "already" else allowed), number
            assert time.monotonic() - begun < LONGEST, number

    try:
        asyncio.run(campaign())
    finally:
        database.close()
