"""SOAP 1.1 over HTTP for the mocks: read, judge, check against XSD, hand over, check the reply, sign, answer.

    Operation     one operation as data: path, SOAPAction, contract, what handles it, how its faults look
    Service       an ASGI callable round one Operation; `answer` is the same without the network
    SoapFault     raised by anything on the way; becomes HTTP 500 with a soap:Fault, as SOAP 1.1 §6.2 asks

The order is the gateway's: XML, security, SOAPAction, schema, service. A refusal by the first two is unsigned,
for it comes from the gateway in front; everything later is signed like an answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from html import escape
from pathlib import Path
from uuid import uuid4

from lxml import etree

from mock_sources.asgi import App, BodyTooLarge, Receive, Scope, Send, header, read_body, respond
from mock_sources.clock import Clock
from mock_sources.wsse import Gate, SecurityRefused, Signer, is_plain, unsigned
from mock_sources.wsse.names import SOAP, WSSE

BODY_CAP = 256 * 1024  # bytes; a question is 3 kB
XML, TEXT = b"text/xml; charset=utf-8", b"text/plain; charset=utf-8"
CHECKED_FIRST, CHECKED_EVERY = 500, 50  # replies held against their own contract: the first ones, then one in fifty
LONG_AGO = timedelta(hours=1)  # how old an "expired signature" is

_PARSER = etree.XMLParser(
    resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False, huge_tree=False
)


class SoapFault(Exception):
    """The answer is a fault; `code` is Client, Server or a wsse:… name, `detail` the XML inside soap:detail."""

    def __init__(self, code: str, text: str, detail: str = "") -> None:
        super().__init__(text)
        self.code = code
        self.text = text
        self.detail = detail


class BrokenMock(Exception):
    """A mock was about to say what its own contract does not allow; a bug here, never a simulated fault."""


@dataclass(frozen=True, slots=True)
class Call:
    """What a handler knows about the call besides the question."""

    received: datetime
    ticket: str  # the source's own reference, a UUID
    fault: str | None  # over_delivery, wrong_subject, throttled …; see mock_sources.faults
    variant: str | None  # a fault's variant, where it has one
    clock: Clock


FaultDetail = Callable[[Call, etree._Element | None, SoapFault], str]


def no_detail(call: Call, request: etree._Element | None, fault: SoapFault) -> str:
    """Detail of an operation whose WSDL declares no fault: none."""
    return fault.detail


@dataclass(frozen=True, slots=True)
class Operation:
    """One SOAP operation, document/literal: a question element in, an answer element out."""

    path: str
    action: str
    question: str  # {namespace}name
    handle: Callable[[etree._Element, Call], str]
    contract: Contract
    fault_detail: FaultDetail = no_detail


class Contract:
    """An XSD that questions and answers are held against.

    Imports may only lead to files beside it: `Contract` reads from our own package, nothing from a network.
    """

    def __init__(self, xsd: Path) -> None:
        self._schema = etree.XMLSchema(etree.parse(str(xsd), _PARSER))

    def errors(self, element: etree._Element) -> list[str]:
        """Return what is wrong with `element`, in the validator's words; empty when valid."""
        if self._schema.validate(element):
            return []
        return [entry.message for entry in self._schema.error_log]


def parse(data: bytes) -> etree._Element:
    """Parse one document without entities, network or DTD; `SoapFault` when it is no XML or brings a DOCTYPE."""
    try:
        root = etree.fromstring(data, _PARSER)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise SoapFault("Client", "The message is not well-formed XML.") from error
    if root.getroottree().docinfo.doctype:
        raise SoapFault("Client", "A message must not contain a DOCTYPE.")
    return root


class Service:
    """Serves one operation. Security first: nothing in a body is looked at before its signature held."""

    def __init__(self, operation: Operation, gate: Gate, signer: Signer, clock: Clock) -> None:
        self._operation = operation
        self._gate = gate
        self._signer = signer
        self._clock = clock
        self._said = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI: POST with text/xml, or a refusal in HTTP's own terms."""
        refusal = http_refusal(scope["method"], header(scope, b"content-type") or b"")
        try:
            data = await read_body(receive, BODY_CAP)
        except BodyTooLarge:
            refusal = 413
        if refusal is not None:
            await respond(send, refusal, content_type=TEXT)
            return
        action = (header(scope, b"soapaction") or b"").decode("latin-1")
        status, answer = self.answer(action, data, scope.get("mock.fault"), scope.get("mock.variant"))
        await respond(send, status, answer, XML)

    def answer(
        self, soap_action: str, data: bytes, fault: str | None = None, variant: str | None = None
    ) -> tuple[int, bytes]:
        """Answer one HTTP body: (200, signed reply) or (500, fault). `fault` and `variant` are the mock's own."""
        call = Call(self._clock(), str(uuid4()), fault, variant, self._clock)
        request: etree._Element | None = None
        admitted = False
        try:
            envelope = parse(data)
            if envelope.tag != f"{{{SOAP}}}Envelope":
                return 500, unsigned(_fault(SoapFault("VersionMismatch", "A SOAP 1.1 envelope is expected."), ""))
            body = self._gate.admit(envelope)
            admitted = True
            request = self._question(body, soap_action)
            if fault == "soap_fault":
                raise SoapFault("Server", "Unexpected internal error occurred")
            payload = self._operation.handle(request, call)
            self._check(payload)
            return 200, self._signer.seal_plain(payload, self._created(call), forged=_forged(call))
        except SecurityRefused as refused:
            told = SoapFault(f"wsse:{refused.code}", refused.why)
            return 500, unsigned(self._fault(told, call, None))
        except SoapFault as told:
            if not admitted:
                return 500, unsigned(self._fault(told, call, None))
            fault_xml = self._fault(told, call, request)
            return 500, self._signer.seal(fault_xml, self._created(call), forged=_forged(call))

    def _question(self, body: etree._Element, soap_action: str) -> etree._Element:
        operation = self._operation
        if soap_action.strip().strip('"') != operation.action:
            raise SoapFault("Client", "The SOAPAction does not belong to this address.")
        if [child.tag for child in body] != [operation.question]:
            raise SoapFault("Client", f"The Body must hold one {etree.QName(operation.question).localname}.")
        if errors := operation.contract.errors(body[0]):
            # The validator's text would repeat the offending value, and with it somebody's number.
            raise SoapFault("Client", f"A validation error occurred: {len(errors)} violation(s) of the XML schema.")
        return body[0]

    def _fault(self, fault: SoapFault, call: Call, request: etree._Element | None) -> str:
        return _fault(fault, self._operation.fault_detail(call, request, fault))

    def _created(self, call: Call) -> datetime:
        return self._clock() - (LONG_AGO if call.fault == "expired_signature" else timedelta())

    def _check(self, payload: str) -> None:
        self._said += 1
        if self._said > CHECKED_FIRST and self._said % CHECKED_EVERY:
            return
        if errors := self._operation.contract.errors(parse(payload.encode())):
            raise BrokenMock(f"{self._operation.path}: {errors[0]}")
        if not is_plain(payload):
            raise BrokenMock(f"{self._operation.path}: the reply is not written in canonical form")


def _forged(call: Call) -> bool:
    return call.fault == "wrong_signature"


def _fault(fault: SoapFault, detail: str) -> str:
    code = fault.code if ":" in fault.code else f"soapenv:{fault.code}"
    return (
        f'<soapenv:Fault xmlns:soapenv="{SOAP}" xmlns:wsse="{WSSE}"><faultcode>{code}</faultcode>'
        f"<faultstring>{escape(fault.text, quote=False)}</faultstring>"
        f"{f'<detail>{detail}</detail>' if detail else ''}</soapenv:Fault>"
    )


class Router:
    """An ASGI callable that hands a path to the service that lives there; 404 for the rest."""

    def __init__(self, services: Mapping[str, App]) -> None:
        self.services = dict(services)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI: the path as the real source has it, without the mock's own prefix."""
        service = self.services.get(scope["path"])
        if service is None:
            await respond(send, 404, content_type=TEXT)
            return
        await service(scope, receive, send)


def http_refusal(method: str, content_type: bytes) -> int | None:
    """Return the HTTP status that refuses this request before its body counts, or None.

    >>> http_refusal("POST", b"text/xml; charset=utf-8"), http_refusal("GET", b""), http_refusal("POST", b"text/html")
    (None, 405, 415)
    """
    if method != "POST":
        return 405
    return None if content_type.split(b";")[0].strip().lower() == b"text/xml" else 415


def child_texts(element: etree._Element, names: Iterable[str]) -> list[str | None]:
    """Texts of the named direct children (any namespace), None where absent; the element is already valid.

    >>> child_texts(etree.fromstring('<a><b>1</b></a>'), ("b", "c"))
    ['1', None]
    """
    found = {etree.QName(child).localname: (child.text or "").strip() for child in element}
    return [found.get(name) for name in names]
