"""`integrator audit witness key` makes and shows a witness's keys; `… serve` runs it: for other integrators' logs, or ours.

A witness needs no hub, no database and no settings: a folder, a port and the keys of the logs it watches.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from audit import FileKeyRing, LedgerError
from integrator.errors import ConfigurationError

if TYPE_CHECKING:
    from audit.tree.cosignature import Cosigner, MldsaCosigner


def add(verbs: Any) -> None:
    parser = verbs.add_parser("witness", help="vouch that a log only grew (C2SP tlog-witness)")
    words = parser.add_subparsers(dest="word", required=True, metavar="key | serve")
    key = words.add_parser("key", help="make its keys when there are none, and print what others configure")
    serve = words.add_parser("serve", help="answer POST /add-checkpoint until stopped")
    for one in (key, serve):
        one.add_argument(
            "--state", type=Path, required=True, help="folder of its keys and of what it cosigned: never lose it"
        )
        one.add_argument(
            "--name", help="its name, like witness.example/w1; needed the first time, kept in the state folder"
        )
        one.add_argument("--post-quantum", action="store_true", help="a second key, ML-DSA-44, beside Ed25519")
    key.set_defaults(run=run_key)
    serve.add_argument(
        "--log", action="append", required=True, metavar="VKEY", help="key of a log to watch; repeat for each"
    )
    serve.add_argument("--host", default="127.0.0.1")
    serve.add_argument("--port", type=int, default=8095)
    serve.set_defaults(run=run_serve)


def run_key(chosen: argparse.Namespace) -> int:
    for cosigner in cosigners(chosen.state, chosen.name, post_quantum=chosen.post_quantum):
        print(cosigner.vkey)
    return 0


def run_serve(chosen: argparse.Namespace) -> int:
    import uvicorn

    from audit.witness.app import app
    from audit.witness.witness import Witness

    keys = cosigners(chosen.state, chosen.name, post_quantum=chosen.post_quantum)
    witness = Witness(chosen.state, keys, logs(chosen.log))
    for cosigner in keys:
        print(cosigner.vkey, flush=True)
    print(f"http://{chosen.host}:{chosen.port}", file=sys.stderr, flush=True)
    try:
        # No access log: who asks is known by the origin, and the state says what was cosigned.
        uvicorn.run(
            app(witness), host=chosen.host, port=chosen.port, access_log=False, log_level="warning", lifespan="off"
        )
    finally:
        witness.close()
    return 0


def cosigners(state: Path, name: str | None, *, post_quantum: bool = False) -> list[Cosigner | MldsaCosigner]:
    """Its keys, made at the first use. A name, once given, stays: under another one the same key would be another witness."""
    from audit.tree.cosignature import Cosigner, MldsaCosigner

    file = state / "name"
    known = file.read_text().strip() if file.exists() else None
    if known is None and not name:
        raise ConfigurationError("this witness has no name yet", advice="Give it one: --name witness.example/w1")
    if known and name and known != name:
        raise ConfigurationError(
            f"the witness in this folder is called {known}",
            advice="Leave --name out, or give another witness a folder of its own.",
        )
    try:
        ring = FileKeyRing(state / "keys")
        found: list[Cosigner | MldsaCosigner] = [
            Cosigner.from_seed(known or str(name), ring.get("witness-ed25519", create=True))
        ]
        if post_quantum:
            found.append(MldsaCosigner.from_seed(known or str(name), ring.get("witness-mldsa44", create=True)))
    except LedgerError as error:
        raise ConfigurationError(f"the keys of the witness cannot be used: {error}") from error
    file.write_text(f"{known or name}\n")
    return found


def logs(vkeys: list[str]) -> dict[str, list[str]]:
    """Origin to keys: a log's key bears the name of its log; several of one name while a key is renewed."""
    from audit.tree.vkey import Vkey

    found: dict[str, list[str]] = {}
    for vkey in vkeys:
        try:
            found.setdefault(Vkey.parse(vkey).name, []).append(vkey)
        except LedgerError as error:
            raise ConfigurationError(
                f"--log is no key of a log: {error}", advice="Copy it from the log's policy or vkey file."
            ) from error
    return found
