"""The façade's two routes. A message is opened, its sender known and its place taken before anything of it is read.

    size, kind ─► security ─► place ─► never before ─► domain, operation ─► body ─► service.read ─► exchange ─► sealed

What is asked becomes the same `Request` that REST makes, and goes through the same exchange; a message that is handed in
goes through the same counter, under the same key.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request, Response

from integrator.api.body import ClientGone, check_kind, drain, read_bytes
from integrator.api.certificates import SHOWN
from integrator.api.delivering import Counter, read_key
from integrator.api.headers import language, read_related, scenario
from integrator.api.hub import Hub
from integrator.api.limits import KNOWN, InFlight, Limits
from integrator.api.problems import EdgeRefusal, Problems
from integrator.api.soap import reading, wsdl
from integrator.api.soap.contract import PATH, Domain, Operation, domains
from integrator.api.soap.knocking import Desk, Knock
from integrator.api.soap.opening import Soap
from integrator.api.soap.replies import Replies
from integrator.errors import IntegratorError, Issue, MalformedRequest
from integrator.logs import log
from integrator.model import Answer, Caller, Trace
from integrator.model import Request as Question

_PAGE = 100  # messages of one fetch
_OPEN = {"cache-control": "public, max-age=300", "cross-origin-resource-policy": "cross-origin"}


def router(hub: Hub, soap: Soap, problems: Problems, limits: Limits, flight: InFlight) -> APIRouter:
    """Routes over the hub's services. `flight`: the places that all questions share, whatever façade they come by."""
    routes = APIRouter()
    offered = domains(hub.services, problems)
    described = {name: wsdl.render(domain, hub.settings.issuer) for name, domain in offered.items()}
    door = _Door(hub, soap, limits, flight)

    @routes.get(PATH + "{name}")
    async def contract(name: str, request: Request) -> Response:
        if name not in described or request.scope["query_string"].lower() != b"wsdl":
            told = ", ".join(f"{PATH}{known}?wsdl" for known in described)
            raise EdgeRefusal("resourceNotFound", f"There is nothing at this address. There are: {told}.")
        return Response(described[name], 200, _OPEN, "text/xml; charset=utf-8")

    @routes.post(PATH + "{name}")
    async def message(name: str, request: Request) -> Response:
        domain = offered.get(name)
        if domain is None:
            raise EdgeRefusal("resourceNotFound", "There is nothing at this address; /docs lists what there is.")
        return await _guarded(door, domain, request, problems, hub, limits)

    return routes


async def _guarded(
    door: _Door, domain: Domain, request: Request, problems: Problems, hub: Hub, limits: Limits
) -> Response:
    """Every error becomes a fault; what nobody foresaw is logged by its type alone."""
    trace: Trace = request.scope["integrator.trace"]
    try:
        return await door.answer(domain, request, trace)
    except ClientGone:
        return Response(status_code=400)  # nobody reads it
    except Exception as error:
        rendered = problems.render(error, trace)
        if not isinstance(error, IntegratorError):
            log.error("unexpected_error", error=type(error).__name__, trace=trace.trace_id)
        elif error.recorded is None:
            hub.metrics.refused.labels(getattr(error, "problem", None) or error.code).inc()
        response = door.replies.fault(domain, rendered, error, trace)
        if not await drain(dict(request.scope["headers"]), request.scope["integrator.inlet"], limits):
            response.headers["connection"] = "close"
        return response


class _Door:
    """One message after the other; keeps nothing of them."""

    def __init__(self, hub: Hub, soap: Soap, limits: Limits, flight: InFlight) -> None:
        self._hub, self._limits, self._flight = hub, limits, flight
        self._desk, self._counter, self.replies = Desk(hub, soap, limits), Counter(hub), Replies(soap.signer)

    async def answer(self, domain: Domain, request: Request, trace: Trace) -> Response:
        """Raises the `IntegratorError` family, `ClientGone`."""
        headers = dict(request.scope["headers"])
        if request.scope["query_string"]:
            raise MalformedRequest(Issue("unknownInput", "query", "query", "this address reads its body only"))
        check_kind(headers, b"text/xml")
        data = await read_bytes(headers, request.scope["integrator.inlet"], self._limits)
        knock = self._desk.open(data, request.scope.get(SHOWN))
        self._flight.enter(knock.application.id)
        self._flight.leave_public()  # a question may last: strangers must not wait for it, nor it for them
        request.scope[KNOWN] = True
        try:
            await self._desk.once(knock)
            return await self._served(domain, knock, headers, trace)
        finally:
            self._flight.leave(knock.application.id)

    async def _served(self, domain: Domain, knock: Knock, headers: dict[bytes, bytes], trace: Trace) -> Response:
        operation = _operation(domain, knock.envelope.payload)
        body = reading.body(domain, operation.request, knock.envelope.payload)
        context = body.pop("context", None)
        if context is None or "purpose" not in context:
            raise MalformedRequest(Issue("requiredInput", "body", "/context/purpose", "say for which purpose you ask"))
        caller = self._hub.identity.senders.caller(knock.application, context["purpose"], context.get("agent"))
        trace = _traced(trace, context)
        if operation.service is None:
            return self.replies.told(domain, operation, await self._looked(caller, body), trace)
        if operation.part == "fetch":
            return self.replies.told(domain, operation, await self._fetched(operation.service, caller, body), trace)
        if operation.part == "answer":
            return self.replies.answer(domain, operation, await self._answered(caller, body, trace))
        chosen = context.get("language") or language(headers.get(b"accept-language", b""))
        play = scenario(headers, sandbox=self._hub.settings.sandbox)
        answer = await self._asked(operation.service, body, caller, trace, chosen, play)
        return self.replies.answer(domain, operation, answer)

    async def _asked(
        self, service: Any, body: dict[str, Any], caller: Caller, trace: Trace, chosen: str, play: str | None
    ) -> Answer:
        if service.later is not None:
            key = read_key(body.pop("idempotencyKey", ""), "body", "/idempotencyKey")
            return await self._counter.deposit(service, body, key, caller, trace, chosen)
        read = service.read(body)
        return await self._hub.exchange.answer(
            Question(
                service.name, caller, read.keys, trace, read.fields, read.dossier, read.history, chosen, play, read.emergency
            )
        )  # fmt: skip

    async def _fetched(self, service: Any, caller: Caller, body: Mapping[str, Any]) -> dict[str, Any]:
        """What waits for the caller's subscription to this service; data of each item beside its id."""
        page = await self._counter.waiting(caller, service.name, body.get("cursor"), _PAGE)
        items = [{"deliveryId": one["id"], "time": one["time"], **one["data"]} for one in page["items"]]
        return {"items": items} | ({"cursor": page["cursor"]} if page["cursor"] is not None else {})

    async def _answered(self, caller: Caller, body: Mapping[str, Any], trace: Trace) -> Answer:
        missing = [name for name in ("idempotencyKey", "deliveryId", "content") if name not in body]
        if missing:
            raise MalformedRequest(*(Issue("requiredInput", "body", f"/{name}", "add it") for name in missing))
        key = read_key(body["idempotencyKey"], "body", "/idempotencyKey")
        return await self._counter.answer(caller, body["deliveryId"], key, body["content"], trace)

    async def _looked(self, caller: Caller, body: Mapping[str, Any]) -> dict[str, Any]:
        if "deliveryId" not in body:
            raise MalformedRequest(Issue("requiredInput", "body", "/deliveryId", "add it"))
        return await self._counter.look(caller, body["deliveryId"], body.get("cursor"))


def _operation(domain: Domain, payload: Any) -> Operation:
    """By the element that was signed; SOAPAction is anybody's word."""
    namespace, _, name = payload.tag.removeprefix("{").rpartition("}")
    found = domain.operations.get(name)
    if found is None or namespace != domain.namespace:
        told = ", ".join(domain.operations)
        raise MalformedRequest(
            Issue("unknownInput", "body", "/", f"the Body holds one of these, of {domain.namespace}: {told}")
        )
    return found


def _traced(trace: Trace, context: Mapping[str, Any]) -> Trace:
    own = context.get("traceId")
    if own is None:
        return trace
    words = read_related(own.encode())
    if words is None:
        advice = "1 to 64 letters, digits or . _ -, and no national number"
        raise MalformedRequest(Issue("rejectedInput", "body", "/context/traceId", advice))
    return Trace(trace.trace_id, trace.span_id, words)
