"""How a serving process ends: signalled, from outside, as an operator or a container platform does it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
PROGRAM = """
import importlib.util, sys, time
from pathlib import Path

import uvloop

spec = importlib.util.spec_from_file_location("stand_in", sys.argv[1])
stand_in = importlib.util.module_from_spec(spec)
sys.modules["stand_in"] = stand_in
spec.loader.exec_module(stand_in)

async def main():
    hub = stand_in.StandIn(Path(sys.argv[2]), time.time, limits={"noticeSeconds": 0.3})
    hub.exchange.seconds = 1.0
    print(await hub.token(), flush=True)
    await stand_in.run(hub, "127.0.0.1", 0, started=lambda port: print(port, flush=True))
    print("closed", len(hub.exchange.finished), flush=True)

uvloop.run(main())
"""


class Process:
    """A hub in a process of its own."""

    def __init__(self, folder: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-c", PROGRAM, str(Path(__file__).parent / "stand_in.py"), str(folder)],
            stdout=subprocess.PIPE, text=True, env=os.environ | {"PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        self.token, self.port = self._line(), int(self._line())

    def _line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def end(self, number: int = signal.SIGTERM) -> None:
        self.process.send_signal(number)

    def last_words(self) -> tuple[int, str]:
        words, _ = self.process.communicate(timeout=20)
        return self.process.returncode, words.strip()


@pytest.fixture
def process(tmp_path: Path) -> Iterator[Process]:
    started = Process(tmp_path)
    yield started
    if started.process.poll() is None:
        started.process.kill()
    started.process.communicate()


def question(process: Process) -> bytes:
    body = b'{"ssin":"85660812341","dossierReference":"IX-1"}'
    return (
        f"POST /person/v1/persons/get HTTP/1.1\r\nhost: hub.example\r\nauthorization: Bearer {process.token}\r\n"
        f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    ).encode() + body


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_accepted_question_is_answered_before_the_process_ends(process: Process, wire: Any, number: int) -> None:
    with wire(process.port) as asking:
        asking.send(question(process))
        time.sleep(0.2)
        process.end(number)

        assert 200 == asking.reply().status
    assert (0, "closed 1") == process.last_words()


def test_not_ready_from_the_signal_on_while_still_answering(process: Process, wire: Any) -> None:
    with wire(process.port) as asking, wire(process.port) as probing:
        before = probing.send(b"GET /readyz HTTP/1.1\r\nhost: x\r\n\r\n").reply().status
        asking.send(question(process))
        time.sleep(0.1)
        process.end()
        time.sleep(0.1)
        during = probing.send(b"GET /readyz HTTP/1.1\r\nhost: x\r\n\r\n").reply().status

        assert (200, 503, 200) == (before, during, asking.reply().status)


def test_idle_connections_do_not_hold_the_end(process: Process, wire: Any) -> None:
    idle = [wire(process.port) for _ in range(20)]
    process.end()
    code, words = process.last_words()
    for one in idle:
        one.socket.close()

    assert (0, "closed 0") == (code, words)
