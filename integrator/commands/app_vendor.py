"""`integrator app request | status | rotate | rights`: what a vendor does, with the vendors' own client, at a running hub."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from integrator.errors import ConfigurationError


def add(verbs: Any) -> None:
    request = verbs.add_parser("request", help="ask a hub to enrol an application; writes NAME.jwk, its private key")
    request.add_argument("name", help="lower case letters, digits and -")
    request.add_argument("--hub", required=True, help="address of the hub")
    request.add_argument("--organisation", required=True, help="enterprise number of the body it would work for")
    request.add_argument("--purpose", action="append", required=True, help="may be given several times")
    request.add_argument("--contact", required=True, help="mailbox of a role, such as integrations@vendor.example")
    request.add_argument("--title", help="as people know it; default: the name")
    request.add_argument("--certificate-bound", action="store_true", help="tokens over mutual TLS only")
    request.add_argument("--key", type=Path, help="where the private key goes; default NAME.jwk here")
    request.set_defaults(run=_guarded(run_request))
    status = verbs.add_parser("status", help="how far a request is")
    status.set_defaults(run=_guarded(run_status))
    rotate = verbs.add_parser("rotate", help="replace the key of an application by a new one")
    rotate.add_argument("--overlap", type=int, default=86_400, help="seconds the old key lives on; default a day")
    rotate.set_defaults(run=_guarded(run_rotate))
    rights = verbs.add_parser("rights", help="what an application may ask, and until when")
    rights.add_argument("--purpose", required=True)
    rights.set_defaults(run=_guarded(run_rights))
    for verb in (status, rotate, rights):
        verb.add_argument("--key", type=Path, required=True)


def run_request(chosen: argparse.Namespace) -> int:
    from connectors.client import enrolment

    path = chosen.key or Path(f"{chosen.name}.jwk")
    asked = enrolment.request(
        chosen.hub, chosen.name, path, organisation=chosen.organisation, purposes=chosen.purpose, contact=chosen.contact,
        title=chosen.title or chosen.name, certificate_bound=chosen.certificate_bound,
    )  # fmt: skip
    print(f"{path}: the private key of {chosen.name} and the secret of its request (mode 0600; keep it)")
    print(f"request {asked['requestId']}: {asked['state']}. Next:  integrator app status --key {path}")
    return 0


def run_status(chosen: argparse.Namespace) -> int:
    from connectors.client import enrolment

    told = enrolment.status(chosen.key)
    approved = [who for who, yes in told["approvals"].items() if yes]
    print(f"request {told['requestId']}: {told['state']}, approved by {', '.join(approved) or 'nobody yet'}")
    if told["state"] == "approved":
        print(f"Next:  TOKEN=$(integrator token --key {chosen.key} --purpose {told['purposes'][0]})")
    return 0


def run_rotate(chosen: argparse.Namespace) -> int:
    from connectors.client import Hub

    with Hub.from_key(chosen.key, purpose="-", renew=0) as hub:
        print(f"{chosen.key}: now holds {hub.rotate(overlap=chosen.overlap)}")
    return 0


def run_rights(chosen: argparse.Namespace) -> int:
    from connectors.client import Hub

    with Hub.from_key(chosen.key, purpose=chosen.purpose) as hub:
        print(json.dumps(hub.rights().body, ensure_ascii=False, indent=2))
    return 0


def _guarded(run: Callable[[argparse.Namespace], int]) -> Callable[[argparse.Namespace], int]:
    """What the client raises, as this command line says it."""

    def guarded(chosen: argparse.Namespace) -> int:
        try:
            from connectors.client import HubUnreachable, Problem
        except ImportError as error:
            raise ConfigurationError("the vendor client needs httpx, which is not installed here") from error
        try:
            return run(chosen)
        except Problem as problem:
            raise ConfigurationError(str(problem), advice=_advice(problem)) from problem
        except HubUnreachable as error:
            raise ConfigurationError(str(error), advice="Is this the address of a hub that runs?") from error
        except (OSError, KeyError, ValueError) as error:
            raise ConfigurationError(
                f"the key file cannot be used: {type(error).__name__}",
                advice="It is the file that app request or app create wrote; a file that exists is never overwritten.",
            ) from error

    return guarded


def _advice(problem: Any) -> str:
    issues = "; ".join(f"{issue.get('name')}: {issue.get('detail')}" for issue in problem.issues)
    return issues or str(problem.detail)
