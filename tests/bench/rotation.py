"""`python -m tests.bench.rotation`: a key replaced three times and one taken back, under 200 requests a second for ten seconds.

Prints what was offered and answered, what failed, and how long a revocation took to bite. Not a test: times depend on the
machine; the number that must be 0 is the failed calls, which tests/flows/test_callers.py holds without a clock.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import tempfile
import time
from pathlib import Path

import aiohttp

from connectors.client import Hub
from integrator import settings
from integrator.commands import apps, sandbox

RATE, SECONDS, AT_ONCE, TURNS = 200, 10.0, 10, 3
PATH, QUESTION = "/vehicle/v1/registrations/check", {"plateNumber": "1ABC123", "dossierReference": "OPS-1"}


async def offered(url: str, client: Hub, failed: list[int], done: list[float]) -> None:
    """Paced questions; every twentieth asks a new token first, with whatever key is the application's by then."""
    places, began = asyncio.Semaphore(AT_ONCE), time.monotonic()
    token = await asyncio.to_thread(client.token)
    async with aiohttp.ClientSession(url) as session:

        async def one(number: int) -> None:
            nonlocal token
            async with places:
                if number % 20 == 0:
                    token = await asyncio.to_thread(client.token, fresh=True)
                sent = time.monotonic()
                async with session.post(PATH, json=QUESTION, headers={"Authorization": f"Bearer {token}"}) as reply:
                    await reply.read()
                    done.append(time.monotonic() - sent)
                    if reply.status != 200:
                        failed.append(reply.status)

        tasks = []
        for number in range(int(RATE * SECONDS)):
            await asyncio.sleep(max(0.0, began + number / RATE - time.monotonic()))
            tasks.append(asyncio.create_task(one(number)))
        await asyncio.gather(*tasks)


async def measure(hub: str, file: Path, state: Path) -> None:
    failed: list[int] = []
    done: list[float] = []
    began = time.monotonic()
    with (
        Hub.from_key(file, purpose="parking_control", timeout=60.0) as client,
        Hub.from_key(file, purpose="parking_control") as owner,
    ):
        load = asyncio.create_task(offered(hub, client, failed, done))
        for _ in range(TURNS):
            await asyncio.sleep(SECONDS / (TURNS + 1))
            await asyncio.to_thread(owner.rotate, overlap=3600)
        await load
        took, ordered = time.monotonic() - began, sorted(done)
        print(
            f"offered {RATE}/s for {SECONDS:.0f} s: {len(done)} answers in {took:.1f} s, {len(failed)} failed {sorted(set(failed))}"
        )
        print(
            f"latency ms: median {ordered[len(ordered) // 2] * 1e3:.0f}, p99 {ordered[len(ordered) * 99 // 100] * 1e3:.0f}"
        )
        token = await asyncio.to_thread(client.token, fresh=True)
        path = state / "applications" / "busy-desk.json"
        from integrator.identity.changes import revoke_key

        revoke_key(path.parent, "busy-desk", client.key["kid"], "sandbox", time.time(), by="operator")
        revoked = time.monotonic()
        async with aiohttp.ClientSession(hub) as session:
            while True:
                async with session.post(PATH, json=QUESTION, headers={"Authorization": f"Bearer {token}"}) as reply:
                    if reply.status == 401:
                        break
        print(f"revoked by another process: first refused call after {time.monotonic() - revoked:.2f} s")


def main() -> None:
    for name in [name for name in os.environ if name.startswith("INTEGRATOR_")]:
        del os.environ[name]
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        running = stack.enter_context(sandbox.running(folder / "state", hub_port=0, mock_port=0))
        port = int(running.hub.rpartition(":")[2])
        chosen = settings.load(None, mode="sandbox", state=str(running.state), port=port, mocks=running.mocks)
        apps.create(chosen, "busy-desk", "ixelles", ["parking_control"], folder / "busy.jwk")
        print(json.dumps({"load average": os.getloadavg(), "processors": os.cpu_count()}))
        asyncio.run(measure(running.hub, folder / "busy.jwk", running.state))


if __name__ == "__main__":
    main()
