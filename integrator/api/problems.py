"""Errors as callers read them: RFC 9457 problems with belgif types, from the table in problems.yaml.

A problem says what happened and what to do; it never holds an identifier, a word of a source or of our insides.
An exception outside the family becomes an internal server error without content.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import orjson

from integrator import places
from integrator.api.record import as_uuid, record_headers
from integrator.errors import (
    ConfigurationError,
    IntegratorError,
    Issue,
    MalformedRequest,
    RequestRefused,
    SubjectReplaced,
    UnknownCaller,
)
from integrator.model import LocalizedString, Trace

KIND = b"application/problem+json"
_BY_STATUS = {400: "badRequest", 408: "requestTimeout", 413: "payloadTooLarge", 415: "unsupportedMediaType"}


class EdgeRefusal(RequestRefused):
    """Refused at the edge for how the request was made; `problem` is a name in problems.yaml."""

    code: ClassVar[str] = "EDGE_REFUSAL"
    where: ClassVar[str] = "A1"

    def __init__(self, problem: str, advice: str, *, headers: tuple[tuple[bytes, bytes], ...] = ()) -> None:
        super().__init__(problem, advice=advice)
        self.problem = problem
        self.headers = headers


@dataclass(frozen=True, slots=True)
class ProblemType:
    """One row of the table: a problem, or an issue (status 0)."""

    name: str
    urn: str
    status: int
    title: LocalizedString
    what: LocalizedString

    @property
    def is_issue(self) -> bool:
        return not self.status


@dataclass(frozen=True, slots=True)
class Rendered:
    """A problem ready to be sent."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes


class Problems:
    """The table, and the one function that turns an exception into an answer. `base`: the hub's own address."""

    def __init__(self, base: str) -> None:
        data = places.read_yaml(Path(__file__).parent / "problems.yaml")
        self._base = base.rstrip("/")
        self.types = {name: _type(name, row) for name, row in {**data["issues"], **data["problems"]}.items()}
        self._errors: Mapping[str, Mapping[str, Any]] = data["errors"]
        dangling = {row["problem"] for row in self._errors.values()} - set(data["problems"])
        if dangling:
            raise ConfigurationError(f"problems.yaml: errors name unknown problems {sorted(dangling)}")
        self.by_urn = {row.urn: row for row in self.types.values()}

    def href(self, row: ProblemType) -> str:
        return f"{self._base}/refData/problemTypes/{row.urn}"

    def render(self, error: BaseException, trace: Trace) -> Rendered:
        """Status, headers and body for any exception at all."""
        name, shown, headers = self._translate(error)
        row = self.types[name]
        body: dict[str, Any] = {
            "type": row.urn,
            "href": self.href(row),
            "title": row.title.en,
            "status": row.status,
            "detail": error.hint if isinstance(error, IntegratorError) else IntegratorError.advice,
            "instance": f"urn:uuid:{as_uuid(trace.trace_id)}",
        }
        if isinstance(error, IntegratorError) and row.status != 500:
            body |= {"code": error.code, "where": error.where}
        body |= shown
        if isinstance(error, IntegratorError) and error.recorded:
            headers = (*headers, *record_headers(error.recorded, error.receipt, trace))
        return Rendered(row.status, ((b"content-type", KIND), *headers), orjson.dumps(body))

    def _translate(self, error: BaseException) -> tuple[str, dict[str, Any], tuple[tuple[bytes, bytes], ...]]:
        """(row of the table, extra properties, extra headers)."""
        if isinstance(error, MalformedRequest):
            return self._malformed(error)
        if isinstance(error, SubjectReplaced):
            extra = (("replacedBy", error.replaced_by),) if error.replaced_by else ()
            return (
                "badRequest",
                {"issues": [self._issue(Issue("replacedSsin", "body", "/ssin", error.hint, extra))]},
                (),
            )
        if isinstance(error, UnknownCaller):
            challenge = (
                () if error.problem == "messageNotBelieved" else ((b"www-authenticate", _challenge(error.problem)),)
            )
            return error.problem, {}, challenge
        if isinstance(error, EdgeRefusal):
            return error.problem, {}, error.headers
        for family in type(error).__mro__:
            if family.__name__ in self._errors and issubclass(family, IntegratorError):
                return self._from_table(error, self._errors[family.__name__])
        return "internalServerError", {}, ()

    def _from_table(
        self, error: BaseException, row: Mapping[str, Any]
    ) -> tuple[str, dict[str, Any], tuple[tuple[bytes, bytes], ...]]:
        shown = {name: getattr(error, attribute, None) for name, attribute in row.get("show", {}).items()}
        shown = {name: value for name, value in shown.items() if value is not None}
        seconds = getattr(error, "retry_after", None)
        if seconds is None:
            return row["problem"], shown, ()
        return row["problem"], shown | {"retryAfterSec": seconds}, ((b"retry-after", b"%d" % seconds),)

    def _malformed(self, error: MalformedRequest) -> tuple[str, dict[str, Any], tuple[tuple[bytes, bytes], ...]]:
        name = _BY_STATUS.get(error.status, "badRequest")
        shown: dict[str, Any] = {"issues": [self._issue(issue) for issue in error.issues]}
        if name == "payloadTooLarge":
            shown["limit"] = next((dict(issue.extra).get("maximum") for issue in error.issues), None)
        closing = ((b"connection", b"close"),) if name == "requestTimeout" else ()
        return name, shown, closing

    def _issue(self, issue: Issue) -> dict[str, Any]:
        row = self.types.get(issue.kind) or self.by_urn.get(issue.kind)
        where = {"detail": issue.detail, "in": issue.where, "name": issue.name, **dict(issue.extra)}
        if row is None:  # a whole urn of the service's own
            return {"type": issue.kind, **where}
        return {"type": row.urn, "href": self.href(row), "title": row.title.en, **where}


def _type(name: str, row: Mapping[str, Any]) -> ProblemType:
    return ProblemType(
        name, row["urn"], row.get("status", 0), LocalizedString.read(row["title"]), LocalizedString.read(row["what"])
    )


def _challenge(problem: str) -> bytes:
    """RFC 6750 §3: no error code when there was no token at all."""
    if problem == "noAccessToken":
        return b'Bearer realm="integrator"'
    words = b"expired" if problem == "expiredAccessToken" else b"invalid"
    return b'Bearer realm="integrator", error="invalid_token", error_description="The access token is ' + words + b'"'
