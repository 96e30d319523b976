"""What it costs to look whether somebody is in the files: five million registrations, on SQLite and on PostgreSQL.

    python -P tests/bench/directory.py [--registrations 5000000] [--turns 20000] [--engine sqlite|postgres] [--folder DIR]

Each look-up is timed one by one through `Directory.qualities`, tag and thread included, half of them about somebody who
is in the files. People are asked in random order, so that little is warm but the index's upper pages. CPU is this process's
(of PostgreSQL its server's is not in it). The machine's other work is in p99: read p50 and CPU.
"""

from __future__ import annotations

import argparse
import os
import random
import sqlite3
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import psycopg  # noqa: E402
import uvloop  # noqa: E402

from integrator.database import Database  # noqa: E402
from integrator.directory import Directory, Rules, open_directory  # noqa: E402
from integrator.directory.seals import Seals, open_seals  # noqa: E402

ORGANISATIONS = [f"1{number:09d}" for number in range(40)]
PURPOSES = ("social_inquiry", "school_enrolment", "local_tax")
QUALITIES = ("0", "1", "2", "7", "40")
DAY = date(2026, 11, 23)
COLUMNS = "id, organisation, tag, purpose, quality, starts, ends, sealed, origin, recorded_at"
EACH = 4  # registrations of one person


def number(person: int) -> str:
    """Eleven digits, month 61 to 72; the check digits do not matter to a tag."""
    return f"{person % 100:02d}{61 + person // 100 % 12:02d}{person % 10_000_000:07d}"


def rows(seals: Seals, count: int) -> Iterator[tuple[Any, ...]]:
    """One registration after the other, persons in order; one sealed value for all, since no look-up opens it."""
    sealed = seals.seal(ORGANISATIONS[0], {"ssin": number(1), "dossier": "BENCH-2026-1"})
    chance = random.Random(7)
    for at in range(count):
        person, which = divmod(at, EACH)
        if not which:
            tag = seals.tag(number(person))
        organisation, purpose = ORGANISATIONS[(person * 7 + which * 11) % 40], PURPOSES[which % 3]
        ends = "9999-12-31" if chance.random() < 0.8 else "2025-12-31"
        yield f"b{at:021d}", organisation, tag, purpose, QUALITIES[at % 5], "2025-01-01", ends, sealed, "bulk", at


NOW = "WHERE superseded_at IS NULL"
INDEXES = {
    "directory_now": f"(tag, organisation, purpose, quality, starts, ends) {NOW}",
    "directory_own": f"(organisation, purpose, seq) {NOW}",
    "directory_past": "(tag, organisation)",
}


def fill(url: str, seals: Seals, count: int) -> float:
    """Seconds. Indexes are made afterwards, as whoever moves a whole directory would."""
    started = time.perf_counter()
    if url.startswith("sqlite"):
        connection = sqlite3.connect(url.removeprefix("sqlite:///"))
        connection.execute("PRAGMA synchronous=OFF")
        connection.execute("PRAGMA cache_size=-400000")
        _indexes(connection, drop=True)
        marks = ",".join("?" * 10)
        connection.executemany(f"INSERT INTO directory_registration ({COLUMNS}) VALUES ({marks})", rows(seals, count))
        _indexes(connection, drop=False)
        connection.commit()
        connection.close()
    else:
        with psycopg.connect(url, autocommit=True) as server:
            _indexes(server, drop=True)
            with server.cursor().copy(f"COPY directory_registration ({COLUMNS}) FROM STDIN") as copy:
                for row in rows(seals, count):
                    copy.write_row(row)
            _indexes(server, drop=False)
            server.execute("VACUUM ANALYZE directory_registration")
    return time.perf_counter() - started


def _indexes(connection: Any, *, drop: bool) -> None:
    for name, what in INDEXES.items():
        connection.execute(f"DROP INDEX {name}" if drop else f"CREATE INDEX {name} ON directory_registration {what}")


async def ask(directory: Directory, count: int, turns: int) -> tuple[list[float], float, int]:
    """(µs of each look-up, µs of CPU per look-up, how many were found)."""
    chance, people = random.Random(11), count // EACH
    asked = []
    for turn in range(turns):
        person, which = chance.randrange(people), chance.randrange(EACH)
        organisation = ORGANISATIONS[(person * 7 + which * 11 + turn % 2) % 40]  # every second one asks somebody else
        asked.append((organisation, number(person), PURPOSES[which % 3]))
    for one in asked[:200]:
        await directory.qualities(*one, DAY)
    times, found, cpu = [], 0, time.process_time()
    for one in asked:
        started = time.perf_counter()
        found += bool(await directory.qualities(*one, DAY))
        times.append((time.perf_counter() - started) * 1e6)
    return sorted(times), (time.process_time() - cpu) / turns * 1e6, found


def run(engine: str, url: str, folder: Path, chosen: argparse.Namespace) -> None:
    Database(url, "directory").close()
    seals = open_seals(folder / "keys")
    seconds = fill(url, seals, chosen.registrations)
    directory = open_directory(url, folder / "keys", Rules({"*": frozenset()}, {}), time.time)
    try:
        times, cpu, found = uvloop.run(ask(directory, chosen.registrations, chosen.turns))
    finally:
        directory.close()
    p50, p99 = times[len(times) // 2], times[len(times) * 99 // 100]
    print(f"{engine:9} {chosen.registrations:>9,} registrations, filled in {seconds:5.0f} s │ {chosen.turns:,} look-ups, {found:,} found: "
          f"CPU {cpu:6.1f} µs, p50 {p50:6.1f} µs, p99 {p99:7.1f} µs, worst {times[-1] / 1000:5.1f} ms")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--registrations", type=int, default=5_000_000)
    parser.add_argument("--turns", type=int, default=20_000)
    parser.add_argument("--engine", choices=("sqlite", "postgres"), action="append")
    parser.add_argument(
        "--folder", type=Path, help="where the database of SQLite is made (2 GB); default: a temporary one"
    )
    chosen = parser.parse_args()
    server = os.environ.get("INTEGRATOR_TEST_POSTGRES", "postgresql://127.0.0.1/test")
    for engine in chosen.engine or ("sqlite", "postgres"):
        with tempfile.TemporaryDirectory(dir=chosen.folder) as folder:
            if engine == "sqlite":
                run(engine, f"sqlite:///{folder}/directory.db", Path(folder), chosen)
                continue
            schema = f"bench_{uuid.uuid4().hex}"
            with psycopg.connect(server, autocommit=True) as connection:
                connection.execute(f"CREATE SCHEMA {schema}")
            try:
                run(engine, f"{server}?options=-csearch_path%3D{schema}", Path(folder), chosen)
            finally:
                with psycopg.connect(server, autocommit=True) as connection:
                    connection.execute(f"DROP SCHEMA {schema} CASCADE")


if __name__ == "__main__":
    main()
