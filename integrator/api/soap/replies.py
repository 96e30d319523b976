"""What leaves the façade: signed envelopes, with what was recorded beside an answer or a fault.

SOAP 1.1 over HTTP wants 500 under every fault. One fault keeps its own status: 503, with Retry-After, which proxies and
stacks of callers know to be "not now". Which problem it is stands in the detail.
"""

from __future__ import annotations

from typing import Any

import orjson
from fastapi import Response

from integrator.api.problems import Rendered
from integrator.api.record import record_headers
from integrator.api.soap import writing
from integrator.api.soap.contract import Domain, Json, Operation, resolve
from integrator.errors import IntegratorError
from integrator.model import Answer, Trace
from integrator.transport.wsse_sign import Signer
from integrator.transport.xml import escape

KIND = "text/xml; charset=utf-8"
_RECORD = {"$ref": "#/components/schemas/Record"}
_KEPT = ("connection", "retry-after", "allow", "integrator-ledger-entries", "fsc-transaction-id", "audit-receipt")


class Replies:
    """Writes and signs."""

    def __init__(self, signer: Signer) -> None:
        self._signer = signer

    def answer(self, domain: Domain, operation: Operation, answer: Answer) -> Response:
        """Of a question or a deposit."""
        entries = f"{answer.shard}/{','.join(map(str, answer.entries))}"
        headers = record_headers(entries, answer.receipt, answer.trace)
        if answer.retry_after is not None:
            headers = (*headers, (b"retry-after", b"%d" % answer.retry_after))
        record = _record(answer.trace, entries, answer.receipt, answer.retry_after)
        return self._sealed(domain, operation, answer.body, record, headers)

    def told(self, domain: Domain, operation: Operation, body: dict[str, Any], trace: Trace) -> Response:
        """Something that is looked up, and is no exchange."""
        return self._sealed(domain, operation, body, _record(trace), ())

    def fault(self, domain: Domain, rendered: Rendered, error: BaseException, trace: Trace) -> Response:
        """The problem of the REST façade, inside."""
        told = orjson.loads(rendered.body)
        shape = domain.named["Problem"]
        detail = writing.document(domain, "problem", shape, _pruned(told, shape, domain))
        code = _code(error, rendered.status)
        payload = (
            f"<soapenv:Fault><faultcode>soapenv:{code}</faultcode><faultstring>{escape(told['title'])}: "
            f"{escape(told['detail'])}</faultstring><detail>"
        ).encode()
        recorded = error if isinstance(error, IntegratorError) else IntegratorError()
        record = _record(trace, recorded.recorded, recorded.receipt)
        sealed = self._signer.seal(payload + detail + b"</detail></soapenv:Fault>", self._block(domain, record))
        kept = {name.decode(): value.decode() for name, value in rendered.headers if name.decode() in _KEPT}
        return Response(sealed, 503 if rendered.status == 503 else 500, kept, KIND)

    def _sealed(
        self, domain: Domain, operation: Operation, body: Any, record: dict[str, Any], headers: tuple[tuple[bytes, bytes], ...]
    ) -> Response:  # fmt: skip
        payload = writing.document(domain, operation.name + "Response", operation.answer, body)
        beside = {name.decode(): value.decode() for name, value in headers}
        return Response(self._signer.seal(payload, self._block(domain, record)), 200, beside, KIND)

    def _block(self, domain: Domain, record: dict[str, Any]) -> bytes:
        return writing.document(domain, "record", _RECORD, record)


def _code(error: BaseException, status: int) -> str:
    if getattr(error, "problem", "") == "mustUnderstand":
        return "MustUnderstand"
    return "Client" if status < 500 else "Server"


def _record(
    trace: Trace, entries: str | None = None, receipt: bytes | None = None, retry_after: int | None = None
) -> dict[str, Any]:
    told = {
        "traceId": trace.trace_id, "relatedTraceId": trace.related, "ledgerEntries": entries,
        "receipt": receipt.decode() if receipt is not None else None, "retryAfterSec": retry_after,
    }  # fmt: skip
    return {name: value for name, value in told.items() if value is not None}


def _pruned(value: Any, schema: Json, domain: Domain) -> Any:
    """A problem without what its schema does not know: a fault must never fail to be written."""
    if isinstance(value, list):
        return [_pruned(one, schema["items"], domain) for one in value]
    known = resolve(schema, domain.named).get("properties")
    if not isinstance(value, dict) or known is None:
        return value
    return {name: _pruned(one, known[name], domain) for name, one in value.items() if name in known}
