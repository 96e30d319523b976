"""What a newcomer does next: an application of one's own beside the demonstration, and an end that leaves nothing running."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

INTEGRATOR = Path(sys.executable).parent / "integrator"


@dataclass(frozen=True, slots=True)
class Demonstration:
    """`integrator demo`, asked its three questions and staying up."""

    process: subprocess.Popen[str]
    folder: Path
    environment: dict[str, str]
    addresses: tuple[str, str]  # of the hub and of the mocks

    def integrator(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [INTEGRATOR, *words], cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=60, check=False
        )  # fmt: skip


@pytest.fixture
def demonstration(tmp_path: Path) -> Iterator[Demonstration]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("INTEGRATOR_")}
    environment |= {"INTEGRATOR_STATE": str(tmp_path / "state"), "PYTHONUNBUFFERED": "1", "COLUMNS": "200"}
    process = subprocess.Popen(
        [INTEGRATOR, "demo", "--port", "0"], cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),  # tests run in the background of a shell ignore Ctrl-C
    )  # fmt: skip
    try:
        found = _addresses(process)
        environment["INTEGRATOR_PORT"] = found[0].rpartition(":")[2]
        yield Demonstration(process, tmp_path, environment, found)
    finally:
        process.terminate()
        process.communicate(timeout=30)


def _addresses(process: subprocess.Popen[str]) -> tuple[str, str]:
    """Of the hub and of the mocks, from what the demonstration says before it begins to wait."""
    said = ""
    for line in process.stdout or ():
        said += line
        if "Ctrl-C" in line:
            break
    hub = re.search(r"(http://127.0.0.1:\d+)/docs", said)
    mocks = re.search(r"(http://127.0.0.1:\d+)/mock/personas", said)
    assert hub and mocks, said
    return hub[1], mocks[1]


def test_an_application_of_ones_own_is_known_to_the_demonstrations_hub(demonstration: Demonstration):
    made = demonstration.integrator("app", "create", "my-app", "--purpose", "resident_permit")
    token = demonstration.integrator("token", "--key", "my-app.jwk", "--purpose", "resident_permit")

    assert (0, 0) == (made.returncode, token.returncode), made.stderr + token.stderr
    assert 2 == token.stdout.count(".")


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM], ids=["ctrl_c", "terminated"])
def test_when_the_demonstration_ends_nothing_listens_any_more(how: signal.Signals, demonstration: Demonstration):
    demonstration.process.send_signal(how)
    demonstration.process.wait(30)

    assert [] == [address for address in demonstration.addresses if _answers(address)]


def _answers(address: str) -> bool:
    deadline = time.monotonic() + 2  # what is ending may still take a moment
    while time.monotonic() < deadline:
        try:
            urllib.request.urlopen(f"{address}/health", timeout=1).close()
        except urllib.error.HTTPError:
            pass  # somebody is there, and refuses
        except OSError:
            return False
        time.sleep(0.1)
    return True
