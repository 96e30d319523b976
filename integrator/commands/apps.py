"""`integrator app …`: applications, their requests and keys; `integrator token`: an access token for curl."""

from __future__ import annotations

import argparse
import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

from audit import LedgerError
from audit.log.names import newest
from integrator import clock, settings
from integrator.commands import app_office, app_vendor, mock
from integrator.commands.policy.house import in_force
from integrator.delivery.webhooks import signing as webhook_keys
from integrator.errors import ConfigurationError
from integrator.identity import applications, keys
from integrator.publishing import open_logbook, refused


def add(words: Any) -> None:
    app = words.add_parser("app", help="the applications that may ask")
    verbs = app.add_subparsers(dest="verb", required=True)
    create = verbs.add_parser("create", help="enrol an application; writes NAME.jwk, its private key")
    create.add_argument("name", help="lower case letters, digits and -")
    create.add_argument("--purpose", action="append", required=True, help="may be given several times")
    create.add_argument(
        "--organisation", default="ixelles", help="KBO number or short name of config/organisations.yaml"
    )
    create.add_argument("--algorithm", choices=keys.ALGORITHMS, default="ES256")
    create.add_argument("--key", type=Path, help="where the private key goes; default NAME.jwk here")
    create.add_argument("--settings", type=Path)
    create.set_defaults(run=run_create)
    app_vendor.add(verbs)
    app_office.add(verbs)
    signing = words.add_parser("keys", help="the hub's own signing keys: of tokens, and of the ledger")
    signing_verbs = signing.add_subparsers(dest="verb", required=True)
    new = signing_verbs.add_parser("new", help="make one; the newest signs, all are published until taken away")
    new.add_argument("--settings", type=Path)
    new.set_defaults(run=run_new_key)
    token = words.add_parser("token", help="print an access token for one purpose")
    token.add_argument("--key", type=Path, required=True)
    token.add_argument("--purpose", required=True)
    token.add_argument("--hub", help="default: the hub the key was made for")
    token.add_argument(
        "--agent", help="sandbox: for one of the invented staff, as the mock issuers know him (an.peeters)"
    )
    token.add_argument(
        "--issuer", default="iam", choices=("iam", "eid", "itsme"), help="which mock issuer vouches for him"
    )
    token.add_argument("--assertion", action="store_true", help="print a fresh client_assertion instead, for curl")
    token.add_argument("--delegation", help="with --agent: act under this delegation, d-…")
    token.add_argument("--mocks", default=mock.URL)
    token.set_defaults(run=run_token)


def run_create(chosen: argparse.Namespace) -> int:
    path = chosen.key or Path(f"{chosen.name}.jwk")
    create(settings.load(chosen.settings), chosen.name, chosen.organisation, chosen.purpose, path, chosen.algorithm)
    print(f"{path}: the private key of {chosen.name} (mode 0600; keep it secret, it is not stored anywhere else)")
    print(f"Next:  TOKEN=$(integrator token --key {path} --purpose {chosen.purpose[0]})")
    return 0


def create(
    chosen: settings.Settings, name: str, organisation: str, purposes: list[str], path: Path, algorithm: str = "ES256"
) -> None:
    """Enrol, and write the private JWK with the client id and the hub's address beside the key."""
    organisations = settings.organisations()
    unknown = set(purposes) - set(in_force(chosen)[0])
    if unknown:
        raise ConfigurationError(
            f"no such purpose: {', '.join(sorted(unknown))}",
            advice="See policies/ or /docs for the purposes there are.",
        )
    private = keys.new_key(chosen.mode, algorithm)
    folder = chosen.state / "applications"
    number = organisations["organisations"].get(organisation, {}).get("number", organisation)
    if path.exists():
        raise ConfigurationError(f"{path} exists; it will not be overwritten")
    try:
        applications.create_application(
            folder, name, organisation=number, purposes=purposes, world=chosen.mode, now=clock.system(), jwk=keys.public(private)
        )  # fmt: skip
    except FileExistsError as error:
        raise ConfigurationError(
            f"application {name} exists already", advice="Choose another name, or delete its file first."
        ) from error
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump({**private, "client_id": name, "hub": chosen.issuer}, file, indent=2)


def run_new_key(chosen: argparse.Namespace) -> int:
    loaded = settings.load(chosen.settings)
    folder = loaded.state / "keys"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    numbers = [int(path.stem.removeprefix("hub-")) for path in folder.glob("hub-*.json") if path.stem[4:].isdigit()]
    path = folder / f"hub-{max(numbers, default=0) + 1}.json"
    keys.write_private(path, keys.new_key(loaded.mode))
    if not webhook_keys.load_keys(folder, loaded.mode):  # in production; the sandbox makes its own
        print(
            f"{webhook_keys.new_key(folder, loaded.mode)}: signs what is pushed; `integrator delivery keys` shows its public half"
        )
    ledger = ledger_keys(loaded)
    for origin in ledger:
        print(f"{origin}: the key that signs this log (in {loaded.state / 'audit-keys'}; keep a copy apart, encrypted)")
    print(
        f"{path}: signs tokens from the next start on; take the older one away when its last token has ended (5 minutes)"
    )
    return 0


def ledger_keys(loaded: settings.Settings) -> list[str]:
    """Make the keys that sign the ledger, this year's and next year's; return the logs that had none yet."""
    book = open_logbook(loaded)
    try:
        year = clock.today(clock.system()).year
        # The hub, its clerk, and who writes beside it: `integrator audit keep` and `report`, `integrator policy`.
        beside = [replace(book.names, process=f"{loaded.shard}-{one}") for one in ("watch", "keep", "desk", "govern")]
        processes = (book.names, *beside)
        shards = [newest(names.shard(one), book.known()) for names in processes for one in (year, year + 1)]
        made = [origin for origin in (*shards, book.anchor, book.names.policy) if not book.signers.has(origin)]
        for origin in made:
            book.signers.signer(origin, create=True)
        return made
    except LedgerError as error:
        raise refused(error) from error
    finally:
        book.store.close()


def run_token(chosen: argparse.Namespace) -> int:
    try:
        from connectors.client import Hub, HubUnreachable, Problem
    except ImportError as error:
        raise ConfigurationError("the vendor client needs httpx, which is not installed here") from error
    try:
        with Hub.from_key(chosen.key, purpose=chosen.purpose, url=chosen.hub) as hub:
            if chosen.assertion:
                print(hub.assertion())
                return 0
            if not chosen.agent:
                print(hub.token())
                return 0
            vouched = mock.call("POST", f"{chosen.mocks}/{chosen.issuer}/token", {"person": chosen.agent})
            with hub.for_agent(vouched["id_token"], delegation=chosen.delegation) as for_agent:
                print(for_agent.token())
    except Problem as problem:
        raise ConfigurationError(
            str(problem), advice="integrator app create NAME --purpose … enrols an application"
        ) from problem
    except HubUnreachable as error:
        raise ConfigurationError(str(error), advice="Start the hub: integrator serve, or make demo") from error
    except FileNotFoundError as error:
        raise ConfigurationError(
            f"no key file {chosen.key}", advice="integrator app create NAME --purpose … makes one"
        ) from error
    return 0
