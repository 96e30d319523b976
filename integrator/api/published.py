"""The published ledger over HTTP (C2SP tlog-tiles): checkpoints and keys for everyone, tiles and entries for auditors.

Who knows a checkpoint knows no person. Tiles and entries hold none either, but activity, application and second of every
exchange: with outside knowledge that can single somebody out, so strangers get what proves, not what tells.
"""

from __future__ import annotations

import asyncio
import re

from fastapi import APIRouter, Request, Response

from integrator.api.hub import Hub
from integrator.api.problems import EdgeRefusal

_ORIGIN = r"(?P<origin>[a-z0-9._/-]+?)"
_PUBLIC = re.compile(
    rf"policy|policy\.note|{_ORIGIN}/(?:checkpoint|vkey|(?:timestamp|witnessed)/[A-Za-z0-9][A-Za-z0-9._-]*)"
)
_NUMBER = r"(?P<number>(?:x\d{3}/)*\d{3})(?:\.p/(?P<width>[1-9]\d{0,2}))?"
_BUNDLE = re.compile(rf"{_ORIGIN}/tile/entries/{_NUMBER}")
_TILE = re.compile(rf"{_ORIGIN}/tile/\d{{1,2}}/{_NUMBER}")
_TEXT = {"content-type": "text/plain; charset=utf-8", "cache-control": "no-cache"}
_BYTES = {"content-type": "application/octet-stream", "cache-control": "private, max-age=31536000, immutable"}
_NOT_THERE = "No log publishes this; GET /log/policy lists the logs, <log>/checkpoint is the newest head of each."
_AUDITORS = "Tiles and entries are for auditors: sign in at /console. Checkpoints and proofs are for everyone."


def router(hub: Hub) -> APIRouter:
    """Routes under /log."""
    routes = APIRouter()
    published = hub.published

    @routes.get("/log/{path:path}")
    async def file(request: Request, path: str) -> Response:
        if published is None:
            raise EdgeRefusal("resourceNotFound", "This hub publishes no ledger.")
        tile, bundle = _TILE.fullmatch(path), _BUNDLE.fullmatch(path)
        if tile is None and bundle is None and _PUBLIC.fullmatch(path) is None:
            raise EdgeRefusal("resourceNotFound", _NOT_THERE)
        private = tile is not None or bundle is not None
        if private and not await published.may_read(request):
            raise EdgeRefusal("missingPermission", _AUDITORS)
        try:
            if bundle is not None:
                number = int(bundle["number"].replace("x", "").replace("/", ""))
                width = int(bundle["width"] or 256)
                data = await asyncio.to_thread(published.bundle, bundle["origin"], number, width)
            else:
                data = await asyncio.to_thread(published.read, path)
        except FileNotFoundError:
            raise EdgeRefusal("resourceNotFound", _NOT_THERE) from None
        stamp = "/timestamp/" in path
        return Response(data, headers=_BYTES if private or stamp else _TEXT)

    return routes
