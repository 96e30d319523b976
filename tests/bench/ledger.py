"""What the ledger alone costs: entries built, entries made durable at 1, 16 and 64 waiting, on each engine; then whole
exchanges as a hub records them (intent, outcome, signed receipt, published every second), and the bytes they leave.

    python -P tests/bench/ledger.py [--seconds 2] [--postgres postgresql://127.0.0.1/test]

Closed loop in one process; an entry has five salted digests, two blind tags and three sealed audiences. µs are CPU of
this process (all threads; a PostgreSQL server's own CPU is not in it). Absolute times drift: read ratios of one run.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import sqlite3
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import psycopg
import uvloop

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from audit import Draft, FileKeyRing, Ledger, open_store  # noqa: E402
from audit.entry import prepare  # noqa: E402
from audit.log.names import Names  # noqa: E402
from audit.log.publication import Publication  # noqa: E402
from audit.log.publisher import Publisher  # noqa: E402
from audit.log.signing import Signers  # noqa: E402
from audit.log.state import SignedState  # noqa: E402
from audit.log.years import Books  # noqa: E402
from audit.seal import Sealer  # noqa: E402

CLEAR = {
    "categories": ["address", "household", "name"],
    "consumer": {"app": "housing-allowance", "org": "0207446759"},
    "counts": {"records": 1, "subjects": 1},
    "dpl.core.processing_activity_id": "https://ropa.example.brussels/a/7f1c/v3",
    "end_time": 1_795_440_600_123_000,
    "initiator": "official",
    "intent_ref": 70_123,
    "op": "dpv:Consult",
    "policy": {"decision": "permit", "id": "pol-2219", "ver": "sha256:" + "9c1d" * 16},
    "source": {"org": "0308357159", "service": "rrn.person", "ver": "2"},
    "start_time": 1_795_440_600_100_000,
    "status": "Ok",
}

BEFORE = {
    name: value for name, value in CLEAR.items() if name not in ("categories", "counts", "end_time", "intent_ref")
}
BEFORE["status"] = "Unset"
HEAD = "{:<34}" + "".join(f"{word:>10}" for word in ("per s", "µs CPU", "group", "p50 ms", "p99 ms"))
EXCHANGING = (64, 256)  # exchanges under way at the same time


def draft() -> Draft:
    """An outcome as the hub writes it."""
    return Draft(
        type="outcome",
        trace_id="0192f3a47c1e7d3a9b5e2f6a8c4d1e70",
        span_id="b7ad6b7169203331",
        name="person.get",
        retention="Y10",
        clear=CLEAR,
        committed={"case_ref": "2026/117", "fields": ["address", "name"], "query_digest": "0f" * 32},
        subjects=[("nrn", "85610100147")],
        agent={"id": "agent-77", "unit": "housing", "role": "clerk"},
    )


def row(name: str, per_second: float, cpu: float, waits: list[float], group: float) -> None:
    """One line of the table; `cpu` in µs for each entry, `waits` in seconds."""
    waits = sorted(waits) or [0.0]
    p50, p99 = statistics.median(waits) * 1000, waits[int(len(waits) * 0.99)] * 1000
    print(f"{name:<34}{per_second:>10.0f}{cpu:>10.1f}{group:>10.1f}{p50:>10.2f}{p99:>10.2f}")


def bench_building(seconds: float) -> None:
    """Entries built in one thread; median and best of slices of 200."""
    with tempfile.TemporaryDirectory() as folder:
        sealer = Sealer(FileKeyRing(folder))
        slices: list[float] = []
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            started = time.process_time()
            for _ in range(200):
                prepare(draft(), sealer, 1_795_440_600_123_456)
            slices.append((time.process_time() - started) / 200)
    middle = statistics.median(slices)
    row("built, median slice", 1 / middle, middle * 1e6, [], 1)
    row("built, best slice", 1 / min(slices), min(slices) * 1e6, [], 1)


async def bench_appending(name: str, url: str, waiting: int, seconds: float, make: Callable[[], Draft] = draft) -> None:
    """`waiting` tasks, each appending its next entry when the last is durable."""
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(url.format(folder=folder))
        ledger = Ledger(store, FileKeyRing(f"{folder}/keys"), shard="bench")
        waits: list[float] = []

        async def one(until: float) -> None:
            while (now := time.perf_counter()) < until:
                await ledger.append([make()])
                waits.append(time.perf_counter() - now)

        await asyncio.gather(*(one(time.perf_counter() + seconds / 5) for _ in range(waiting)))  # warm up
        waits.clear()
        transactions, started, cpu = ledger.transactions, time.perf_counter(), time.process_time()
        await asyncio.gather(*(one(started + seconds) for _ in range(waiting)))
        wall, cpu = time.perf_counter() - started, time.process_time() - cpu
        group = len(waits) / (ledger.transactions - transactions)
        row(f"{name}, {waiting} waiting", len(waits) / wall, cpu / len(waits) * 1e6, waits, group)
        await asyncio.to_thread(ledger.close)
        store.close()


async def bench_exchanging(name: str, url: str, waiting: int, seconds: float) -> tuple[float, float, float]:
    """`waiting` tasks, each recording exchange after exchange: intent durable, outcome durable, receipt signed.

    Returns bytes for each exchange: database before and after (see `stored_bytes`), tiles, and the receipt's header.
    """
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(url.format(folder=folder))
        names, root = Names("audit.bench.example", "test", "bench"), Path(folder)
        signers, state = Signers(FileKeyRing(root / "sign"), create=True), SignedState(root / "signed")
        publication = Publication(root / "log")
        publisher = Publisher(store, publication, state, signers, anchor=names.anchor)
        books = Books(store, FileKeyRing(root / "keys"), names, publisher, signers.signer, state)
        publisher.start()
        waits: list[float] = []
        receipt = b""

        async def one(until: float) -> None:
            nonlocal receipt
            while (now := time.perf_counter()) < until:
                book = await books.begin()
                trace = os.urandom(16).hex()
                [intent] = await book.ledger.append([exchange("intent", trace)])
                [outcome] = await book.ledger.append([exchange("outcome", trace, intent.index)])
                receipt = book.receipt(outcome) or b""
                book.end()
                waits.append(time.perf_counter() - now)

        await asyncio.gather(*(one(time.perf_counter() + seconds / 5) for _ in range(waiting)))  # warm up
        waits.clear()
        transactions, started, cpu = books.ledger.transactions, time.perf_counter(), time.process_time()
        await asyncio.gather(*(one(started + seconds) for _ in range(waiting)))
        wall, cpu = time.perf_counter() - started, time.process_time() - cpu
        group = 2 * len(waits) / (books.ledger.transactions - transactions)
        row(f"{name}, {waiting} waiting", len(waits) / wall, cpu / len(waits) * 1e6, waits, group)
        exchanges = books.ledger.size / 2
        await asyncio.to_thread(books.close)
        await asyncio.to_thread(publisher.close)
        store.close()
        tiles = sum(path.stat().st_size for path in (root / "log").rglob("*") if path.is_file())
        return stored_bytes(url.format(folder=folder)) / exchanges, tiles / exchanges, float(len(receipt))


def exchange(kind: str, trace: str, intent: int | None = None) -> Draft:
    """Intent and outcome as the hub writes them; the outcome repeats neither fields nor case."""
    clear = {**CLEAR, "intent_ref": intent} if intent is not None else BEFORE
    return Draft(
        type=kind, trace_id=trace, span_id="b7ad6b7169203331", name="person.get", retention="Y10", clear=clear,
        committed={"response_digest": "0f" * 32} if intent is not None else {"case_ref": "2026/117", "fields": ["address", "name"]},
        subjects=[("nrn", "85610100147")], agent="agent-77",
    )  # fmt: skip


def stored_bytes(url: str) -> float:
    """What the database holds on disk, indexes included."""
    if url.startswith("sqlite:"):
        with sqlite3.connect(url.removeprefix("sqlite:///")) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            pages, size = (connection.execute(f"PRAGMA {what}").fetchone()[0] for what in ("page_count", "page_size"))
        connection.close()
        return float(pages * size)
    query = (
        "SELECT sum(pg_total_relation_size(c.oid)) FROM pg_class c"
        " WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r'"
    )
    with psycopg.connect(url) as connection:
        return float((connection.execute(query).fetchone() or (0,))[0])


def exchanges(name: str, url: str, waiting: int, seconds: float) -> None:
    """The row, and what an exchange leaves behind."""
    database, tiles, receipt = uvloop.run(bench_exchanging(name, url, waiting, seconds))
    print(
        f"  each exchange leaves {database:.0f} bytes in the database and {tiles:.0f} in tiles; its receipt has {receipt:.0f}"
    )


def bench_postgres(server: str, seconds: float) -> None:
    """As SQLite, in a schema of its own; said loudly when there is no server."""
    schema = f"bench_{uuid.uuid4().hex}"
    try:
        connection = psycopg.connect(server, autocommit=True, connect_timeout=3)
    except psycopg.OperationalError as error:
        print(f"PostgreSQL: NOT MEASURED, {server} does not answer ({type(error).__name__})")
        return
    with connection:
        connection.execute(f"CREATE SCHEMA {schema}")
        try:
            for waiting in (1, 16, 64):
                url = f"{server}?options=-csearch_path%3D{schema}"
                uvloop.run(bench_appending("PostgreSQL", url, waiting, seconds))
            print(HEAD.format("exchanges"))
            for waiting in EXCHANGING:
                with psycopg.connect(server, autocommit=True) as fresh:
                    fresh.execute(f"DROP SCHEMA {schema} CASCADE")
                    fresh.execute(f"CREATE SCHEMA {schema}")
                exchanges("PostgreSQL", url, waiting, max(seconds, 5.0))
        finally:
            connection.execute(f"DROP SCHEMA {schema} CASCADE")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=2.0, help="for each row")
    parser.add_argument("--postgres", default="postgresql://127.0.0.1/test")
    options = parser.parse_args()
    sys.setswitchinterval(0.0005)  # as the hub does
    gc.set_threshold(100_000, 20, 100)
    print(HEAD.format("entries"))
    bench_building(options.seconds)
    for waiting in (1, 16, 64):
        uvloop.run(bench_appending("SQLite", "sqlite:///{folder}/ledger.db", waiting, options.seconds))
    print(HEAD.format("exchanges"))
    for waiting in EXCHANGING:
        exchanges("SQLite", "sqlite:///{folder}/ledger.db", waiting, max(options.seconds, 5.0))
    bench_postgres(options.postgres, options.seconds)


if __name__ == "__main__":
    main()
