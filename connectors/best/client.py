"""Questions to BeSt Address. Every call carries a trace id of its own, which is the ticket in our ledger.

A search is one page, as asked; `municipalities` is followed to its end. One address is asked by its number: the API
only knows ids with a version, so the versions are tried (see README.md).
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Coroutine, Iterator, Mapping
from typing import Any, Final

from connectors.best.objects import API, POINTERS, collection_of, finished, place, pointed
from integrator.contract import HttpAnswer, Question, Reply, Send, Tools
from integrator.errors import SourceFault, SubjectNotFound
from integrator.transport.faults import Faults
from integrator.transport.jsonbody import NotJson, Shape, ShapeError, read

CONTRACT: Final = "2026-11"
PAGE: Final = 100  # items; the most that is given at once
PAGES: Final = 10  # of municipalities; the whole country has 581
VERSIONS: Final = 12  # of one address that are tried, …
HANDFUL: Final = 4  # … so many at once

_PROBLEM: Final = "urn:problem-type:"
_JSON: Final = frozenset({"application/json", "application/problem+json"})
_TRACE: Final = re.compile(r"[\w.-]{1,36}", re.ASCII)
_PARAMETERS: Final = {  # our key -> BeSt's, per operation
    "addresses": {
        "postCode": "postCode", "municipalityCode": "nisCode", "streetName": "streetName", "houseNumber": "houseNumber",
        "boxNumber": "boxNumber", "page": "page", "pageSize": "pageSize",
    },
    "streets": {
        "postCode": "postCode", "municipalityCode": "nisCode", "streetName": "name", "page": "page",
        "pageSize": "pageSize",
    },
    "municipalities": {},
}  # fmt: skip


class Asked:
    """One question and the calls it takes: belgif wants a trace id of its own on each, the ledger one ticket."""

    def __init__(self, question: Question) -> None:
        self.question, self._calls = question, 0

    def trace(self) -> str:
        self._calls += 1
        return self.question.ticket if self._calls == 1 else f"{self.question.ticket}-{self._calls}"


class Best:
    """The connector."""

    def __init__(self, tools: Tools, send: Send) -> None:
        self._send, self._sandbox = send, tools.sandbox
        self._namespace = str(tools.settings.get("namespace", "https://databrussels.be/id"))
        self._region = str(tools.settings.get("nisPrefix", "21"))  # municipalities of the Region only
        self._faults = Faults.load("best", tools.room / "faults.yaml")
        contract = tools.room / "contract" / CONTRACT
        self._shapes = {path.name.partition(".")[0]: Shape.load(path) for path in contract.glob("*.schema.json")}

    async def ask(self, question: Question) -> Reply:
        """`document` is {"items": […]} for searches and the item itself for `address`."""
        asked = Asked(question)
        if question.operation == "address":
            return await self._one(asked)
        if question.operation == "municipalities":
            return await self._municipalities(asked)
        page, ticket = await self._page(question.operation, _query(question), asked)
        return _reply(page["items"], page, ticket, incomplete=page["totalPages"] > int(question.keys.get("page", 1)))

    async def check(self) -> None:
        """One municipality: proves address and connection, and that what stands there is BeSt."""
        probe = Question("municipalities", {}, frozenset(), False, "check", "", "", time.monotonic() + 5.0)
        await self._page("municipalities", {"pageSize": "1"}, Asked(probe))

    async def _municipalities(self, asked: Asked) -> Reply:
        items: list[dict[str, Any]] = []
        for number in range(1, PAGES + 1):
            page, ticket = await self._page("municipalities", {"page": str(number), "pageSize": str(PAGE)}, asked)
            items += [item for item in page["items"] if item["nisCode"].startswith(self._region)]
            if number >= page["totalPages"]:
                return _reply(items, page, ticket, incomplete=False)
        return _reply(items, page, ticket, incomplete=True)

    async def _one(self, asked: Asked) -> Reply:
        number = str(asked.question.keys["addressId"])
        for first in range(1, VERSIONS + 1, HANDFUL):
            ids = [f"{self._namespace}/address/{number}/{version}" for version in range(first, first + HANDFUL)]
            found = [answer for answer in await _all([self._object("addresses", one, asked) for one in ids]) if answer]
            if found:
                item, ticket = found[-1]
                return Reply(finished(item, await self._around(item, asked)), ticket)
        return Reply(None)

    async def _around(self, item: Mapping[str, Any], asked: Asked) -> dict[str, Any]:
        """What the address points to, under its href; only what the permitted fields need is asked."""
        wanted = [name for name in POINTERS if name in item and name in asked.question.groups]
        ids = [pointed(item, name) for name in wanted]
        if None in ids:
            raise SourceFault("best", "DANGLING", "an address points to what is no object of BeSt")
        found = await _all(
            [self._object(POINTERS[name], str(one), asked) for name, one in zip(wanted, ids, strict=True)]
        )
        if None in found:
            raise SourceFault("best", "DANGLING", "an address points to something that is not there")
        return {item[name]["href"]: answer[0] for name, answer in zip(wanted, found, strict=True)}

    async def _object(self, collection: str, identifier: str, asked: Asked) -> tuple[dict[str, Any], str | None] | None:
        """One object by its id; None when BeSt says that there is none."""
        answer, ticket = await self._get(place(collection, identifier), {}, asked)
        document = _read(answer)
        try:
            self._refuse(answer, document)
        except SubjectNotFound:
            return None
        return self._checked(f"{collection}_one", document), ticket

    async def _page(self, operation: str, query: Mapping[str, str], asked: Asked) -> tuple[dict[str, Any], str | None]:
        answer, ticket = await self._get(f"{API}/{operation}", query, asked)
        document = _read(answer)
        try:
            self._refuse(answer, document)
        except SubjectNotFound:  # a collection is always there, if only empty
            raise SourceFault("best", "NO_SUCH_RESOURCE", "the collection is not at the address we have") from None
        page = self._checked(operation, document)
        for href, inside in page.get("embedded", {}).items():
            shape = f"{collection_of(href)}_one"
            if inside is not None and shape in self._shapes:
                self._checked(shape, inside)
        return page, ticket

    async def _get(self, path: str, query: Mapping[str, str], asked: Asked) -> tuple[HttpAnswer, str | None]:
        """One call, and BeSt's own trace id for it, once it is sure that the answer belongs to our question."""
        trace, question = asked.trace(), asked.question
        headers = {"Accept": "application/json", "BelGov-Trace-Id": trace}
        if question.scenario and self._sandbox:
            headers["Integrator-Test-Scenario"] = question.scenario
        answer = await self._send("GET", path, headers=headers, query=query, deadline=question.deadline)
        if answer.headers.get("BelGov-Related-Trace-Id", trace) != trace:
            raise SourceFault("best", "CORRELATION", "an answer to another question")
        theirs = answer.headers.get("BelGov-Trace-Id", "")
        return answer, theirs if _TRACE.fullmatch(theirs) else None

    def _refuse(self, answer: HttpAnswer, document: Any) -> None:
        """Raise what the source says instead of an answer; a problem may also come inside a 200."""
        codes = list(_codes(answer, document))
        if answer.status != 200 or codes:
            raise self._faults.error(next((code for code in codes if code in self._faults), f"http{answer.status}"))

    def _checked(self, shape: str, document: Any) -> dict[str, Any]:
        try:
            self._shapes[shape].check(document)
        except ShapeError as error:
            raise SourceFault("best", "SCHEMA", str(error)) from None
        checked: dict[str, Any] = document
        return checked


async def _all(asked: list[Coroutine[Any, Any, Any]]) -> list[Any]:
    """Several questions at once; the first failure ends the others and comes out as it is."""
    tasks = [asyncio.create_task(one) for one in asked]
    try:
        return await asyncio.gather(*tasks)
    except BaseException:
        for task in tasks:
            task.cancel()
        raise


def _query(question: Question) -> dict[str, str]:
    names = _PARAMETERS[question.operation]
    query = {"pageSize": str(PAGE), "embed": "true"}
    query |= {names[key]: str(value) for key, value in question.keys.items() if key in names}
    for name in ("streetName", "name"):
        if name in query:
            query[name] = _literal(query[name])
    return query


def _literal(name: str) -> str:
    """A name without the signs that mean a search to BeSt: *part*, ~fuzzy."""
    literal = " ".join(name.replace("*", " ").lstrip("~ ").split())
    if not any(sign.isalnum() for sign in literal):
        raise SourceFault("best", "QUESTION", "nothing is left of the name to look for")
    return literal


def _read(answer: HttpAnswer) -> Any:
    if answer.status == 200 and answer.content_type not in _JSON:
        raise SourceFault("best", "CONTENT_TYPE", "not JSON by its own word")
    try:
        return read(answer.body)
    except NotJson:
        if answer.status == 200:
            raise SourceFault("best", "MALFORMED") from None
        return None  # an error page of something in between; its status is all it says


def _codes(answer: HttpAnswer, document: Any) -> Iterator[str]:
    if isinstance(document, dict) and answer.content_type in _JSON:
        kind = document.get("type")
        if isinstance(kind, str) and kind.startswith(_PROBLEM):
            yield kind.rpartition(":")[2]


def _reply(items: list[dict[str, Any]], page: Mapping[str, Any], ticket: str | None, *, incomplete: bool) -> Reply:
    if not items:
        return Reply(None, ticket, incomplete=incomplete)
    embedded = page.get("embedded", {})
    return Reply({"items": [finished(item, embedded) for item in items]}, ticket, incomplete=incomplete)
