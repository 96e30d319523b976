"""The outermost door, and the short way through it for services. Everything else falls to the FastAPI app behind.

    host → route → who asks → room for one more? → body → service.read → exchange.answer → JSON

Nothing is asked of the hub before the question is complete and its asker known; a refusal before that point reads
the rest of the body (bounded), so that the caller can read why. No identifier reaches a header, a log line or a metric.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any

from integrator.api.body import ClientGone, Inlet, drain, read_json
from integrator.api.certificates import SHOWN, Shown
from integrator.api.headers import SECURITY, bearer, language, new_trace, refuse_doubles, scenario, trace_headers
from integrator.api.hub import Hub
from integrator.api.limits import KNOWN, InFlight, Limits
from integrator.api.problems import EdgeRefusal, Problems
from integrator.api.protocol import DOOR, Door
from integrator.api.record import record_headers
from integrator.api.routes import Route, Routes
from integrator.errors import IntegratorError, Issue, MalformedRequest, UnknownCaller
from integrator.logs import log
from integrator.model import Answer, Request, Trace

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
Reply = tuple[Door | None, Send]  # how an answer leaves: in one write where the server can, or as ASGI
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_JSON = (b"content-type", b"application/json")
_CLOSE = (b"connection", b"close")
_ANY_HOST = frozenset((b"/livez", b"/readyz", b"/metrics"))  # probes ask by the machine's own address


class Front:
    """The ASGI application that the server runs. `rest` gets what is not a service."""

    def __init__(self, hub: Hub, rest: App, problems: Problems, limits: Limits, flight: InFlight) -> None:
        self._hub, self._rest, self._problems, self._limits = hub, rest, problems, limits
        self._routes = Routes(
            {name: one for name, one in hub.services.items() if one.later is None and not one.is_open}
        )
        self._flight = flight  # shared with what else asks questions behind
        self._shown = Shown(hub.identity.certificates, hub.settings.proxies)
        self._hosts = frozenset(host.lower().encode() for host in hub.settings.hosts)
        self._sandbox = hub.settings.sandbox
        self._fixed = [*SECURITY]
        if hub.settings.issuer.startswith("https:"):
            self._fixed.append((b"strict-transport-security", b"max-age=31536000; includeSubDomains"))
        self._fixed_lines = _lines(self._fixed)
        hub.metrics.in_flight.set_function(lambda: self._flight.count)

    @property
    def in_flight(self) -> int:
        """Requests being worked on now."""
        return self._flight.count

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise RuntimeError("only HTTP is spoken here")
        headers = dict(scope["headers"])
        trace = new_trace(headers)
        door = scope.pop(DOOR, None)
        inlet, reply = Inlet(receive, door and door.arrived), (door, send)
        try:
            refuse_doubles(scope["headers"], headers)
            self._check_host(headers, scope["raw_path"])
            self._shown.find(scope, headers)
            found = self._routes.find(scope["method"], scope["raw_path"], scope["query_string"])
            if found is None:
                self._flight.enter_public()
        except IntegratorError as error:
            await self._refuse(error, trace, headers, inlet, reply)
            return
        if found is not None:
            await self._serve(*found, scope, headers, trace, inlet, reply)
            return
        try:
            await self._pass_on(scope, inlet, send, trace)
        finally:
            if KNOWN not in scope:
                self._flight.leave_public()

    def _check_host(self, headers: dict[bytes, bytes], raw_path: bytes) -> None:
        if headers.get(b"host", b"").lower() not in self._hosts and raw_path not in _ANY_HOST:
            raise EdgeRefusal("misdirectedRequest", "Use the address of the hub that its operator gave.")

    # --- a service ------------------------------------------------------------------------------------------------

    async def _serve(
        self,
        route: Route,
        value: str | None,
        scope: Scope,
        headers: dict[bytes, bytes],
        trace: Trace,
        inlet: Inlet,
        reply: Reply,
    ) -> None:
        try:
            token = bearer(headers)
            if token is None:
                raise UnknownCaller("no access token", problem="noAccessToken")
            who = self._hub.identity.verify(token, scope.get(SHOWN))
            self._flight.enter(who.caller.application)  # before the body: nobody unknown can hold a place
        except IntegratorError as error:
            await self._refuse(error, trace, headers, inlet, reply)
            return
        try:
            request = await self._read(route, value, scope, headers, trace, inlet, who)
        except ClientGone:
            return
        except IntegratorError as error:
            await self._refuse(error, trace, headers, inlet, reply)
            return
        except Exception as error:
            await self._fail(error, trace, reply)
            return
        else:
            await self._ask(request, reply)
        finally:
            self._flight.leave(who.caller.application)

    async def _read(
        self,
        route: Route,
        value: str | None,
        scope: Scope,
        headers: dict[bytes, bytes],
        trace: Trace,
        inlet: Inlet,
        who: Any,
    ) -> Request:
        service = route.service
        play = scenario(headers, sandbox=self._sandbox)
        if scope["method"] == "GET":
            question = route.read(value, scope["query_string"])
        else:
            if scope["query_string"]:
                raise MalformedRequest(Issue("unknownInput", "query", "query", "this service reads its body only"))
            body = await read_json(headers, inlet, self._limits)
            if who.dossier is not None:
                body.setdefault("dossierReference", who.dossier)
            question = service.read(body)
        if who.dossier is not None and question.dossier not in (None, who.dossier):
            raise MalformedRequest(
                Issue(
                    "equalExpected",
                    "body",
                    "/dossierReference",
                    "the token is bound to another case: ask a token for this one",
                )
            )
        return Request(
            service.name, who.caller, question.keys, trace, question.fields, question.dossier or who.dossier, question.history,
            language(headers.get(b"accept-language", b"")), play, question.emergency,
        )  # fmt: skip

    async def _ask(self, request: Request, reply: Reply) -> None:
        """Once here, a caller who hangs up changes nothing: what is asked is asked, and recorded."""
        try:
            answer = await self._hub.exchange.answer(request)
        except IntegratorError as error:
            rendered = self._problems.render(error, request.trace)
            if rendered.status == 500:
                log.error(
                    "exchange_failed", error=type(error).__name__, trace=request.trace.trace_id, service=request.service
                )
            await self._answer(reply, request.trace, rendered.status, rendered.headers, rendered.body)
        except Exception as error:
            await self._fail(error, request.trace, reply, service=request.service)
        else:
            await self._answer(reply, request.trace, 200, (_JSON, *_beside(answer)), answer.payload)

    # --- answers --------------------------------------------------------------------------------------------------

    async def _answer(
        self, reply: Reply, trace: Trace, status: int, headers: tuple[tuple[bytes, bytes], ...], body: bytes
    ) -> None:
        door, send = reply
        own = [*headers, (b"content-length", b"%d" % len(body)), *trace_headers(trace)]
        if door is not None and door.answer(status, _lines(own) + self._fixed_lines, body, close=_CLOSE in headers):
            return
        start = {"type": "http.response.start", "status": status, "headers": [*own, *self._fixed]}
        await send(start)
        await send({"type": "http.response.body", "body": body})

    async def _refuse(
        self, error: IntegratorError, trace: Trace, headers: dict[bytes, bytes], inlet: Inlet, reply: Reply
    ) -> None:
        """An early answer. What was not read yet is thrown away first, within limits, or the connection closes."""
        rendered = self._problems.render(error, trace)
        self._hub.metrics.refused.labels(_kind(error)).inc()
        extra = rendered.headers
        if _CLOSE not in extra and not await drain(headers, inlet, self._limits):
            extra = (*extra, _CLOSE)
        await self._answer(reply, trace, rendered.status, extra, rendered.body)

    async def _fail(self, error: Exception, trace: Trace, reply: Reply, service: str = "") -> None:
        """Something nobody foresaw: its type is logged, its words (which may hold anything) are not."""
        log.error("unexpected_error", error=type(error).__name__, trace=trace.trace_id, service=service)
        rendered = self._problems.render(error, trace)
        await self._answer(reply, trace, rendered.status, rendered.headers, rendered.body)

    # --- everything else ------------------------------------------------------------------------------------------

    async def _pass_on(self, scope: Scope, inlet: Inlet, send: Send, trace: Trace) -> None:
        """The app behind answers its own errors (app.py); what still comes out of it was logged nowhere yet."""
        whole = False

        async def dressed(message: Any) -> None:
            nonlocal whole
            if message["type"] == "http.response.start":
                own = {name.lower() for name, _ in message["headers"]}
                kept = [(name, value) for name, value in self._fixed if name not in own]
                message["headers"] = [*message["headers"], *trace_headers(trace), *kept]
            elif not message.get("more_body", False):
                whole = True
            await send(message)

        scope["integrator.trace"], scope["integrator.inlet"] = trace, inlet
        try:
            await self._rest(scope, inlet, dressed)
        except Exception as error:
            log.error("unexpected_error", error=type(error).__name__, trace=trace.trace_id)
            if not whole:  # half an answer cannot be mended: the connection must break, not pretend to be whole
                raise ConnectionAbortedError from None


def _lines(headers: Sequence[tuple[bytes, bytes]]) -> bytes:
    """Header lines, as they are written. Raises ValueError for a value that would end its line.

    >>> _lines([(b"a", b"1")])
    b'a: 1\\r\\n'
    """
    lines = b"".join([b"%b: %b\r\n" % header for header in headers])
    if lines.count(b"\n") != len(headers) or lines.count(b"\r") != len(headers) or b"\0" in lines:
        raise ValueError("a header value holds a line break")
    return lines


def _beside(answer: Answer) -> tuple[tuple[bytes, bytes], ...]:
    """Headers beside the answer: what was recorded of it, and when to ask again."""
    entries = f"{answer.shard}/{','.join(map(str, answer.entries))}"
    headers = record_headers(entries, answer.receipt, answer.trace)
    return headers if answer.retry_after is None else (*headers, (b"retry-after", b"%d" % answer.retry_after))


def _kind(error: IntegratorError) -> str:
    """A label of few values: never anything of the request."""
    return getattr(error, "problem", None) or error.code
