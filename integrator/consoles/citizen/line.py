"""One line: why this was allowed, what was given, what you can do; and its evidence to take home."""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from starlette.responses import Response

import audit.verify
from audit.errors import LedgerError, NotPublished
from audit.reports import Details, Row
from integrator.consoles.citizen.grouping import Event
from integrator.consoles.citizen.room import room
from integrator.consoles.citizen.telling import link_of, role_of, tell
from integrator.consoles.visit import SECURITY, Visit
from integrator.consoles.web import PageRefused

_BLOCKS = re.compile(r"<(script|style)[^>]*>(.*?)</\1>", re.DOTALL)


@room.get("/line")
async def line(visit: Visit) -> Response:
    row, details = await opened(visit, visit.query)
    exchange = await visit.consoles.desk.look(visit.person, "exchange", role="citizen", trace_id=row.trace_id)
    parts = tuple((one, Details()) for one in exchange.rows if one.parent == row.span_id and one.kind != "intent")
    law = visit.consoles.book.law_of(row.policy)
    aim = visit.consoles.book.aim_of(row.activity, row.policy)
    version = row.policy.get("ver")
    return visit.page(
        "me/line.html", told=tell(visit, Event(row, details, parts)), version=version,
        changed=bool(law and version and law.version != version), basis=_basis(visit, aim.legal_basis if aim else None),
        role=role_of(details), asked=[visit.consoles.book.field(name, visit.language) for name in details.fields],
        elsewhere=_elsewhere(row), erased=details.erased, justification=details.justification,
    )  # fmt: skip


async def opened(visit: Visit, named: Any) -> tuple[Row, Details]:
    """The line that a page or a form names, if it is this person's to see."""
    shard, index = str(named.get("shard", "")), str(named.get("index", ""))
    if not (index.isascii() and index.isdigit() and len(index) < 16):
        raise PageRefused("not_there", 404)
    found = await visit.consoles.desk.look(visit.person, "details", role="citizen", shard=shard, index=int(index))
    if found is None:
        raise PageRefused("not_there", 404)
    row, details = found
    return row, details


@room.post("/evidence")
async def evidence(visit: Visit) -> Response:
    """The bundle of one line's exchange."""
    shard, index = visit.form["shard"], visit.form["index"]
    if not (index.isascii() and index.isdigit() and len(index) < 16):
        raise PageRefused("malformed", 400)
    try:
        bundle = await visit.consoles.desk.look(visit.person, "proof", role="citizen", shard=shard, index=int(index))
    except NotPublished:
        visit.say("me.not_published")
        return visit.go(link_of_place(shard, index))
    except LedgerError as error:
        raise PageRefused("not_there", 404) from error
    if bundle is None:
        raise PageRefused("not_there", 404)
    return visit.file(bundle, "application/zip", f"evidence-{index}.zip")


def link_of_place(shard: str, index: str) -> str:
    return "/me/line?" + urlencode({"shard": shard, "index": index})


@room.get("/verify")
async def verify(visit: Visit) -> Response:
    """The page that verifies a bundle; it works from disk too. Its own script and style are named by their hashes."""
    page, policy = _verifier()
    headers = {**SECURITY, "content-security-policy": policy}
    return Response(page, 200, headers, "text/html")


@cache
def _verifier() -> tuple[bytes, str]:
    page = (Path(audit.verify.__file__).parent / "verify.html").read_bytes()
    allowed: dict[str, list[str]] = {"script": [], "style": []}
    for kind, text in _BLOCKS.findall(page.decode()):
        allowed[kind].append(f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'")
    policy = (
        f"default-src 'none'; script-src {' '.join(allowed['script'])}; style-src {' '.join(allowed['style'])};"
        " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return page, policy


def _basis(visit: Visit, code: str | None) -> str | None:
    """The ground of the GDPR in words."""
    name = f"me.basis_{(code or '').removeprefix('eu-gdpr:').replace('-', '_')}"
    return str(visit.t(name)) if visit.t.has(name) else None


def _elsewhere(row: Row) -> str | None:
    """Where the next log in the chain is read, when its keeper told us a safe address."""
    found = row.entry.get("dpl.read.externalReadAPI_id")
    return found if isinstance(found, str) and found.startswith("https://") else None


__all__ = ["link_of", "opened"]
