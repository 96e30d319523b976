"""A package that answers in JSON over HTTP, read page by page through the hub's own channel (integrator.transport).

    rest:
      path: /questions
      query: {status: submitted}            # constants: nobody's number belongs into an address
      items: questions                      # where the rows stand in the answer
      next: {cursor: next, as: after}       # or link (header Link), or {field: paging.next}
      since: {field: changedAt, as: changedSince, overlap: 600}
      notYet: [404]                         # statuses that say: nothing is there yet
      everySeconds: 30
      seconds: 20                           # one answer may take
      bytes: 5000000                        # one answer may have

A look begins at the position and ends at the last page. The first page is asked with the ETag and the Last-Modified of the
look before: 304 ends it. What was met before is known by its digest.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from yarl import URL

from integrator.adapters.ways.failing import WayFailed
from integrator.adapters.ways.paging import RestPart, at, elsewhere, latest, next_link
from integrator.adapters.ways.places import earlier
from integrator.adapters.ways.polling import Page
from integrator.contract import HttpAnswer
from integrator.errors import SourceFault, SourceThrottled, SourceUnavailable
from integrator.transport.channel import Channel, Lines

_PAGES = 1_000  # of one look
_MONTH = 30 * 86_400.0  # seconds that a row is remembered after it was met last
_FAULTS = {"TOO_LARGE": "TOO_LARGE", "REDIRECT": "WAY_REDIRECTS"}
_LONGEST_BACK_OFF = 300.0  # seconds


@dataclass(frozen=True, slots=True)
class _Limits:
    """Of a channel that nobody shares and that is asked again by the next look, not by itself."""

    timeout: float
    answer_bytes: int
    connect: float = 5.0
    concurrency: int = 1
    attempts: int = 1
    breaker_failures: float = 1.0
    breaker_of: int = 1_000_000
    open_seconds: float = 1.0


@dataclass(slots=True)
class Rest:
    """`Pages` of an API."""

    part: RestPart
    access: Mapping[str, Any]
    now: Callable[[], float]
    _lines: Lines | None = field(default=None)
    _channel: Channel | None = field(default=None)
    _next: tuple[str, Mapping[str, str]] | None = field(default=None)  # path and query of the next page of this look
    _asked: set[str] = field(default_factory=set)  # pages of this look
    _begun: dict[str, Any] = field(default_factory=dict)  # what the position will be when the look is over
    _failed: int = 0  # looks in a row
    _rest_until: float = 0.0

    def again(self) -> None:
        self._next, self._asked, self._begun = None, set(), {}

    def place(self, row: Any) -> float:
        del row
        return self.now()

    async def close(self) -> None:
        lines, self._lines, self._channel = self._lines, None, None
        if lines is not None:
            await lines.close()

    async def sample(self) -> tuple[Any, bool]:
        """The first answer as it is, and whether its header Link names a next one. Raises `WayFailed`."""
        answer = await self._ask((self.part.path, self.part.query), {})
        return _document(answer), next_link(answer.headers.get("Link", "")) is not None

    async def fetch(self, position: Any) -> Page:
        """Raises `WayFailed`."""
        known: dict[str, Any] = position or {}
        if self._next is None and self.now() < self._rest_until:
            return Page([], position, False)
        try:
            page = await self._page(known)
        except WayFailed as failed:
            self._failed += 1
            raise WayFailed(failed.reason, retry_after=max(failed.later, self._back_off())) from None
        self._failed = 0
        if not page.more:
            self.again()
            self._rest_until = self.now() + self.part.every
        return page

    async def _page(self, known: dict[str, Any]) -> Page:
        first = self._next is None
        if first:
            self.again()
            self._begun = dict(known)
        target = self._next or (self.part.path, self._query(known))
        self._next = None
        mark = self._once(target)
        answer = await self._ask(target, _conditions(known, mark) if first else {})
        if answer.status == 304 or answer.status in self.part.not_yet:
            return self._told([], known, more=False)
        document = _document(answer)
        items = at(document, self.part.items)
        if not isinstance(items, list):
            raise WayFailed("OTHER_LAYOUT")
        if first:
            told = {"etag": answer.headers.get("ETag"), "modified": answer.headers.get("Last-Modified")}
            self._begun |= {**told, "of": mark}
        try:
            self._next = self._behind(answer, document, target)
        except WayFailed as failed:  # these rows are good; the position stays, so that the others are looked for again
            return Page(items, known or None, False, again=self.now(), finding=failed.reason)
        if self.part.since is not None:
            self._begun["since"] = latest(items, self.part.since.field, self._begun.get("since"), self.now())
        return self._told(items, known, more=self._next is not None)

    def _told(self, items: list[Any], known: dict[str, Any], *, more: bool) -> Page:
        """A cursor counts from its page on; what was seen of time and tags counts when the look is over."""
        position = known | {"cursor": self._begun["cursor"]} if more and "cursor" in self._begun else known
        now = self.now()
        return Page(items, position if more else self._begun or None, more, now - _MONTH, now)

    def _query(self, known: Mapping[str, Any]) -> dict[str, str]:
        asked = dict(self.part.query)
        if self.part.cursor is not None and known.get("cursor"):
            asked[self.part.cursor.ask] = str(known["cursor"])
        if self.part.since is not None and known.get("since"):
            asked[self.part.since.ask] = str(earlier(known["since"], self.part.since.overlap))
        return asked

    def _behind(self, answer: HttpAnswer, document: Any, target: tuple[str, Mapping[str, str]]) -> Any:
        """Path and query of the next page; None at the end. Raises `WayFailed`: it leads elsewhere."""
        if self.part.cursor is not None:
            cursor, before = at(document, self.part.cursor.field), target[1].get(self.part.cursor.ask)
            if cursor is None or str(cursor) == before:  # a feed at its end tells the cursor that it was asked with
                return None
            self._begun["cursor"] = str(cursor)
            return self.part.path, {**self.part.query, self.part.cursor.ask: str(cursor)}
        link = self.part.link(answer, document)
        return None if link is None else elsewhere(URL(str(self.access["url"])), target[0], link)

    def _once(self, target: tuple[str, Mapping[str, str]]) -> str:
        mark = json.dumps([target[0], sorted(target[1].items())])
        if mark in self._asked or len(self._asked) >= _PAGES:
            raise WayFailed("POINTS_TO_ITSELF")
        self._asked.add(mark)
        return mark

    async def _ask(self, target: tuple[str, Mapping[str, str]], conditions: Mapping[str, str]) -> HttpAnswer:
        headers = {**(self.access.get("headers") or {}), "Accept": "application/json", **conditions}
        deadline = time.monotonic() + self.part.seconds
        try:
            answer = await self._open()("GET", target[0], query=target[1], headers=headers, deadline=deadline)
        except SourceThrottled as busy:
            raise WayFailed("WAY_BUSY", retry_after=busy.retry_after) from None
        except SourceUnavailable as error:
            reason = "WAY_SLOW" if "time" in error.detail else "WAY_CLOSED"
            raise WayFailed(reason, retry_after=error.retry_after) from None
        except SourceFault as fault:
            raise WayFailed(_FAULTS.get(fault.reason, "WAY_CLOSED")) from None
        except ValueError:
            raise WayFailed("POINTS_ELSEWHERE") from None
        if answer.status in (401, 403):
            raise WayFailed("WAY_DENIED")
        if answer.status in (404, 410) and answer.status not in self.part.not_yet:
            raise WayFailed("NO_SUCH_PAGE")
        if answer.status not in (200, 304, *self.part.not_yet):
            raise WayFailed("WAY_CLOSED")
        return answer

    def _open(self) -> Channel:
        if self._channel is None:
            self._lines = Lines()
            limits = _Limits(self.part.seconds, self.part.bytes)
            self._channel = Channel(self.part.adapter, str(self.access["url"]), self._lines, limits, conditional=True)
        return self._channel

    def _back_off(self) -> float:
        return float(min(_LONGEST_BACK_OFF, (self.part.every or 1.0) * 2 ** min(self._failed - 1, 16)))


def _conditions(known: Mapping[str, Any], mark: str) -> dict[str, str]:
    """What was said of this very page."""
    if known.get("of") != mark:
        return {}
    wanted = {"If-None-Match": known.get("etag"), "If-Modified-Since": known.get("modified")}
    return {name: str(value) for name, value in wanted.items() if value}


def _document(answer: HttpAnswer) -> Any:
    """What the answer says; figures with decimals as text, so that none is rounded. Raises `WayFailed`."""
    if answer.content_type != "application/json" and not answer.content_type.endswith("+json"):
        raise WayFailed("NOT_THIS_FORMAT")
    try:
        return json.loads(answer.body.decode("utf-8"), parse_float=str, parse_constant=_none, object_pairs_hook=_pairs)
    except (ValueError, RecursionError):
        raise WayFailed("NOT_WELL_FORMED") from None


def _none(word: str) -> Any:
    raise ValueError("a number that is none")


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name that stands twice")
    return found
