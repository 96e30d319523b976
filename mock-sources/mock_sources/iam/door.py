"""The issuers over HTTP. Nobody signs in: a tester says whom he wants a token of.

GET /iam            who there is, as a page with one button each
GET /iam/jwks       the public keys       GET /iam/.well-known/openid-configuration
POST /iam/token     {"person": "an.peeters", "acr"?: "…", "bent"?: {"aud": "…"}} → {"id_token": "…"}
POST /iam/rotate    new keys from now on
GET /iam/staff/NUMBER   the staff of an organisation as a SCIM bulk request
"""

from __future__ import annotations

import json
from html import escape
from typing import Any

from mock_sources.asgi import (
    BodyTooLarge,
    Receive,
    Scope,
    Send,
    header,
    problem,
    read_body,
    respond,
    respond_json,
    respond_problem,
)
from mock_sources.iam.vouching import Vouching, feed, staff

_LIMIT = 8_192


class IamDoor:
    """ASGI callable for one issuer."""

    def __init__(self, vouching: Vouching) -> None:
        self._vouching = vouching

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        base = f"http://{(header(scope, b'host') or b'').decode('latin-1')}{scope.get('root_path', '')}"
        match scope["method"], scope["path"].rstrip("/").split("/")[1:]:
            case "GET", []:
                await respond(send, 200, self._page(base).encode(), b"text/html; charset=utf-8")
            case "GET", ["jwks"]:
                await respond_json(send, 200, self._vouching.keys())
            case "GET", [".well-known", "openid-configuration"]:
                await respond_json(send, 200, {"issuer": base, "jwks_uri": f"{base}/jwks"})
            case "GET", ["staff", number]:
                await respond_json(send, 200, feed(number))
            case "POST", ["token"]:
                await self._token(base, receive, send)
            case "POST", ["rotate"]:
                self._vouching.rotate()
                await respond_json(send, 200, self._vouching.keys())
            case _:
                await respond_problem(send, problem(404, "resourceNotFound", "here are: jwks, token, rotate, staff"))

    async def _token(self, base: str, receive: Receive, send: Send) -> None:
        try:
            asked: Any = json.loads(await read_body(receive, _LIMIT))
            token = self._vouching.token(base, asked["person"], asked.get("acr"), asked.get("bent"))
        except (ValueError, KeyError, TypeError, AttributeError, BodyTooLarge):
            words = f'send {{"person": …}}: one of {", ".join(staff())}'
            await respond_problem(send, problem(400, "badRequest", words))
            return
        kind = "urn:ietf:params:oauth:token-type:id_token"
        await respond_json(send, 200, {"id_token": token, "issued_token_type": kind, "expires_in": 600})

    def _page(self, base: str) -> str:
        rows = "".join(
            f"<tr><th scope='row'>{escape(name)}</th><td>{escape(one['organisation'])}</td>"
            f"<td>{escape(', '.join(one['roles']))}</td></tr>"
            for name, one in staff().items()
        )
        levels = "".join(f"<li><code>{escape(level)}</code></li>" for level in self._vouching.manner.levels)
        return _PAGE.format(title=escape(self._vouching.manner.title), rows=rows, levels=levels, base=escape(base))


_PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title} (mock)</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>body{{font:1rem/1.5 system-ui;max-width:50rem;margin:2rem auto;padding:0 1rem}}th,td{{text-align:left;padding:.2rem 1rem .2rem 0}}</style>
</head><body><main><h1>{title}: an issuer for rehearsals</h1><p>Everybody here is invented.</p>
<pre>curl -s {base}/token -d '{{"person": "an.peeters"}}'</pre>
<h2>How surely (<code>acr</code>)</h2><ul>{levels}</ul>
<h2>Staff</h2><table><thead><tr><th scope="col">Person</th><th scope="col">Organisation</th><th scope="col">Roles (as HR tells)</th></tr></thead>
<tbody>{rows}</tbody></table></main></body></html>
"""
