"""Figures of adapters: a file of many rows checked, taken in with a double that counts, and with the real outbox.

    python -P tests/bench/adapters.py [rows] [rows for the outbox]

Rows per second of CPU, and the most memory above what the process had before: on a shared machine, seconds mean little.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "mock-sources")]

from integrator.adapters.checking import check  # noqa: E402
from integrator.adapters.intake import Intake, Taken  # noqa: E402
from integrator.database import Database  # noqa: E402
from tests.unit.adapters import kit  # noqa: E402
from tests.unit.delivery.kit import House  # noqa: E402


def numbers(count: int) -> list[str]:
    """Test numbers of invented people: month 61 to 72, check digits right."""
    made = []
    for at in range(count):
        nine = f"{at // 12 % 80:02}{61 + at % 12:02}{1 + at // 960 % 28:02}{1 + at // 26880 % 997:03}"
        made.append(nine + f"{97 - int(nine) % 97:02}")
    return made


def fixed(path: Path, count: int) -> None:
    people = numbers(10_000)
    rows = [
        kit.fixed_row(people[at % 10_000], f"N{at % 100_000}", f"{1900 + at // 10_000 % 120}0115", at % 1000)
        for at in range(count)
    ]
    path.write_bytes(kit.fixed_file(rows))


def measured(what: str, rows: int, begun: float, idle: int) -> dict[str, Any]:
    spent = time.process_time() - begun
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return {
        "what": what,
        "rows": rows,
        "cpuSeconds": round(spent, 2),
        "rowsPerCpuSecond": round(rows / spent),
        "mebibytesAboveIdle": most - idle,
    }


async def taken(path: Path, folder: Path, effect: Any) -> int:
    database = Database(f"sqlite:///{folder}/adapters.db", "adapters")
    intake = Intake(kit.layout(kit.FIXED), database, effect, seal=lambda u, t: t, unseal=lambda u, t: t, now=time.time)
    try:
        return (await intake.take(path)).file.good
    finally:
        database.close()


def main(rows: int, through: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        writer = os.fork()  # the file is made by another process: its memory is not ours
        if not writer:
            fixed(folder / "payroll.txt", rows)
            fixed(folder / "few.txt", through)
            os._exit(0)
        os.waitpid(writer, 0)
        for stage in (checked, counted, accepted):
            child = os.fork()  # each with a memory of its own
            if not child:
                idle = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
                print(json.dumps(stage(folder, idle)), flush=True)
                os._exit(0)
            os.waitpid(child, 0)


def checked(folder: Path, idle: int) -> dict[str, Any]:
    begun = time.process_time()
    report = check(kit.layout(kit.FIXED), folder / "payroll.txt")
    return measured("check", report.good, begun, idle)


def counted(folder: Path, idle: int) -> dict[str, Any]:
    seen = 0

    async def count(some: Sequence[Taken]) -> None:
        nonlocal seen
        seen += len(some)

    begun = time.process_time()
    good = asyncio.run(taken(folder / "payroll.txt", folder, count))
    assert good == seen
    return measured("intake, effect counted", good, begun, idle)


def accepted(folder: Path, idle: int) -> dict[str, Any]:
    house = House(f"sqlite:///{folder}/ledger.db", folder, real=True)

    async def accept(some: Sequence[Taken]) -> None:
        await asyncio.gather(
            *(house.accept(one.key, {"field": one.values["name"]}, ssin=one.values["ssin"]) for one in some)
        )

    begun, wall = time.process_time(), time.monotonic()
    good = asyncio.run(taken(folder / "few.txt", folder, accept))
    told = measured("intake, effect in the real outbox", good, begun, idle)
    house.close()
    return told | {"seconds": round(time.monotonic() - wall, 1)}


if __name__ == "__main__":
    asked = [int(word) for word in sys.argv[1:]]
    main(*asked, *(999_999, 5_000)[len(asked) :])
