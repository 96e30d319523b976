"""What lies ready at the open door: the catalogue, the JSON-LD context, the figures that were published. No exchange, for
no source is asked: each is a file of ours, or was made once from the ledger's clear part."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson
from sqlalchemy.exc import SQLAlchemyError

from integrator.errors import HubBusy
from integrator.opened import figures
from integrator.opened.catalogue import catalogue
from integrator.opened.published import Published
from integrator.places import folder, read_yaml
from integrator.services import Service

STATISTICS = f"statistics/{figures.SERIES}"


@dataclass(frozen=True, slots=True)
class Document:
    """As a service's answer: its body, the same as bytes, and where its rows are."""

    body: Mapping[str, Any]
    payload: bytes
    changed: float  # epoch seconds
    list_name: str | None = None  # None: it is no table
    linked: bool = False  # whether it is JSON-LD by itself


class Documents:
    """Reads block, for the figures stand in a database."""

    def __init__(self, services: Mapping[str, Service], published: Published, base: str, started: float) -> None:
        """`base`: the hub's address; `started`: since when files of ours are what they are. Raises `ConfigurationError`."""
        self._published, self._started = published, started
        context = orjson.loads((folder("config") / "open" / "context.jsonld").read_bytes())
        described = catalogue(read_yaml(folder("config") / "open" / "catalog.yaml"), services, base)
        self._fixed = {"context.jsonld": self._ours(context), "catalog": self._ours(described)}

    def read(self, path: str) -> Document | None:
        """`path`: what follows /open/v1/. None: nothing lies there. Raises `HubBusy` when the figures cannot be read now."""
        try:
            return self._read(path)
        except SQLAlchemyError as error:
            raise HubBusy("the published figures cannot be read now") from error

    def _read(self, path: str) -> Document | None:
        if path == STATISTICS:
            return self._periods()
        series, _, period = path.rpartition("/")
        if series == STATISTICS and figures.MONTH.fullmatch(period):
            found = self._published.read(figures.SERIES, period)
            return None if found is None else Document(orjson.loads(found.body), found.body, found.at, "items")
        return self._fixed.get(path)

    def _periods(self) -> Document:
        known = self._published.periods(figures.SERIES)
        items = [
            {"period": period, "publishedAt": _moment(at), "href": f"/open/v1/{STATISTICS}/{period}"}
            for period, at in known
        ]
        body = {"series": figures.SERIES, "items": items}
        return Document(body, orjson.dumps(body), max((at for _, at in known), default=self._started), "items")

    def _ours(self, body: Mapping[str, Any]) -> Document:
        return Document(body, orjson.dumps(body), self._started, linked=True)


def _moment(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds")
