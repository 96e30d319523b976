"""A witness as a program of its own, over real HTTP: cosigning, a split view, kill -9 in the middle of it."""

from __future__ import annotations

import base64
import json
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from audit.errors import TrustInsufficient
from audit.posting import Unreachable, send
from audit.tree.cosignature import Cosigner
from audit.tree.note import NoteVerifier, make_verifier, open_note, sign_note
from audit.tree.trust import Trust
from audit.witness.client import WitnessClient, WitnessConflict, WitnessForked
from audit.witness.cosigned import with_lines
from audit.witness.request import render
from audit.witness.witness import Witness
from audit.witness.witnessing import FORKED, Witnessing
from integrator.commands.sandbox import Sandbox, free_port
from integrator.errors import ConfigurationError
from tests.flows.audit.test_interop import LOG, Verify, go, publish
from tests.flows.audit.test_timestamps import anchor_of_hub, ask, until
from tests.flows.sandboxes import beside, callers
from tests.unit.audit.witness.conftest import NAME, ORIGIN, Log

KILLS = 8
__all__ = ["go"]  # the fixture: Go's checksum database code


class Program:
    """`integrator audit witness serve`, on a free port, with a state folder that outlives it."""

    def __init__(self, state: Path, vkeys: list[str]) -> None:
        self.port = free_port(0)
        self.url = f"http://127.0.0.1:{self.port}"
        self._command = [
            sys.executable, "-P", "-m", "integrator.cli", "audit", "witness", "serve", "--state", str(state), "--name", NAME,
            "--port", str(self.port), "--post-quantum", *(word for vkey in vkeys for word in ("--log", vkey)),
        ]  # fmt: skip
        self.vkeys: list[str] = []
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(self._command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        assert self.process.stdout is not None
        self.vkeys = [self.process.stdout.readline().strip() for _ in range(2)]
        deadline = time.monotonic() + 30
        while True:
            try:
                assert 200 == send(f"{self.url}/livez", None, "", timeout=5).status
                return
            except Unreachable:
                assert self.process.poll() is None and time.monotonic() < deadline
                time.sleep(0.02)

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()

    def client(self) -> WitnessClient:
        return WitnessClient(self.url, self.vkeys, timeout=10)


@pytest.fixture
def log() -> Log:
    return Log()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Program]]:
    running: list[Program] = []

    def start(*logs: Log) -> Program:
        running.append(Program(tmp_path / "witness", [one.signer.vkey for one in logs]))
        return running[-1]

    yield start
    for one in running:
        if one.process.poll() is None:
            one.kill()


def test_both_cosignatures_come_over_http_and_a_fork_is_told_apart(start: Callable[..., Program], log: Log) -> None:
    witness = start(log)
    asking = Witnessing([witness.client()], log)
    note = log.grow_to(300)
    asking.on_anchor(note)
    asking.step()
    kept = log.files[f"{ORIGIN}/witnessed/300"]

    signed = open_note(kept, map(make_verifier, [log.signer.vkey, *witness.vkeys])).signed_by
    assert [ORIGIN, NAME, NAME] == [one.name for one in signed]
    assert kept == witness.client().checkpoint(ORIGIN)

    fork = Log(story="other")
    split = Witnessing([witness.client()], fork)
    split.on_anchor(fork.grow_to(400, common=200))
    split.step()
    assert FORKED == split.status().witnesses[0].alarm
    assert kept == fork.files[f"{ORIGIN}/forked/{NAME.replace('/', '-')}"]


def test_kill_9_at_any_moment_never_lets_the_witness_go_back(start: Callable[..., Program], log: Log) -> None:
    """What it cosigned before it was killed, it knows afterwards; and whatever it signs is one history."""
    witness = start(log)
    size, texts = 0, dict[int, str]()
    log.grow_to(3000)
    for round_ in range(KILLS):
        client = witness.client()
        killer = threading.Timer(0.03 + round_ * 0.023, witness.process.kill)  # while we wait for an answer
        killer.start()
        try:
            while True:
                lines = client.cosign(size, log.proof(size, size + 1), log.note(size + 1))
                size += 1
                whole = with_lines(log.note(size), lines)
                texts[size] = open_note(whole, map(make_verifier, client.vkeys)).text
        except Unreachable:
            killer.join()
            witness.kill()
        witness.start()
        stands = held(witness.client(), log)
        assert stands in (size, size + 1)  # the last one may have been durable and its answer lost
        size = stands
        if size > 1:
            for old in (0, size - 1):
                with pytest.raises(WitnessConflict):
                    witness.client().cosign(old, log.proof(old, size), log.note(size))
    fork = Log(story="other")
    fork.grow_to(size + 1, common=size // 2)
    with pytest.raises(WitnessForked):
        witness.client().cosign(size, fork.proof(size, size + 1), fork.note(size + 1))
    assert size >= KILLS  # it really was at work each time
    assert all(text.split("\n")[1] == str(one) for one, text in texts.items())


def held(client: WitnessClient, log: Log) -> int:
    """The size at which the witness says it stands."""
    try:
        client.cosign(2999, log.proof(2999, 3000), log.note(3000))
    except WitnessConflict as conflict:
        return conflict.size
    raise AssertionError("it cannot have come this far")


# --- a hub and its witness ------------------------------------------------------------------------------------------------


def test_a_hub_is_witnessed_its_policy_says_so_and_a_restored_copy_does_not_start(
    hub: Sandbox, start: Callable[..., Program], tmp_path: Path
) -> None:
    """The operator restores yesterday's copy of everything, what was signed included; only the witness remembers."""
    state = tmp_path / "state"
    with beside(hub, state) as own:
        anchor, log = anchor_of_hub(own.settings), own.state / "log"
        first = callers(own.running, own.settings, tmp_path / "keys")
        assert (200, "") == ask(first)
        until(lambda: (log / anchor / "checkpoint").exists(), "an anchor checkpoint")
        own.end()
        vkey = (log / anchor / "vkey").read_text().strip()
        witness = start(Keyed(anchor, vkey))
        known = {"name": "w1", "url": witness.url, "vkey": witness.vkeys}
        with own.file.open("a") as settings:
            yaml.safe_dump({"audit": {"witnesses": [known]}}, settings)
        own.start()
        trust = until(lambda: policy_with_quorum(log), "a policy that names the witness")
        note = until(lambda: published_with_quorum(log / anchor / "checkpoint", trust), "a cosigned anchor checkpoint")
        assert {anchor, NAME} == {one.name for one in trust.verify(note).signed_by}
        own.end()
        yesterday = tmp_path / "yesterday"
        shutil.copytree(state, yesterday, symlinks=True)

        own.start()
        size = anchor_size(log / anchor)
        assert (200, "") == ask(first)
        until(lambda: anchor_size(log / anchor) > size, "the anchor to grow")
        until(lambda: held_of(witness, anchor) > size, "the witness to see it")
        own.end()
        first.close()
        shutil.rmtree(state)
        shutil.copytree(yesterday, state, symlinks=True)
        with pytest.raises(ConfigurationError, match="witness w1 has cosigned"):
            own.start()
        assert size == anchor_size(log / anchor)  # nothing was signed on top


class Keyed:
    """A log of which only the key is known."""

    def __init__(self, origin: str, vkey: str) -> None:
        self.origin, self.signer = origin, self
        self.vkey = vkey


def policy_with_quorum(log: Path) -> Trust | None:
    trust = Trust.parse((log / "policy").read_text())
    return trust if trust.quorum is not None else None


def published_with_quorum(checkpoint: Path, trust: Trust) -> bytes | None:
    note = checkpoint.read_bytes()
    try:
        trust.verify(note)
    except TrustInsufficient:
        return None
    return note


def anchor_size(folder: Path) -> int:
    return int((folder / "checkpoint").read_text().split("\n")[1])


def held_of(witness: Program, origin: str) -> int:
    note = witness.client().checkpoint(origin)
    return int(note.decode().split("\n")[1]) if note else -1


@pytest.mark.go
def test_go_reads_the_checkpoint_that_our_witness_cosigned(go: Verify, tmp_path: Path) -> None:
    publish(tmp_path, 250, 300)
    key = Cosigner.from_seed(NAME, b"w" * 32)
    witness = Witness(tmp_path / "witness", key, {LOG.name: LOG.vkey}, clock=lambda: 1_800_000_042)
    [proof] = json.loads((tmp_path / "consistency.json").read_text())
    hashes = [base64.b64decode(one) for one in proof["hashes"]]
    old, new = [
        sign_note(open_note((tmp_path / name).read_bytes(), [NoteVerifier(LOG.vkey)]).text, LOG)
        for name in ("old-checkpoint", "checkpoint")
    ]

    assert 200 == witness.add_checkpoint(render(0, [], old)).status
    reply = witness.add_checkpoint(render(250, hashes, new))
    witness.close()
    (tmp_path / "checkpoint").write_bytes(with_lines(new, reply.body.decode().splitlines()))
    (tmp_path / "witness-vkey").write_text(key.vkey)

    assert "cosigned at 1800000042\nverified\n" == go(tmp_path).stdout
