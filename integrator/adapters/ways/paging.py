"""How the pages of an API follow each other: `rest:` of an adapter.yaml, compiled."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from yarl import URL

from integrator.adapters.layout import Layout
from integrator.adapters.ways.failing import WayFailed
from integrator.adapters.ways.places import came
from integrator.contract import HttpAnswer

SECONDS, BYTES, EVERY = 20.0, 5_000_000, 30.0
_NEXT = re.compile(r"<([^<>]*)>\s*((?:;[^,<]*)+)")
_REL = re.compile(r';\s*rel\s*=\s*"?(?:[^";]*\s)?next(?:\s[^";]*)?"?\s*(?:;|$)', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Asked:
    """Something of an answer that is asked as a parameter."""

    field: str  # where it stands, names with dots between them
    ask: str  # the parameter
    overlap: float = 0.0  # seconds


@dataclass(frozen=True, slots=True)
class RestPart:
    """One API."""

    adapter: str
    path: str
    query: Mapping[str, str]
    items: str
    cursor: Asked | None
    by_link: bool
    next_field: str  # "" = none
    since: Asked | None
    not_yet: frozenset[int]
    every: float
    seconds: float
    bytes: int

    def link(self, answer: HttpAnswer, document: Any) -> str | None:
        """The address of the next page as the package wrote it."""
        if self.by_link:
            return next_link(answer.headers.get("Link", ""))
        found = at(document, self.next_field) if self.next_field else None
        return found if isinstance(found, str) and found else None


def rest_part(layout: Layout) -> RestPart:
    said = layout.data["rest"]
    further, since = said.get("next") or {}, said.get("since")
    return RestPart(
        layout.adapter, said["path"], dict(said.get("query") or {}), str(said.get("items", "")),
        Asked(further["cursor"], further["as"]) if "cursor" in further else None,
        further == "link", further.get("field", "") if isinstance(further, Mapping) else "",
        Asked(since["field"], since["as"], float(since["overlap"])) if since else None,
        frozenset(said.get("notYet") or ()), float(said.get("everySeconds", EVERY)), float(said.get("seconds", SECONDS)),
        int(said.get("bytes", BYTES)),
    )  # fmt: skip


def at(document: Any, path: str) -> Any:
    """What stands at a path of names; the whole for "", None for nothing.

    >>> at({"paging": {"next": "7"}}, "paging.next"), at({"paging": []}, "paging.next")
    ('7', None)
    """
    for name in path.split(".") if path else ():
        document = document.get(name) if isinstance(document, Mapping) else None
    return document


def latest(items: list[Any], field: str, before: Any, now: float) -> Any:
    """The latest time of these rows that came already, as it is written there; all of an API's times are written alike."""
    times = [value for one in items if isinstance(value := at(one, field), str) and came(value, now)]
    return max([*times, *([before] if before else [])], default=None)


def next_link(header: str) -> str | None:
    """The target of rel=next of a header Link (RFC 8288).

    >>> next_link('</a?page=1>; rel="prev", </a?page=3>; rel="next"')
    '/a?page=3'
    """
    for target, parameters in _NEXT.findall(header[:8_192]):
        if _REL.search(parameters):
            return str(target)
    return None


def elsewhere(base: URL, path: str, link: str) -> tuple[str, Mapping[str, str]]:
    """Path below `base` and query of a link that stands on the page `path`. Raises `WayFailed` when it leads elsewhere."""
    prefix = base.raw_path.rstrip("/")
    try:
        target = URL(str(base).rstrip("/") + path).join(URL(link))
        here = target.origin() == base.origin() and not target.user and target.raw_path.startswith(f"{prefix}/")
    except ValueError:
        here = False
    if not here:
        raise WayFailed("POINTS_ELSEWHERE")
    return target.raw_path[len(prefix) :], target.query
