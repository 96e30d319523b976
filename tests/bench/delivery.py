"""Deliveries per second of one process to a webhook receiver on this machine: `python -P tests/bench/delivery.py [count] [engine]`.

The receiver is another process. Read the CPU of the relay's process per delivery; the wall time depends on who else works here.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import sqlalchemy as sa

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "mock-sources")]

from integrator.delivery.queue import OutboxQueue  # noqa: E402
from integrator.delivery.relay import Relay  # noqa: E402
from integrator.delivery.tables import MESSAGE  # noqa: E402
from integrator.delivery.webhooks.guard import open_way  # noqa: E402
from integrator.delivery.webhooks.pushing import Push, Target  # noqa: E402
from integrator.delivery.webhooks.signing import Signer, load_keys  # noqa: E402
from tests.unit.audit.kit import engine_url  # noqa: E402
from tests.unit.delivery.kit import House  # noqa: E402

RECEIVER = """
import sys
from aiohttp import web
async def take(request):
    await request.read()
    return web.Response(status=204)
app = web.Application()
app.router.add_post("/hook", take)
web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), print=None, access_log=None)
"""


async def measure(url: str, folder: Path, count: int, port: int) -> None:
    house = House(url, folder, real=True)
    started, cpu = time.perf_counter(), time.process_time()

    async def hand_in(lane: int) -> None:
        for number in range(count // 500):
            await house.accept(f"{lane:06d}-{number:06d}", {"field": "x"}, ssin=f"8566{lane:07d}")

    await asyncio.gather(*(hand_in(lane) for lane in range(500)))
    told("accepted", count, started, cpu)

    async def find(uid: str) -> Target:
        return Target(f"http://127.0.0.1:{port}/hook")

    session = open_way(sandbox=True)
    signer = Signer(load_keys(folder / "hook-keys", "sandbox"))
    push = Push(session, signer, find, {}, issuer="https://hub.example", sandbox=True, now=house.clock)
    house.carrying.senders["push"] = push
    relay = asyncio.create_task(Relay(OutboxQueue(house.outbox, push.closed), house.carrying.carry, pause=0.05).run())
    started, cpu = time.perf_counter(), time.process_time()
    delivered = sa.select(sa.func.count()).where(MESSAGE.c.state == "delivered")
    while await house.database.run(lambda connection: connection.execute(delivered).scalar()) < count:
        await asyncio.sleep(0.2)
    told("delivered", count, started, cpu)
    relay.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await relay
    await session.close()
    house.close()


def told(what: str, count: int, started: float, cpu: float) -> None:
    wall, used = time.perf_counter() - started, time.process_time() - cpu
    print(
        f"{what} {count}: {count / wall:.0f}/s wall, {used / count * 1e6:.0f} µs CPU each ({count / used:.0f}/s of one core)"
    )


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 5_000
    engine = sys.argv[2] if len(sys.argv) > 2 else "sqlite"
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    receiver = subprocess.Popen([sys.executable, "-c", RECEIVER, str(port)])
    try:
        with tempfile.TemporaryDirectory() as folder, engine_url(engine, Path(folder)) as url:
            print(f"{engine}; load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
            asyncio.run(measure(url, Path(folder), count, port))
    finally:
        receiver.kill()


if __name__ == "__main__":
    main()
