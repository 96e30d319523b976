"""/console/register: the register of processing, open to anyone, made for reading and for paper."""

from __future__ import annotations

import orjson
from starlette.responses import Response

from integrator.consoles.book import Book
from integrator.consoles.rooms import Room
from integrator.consoles.visit import Visit
from integrator.consoles.web import PageRefused
from integrator.governing.opening import Governing
from integrator.governing.register import POINTS, PROCESSOR, Names

room = Room("register", None)


def names_of(book: Book) -> Names:
    """Fields, sources and answers as people know them."""
    return Names(book.fields, book.sources, book.answers)


@room.get("/")
async def register(visit: Visit) -> Response:
    governing = visit.consoles.extras.get("governing")
    if not isinstance(governing, Governing):
        raise PageRefused("not_there", 404)
    made = await governing.register(names_of(visit.consoles.book))
    if visit.query.get("format") == "json":
        return visit.file(orjson.dumps(made.json()), "application/json", "register.json")
    return visit.page("governing/register.html", register=made, points=POINTS, processor=PROCESSOR)
