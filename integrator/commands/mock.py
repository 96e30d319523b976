"""`integrator mock up` runs the sources alone; `integrator mock fault SOURCE KIND` makes one of them ill."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from integrator.errors import ConfigurationError

URL = os.environ.get("INTEGRATOR_MOCKS", "http://127.0.0.1:8090")  # as the settings read it


def add(words: Any) -> None:
    parser = words.add_parser("mock", help="the mock sources: up, fault")
    verbs = parser.add_subparsers(dest="verb", required=True)
    up = verbs.add_parser("up", help="run every source on loopback until Ctrl-C")
    up.add_argument("--state", type=Path, default=Path("var/sandbox/mock"))
    up.add_argument("--port", type=int, default=8090)
    up.add_argument("--seed", type=int, default=7)
    up.set_defaults(run=run_up)
    fault = verbs.add_parser("fault", help="make a source ill, or well again with `clear`")
    fault.add_argument("source")
    fault.add_argument("kind", help="delay, hang, reset, http503, wrong_subject, … or clear")
    fault.add_argument("--rate", type=float, default=1.0, help="share of calls, 0 to 1")
    fault.add_argument("--times", type=int, help="how many calls; default: until cleared")
    fault.add_argument("--ms", type=int, help="milliseconds, for delay and lognormal")
    fault.add_argument("--url", default=URL)
    fault.set_defaults(run=run_fault)


def command(state: Path, port: int, seed: int = 7) -> list[str]:
    """How the mocks are started: a program of its own, so that nothing of the hub is in its process."""
    return [sys.executable, "-P", "-m", "mock_sources", "--state", str(state), "--port", str(port), "--seed", str(seed)]


def run_up(chosen: argparse.Namespace) -> int:
    return subprocess.run(command(chosen.state, chosen.port, chosen.seed), check=False).returncode


def run_fault(chosen: argparse.Namespace) -> int:
    if chosen.kind == "clear":
        call("DELETE", f"{chosen.url}/mock/faults/{chosen.source}")
        print(f"{chosen.source}: well again")
        return 0
    wish = {"kind": chosen.kind, "rate": chosen.rate, "times": chosen.times, "ms": chosen.ms}
    call(
        "PUT",
        f"{chosen.url}/mock/faults/{chosen.source}",
        {name: value for name, value in wish.items() if value is not None},
    )
    print(f"{chosen.source}: {chosen.kind}; `integrator mock fault {chosen.source} clear` ends it")
    return 0


def call(method: str, url: str, body: dict[str, Any] | None = None) -> Any:
    """One call to the mocks' own admin API. Raises `ConfigurationError` when they are not up, or say no."""
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"}, method=method)  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310
            text = answer.read()
    except urllib.error.HTTPError as error:
        raise ConfigurationError(f"the mocks refuse: {error.read().decode(errors='replace')[:400]}") from error
    except OSError as error:
        raise ConfigurationError(f"no mock sources at {url}", advice="Start them: integrator mock up") from error
    return json.loads(text) if text else None
