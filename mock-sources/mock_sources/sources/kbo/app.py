"""wsKBOPub over HTTP: security, request context, schema, operation. Refuses as documented; see mock.yaml."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from lxml import etree

from mock_sources.asgi import BodyTooLarge, Receive, Scope, Send, header, read_body, respond
from mock_sources.clock import Clock
from mock_sources.credentials import UsernamePassword
from mock_sources.soap import BODY_CAP, TEXT, XML, Contract, SoapFault, http_refusal, parse
from mock_sources.sources.kbo.names import ACTIONS, DATAMODEL, MESSAGES, PATH
from mock_sources.sources.kbo.operations import Operations, value
from mock_sources.world import World
from mock_sources.wsse import PasswordGate, SecurityRefused, unsigned
from mock_sources.wsse.names import SOAP, WSSE

_M = f"{{{MESSAGES}}}"


@dataclass(frozen=True, slots=True)
class Context:
    """What the caller says about its call, from the header."""

    id: str
    language: str  # fr | nl | de | en


class PublicSearch:
    """ASGI callable for the one endpoint of the service."""

    def __init__(self, world: World, user: UsernamePassword, clock: Clock) -> None:
        self._gate = PasswordGate(user.username, user.password, clock)
        self._contract = Contract(Path(__file__).with_name("schema") / "messages.xsd")
        self._operations = Operations(world)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """POST text/xml to the endpoint; everything else is refused in HTTP's own terms."""
        if scope["path"] != PATH:
            await respond(send, 404, content_type=TEXT)
            return
        refusal = http_refusal(scope["method"], header(scope, b"content-type") or b"")
        try:
            data = await read_body(receive, BODY_CAP)
        except BodyTooLarge:
            refusal = 413
        if refusal is not None:
            await respond(send, refusal, content_type=TEXT)
            return
        status, body = self.answer(header(scope, b"soapaction"), data, scope.get("mock.fault"))
        await respond(send, status, body, XML)

    def answer(self, action: bytes | None, data: bytes, fault: str | None = None) -> tuple[int, bytes]:
        """Answer one envelope: (200, reply) or (500, SOAP fault)."""
        try:
            envelope = parse(data)
            if envelope.tag != f"{{{SOAP}}}Envelope":
                raise SoapFault("VersionMismatch", "A SOAP 1.1 envelope is expected.")
            body = self._gate.admit(envelope)
            context = self._context(envelope[0])
            question = self._question(body, action)
            if fault == "soap_fault":
                raise SoapFault("Server", "Internal error.", _detail("InternalError"))
            return 200, unsigned(_declared(self._operations.answer(question, context.language, fault)))
        except SecurityRefused as error:
            return 500, unsigned(_fault(f"wsse:{error.code}", error.why, ""))
        except SoapFault as error:
            return 500, unsigned(_fault(f"soapenv:{error.code}", str(error), error.detail))

    def _context(self, head: etree._Element) -> Context:
        found = head.findall(_M + "RequestContext")
        if len(found) != 1:
            raise SoapFault("Client", "The Header must hold one RequestContext.", _detail("InvalidRequest"))
        self._validate(found[0])
        return Context(value(found[0], "Id"), value(found[0], "Language"))

    def _question(self, body: etree._Element, action: bytes | None) -> etree._Element:
        """The one request in the Body, valid; a SOAPAction, where sent, must be its own."""
        children = [child for child in body if isinstance(child.tag, str)]
        if len(children) != 1 or children[0].tag not in ACTIONS:
            raise SoapFault("Client", "The Body must hold one request of this service.", _detail("InvalidRequest"))
        named = (action or b"").strip().strip(b'"').decode("latin-1")
        if named not in ("", ACTIONS[children[0].tag]):
            raise SoapFault("Client", "The SOAPAction is not that of the request.", _detail("InvalidRequest"))
        self._validate(children[0])
        return children[0]

    def _validate(self, element: etree._Element) -> None:
        """The validator's own words stay inside: they would repeat the value that was sent."""
        errors = self._contract.errors(element)
        if errors:
            text = f"A validation error occurred: {len(errors)} violation(s) of the XML schema."
            raise SoapFault("Client", text, _detail("InvalidRequest"))


def _declared(payload: str) -> str:
    """Put the service's two namespaces on the outermost element of a reply."""
    name, _, rest = payload.partition(">")
    return f'{name} xmlns:mes="{MESSAGES}" xmlns:dat="{DATAMODEL}">{rest}'


def _detail(code: str) -> str:
    return f'<mes:ServiceFault xmlns:mes="{MESSAGES}"><mes:Code>{code}</mes:Code></mes:ServiceFault>'


def _fault(code: str, text: str, detail: str) -> str:
    inside = f"<detail>{detail}</detail>" if detail else ""
    return (
        f'<soapenv:Fault xmlns:wsse="{WSSE}"><faultcode>{code}</faultcode>'
        f"<faultstring>{text}</faultstring>{inside}</soapenv:Fault>"
    )
