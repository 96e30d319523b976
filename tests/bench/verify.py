"""How quickly a whole ledger is verified, on one core: entries per second, growth per entry, one million by default.

    .venv/bin/python -P tests/bench/verify.py [--entries 1000000] [--folder FOLDER]

The ledger is written in bulk past the ledger's queue (real entries, real tiles; digests of salted values and sealed bytes are of
the real size but random, since verification without keys opens none), and kept when a folder is named: named again, it is filled up.
"""

from __future__ import annotations

import argparse
import os
import resource
import sqlite3
import sys
import tempfile
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "mock-sources")]

from audit import FileKeyRing, open_store  # noqa: E402
from audit.canonical import canonical, leaf_hash  # noqa: E402
from audit.log.anchor import AnchorLog  # noqa: E402
from audit.log.publication import Publication  # noqa: E402
from audit.log.shard import ShardLog  # noqa: E402
from audit.log.signing import Signers  # noqa: E402
from audit.log.state import SignedState  # noqa: E402
from audit.seal import month_of  # noqa: E402
from audit.tree.trust import Trust  # noqa: E402
from audit.verify.ledger import verify_ledger  # noqa: E402
from audit.verify.outside import Rules  # noqa: E402

SHARD, ANCHOR = "audit.hub.example/bench/hub-1/2026", "audit.hub.example/bench/anchor"
NOON, STEP = 1_767_225_600_000_000, 20_000  # µs: from January 2026 on, fifty entries a second
VALUES = 4  # committed beside each entry: case, fields, subject, agent
_ENTRY = "INSERT INTO entry (shard, idx, ts, kind, ref, lh, body) VALUES (?, ?, ?, ?, ?, ?, ?)"
_SIDE = "INSERT INTO side (month, shard, idx, part, tag, agent_tag, org, activity, op, ts, ret, ct_subject, ct_agent) VALUES (?, ?, ?, 0, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_DEK = "INSERT INTO dek (month, shard, idx, part, wrapped_subject, wrapped_agent) VALUES (?, ?, ?, 0, ?, ?)"


def entries(count: int, start: int = 0) -> Iterator[tuple[int, int, str, int | None, bytes]]:
    """(index, ts, kind, ref, body): intents and outcomes in turn, as the hub writes them."""
    consumer = {"app": "housing-allowance", "org": "0207446759"}
    policy = {"decision": "permit", "id": "pol-2219", "ver": "sha256:9c1d" + "0" * 60}
    for index in range(start, count):
        ts, ref = NOON + index * STEP, index - 1 if index & 1 else None
        trace = f"{(index >> 1) + 1:032x}"
        month = month_of(ts)
        marks = urlsafe_b64encode(os.urandom(33 * VALUES)).decode()
        entry: dict[str, Any] = {
            "_sd": sorted(marks[at : at + 43] for at in range(0, 43 * VALUES, 43)), "_sd_alg": "sha-256", "consumer": consumer, "policy": policy, "name": "person.get",
            "dpl.core.processing_activity_id": "https://ropa.example.brussels/a/7f1c/v3", "op": "dpv:Consult", "initiator": "official",
            "kid": f"Y10-{month // 100}-{month % 100:02d}", "ret": "Y10", "span_id": "b7ad6b7169203331", "trace_id": trace, "ts": ts,
            "type": "outcome" if index & 1 else "intent", "v": 1,
        }  # fmt: skip
        if ref is not None:
            entry |= {
                "intent_ref": ref,
                "status": "Ok",
                "counts": {"records": 1, "subjects": 1},
                "categories": ["address", "name"],
            }
        yield index, ts, entry["type"], ref, canonical(entry)


def fill(path: Path, count: int) -> None:
    """Write the entries of one shard in bulk."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA synchronous=OFF")
    connection.execute("PRAGMA cache_size=-500000")
    for index in (
        "side_by_tag",
        "side_by_agent",
    ):  # nobody is searched for here, and random tags are slow to keep in order
        connection.execute(f"DROP INDEX IF EXISTS {index}")
    connection.execute("INSERT INTO shard (name) VALUES (?) ON CONFLICT DO NOTHING", (SHARD,))
    [(number,)] = connection.execute("SELECT no FROM shard WHERE name = ?", (SHARD,)).fetchall()
    [(have,)] = connection.execute("SELECT coalesce(max(idx) + 1, 0) FROM entry WHERE shard = ?", (number,)).fetchall()
    rows: list[list[tuple[Any, ...]]] = [[], [], []]
    activity = "https://ropa.example.brussels/a/7f1c/v3"
    months: set[int] = set()
    for index, ts, kind, ref, body in entries(count, have):
        month, noise = month_of(ts), os.urandom(400)
        months.add(month)
        rows[0].append((number, index, ts, kind, ref, leaf_hash(body), body))
        rows[1].append(
            (
                month,
                number,
                index,
                noise[:16],
                noise[16:32],
                "0207446759",
                activity,
                "dpv:Consult",
                ts,
                "Y10",
                noise[32:260],
                noise[260:320],
            )
        )
        rows[2].append((month, number, index, noise[320:360], noise[360:400]))
        if len(rows[0]) == 20_000 or index == count - 1:
            connection.execute("BEGIN")
            for statement, some in zip((_ENTRY, _SIDE, _DEK), rows, strict=True):
                connection.executemany(statement, some)
            connection.execute("COMMIT")
            rows = [[], [], []]
    connection.executemany(
        "INSERT INTO kept (month, ret) VALUES (?, 'Y10') ON CONFLICT DO NOTHING", [(month,) for month in months]
    )
    connection.close()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = chosen.folder or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        print(measured(folder, chosen.entries))
    return 0


def measured(folder: Path, count: int) -> str:
    """Fill, publish, verify; one line."""
    store = open_store(f"sqlite:///{folder}/ledger.db")
    fill(folder / "ledger.db", count)
    publication, signed = Publication(folder / "log"), SignedState(folder / "signed")
    signers = Signers(FileKeyRing(folder / "keys"), create=True)
    log = ShardLog(SHARD, store, publication, signed, signers.signer(SHARD))
    began = time.perf_counter()
    log.integrate()
    log.sign()
    published = time.perf_counter() - began
    now = NOON + count * STEP
    anchor = AnchorLog(ANCHOR, store, publication, signed, signers.signer(ANCHOR), clock=lambda: now)
    anchor.collect()
    anchor.log.integrate()
    anchor.log.sign()
    anchor.close()
    trust = Trust.parse(f"log {signers.signer(SHARD).vkey}\nlog {signers.signer(ANCHOR).vkey}\nquorum none\n")
    before, began = time.process_time(), time.perf_counter()
    verdicts = verify_ledger(store, publication, trust, signed=signed, rules=Rules(stamps=False), clock=lambda: now)
    cpu, wall = time.process_time() - before, time.perf_counter() - began
    store.close()
    wrong = [finding for verdict in verdicts for finding in verdict.findings]
    if wrong:
        raise SystemExit(f"verify: the ledger of the bench is wrong: {wrong[:3]}")
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return (
        f"verify {count} entries: {count / wall:,.0f} entries/s wall, {count / cpu:,.0f} per s of CPU (one core); "
        f"publish {count / published:,.0f}/s; {size / count:,.0f} bytes kept per entry; {memory:,.0f} MiB at most"
    )


if __name__ == "__main__":
    sys.exit(main())
