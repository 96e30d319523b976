"""What a report costs over a ledger of years: one person, a person looked up all the time, an agent, an organisation.

    python -P tests/bench/reports.py [--entries 200000] [--engine sqlite|postgres|both] [--postgres postgresql://…]
    python -P tests/bench/reports.py --entries 10000000        # as the issue asks: ≤ 50 ms; minutes to fill, 10 GB of disk

The ledger is filled by the engine itself (no sealing: reports open nothing until somebody asks): ten years to November
2026, an intent and an outcome for each exchange, every hundredth exchange about one busy person, forty in all about an
ordinary one, one in 5 000 by the agent measured. "first" is each question's first time in this process.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from audit import FileKeyRing, Store, Subject, open_store  # noqa: E402
from audit.reports import Reports  # noqa: E402
from audit.reports.tables import Rows  # noqa: E402
from audit.seal import Sealer  # noqa: E402

BUSY, ORDINARY, NOBODY = (Subject("nrn", number) for number in ("85610100147", "84651797654", "91650999712"))
AGENT, ORG = "agent-77", "1992100007"
START, END = 1_483_228_800_000_000, 1_795_440_600_000_000  # µs: January 2017 to November 2026
YEARS = range(2017, 2027)
SPECIAL = "CREATE TABLE bench_tag (who INTEGER, year INTEGER, tag {bytes}, PRIMARY KEY (who, year))"
# The body of an outcome as the hub writes it, without its digests.
BODY = (
    '{"categories":["address","familyName","givenNames"],"consumer":{"app":"counter","org":"\'||{org}||\'"},"counts":{"records":1,"subjects":1},'
    '"dpl.core.processing_activity_id":"https://ropa.integrator.example/social_inquiry/v1","initiator":"official","intent_ref":\'||({n}-1)||\','
    '"kid":"Y10-2026-11","name":"person.get","op":"dpv:Consult","policy":{"decision":"permit","id":"social_inquiry@2026-1","ver":"sha256:9c1d"},'
    '"ret":"Y10","source":{"operation":"person_file","service":"rijksregister"},"span_id":"b7ad6b7169203331","status":"Ok",'
    '"trace_id":"\'||{trace}||\'","ts":\'||({ts})||\',"type":"outcome","v":1}'
)
TS = "({start} + n * {step})"
_WHO = "CASE WHEN (n/2) % 100 = 7 THEN {busy} WHEN (n/2) % {rare} = 11 THEN {ordinary} ELSE {other} END"
_AGENT = "CASE WHEN (n/2) % 5000 = 3 THEN {agent} ELSE {other} END"


def _tag(who: int, year: str) -> str:
    return f"(SELECT tag FROM bench_tag WHERE who = {who} AND year = {year})"  # noqa: S608


def statements(entries: int, dialect: dict[str, str]) -> list[str]:
    """The SQL that fills `entry` and `side`; `dialect` has the few words in which the engines differ."""
    ts = TS.format(start=START, step=(END - START) // entries)
    month, year = dialect["month"].format(ts=ts), dialect["year"].format(ts=ts)
    org = dialect["org"]
    text = (
        "'"
        + BODY.replace("{org}", org).replace("{n}", "n").replace("{ts}", ts).replace("{trace}", dialect["trace"])
        + "'"
    )
    who = _WHO.format(
        busy=_tag(0, year), ordinary=_tag(1, year), other=dialect["random"], rare=max(50, entries // 2 // 40)
    )
    agent = _AGENT.format(agent=_tag(2, year), other=dialect["agent"])
    series = dialect["series"].format(entries=entries)
    return [
        "INSERT INTO entry (shard, idx, ts, kind, ref, lh, body) "  # noqa: S608
        f"{series} SELECT {dialect['shard']}, n, {ts}, CASE n % 2 WHEN 0 THEN 'intent' ELSE 'outcome' END,"
        f" CASE n % 2 WHEN 1 THEN n - 1 END, {dialect['random']}, {dialect['bytes'].format(text=text)} FROM series",
        "INSERT INTO side (month, shard, idx, part, tag, agent_tag, org, activity, op, ts, vis, ret) "  # noqa: S608
        f"{series} SELECT {month}, {dialect['shard']}, n, 0, {who}, {agent}, {org},"
        f" 'https://ropa.integrator.example/social_inquiry/v1', 'dpv:Consult', {ts}, 0, 'Y10' FROM series",
    ]


SQLITE = {
    "month": "CAST(strftime('%Y%m', {ts}/1000000, 'unixepoch') AS INTEGER)",
    "year": "CAST(strftime('%Y', {ts}/1000000, 'unixepoch') AS INTEGER)",
    "org": "printf('19921%05d', (n/2) % 20)", "trace": "printf('%032x', n/2)", "random": "randomblob(16)",
    "agent": "CAST(printf('agent-%010d', n % 2000) AS BLOB)", "bytes": "CAST({text} AS BLOB)", "shard": "1",
    "series": "WITH RECURSIVE series (n) AS (VALUES (0) UNION ALL SELECT n + 1 FROM series WHERE n < {entries} - 1)",
}  # fmt: skip
POSTGRES = {
    "month": "to_char(to_timestamp({ts}/1000000) AT TIME ZONE 'UTC', 'YYYYMM')::int",
    "year": "to_char(to_timestamp({ts}/1000000) AT TIME ZONE 'UTC', 'YYYY')::int",
    "org": "'19921'||lpad(((n/2) % 20)::text, 5, '0')", "trace": "lpad(to_hex(n/2), 32, '0')",
    "random": "decode(md5((n*7919)::text), 'hex')", "agent": "('agent-'||lpad((n % 2000)::text, 10, '0'))::bytea",
    "bytes": "convert_to({text}, 'UTF8')", "shard": "1",
    "series": "WITH series AS (SELECT n FROM generate_series(0::bigint, {entries} - 1) AS n)",
}  # fmt: skip


def tags(keyring: FileKeyRing) -> list[tuple[int, int, bytes]]:
    sealer = Sealer(keyring)
    rows = []
    for year in YEARS:
        for who, subject in enumerate((BUSY, ORDINARY)):
            rows.append((who, year, sealer.subject_tag(subject.type, subject.id, year, create=True)))
        rows.append((2, year, sealer.agent_tag(AGENT, year, create=True)))
    return rows


def fill_sqlite(path: Path, keyring: FileKeyRing, entries: int) -> None:
    """The indices are made last: sorting once is quicker than finding a place ten million times."""
    import sqlite3

    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode=OFF")
    connection.execute("PRAGMA synchronous=OFF")
    connection.execute("PRAGMA cache_size=-500000")
    indices = connection.execute(
        "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND tbl_name IN ('side', 'entry')"
    ).fetchall()
    for name, _ in indices:
        connection.execute(f"DROP INDEX {name}")
    connection.execute("BEGIN")
    connection.execute(SPECIAL.format(bytes="BLOB"))
    connection.executemany("INSERT INTO bench_tag VALUES (?, ?, ?)", tags(keyring))
    connection.execute("INSERT INTO shard (no, name, settled) VALUES (1, 'bench', ?)", (entries,))
    for statement in statements(entries, SQLITE):
        connection.execute(statement)
    connection.execute("INSERT INTO kept SELECT DISTINCT month, 'Y10' FROM side")
    for _, sql in indices:
        connection.execute(sql)
    connection.execute("COMMIT")
    connection.close()


def fill_postgres(url: str, keyring: FileKeyRing, entries: int) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET synchronous_commit = off")
        connection.execute(SPECIAL.format(bytes="BYTEA"))
        connection.cursor().executemany("INSERT INTO bench_tag VALUES (%s, %s, %s)", tags(keyring))
        connection.execute("INSERT INTO shard (name, settled) VALUES ('bench', %s)", (entries,))
        for month in [year * 100 + month for year in YEARS for month in range(1, 13)]:
            for table in ("side", "dek"):
                connection.execute(
                    f"CREATE TABLE {table}_{month} PARTITION OF {table} FOR VALUES FROM ({month}) TO ({month + 1})"
                )
        for statement in statements(entries, POSTGRES):
            connection.execute(statement)  # type: ignore[call-overload]
        connection.execute("INSERT INTO kept SELECT DISTINCT month, 'Y10' FROM side")
        connection.execute("ANALYZE entry, side, shard")


@contextmanager
def postgres_schema(server: str) -> Iterator[str]:
    schema = f"bench_{uuid.uuid4().hex}"
    with psycopg.connect(server, autocommit=True, connect_timeout=3) as connection:
        connection.execute(f"CREATE SCHEMA {schema}")
        try:
            yield f"{server}?options=-csearch_path%3D{schema}"
        finally:
            connection.execute(f"DROP SCHEMA {schema} CASCADE")


def measure(name: str, store: Store, keyring: FileKeyRing, rounds: int) -> None:
    """One line for each question: milliseconds, and how many rows the page has."""
    reports = Reports(store, keyring)
    always = (0, END + 1)
    deep = reports.about(BUSY, *always, limit=200)
    questions: list[tuple[str, Callable[[], Rows | Any]]] = [
        ("an ordinary person, all years", lambda: reports.about(ORDINARY, *always, limit=100)),
        ("a busy person, first page", lambda: reports.about(BUSY, *always)),
        ("a busy person, a later page", lambda: reports.about(BUSY, *always, cursor=deep.next)),
        ("a busy person, one organisation", lambda: reports.about(BUSY, *always, org=ORG)),
        ("a busy person, one month long ago", lambda: reports.about(BUSY, START, START + 30 * 86_400_000_000)),
        ("nobody", lambda: reports.about(NOBODY, *always)),
        ("an agent", lambda: reports.by_agent(AGENT, *always)),
    ]
    for question, ask in questions:
        started = time.perf_counter()
        rows = len(ask().rows)
        first = time.perf_counter() - started
        times = []
        for _ in range(rounds):
            started = time.perf_counter()
            ask()
            times.append(time.perf_counter() - started)
        worst = max(times)
        print(
            f"{name:<12}{question:<36}{rows:>6}{first * 1000:>10.1f}{statistics.median(times) * 1000:>10.1f}{worst * 1000:>10.1f}"
        )
    started = time.perf_counter()
    reports.follower.follow(20_000)
    print(f"{name:<12}{'follower, entries counted per second':<36}{20_000 / (time.perf_counter() - started):>6.0f}")
    reports.close()


def main() -> None:
    """Fill, measure, throw away."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--entries", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--engine", choices=("sqlite", "postgres", "both"), default="both")
    parser.add_argument("--postgres", default="postgresql://127.0.0.1/test")
    parser.add_argument("--folder", type=Path, help="where the ledger is made; without: a temporary folder")
    options = parser.parse_args()
    print(f"{'engine':<12}{options.entries:<36,}{'rows':>6}{'first ms':>10}{'median':>10}{'worst':>10}")
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        keyring = FileKeyRing(f"{folder}/keys")
        if options.engine != "postgres":
            place = Path(folder) / "ledger.db"
            open_store(f"sqlite:///{place}").close()
            started = time.perf_counter()
            fill_sqlite(place, keyring, options.entries)
            print(f"{'SQLite':<12}filled in {time.perf_counter() - started:.0f} s, {place.stat().st_size / 1e9:.1f} GB")
            store = open_store(f"sqlite:///{place}")
            measure("SQLite", store, keyring, options.rounds)
            store.close()
        if options.engine == "sqlite":
            return
        try:
            with postgres_schema(options.postgres) as url:
                store = open_store(url)
                started = time.perf_counter()
                fill_postgres(url, keyring, options.entries)
                print(f"{'PostgreSQL':<12}filled in {time.perf_counter() - started:.0f} s")
                measure("PostgreSQL", store, keyring, options.rounds)
                store.close()
        except psycopg.OperationalError as error:
            print(f"PostgreSQL: NOT MEASURED, {options.postgres} does not answer ({type(error).__name__})")


if __name__ == "__main__":
    main()
