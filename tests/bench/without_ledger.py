"""The hub with a ledger that forgets: exists only so that the bench can say what the durable one costs."""

from __future__ import annotations

import argparse

import uvloop

from audit.unsafe import UnsafeNoLedger
from integrator import settings
from integrator.api.server import run
from integrator.app import open_hub

parser = argparse.ArgumentParser()
for name in ("settings", "state", "mocks", "shard"):
    parser.add_argument(f"--{name}")
parser.add_argument("--port", type=int)
chosen = parser.parse_args()


async def main() -> None:
    from pathlib import Path

    loaded = settings.load(
        Path(chosen.settings), state=chosen.state, port=chosen.port, mocks=chosen.mocks, shard=chosen.shard
    )
    hub = await open_hub(loaded, ledger=UnsafeNoLedger())
    try:
        await run(hub, loaded.host, loaded.port)
    finally:
        await hub.close()


uvloop.run(main())
