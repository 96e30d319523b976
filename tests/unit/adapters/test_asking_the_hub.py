"""What a question of a package comes to, asked inside the hub or over its API: an answer, nobody knows, refused, or not now."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pytest

from connectors.client import Problem
from integrator.adapters.inquiry import Said
from integrator.commands.adapter_run import _ask
from integrator.errors import (
    IntegratorError,
    Issue,
    LedgerUnwritable,
    MalformedRequest,
    PolicyDenied,
    SourceUnavailable,
    SubjectNotFound,
)
from integrator.inquiring import AsksHub
from integrator.model import Caller
from integrator.taking_part import _refusal

CHECKS = (SimpleNamespace(code="alive"),)
YES = {"eligible": "yes", "checks": [{"code": "alive", "result": "yes"}]}
HALF = {"eligible": "unknown", "checks": [{"code": "alive", "result": "unknown"}]}
NOBODY = {"eligible": "unknown"}


class Service:
    name, checks, answer_name = "card.check", CHECKS, "eligible"

    def read(self, body: Mapping[str, Any]) -> Any:
        if not body:
            raise MalformedRequest(Issue("requiredInput", "body", "/ssin", "add it"))
        return SimpleNamespace(keys=body, fields=None, dossier="D-1")


def inside(answer: Any) -> AsksHub:
    async def answered(request: Any) -> Any:
        if isinstance(answer, Exception):
            raise answer
        return SimpleNamespace(body=answer, request=request)

    hub: Any = SimpleNamespace(services={"card.check": Service()}, exchange=SimpleNamespace(answer=answered))
    part: Any = SimpleNamespace(service="card.check")
    return AsksHub(hub, part, lambda: Caller("0207373429", "a-1", "renewal"), _refusal)


@pytest.mark.parametrize(("answer", "said"), [
    (YES, Said("answered", {"eligible": "yes", "alive": "yes"})),
    (HALF, Said("unknown", {"eligible": "unknown", "alive": "unknown"}, "NOT_KNOWN")),
    (SourceUnavailable("div", "late"), Said("unknown", NOBODY, "SOURCE_UNAVAILABLE")),
    (SubjectNotFound("div"), Said("notFound", NOBODY, "SUBJECT_NOT_FOUND")),
    (PolicyDenied("NO_AUTHORISATION", rule=None, advice="Ask for one."), Said("refused", NOBODY, "NO_AUTHORISATION")),
], ids=["yes", "unknown", "the_source_is_down", "nobody_there", "not_allowed"])  # fmt: skip
async def test_inside_the_hub(answer: Any, said: Said) -> None:
    assert said == await inside(answer)({"ssin": "x"})


async def test_a_row_that_the_service_cannot_read_is_refused_and_nothing_is_asked() -> None:
    assert Said("refused", NOBODY, "NOT_ACCEPTED") == await inside(YES)({})


@pytest.mark.parametrize(
    "error",
    [LedgerUnwritable(), PolicyDenied("OUTSIDE_HOURS", rule=None, advice="Later.")],
    ids=["no_ledger", "at_night"],
)
async def test_a_hub_that_cannot_answer_now_is_no_answer(error: IntegratorError) -> None:
    with pytest.raises(type(error)):
        await inside(error)({"ssin": "x"})


def over_http(answer: Any) -> Any:
    def ask(service: str, **body: Any) -> Any:
        if isinstance(answer, Problem):
            raise answer
        return SimpleNamespace(body=answer, asked=(service, body))

    return SimpleNamespace(ask=ask)


def problem(status: int, retry_after: int | None = None, **body: Any) -> Problem:
    return Problem(status, {"type": "urn:problem-type:belgif:x", **body}, None, retry_after)


@pytest.mark.parametrize(("answer", "said"), [
    (YES, Said("answered", {"eligible": "yes", "alive": "yes"})),
    (problem(503, 30, source="div"), Said("unknown", NOBODY, "SOURCE_UNAVAILABLE")),
    (problem(502, source="div", reason="SCHEMA"), Said("unknown", NOBODY, "SCHEMA")),
    (problem(404, source="div"), Said("notFound", NOBODY, "SUBJECT_NOT_FOUND")),
    (problem(403, reason="NO_AUTHORISATION"), Said("refused", NOBODY, "NO_AUTHORISATION")),
    (problem(400), Said("refused", NOBODY, "NOT_ACCEPTED")),
], ids=["yes", "the_source_is_down", "the_source_is_not_believed", "nobody_there", "not_allowed", "not_read"])  # fmt: skip
async def test_from_a_machine_beside_the_package(answer: Any, said: Said) -> None:
    assert said == await _ask(over_http(answer), Service(), {"ssin": "x"})


@pytest.mark.parametrize("answer", [problem(503, 30), problem(429, 5)], ids=["no_ledger", "too_often"])
async def test_from_beside_it_a_hub_that_cannot_answer_now_is_no_answer(answer: Problem) -> None:
    with pytest.raises(Problem):
        await _ask(over_http(answer), Service(), {"ssin": "x"})
