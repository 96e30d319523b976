"""`python -P -m mock_sources --state DIR`: the sources alone, until Ctrl-C.

Prints one line of JSON when they listen: where each source is, and where the kit and the parking file lie.
"""

from __future__ import annotations

import argparse
import gc
import json
import sys
from pathlib import Path
from typing import Any

from mock_sources.app import ROOMS, Mocks, build
from mock_sources.server import HOST, bind, server


def main(arguments: list[str] | None = None) -> int:
    """Serve until stopped; 0 = stopped, 2 = the port is taken."""
    options = _options(arguments)
    try:
        opened = bind(options.port)
    except OSError as error:
        sys.stderr.write(f"port {options.port} on {HOST}: {error.strerror}\n")
        return 2
    base = f"http://{HOST}:{opened.getsockname()[1]}"
    mocks = build(options.state, options.seed, base=base)
    _settle()
    try:
        server(mocks, lambda: _announce(mocks, base)).run(sockets=[opened])
    except KeyboardInterrupt:
        return 0
    return 0


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -P -m mock_sources", description="Every source, mocked.")
    parser.add_argument("--state", type=Path, required=True, help="folder for credentials/ and parking/")
    parser.add_argument("--port", type=int, default=8090, help="0 takes a free one (default 8090)")
    parser.add_argument("--seed", type=int, default=7, help="another seed is another region (default 7)")
    return parser.parse_args(arguments)


def _settle() -> None:
    """The world is long-lived and does not change: keep the collector from walking it under load."""
    gc.collect()
    gc.freeze()


def _announce(mocks: Mocks, base: str) -> None:
    line: dict[str, Any] = {
        "ready": True,
        "base": base,
        "sources": {room: f"{base}/{prefix}" for prefix, room in ROOMS.items()},
        "admin": f"{base}/mock",
        "credentials": str(mocks.credentials.folder),
        "parking": str(mocks.parking.path),
    }
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
