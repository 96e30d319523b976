"""The issuer over HTTP: choose who you are, and go back. Nobody types a secret: everybody here is invented.

Faults (`Integrator-Test-Scenario` does not reach here; the board does): wrong_nonce · wrong_audience · wrong_issuer · expired.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from html import escape
from typing import Any
from urllib.parse import parse_qsl, unquote_plus, urlencode

from mock_sources.asgi import (
    BodyTooLarge,
    Receive,
    Scope,
    Send,
    header,
    problem,
    query_pairs,
    read_body,
    respond,
    respond_json,
    respond_problem,
)
from mock_sources.oidc.issuer import Issuer, Refused

_LIMIT = 16_384
_NUMBER = re.compile(r"\d{2}(6[1-9]|7[0-2])\d{7}").fullmatch  # test numbers only
OFFICIALS: Mapping[str, Mapping[str, Any]] = {
    "dpo-ixelles": {"name": "Dominique (Ixelles)", "roles": ["integrator-dpo"], "cbeNumber": "1992100975"},
    "dpo-brussels": {"name": "Camille (Bruxelles)", "roles": ["integrator-dpo"], "cbeNumber": "0207373429"},
    "dpo-hub": {"name": "Robin (hub)", "roles": ["integrator-hub-dpo"]},
    "dpo-hub-2": {"name": "Sacha (hub)", "roles": ["integrator-hub-dpo"]},
    "auditor": {"name": "Andrea (audit)", "roles": ["integrator-auditor"]},
}
_BENT: Mapping[str, Mapping[str, Any]] = {
    "wrong_nonce": {"nonce": "of-another-flow"}, "wrong_audience": {"aud": "another-client"},
    "wrong_issuer": {"iss": "https://issuer.invalid"}, "expired": {"exp": 1, "iat": 0},
}  # fmt: skip
Persons = Callable[[], Iterable[tuple[str, str]]]  # (test number, what the case is about)


class Door:
    """ASGI callable. `persons()` are the named cases that may be chosen; any other test number may be typed."""

    def __init__(self, issuer: Issuer, persons: Persons) -> None:
        self._issuer, self._persons = issuer, persons

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Route on method and path."""
        base = f"http://{(header(scope, b'host') or b'').decode('latin-1')}{scope.get('root_path', '')}"
        try:
            match scope["method"], scope["path"]:
                case "GET", "/.well-known/openid-configuration":
                    await respond_json(send, 200, self._issuer.metadata(base))
                case "GET", "/jwks":
                    await respond_json(send, 200, self._issuer.keys())
                case "GET", "/authorize":
                    await self._choose(dict(query_pairs(scope)), send)
                case "POST", "/authorize":
                    await self._chosen(base, dict(query_pairs(scope)), await _form(receive), send)
                case "POST", "/token":
                    await self._token(scope, base, await _form(receive), send)
                case _:
                    await respond_problem(
                        send, problem(404, "resourceNotFound", "see /.well-known/openid-configuration")
                    )
        except BodyTooLarge as error:
            await respond_problem(send, problem(413, "payloadTooLarge", str(error)))
        except Refused as refused:
            status = 401 if refused.error == "invalid_client" else 400
            await respond_json(send, status, {"error": refused.error, "error_description": refused.why})

    async def _choose(self, asked: Mapping[str, str], send: Send) -> None:
        self._issuer.question(asked)
        action = escape(f"authorize?{urlencode(asked)}", quote=True)
        officials = "".join(_button(name, str(one["name"])) for name, one in OFFICIALS.items())
        persons = "".join(_button(number, title) for number, title in self._persons())
        await respond(
            send,
            200,
            _PAGE.format(action=action, officials=officials, persons=persons).encode(),
            b"text/html; charset=utf-8",
        )

    async def _chosen(self, base: str, asked: Mapping[str, str], form: Mapping[str, str], send: Send) -> None:
        question = self._issuer.question(asked)
        who = form.get("who") or form.get("number", "").replace(".", "").replace("-", "").replace(" ", "")
        if who in OFFICIALS:
            claims: dict[str, Any] = {"sub": who, **OFFICIALS[who]}
        elif _NUMBER(who):
            claims = {"sub": hashlib.sha256(who.encode()).hexdigest()[:32], "name": "Test", "egovNRN": who}
        else:
            raise Refused("access_denied", "nobody here has that name or number: month 61 to 72")
        back = {"code": self._issuer.code(question, claims), "state": question.state, "iss": base}
        await respond(send, 303, b"", b"text/plain", [(b"location", f"{question.back}?{urlencode(back)}".encode())])

    async def _token(self, scope: Scope, base: str, form: Mapping[str, str], send: Send) -> None:
        bent = _BENT.get(scope.get("mock.fault") or "")
        answer = self._issuer.redeem(base, form, _basic(header(scope, b"authorization")), bent)
        await respond_json(send, 200, answer, [(b"cache-control", b"no-store")])


def _button(value: str, text: str) -> str:
    return f'<p><button name="who" value="{escape(value, quote=True)}">{escape(text)}</button></p>'


async def _form(receive: Receive) -> dict[str, str]:
    try:
        return dict(parse_qsl((await read_body(receive, _LIMIT)).decode(), keep_blank_values=True))
    except UnicodeDecodeError as error:
        raise Refused("invalid_request", "the form is not UTF-8") from error


def _basic(value: bytes | None) -> tuple[str, str]:
    """Name and secret of HTTP Basic, each urlencoded (RFC 6749 §2.3.1)."""
    kind, _, text = (value or b"").partition(b" ")
    try:
        name, _, secret = base64.b64decode(text, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        name = secret = ""
    return (unquote_plus(name), unquote_plus(secret)) if kind.lower() == b"basic" else ("", "")


_PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Mock issuer</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>body{{font:1rem/1.5 system-ui;max-width:40rem;margin:2rem auto;padding:0 1rem}}button{{font:inherit;padding:.4rem .8rem}}</style>
</head><body><main><h1>Who are you today?</h1><p>A rehearsal: everybody here is invented.</p>
<form method="post" action="{action}">
<h2>Any test person</h2><p><label>Test number <input name="number" autocomplete="off"></label> <button>Go on</button></p></form>
<form method="post" action="{action}"><h2>Officials</h2>{officials}<h2>Named cases</h2>{persons}</form></main></body></html>
"""
