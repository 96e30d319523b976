"""What a caller may know about its own rights: /authorisation/v1, AuthZEN at /access/v1, and a page for people.

POST /authorisation/v1/grants/mine          {"allPurposes": false}              services, keys, fields, depth, legal text, until when
POST /authorisation/v1/decisions/preview    {"service": "…", "keys": […]}       would it be allowed, and what would turn it round
POST /authorisation/v1/decisions/explain    {"traceId": "…"}                    why an exchange of one's own ended as it did
POST /access/v1/evaluation, /evaluations    AuthZEN Authorization API 1.0
GET  /docs/rights                           a form for a one-time code; its answer is the page of rights
"""

from __future__ import annotations

import re
from urllib.parse import parse_qs

import orjson
from fastapi import APIRouter, Request, Response

from integrator.api.body import check_kind, read_bytes
from integrator.api.callers import Counter, answer, only
from integrator.api.headers import holds_number
from integrator.api.hub import Hub
from integrator.api.limits import Limits
from integrator.api.pages import page
from integrator.api.problems import EdgeRefusal
from integrator.errors import Issue, MalformedRequest
from integrator.identity.grants import Bureau

_REQUEST_ID = re.compile(r"[\x21-\x7e]{1,128}")
_FORM = b"application/x-www-form-urlencoded"


def router(hub: Hub, bureau: Bureau, counter: Counter, limits: Limits) -> APIRouter:
    """Routes over one bureau."""
    routes = APIRouter()

    @routes.post("/authorisation/v1/grants/mine")
    async def mine(request: Request) -> Response:
        caller = counter.who(request).caller
        body = await counter.body(request)
        only(body, frozenset(), frozenset({"allPurposes"}))
        every = body.get("allPurposes", False)
        if not isinstance(every, bool):
            raise MalformedRequest(Issue("schemaViolation", "body", "/allPurposes", "true or false"))
        return answer(await bureau.mine(caller, every=every, trace=counter.trace(request)))

    @routes.post("/authorisation/v1/decisions/preview")
    async def preview(request: Request) -> Response:
        caller = counter.who(request).caller
        return answer(await bureau.preview(caller, await counter.body(request), trace=counter.trace(request)))

    @routes.post("/authorisation/v1/decisions/explain")
    async def explain(request: Request) -> Response:
        caller = counter.who(request).caller
        return answer(await bureau.explain(caller, await counter.body(request), trace=counter.trace(request)))

    @routes.post("/access/v1/evaluation")
    async def evaluation(request: Request) -> Response:
        caller, named = counter.who(request).caller, _request_id(request)
        told = await bureau.evaluation(caller, await counter.body(request), trace=counter.trace(request))
        return answer(told, headers=named)

    @routes.post("/access/v1/evaluations")
    async def evaluations(request: Request) -> Response:
        caller, named = counter.who(request).caller, _request_id(request)
        told = await bureau.evaluations(caller, await counter.body(request), trace=counter.trace(request))
        return answer(told, headers=named)

    @routes.get("/.well-known/authzen-configuration")
    async def configuration() -> Response:
        base = hub.settings.issuer
        told = {
            "policy_decision_point": base,
            "access_evaluation_endpoint": f"{base}/access/v1/evaluation",
            "access_evaluations_endpoint": f"{base}/access/v1/evaluations",
        }
        return Response(orjson.dumps(told), 200, {"cache-control": "public, max-age=300"}, "application/json")

    @routes.get("/docs/rights")
    async def door(request: Request) -> Response:
        return page(request, "rights_door.html", form=True, wrong=False)

    @routes.post("/docs/rights")
    async def show(request: Request) -> Response:
        """No session: the code opens one page, once, and stands in no address."""
        headers = dict(request.scope["headers"])
        check_kind(headers, _FORM)
        code = _code(await read_bytes(headers, request.scope["integrator.inlet"], limits))
        name = await hub.enrolment.pile.take_code(code, hub.clock()) if code else None
        application = hub.identity.applications.get(name) if name else None
        if application is None:
            return page(request, "rights_door.html", form=True, wrong=True, status=403)
        return page(request, "rights.html", form=True, title=application.name, held=bureau.held(application))

    return routes


def _request_id(request: Request) -> dict[str, str]:
    """X-Request-ID as it came (AuthZEN §10.1.10). Raises `EdgeRefusal`: no number of a person belongs in a header."""
    named = request.headers.get("x-request-id")
    if named is None:
        return {}
    if not _REQUEST_ID.fullmatch(named) or holds_number(named):
        raise EdgeRefusal("badRequest", "X-Request-ID: 1 to 128 visible ASCII characters, and no national number.")
    return {"x-request-id": named}


def _code(form: bytes) -> str | None:
    try:
        fields = parse_qs(form.decode("ascii"), max_num_fields=5, errors="strict")
    except ValueError:
        return None
    return "".join(fields.get("code", [""])[-1].split())[:100] or None
