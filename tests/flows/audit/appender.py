"""A process that appends under load and says what was acknowledged, until it is killed. Started by test_kill.py.

Arguments: store URL, key folder, shard. Each line on stdout is one acknowledged entry: index and leaf hash. A line is
written by one write(2), after the append returned: what the parent reads was durable, or the ledger lied.
"""

from __future__ import annotations

import asyncio
import os
import sys

from audit import FileKeyRing, Ledger, open_store
from tests.unit.audit.kit import a_full_draft

WORKERS = 32


async def append_for_ever(ledger: Ledger) -> None:
    while True:
        [intent] = await ledger.append([a_full_draft()])
        outcome = a_full_draft(type="outcome", clear={"intent_ref": intent.index})
        records = [intent, *await ledger.append([outcome, a_full_draft(type="denied")])]
        lines = "".join(f"{record.index} {record.leaf.hex()}\n" for record in records)
        os.write(1, lines.encode())


async def main(url: str, keys: str, shard: str) -> None:
    ledger = Ledger(open_store(url), FileKeyRing(keys), shard=shard)
    await asyncio.gather(*(append_for_ever(ledger) for _ in range(WORKERS)))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:4]))
