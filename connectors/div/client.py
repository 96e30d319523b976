"""Questions to DIV: one key each, pages followed up to a bound, and every way of saying no told apart.

`registrations` answers 204 when nothing is registered; a plate that was handed in is a 404 with code 40131; everything
else that is not a well-formed 200 is a fault. MAGDA also puts faults into an ordinary 200 (`uitzonderingen`).
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from connectors.div.token import PATIENCE, Tokens
from integrator.contract import HttpAnswer, Question, Reply, Send, Tools
from integrator.errors import SourceFault, SubjectNotFound
from integrator.transport.faults import Faults
from integrator.transport.jsonbody import NotJson, Shape, ShapeError, read

CONTRACT: Final = "2026-11"
PAGE: Final = 100  # items; the most that is given at once
PAGES: Final = 5  # followed for one question; a leasing company has thousands of plates

_KEYS: Final = {  # our key -> DIV's parameter
    "plateNumber": "plateNr",
    "vin": "vin",
    "unifier": "unifier",
    "ssin": "nationalNr",
    "enterpriseNumber": "companyNr",
}
_COLLECTIONS: Final = {"registrations": "registrations", "titular": "registrationsTitular"}
_JSON: Final = frozenset({"application/json", "application/ld+json"})
_PROBLEM: Final = _JSON | {"application/problem+json"}


class Div:
    """The connector. The national number in a query string is the source's contract: nothing here logs or keeps it."""

    def __init__(self, tools: Tools, send: Send, tokens: Tokens) -> None:
        self._send, self._tokens, self._sandbox = send, tokens, tools.sandbox
        self._base = str(tools.settings.get("path", "/v1/mobility"))
        self._faults = Faults.load("div", tools.room / "faults.yaml")
        contract = tools.room / "contract" / CONTRACT
        self._shapes = {name: Shape.load(contract / f"{name}.schema.json") for name in _COLLECTIONS.values()}

    async def ask(self, question: Question) -> Reply:
        """Registrations or the titular, under one key. `document` is {"items": […]} with all pages in it."""
        collection = _COLLECTIONS[question.operation]
        query = _query(question)
        items: list[Any] = []
        for _ in range(PAGES):
            page = await self._page(collection, query, question)
            if page is None:
                break
            items += page["items"]
            cursor = _cursor(page)
            if cursor is None:
                return _reply(question, items, incomplete=page.get("total", 0) > len(items))
            if cursor == query.get("after"):
                raise SourceFault("div", "SCHEMA", "the next page is this page")
            query["after"] = cursor
        else:
            return _reply(question, items, incomplete=True)
        return _reply(question, items, incomplete=False)

    async def check(self) -> None:
        """Buy a token: proves address, connection and credentials, and asks nothing about anybody."""
        await self._tokens.get(time.monotonic() + PATIENCE)

    async def _page(self, collection: str, query: Mapping[str, str], question: Question) -> dict[str, Any] | None:
        answer = await self._get(collection, query, question)
        if answer.status == 204:
            return None
        document = _json(answer)
        codes = list(_codes(answer, document))
        if answer.status == 200 and not codes and answer.content_type in _JSON:
            try:
                self._shapes[collection].check(document)
            except ShapeError as error:
                raise SourceFault("div", "SCHEMA", str(error)) from None
            page: dict[str, Any] = document
            return page
        if answer.status == 200 and not codes:
            raise SourceFault("div", "CONTENT_TYPE", "not JSON by its own word")
        told = self._faults.error(next((code for code in codes if code in self._faults), f"http{answer.status}"))
        if isinstance(told, SubjectNotFound):
            return None
        raise told

    async def _get(self, collection: str, query: Mapping[str, str], question: Question) -> HttpAnswer:
        """One page, with one new token when the first one is refused."""
        for attempt in (1, 2):
            token = await self._tokens.get(question.deadline)
            headers = {"Authorization": token, "Accept": "application/json", "BelGov-Trace-Id": question.ticket}
            if question.scenario and self._sandbox:
                headers["Integrator-Test-Scenario"] = question.scenario
            answer = await self._send(
                "GET", f"{self._base}/{collection}", headers=headers, query=query, deadline=question.deadline
            )
            if answer.status != 401 or attempt == 2:
                break
            self._tokens.refused(token)
        return answer


def _query(question: Question) -> dict[str, str]:
    query = {_KEYS[key]: str(value) for key, value in question.keys.items() if key in _KEYS}
    query["pageSize"] = str(PAGE)
    if (
        "address" in question.groups
    ):  # today's address comes from the registers behind; asked only where it is permitted
        query |= {"addressEnrichmentPerson": "RR", "addressEnrichmentOrganization": "KBO"}
    return query


def _json(answer: HttpAnswer) -> Any:
    try:
        return read(answer.body)
    except NotJson:
        if answer.status == 200:
            raise SourceFault("div", "MALFORMED" if answer.content_type in _JSON else "CONTENT_TYPE") from None
        return None  # an error page of something in between; its status is all it says


def _codes(answer: HttpAnswer, document: Any) -> Iterator[str]:
    """The source's own words for what went wrong, the most exact first; none in an ordinary answer."""
    if not isinstance(document, dict):
        return
    exceptions = document.get("uitzonderingen")
    for exception in exceptions if isinstance(exceptions, list) else ():
        if isinstance(exception, dict) and exception.get("type", "FOUT") == "FOUT":
            yield str(exception.get("identificatie"))
    if answer.status != 200 and answer.content_type in _PROBLEM:
        for name in ("code", "error"):
            if isinstance(document.get(name), str):
                yield document[name]
        yield str(document.get("type", "")).rpartition(":")[2]


def _cursor(page: Mapping[str, Any]) -> str | None:
    """The cursor in `next`. Only this is taken: an address that a source gives us is never followed."""
    if "next" not in page:
        return None
    cursors: list[str] = parse_qs(urlsplit(page["next"]).query).get("after", [])
    if len(cursors) != 1 or not 0 < len(cursors[0]) <= 500:
        raise SourceFault("div", "SCHEMA", "a next page without one cursor")
    return cursors[0]


def _reply(question: Question, items: list[Any], *, incomplete: bool) -> Reply:
    if not items:
        return Reply(None, incomplete=incomplete)
    if question.operation == "titular" and len(items) > 1:
        raise SourceFault("div", "AMBIGUOUS", "one plate, several titulars")
    return Reply({"items": [_joined(item) for item in items]}, incomplete=incomplete)


def _joined(item: dict[str, Any]) -> dict[str, Any]:
    """Family names that come in pieces, as one text; where they are broken up is the register's habit, not a fact."""
    for holder in (item.get("titular"), item.get("driver")):
        person = holder.get("person") if holder else None
        if person and "lastName" in person:
            person["lastName"] = " ".join(person["lastName"])
    return item
