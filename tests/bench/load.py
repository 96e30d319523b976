"""A load generator that costs little: N kept-alive connections, each sending its next request when its answer is whole.

    python -P tests/bench/load.py PLAN.json        prints one JSON object: requests, seconds, errors, p50, p99 (ms)

PLAN: {"host", "port", "connections", "seconds" | "requests", "requests_b64": [raw HTTP requests], "expect": 200}
A program of its own, so that its CPU is never counted as the hub's.
"""

from __future__ import annotations

import asyncio
import base64
import json
import sys
import time
from pathlib import Path

import httptools
import uvloop


class Connection(asyncio.Protocol):
    """One caller: sends, waits for the whole answer, sends the next."""

    def __init__(self, run: Run, offset: int) -> None:
        self._run, self._position = run, offset

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._send()

    def _send(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        requests = self._run.requests
        self._position = (self._position + 1) % len(requests)
        self._started = time.perf_counter()
        self._transport.write(requests[self._position])  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        if self._run.count(self._parser.get_status_code(), time.perf_counter() - self._started):
            asyncio.get_running_loop().call_soon(self._send)
        else:
            self._transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        self._run.lost(error)


class Run:
    """What all connections share: the requests, the stop, the counts."""

    def __init__(self, plan: dict) -> None:
        self.requests = [base64.b64decode(text) for text in plan["requests_b64"]]
        self._expect = plan.get("expect", 200)
        self._left = plan.get("requests")
        self._until = time.perf_counter() + plan["seconds"] if "seconds" in plan else None
        self.latencies: list[float] = []
        self.errors: dict[int, int] = {}
        self._open = plan["connections"]
        self.done = asyncio.get_running_loop().create_future()

    def count(self, status: int, seconds: float) -> bool:
        if status == self._expect:
            self.latencies.append(seconds)
        else:
            self.errors[status] = self.errors.get(status, 0) + 1
        if self._left is not None:
            self._left -= 1
            return self._left > 0
        return self._until is not None and time.perf_counter() < self._until

    def lost(self, error: Exception | None) -> None:
        self._open -= 1
        if error is not None:
            self.errors[0] = self.errors.get(0, 0) + 1
        if self._open == 0 and not self.done.done():
            self.done.set_result(None)


async def main(plan: dict) -> dict:
    run = Run(plan)
    loop = asyncio.get_running_loop()
    started = time.perf_counter()
    count = plan["connections"]
    for number in range(count):
        offset = number * len(run.requests) // count
        await loop.create_connection(lambda offset=offset: Connection(run, offset), plan["host"], plan["port"])
    await run.done
    seconds = time.perf_counter() - started
    times = sorted(run.latencies)
    at = lambda share: round(times[min(len(times) - 1, int(len(times) * share))] * 1000, 3) if times else None
    return {"answers": len(times), "errors": run.errors, "seconds": seconds, "p50": at(0.5), "p99": at(0.99)}


if __name__ == "__main__":
    print(json.dumps(uvloop.run(main(json.loads(Path(sys.argv[1]).read_text())))))
