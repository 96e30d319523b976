"""`integrator app requests | approve | refuse | list | keys | certificate | revoke | code`: what operators decide about applications.

Every act is written in the ledger, in the shard `<shard>-desk` beside a hub that runs; the hub sees the change itself
within a second. The organisation's DPO approves at the console; in the sandbox also here, with --as-dpo.
"""

from __future__ import annotations

import argparse
import asyncio
import getpass
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding

from integrator import clock, places, settings
from integrator.errors import ConfigurationError, IntegratorError, RequestRefused
from integrator.identity.applications import Application
from integrator.identity.certificates import REVOKED, Certificates, read_revoked, read_thumbprint
from integrator.identity.enrolment import Office, Waiting
from integrator.identity.enrolment.entries import entry
from integrator.identity.enrolment.opening import open_enrolment
from integrator.identity.lives import written
from integrator.identity.service import Identity
from integrator.publishing import open_publishing
from integrator.transport.wsse_sign import load_certificate
from integrator.transport.wsse_verify import Verifier
from integrator.years import ThisYear


def add(verbs: Any) -> None:
    requests = verbs.add_parser("requests", help="who asks to be enrolled")
    requests.set_defaults(run=lambda chosen: _with(chosen, _requests))
    approve = verbs.add_parser("approve", help="let an application in; its organisation's DPO approves too")
    approve.add_argument("id", help="of the request")
    approve.add_argument("--name", help="another name than it asks for")
    approve.add_argument("--as-dpo", action="store_true", help="as the organisation's DPO (sandbox only)")
    approve.set_defaults(run=lambda chosen: _with(chosen, _approve))
    refuse = verbs.add_parser("refuse", help="refuse a request")
    refuse.add_argument("id", help="of the request")
    refuse.set_defaults(run=lambda chosen: _with(chosen, _refuse))
    everyone = verbs.add_parser("list", help="applications that are enrolled")
    everyone.set_defaults(run=lambda chosen: _with(chosen, _list))
    keys = verbs.add_parser("keys", help="the keys of an application, and how long they live")
    keys.add_argument("name")
    keys.set_defaults(run=lambda chosen: _with(chosen, _keys))
    certificate = verbs.add_parser("certificate", help="a certificate that signs an application's SOAP messages")
    certificate.add_argument("name")
    certificate.add_argument("file", type=Path, help="PEM, for clients (clientAuth), P-256 or RSA of 2048 bits or more")
    certificate.set_defaults(run=lambda chosen: _with(chosen, _certify))
    revoke = verbs.add_parser("revoke", help="a key, a certificate, or the whole application: at once, with its tokens")
    what = revoke.add_mutually_exclusive_group(required=True)
    what.add_argument("name", nargs="?", help="the application")
    what.add_argument("--certificate", help="SHA-256 thumbprint of a client certificate")
    revoke.add_argument("--kid", help="this key only; left out: the application is switched off")
    revoke.set_defaults(run=lambda chosen: _with(chosen, _revoke))
    code = verbs.add_parser("code", help="a one-time code with which a vendor opens the page of its rights")
    code.add_argument("name")
    code.set_defaults(run=lambda chosen: _with(chosen, _code))
    for verb in (requests, approve, refuse, everyone, keys, certificate, revoke, code):
        verb.add_argument("--settings", type=Path)
    for verb in (approve, refuse, certificate, revoke):
        verb.add_argument(
            "--as", dest="account", default=None, help="who decides; default: your account on this machine"
        )
    for verb in (refuse, revoke):
        verb.add_argument(
            "--why", required=True, help="for the ledger, sealed; 10 to 500 characters, no numbers of people"
        )


async def _requests(office: Office, chosen: argparse.Namespace) -> None:
    for one in reversed(await office.pile.all()):
        _print(one)


async def _approve(office: Office, chosen: argparse.Namespace) -> None:
    if chosen.as_dpo and office.desk.rooms.world != "sandbox":
        raise ConfigurationError(
            "a DPO approves at the console", advice="Here only in the sandbox: /console/applications/."
        )
    role, account = ("dpo", "dpo:") if chosen.as_dpo else ("operator", "")
    _print(await office.approve(chosen.id, role, account + _account(chosen), name=chosen.name))  # type: ignore[arg-type]


async def _refuse(office: Office, chosen: argparse.Namespace) -> None:
    _print(await office.refuse(chosen.id, "operator", _account(chosen), _words(chosen)))


async def _list(office: Office, chosen: argparse.Namespace) -> None:
    for one in await office.desk.applications():
        state = "off" if one.disabled else "on"
        print(f"{one.id:32} {one.organisation}  {state:4} {len(one.keys)} keys  {', '.join(sorted(one.purposes))}")


async def _keys(office: Office, chosen: argparse.Namespace) -> None:
    _print_keys(await office.desk.application(chosen.name))


async def _certify(office: Office, chosen: argparse.Namespace) -> None:
    loaded = settings.load(chosen.settings)
    certificate = load_certificate(chosen.file)
    Verifier(certificate, clock.system)  # a key that no message could be verified with is refused here
    authority = Path(loaded.tls["clientCa"]) if "clientCa" in loaded.tls else None
    mark = Certificates(authority, loaded.state / REVOKED, clock.system).believe(certificate.public_bytes(Encoding.DER))
    await office.desk.certify(chosen.name, mark, "operator", _account(chosen))
    print(f"{mark}: signs the SOAP messages of {chosen.name}, until {certificate.not_valid_after_utc:%Y-%m-%d}")


async def _revoke(office: Office, chosen: argparse.Namespace) -> None:
    account, why = _account(chosen), _words(chosen)
    if chosen.certificate is not None:
        await _revoke_certificate(office, chosen, account, why)
    elif chosen.kid is not None:
        _print_keys(await office.desk.revoke(chosen.name, chosen.kid, "operator", account, why))
    else:
        await office.desk.disable(chosen.name, "operator", account, why)
        print(f"{chosen.name}: switched off, with every key and token")


async def _revoke_certificate(office: Office, chosen: argparse.Namespace, account: str, why: str) -> None:
    mark = read_thumbprint(chosen.certificate)
    path = settings.load(chosen.settings).state / REVOKED
    if mark not in read_revoked(path):
        agent = {"id": account, "role": "operator"}
        await office.desk.record(entry("certificate.revoke", None, None, kid=mark, agent=agent, words=why))
        with path.open("a", encoding="utf-8") as file:
            file.write(f"{mark}  # {written(clock.system())}\n")
    print(f"{mark}: revoked, with every token bound to it")


async def _code(office: Office, chosen: argparse.Namespace) -> None:
    application = await office.desk.application(chosen.name)
    print(await office.pile.give_code(application.id, clock.system()))


def _print(one: Waiting) -> None:
    day = datetime.fromtimestamp(one.asked, UTC).date().isoformat()
    said = {"operator": one.operator is not None, "dpo": one.dpo is not None}
    by = ", ".join(role for role, yes in said.items() if yes) or "nobody"
    state = one.state if one.reason is None else f"{one.state} ({one.reason})"
    print(f"{one.id}  {day}  {state:9}  approved by {by}")
    print(f"  {one.name} · {one.title} · {one.organisation} · {', '.join(one.purposes)} · {one.contact} · {one.kid}")


def _print_keys(application: Application) -> None:
    for kid in dict.fromkeys([*application.keys, *application.lives]):
        life = application.life(kid)
        told = [f"{word} {written(moment)}" for word, moment in
                (("added", life.added), ("ends", life.ends), ("revoked", life.revoked)) if moment is not None]  # fmt: skip
        print(
            f"{kid}  {', '.join(told) or 'lives as long as the application'}{f' by the {life.by}' if life.by else ''}"
        )


def _account(chosen: argparse.Namespace) -> str:
    return str(chosen.account or getpass.getuser())[:60]


def _words(chosen: argparse.Namespace) -> str:
    words = " ".join(str(chosen.why).split())
    if not 10 <= len(words) <= 500:
        raise ConfigurationError("--why says why, in 10 to 500 characters", advice="It is sealed in the ledger.")
    return words


def _with(chosen: argparse.Namespace, act: Callable[[Office, argparse.Namespace], Coroutine[Any, Any, None]]) -> int:
    with _office(chosen.settings) as office:
        try:
            asyncio.run(act(office, chosen))
        except RequestRefused as error:
            raise ConfigurationError(getattr(error, "reason", error.code), advice=error.hint) from error
    return 0


@contextmanager
def _office(local: Path | None) -> Iterator[Office]:
    """The office over this machine's state, writing beside a hub that runs. The ledger is opened by the first act only."""
    chosen = settings.load(local)
    identity = Identity(chosen.state, base=chosen.issuer, world=chosen.mode, now=clock.system)
    ledger: list[Any] = []

    async def write(drafts: Any) -> Any:
        if not ledger:
            ledger.append(open_publishing(replace(chosen, shard=f"{chosen.shard}-desk"), clock.system))
            ledger[0].publisher.start()
        return await ThisYear(ledger[0].books).append(drafts)

    codes = {path.stem for path in places.folder("policies").glob("*.yaml")}
    try:
        office = open_enrolment(chosen, identity, lambda: codes, write, clock.system)
    except IntegratorError:
        identity.close()
        raise
    try:
        yield office
    finally:
        office.pile.close()
        identity.close()
        for one in ledger:
            one.close()
