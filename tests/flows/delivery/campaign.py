"""Three programs that deliver under fire, each killed at any moment: who accepts, who relays, who receives.

    python -P campaign.py accept|relay|receive plan.json

The receiver is what a careful vendor would write: verify, remember the id and do it in one transaction, then answer. It
answers 503 before or after the effect, hangs up after it, and is slow at random: duplicates and reordering come of that.
"""

from __future__ import annotations

import asyncio
import json
import random
import sqlite3
import sys
from pathlib import Path
from typing import Any

from aiohttp import web

from connectors.client import Webhook
from integrator.delivery.backoff import Backoff
from integrator.delivery.broker import open_broker
from integrator.delivery.queue import OutboxQueue
from integrator.delivery.relay import Relay
from integrator.delivery.webhooks.guard import open_way
from integrator.delivery.webhooks.pushing import Push, Target
from integrator.delivery.webhooks.signing import Signer, load_keys
from tests.unit.delivery.kit import House

Plan = dict[str, Any]


class Ours(House):
    """A house whose clock is the machine's, with a shard of its own for each program."""

    def __init__(self, plan: Plan, role: str) -> None:
        super().__init__(plan["url"], Path(plan["folder"]), shard=f"hub/test/{role}/2026", real=True)


async def accept(plan: Plan) -> None:
    """Hand in, lane by lane, one after the other in each; write down what was acknowledged. Again from there when killed."""
    house, journal = Ours(plan, "accept"), Path(plan["folder"]) / "acknowledged"
    reached = dict.fromkeys(range(plan["lanes"]), 0)
    if journal.exists():
        for line in journal.read_text().splitlines(keepends=True):
            if line.endswith("\n"):  # a torn line was not acknowledged to anybody
                lane, number = line.split()
                reached[int(lane)] = max(reached[int(lane)], int(number) + 1)
    with journal.open("a", buffering=1) as acknowledged:

        async def lane(which: int) -> None:
            for number in range(reached[which], plan["each"]):
                await house.accept(f"{which:06d}-{number:06d}", {"field": f"{which} {number}"}, ssin=f"8566{which:07d}")
                acknowledged.write(f"{which} {number}\n")

        await asyncio.gather(*(lane(which) for which in reached))
    house.close()


async def relay(plan: Plan) -> None:
    """Carry what is due, until ended."""
    house = Ours(plan, "relay")

    async def find(uid: str) -> Target:
        return Target(f"http://127.0.0.1:{plan['port']}/hook")

    signer = Signer(load_keys(Path(plan["folder"]) / "hook-keys", "sandbox"))
    push = Push(
        open_way(sandbox=True), signer, find, {}, issuer="https://hub.example", sandbox=True, now=house.clock, rest=0.5
    )
    house.carrying.senders["push"] = push
    object.__setattr__(house.carrying, "backoff", Backoff(0.05, 1.0))
    if plan["nats"]:
        queue = await open_broker(house.outbox, plan["nats"], push.closed, lease=plan["lease"], stream=plan["stream"])
    else:
        queue = OutboxQueue(house.outbox, push.closed, lease=plan["lease"])
    await Relay(queue, house.carrying.carry, pause=0.1).run()


async def receive(plan: Plan) -> None:
    """The vendor's side."""
    keys = [key.public for key in load_keys(Path(plan["folder"]) / "hook-keys", "sandbox")]
    hook, chance = Webhook(keys, subscription="follower-1"), random.Random()
    database = sqlite3.connect(Path(plan["folder"]) / "received.db", isolation_level=None)
    database.executescript(
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"
        "CREATE TABLE IF NOT EXISTS seen (id TEXT PRIMARY KEY); CREATE TABLE IF NOT EXISTS again (id TEXT);"
        "CREATE TABLE IF NOT EXISTS effect (n INTEGER PRIMARY KEY, lane INTEGER, number INTEGER);"
    )

    async def take(request: web.Request) -> web.Response:
        event = hook.verify(request.headers, await request.read())
        fate = chance.random() if plan["unkind"] else 1.0
        if fate < 0.01:
            return web.Response(status=503)
        if fate < 0.03:
            await asyncio.sleep(chance.random() * 0.05)
        lane, number = map(int, event["data"]["content"]["field"].split())
        database.execute("BEGIN IMMEDIATE")
        if database.execute("INSERT INTO seen VALUES (?) ON CONFLICT DO NOTHING", (event["id"],)).rowcount:
            database.execute("INSERT INTO effect (lane, number) VALUES (?, ?)", (lane, number))
        else:
            database.execute("INSERT INTO again VALUES (?)", (event["id"],))
        database.execute("COMMIT")
        if 0.03 <= fate < 0.04:
            return web.Response(status=503)
        if 0.04 <= fate < 0.05 and request.transport is not None:
            request.transport.abort()
        return web.Response(status=204)

    app = web.Application()
    app.router.add_post("/hook", take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", plan["port"], reuse_address=True).start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(
        {"accept": accept, "relay": relay, "receive": receive}[sys.argv[1]](json.loads(Path(sys.argv[2]).read_text()))
    )
