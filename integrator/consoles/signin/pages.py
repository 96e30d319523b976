"""The pages of signing in and out: the choice of ways, the local form, the one-time set-up."""

from __future__ import annotations

import asyncio
import json

import segno
from markupsafe import Markup
from starlette.responses import Response

from integrator.consoles.accounts import LONGEST, SHORTEST, Accounts
from integrator.consoles.people import Person
from integrator.consoles.rooms import Room
from integrator.consoles.signin import totp
from integrator.consoles.signin.oidc import FLOW, Oidc, SignInFailed
from integrator.consoles.signin.throttle import Throttle
from integrator.consoles.vault import SealBroken
from integrator.consoles.visit import Visit
from integrator.consoles.web import PageRefused
from integrator.logs import log

room = Room("", None)
_DEVICE = 90 * 86_400
_ISSUER = "Integrator"
_HASHING = asyncio.Semaphore(2)  # each takes 64 MiB; strangers must not take all


@room.get("/")
async def home(visit: Visit) -> Response:
    """To where this person works."""
    if visit.session is None:
        return visit.go("/signin")
    entries = visit.consoles.rooms_of(visit.person)
    if not entries:
        raise PageRefused("no_room", 403)
    return visit.go(entries[0].path)


@room.get("/signin")
async def form(visit: Visit) -> Response:
    if visit.session is not None:
        return await home(visit)
    return _form(visit)


def _form(visit: Visit, status: int = 200, **said: object) -> Response:
    ways = {"local": _accounts(visit) is not None, "oidc": visit.consoles.extras.get("oidc") is not None}
    return visit.page("signin/form.html", status=status, **{"wrong": False, "wait": 0, "name": "", **ways, **said})


@room.post("/signin")
async def sign_in(visit: Visit) -> Response:
    accounts = _accounts(visit)
    if accounts is None:
        raise PageRefused("not_there", 404)
    name = visit.form["name"].lower()[:100]
    throttle = Throttle(visit.consoles.database, visit.consoles.now)
    tag = _counter(visit, name)
    wait = await throttle.enter(tag)
    if wait:
        return _form(visit, 429, wait=max(1, round(wait / 60)), name=name)
    async with _HASHING:
        person = await asyncio.to_thread(accounts.check, name, visit.form.raw("password"), visit.form["code"])
    if person is None:
        return _form(visit, 401, wrong=True, name=name)
    await throttle.passed(tag)
    visit.set_cookie("device", visit.consoles.vault.seal("device", name), _DEVICE)
    await begin(visit, person)
    return visit.go("/")


async def begin(visit: Visit, person: Person) -> None:
    """A new session with a new number, whatever the browser held before."""
    if visit.session is not None:
        await visit.consoles.sessions.end(visit.session)
    visit.session = await visit.consoles.sessions.begin(person)
    visit.token = visit.session.token
    visit.set_cookie("session", visit.token)


@room.post("/signout")
async def sign_out(visit: Visit) -> Response:
    """Here, or everywhere."""
    if visit.session is not None:
        if visit.form["everywhere"]:
            await visit.consoles.sessions.end_all(visit.person.id)
        await visit.consoles.sessions.end(visit.session)
        visit.session = None
    visit.set_cookie("session", "", 0)
    return visit.go("/signin")


@room.get("/setup")
async def setup_form(visit: Visit) -> Response:
    if _accounts(visit) is None:
        raise PageRefused("not_there", 404)
    return visit.page("signin/setup.html", wrong=False)


@room.post("/setup")
async def setup_begin(visit: Visit) -> Response:
    """The set-up code was typed: show the QR code and ask for a password."""
    accounts = _accounts(visit)
    # 120 random bits: guessing needs no slowing down.
    account = None if accounts is None else await asyncio.to_thread(accounts.to_set_up, visit.form["setup"])
    if account is None:
        return visit.page("signin/setup.html", status=401, wrong=True)
    pending = {"setup": visit.form["setup"], "name": account.name, "secret": totp.new_secret()}
    return _app(visit, pending)


@room.post("/setup/finish")
async def setup_finish(visit: Visit) -> Response:
    accounts = _accounts(visit)
    try:
        pending: dict[str, str] = json.loads(visit.consoles.vault.open("setup", visit.form["pending"]))
    except SealBroken as error:
        raise PageRefused("stale_form", 403) from error
    password = visit.form.raw("password")
    if not SHORTEST <= len(password) <= LONGEST:
        return _app(visit, pending, short=True)
    if password != visit.form.raw("again"):
        return _app(visit, pending, differ=True)
    if accounts is None:
        raise PageRefused("not_there", 404)
    async with _HASHING:
        code = visit.form["code"]
        person = await asyncio.to_thread(accounts.set_up, pending["setup"], password, pending["secret"], code)
    if person is None:
        return _app(visit, pending, wrong=True)
    visit.set_cookie("device", visit.consoles.vault.seal("device", pending["name"]), _DEVICE)
    await begin(visit, person)
    return visit.go("/")


def _app(visit: Visit, pending: dict[str, str], **said: bool) -> Response:
    """The page with the QR code. What is pending travels sealed in the form: nothing is kept for whoever never ends."""
    address = totp.address(pending["secret"], pending["name"], _ISSUER)
    picture = segno.make(address, error="m").svg_inline(scale=5, border=4, dark="#000", light="#fff", omitsize=False)
    secret = pending["secret"]
    wrong = {"short": False, "differ": False, "wrong": False} | said
    return visit.page(
        "signin/app.html", status=400 if said else 200, qr=Markup(picture), name=pending["name"], shortest=SHORTEST,  # noqa: S704
        secret=" ".join(secret[start : start + 4] for start in range(0, len(secret), 4)),
        pending=visit.consoles.vault.seal("setup", json.dumps(pending)), **wrong,
    )  # fmt: skip


def _counter(visit: Visit, name: str) -> str:
    """Under which tag failures count: apart in a browser where this account signed in before."""
    try:
        known = visit.consoles.vault.open("device", visit.cookie("device")) == name
    except SealBroken:
        known = False
    return visit.consoles.vault.tag("attempt", f"{name} {visit.cookie('device') if known else ''}")


def _accounts(visit: Visit) -> Accounts | None:
    """Local accounts exist in the sandbox only."""
    return visit.consoles.extras.get("accounts") if visit.consoles.sandbox else None


@room.get("/signin/oidc")
async def oidc_start(visit: Visit) -> Response:
    """To the issuer. A link, not a form: nothing changes here, and our pages let forms go to ourselves only."""
    oidc = _oidc(visit)
    try:
        address, flow = await oidc.start()
    except SignInFailed as error:
        return _failed(visit, error)
    visit.set_cookie("oidc", flow, FLOW)
    return visit.away(address)


@room.get("/signin/callback")
async def oidc_finish(visit: Visit) -> Response:
    """Back from the issuer, once."""
    visit.set_cookie("oidc", "", 0)
    try:
        person = await _oidc(visit).finish(visit.cookie("oidc"), dict(visit.request.query_params))
        if not person.roles:
            raise SignInFailed("NO_ROLE")
    except SignInFailed as error:
        return _failed(visit, error)
    await begin(visit, person)
    return visit.go("/")


def _failed(visit: Visit, error: SignInFailed) -> Response:
    log.warning("sign_in_failed", kind=error.reason.lower())
    word = "no_room" if error.reason == "NO_ROLE" else "no_sign_in"
    return visit.page("refusal.html", status=403 if word == "no_room" else 502, word=word)


def _oidc(visit: Visit) -> Oidc:
    found: Oidc | None = visit.consoles.extras.get("oidc")
    if found is None:
        raise PageRefused("not_there", 404)
    return found
