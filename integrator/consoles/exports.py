"""The ledger for other systems, over the same desk and the same rights as the questions of people.

    POST /audit/v1/export                  a period as LDV (OTLP/JSON lines), CSV or OCSF
    POST /audit/v1/processing-activities   LDV, extension "lezen" 1.1.0
    POST /audit/v1/findUsage               Estonia's data tracker 2.0.0; there a GET with the number in its address
    GET  /audit/v1/usagePeriod, /heartbeat
    GET  /fsc/v1/logs                      FSC-logging 1.0.0, for a peer

A number of a person stands in a body, never in an address. Who asks is told by the bearer token of a session at the
consoles; a peer by its application's token.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from fastapi import APIRouter, Request, Response
from starlette.responses import StreamingResponse

from audit import LedgerError, Subject
from integrator.consoles.api import Body, Current, language_of
from integrator.consoles.export_asking import read, read_query
from integrator.consoles.exporting import FORMS, Exporter
from integrator.consoles.looking import Desk

_NEVER_KEPT = {"cache-control": "no-store"}
Peer = Callable[[Request], Awaitable[str]]  # enterprise number of the organisation behind a token; raises UnknownCaller


@dataclass(frozen=True, slots=True)
class _Peer:
    """An application that asks for its organisation's own log."""

    org: str
    roles: frozenset[str] = frozenset(("dpo",))
    subject: Subject | None = None

    @property
    def id(self) -> str:
        return f"fsc-peer-{self.org}"


def router(
    desk: Desk, exporter: Exporter, current: Current, body: Body, peer: Peer, now: Callable[[], int]
) -> APIRouter:
    """Routes; `now` in µs since 1970."""
    routes = APIRouter()

    @routes.post("/audit/v1/export")
    async def export(request: Request) -> Response:
        person = await current(request)
        who, asked = _split(read("export", await body(request)))
        form = asked.pop("form")
        part = await desk.export(person, "export", lambda right, seen: exporter.export(right, form, asked), **who)
        headers = _NEVER_KEPT | {
            "content-disposition": f'attachment; filename="ledger.{"csv" if form == "csv" else "jsonl"}"'
        }
        if part.next:
            headers["audit-next-cursor"] = part.next
        return StreamingResponse(part.lines, media_type=FORMS[form], headers=headers)

    @routes.post("/audit/v1/processing-activities")
    async def processing_activities(request: Request) -> Response:
        person = await current(request)
        who, asked = _split(read("processingActivities", await body(request)))
        items = await desk.export(
            person, "processingActivities", lambda right, seen: exporter.activities(right, seen, asked), **who
        )
        return _json({"processingActivities": items}, {"api-version": "1.1.0"})

    @routes.post("/audit/v1/findUsage")
    async def find_usage(request: Request) -> Response:
        person, language = await current(request), language_of(request)
        who, asked = _split(read("findUsage", await body(request)))
        answer = await desk.export(
            person, "findUsage", lambda right, seen: exporter.usage(right, seen, asked, now(), language), **who
        )
        return _json(answer)

    @routes.get("/audit/v1/usagePeriod")
    async def usage_period(request: Request) -> Response:
        await current(request)
        return _json(await asyncio.to_thread(exporter.period))

    @routes.get("/audit/v1/heartbeat")
    async def heartbeat() -> Response:
        from audit.exports import usage

        try:
            await asyncio.to_thread(exporter.period)
        except LedgerError:
            return _json(usage.heartbeat(False))
        return _json(usage.heartbeat(True))

    @routes.get("/fsc/v1/logs")
    async def logs(request: Request) -> Response:
        org = await peer(request)
        asked = read_query(request.query_params)
        answer = await desk.export(_Peer(org), "transactionLogs", lambda right, seen: exporter.logs(right, asked))
        return _json(answer, {"fsc-transaction-id": str(uuid.uuid4())})

    return routes


def _split(asked: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Who asks about whom and why; and the rest."""
    names: tuple[str, ...] = ("reason", "role", "org", "subject")
    who = {name: asked.pop(name) for name in names if name in asked}
    return who, asked


def _json(answer: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Response:
    return Response(orjson.dumps(answer), media_type="application/json", headers=_NEVER_KEPT | dict(headers or {}))
