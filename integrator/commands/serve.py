"""`integrator serve`: the hub, until SIGTERM; then it finishes what it accepted."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from integrator import settings


def add(words: Any) -> None:
    parser = words.add_parser("serve", help="run the hub")
    parser.add_argument("--settings", type=Path, help="default: config/local.yaml where there is one")
    parser.add_argument("--host")
    parser.add_argument("--port", type=int)
    parser.add_argument("--state", help="folder of keys, ledger and applications")
    parser.add_argument("--ledger", help="sqlite:///path or postgresql://…")
    parser.add_argument("--shard", help="name of this writer process in the ledger")
    parser.add_argument("--mocks", help="address of the mock sources (sandbox)")
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    from integrator.app import serve  # late: `--help` need not read WSDLs

    serve(
        settings.load(
            chosen.settings,
            host=chosen.host,
            port=chosen.port,
            state=chosen.state,
            ledger=chosen.ledger,
            shard=chosen.shard,
            mocks=chosen.mocks,
        )
    )
    return 0
