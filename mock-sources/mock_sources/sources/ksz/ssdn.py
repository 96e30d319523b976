"""The classic generation: one operation sendXML, an SSDNRequest as text in, an SSDNReply as text out.

An answer has two summaries, of the envelope and of the service, and neither is told by the HTTP status: the
envelope's repeats that the service went wrong, the service's says why.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from html import escape
from pathlib import Path
from typing import Any
from zlib import crc32

from lxml import etree

from mock_sources.soap import BrokenMock, Call, Contract, SoapFault, child_texts, parse
from mock_sources.sources.ksz.network import Members, Place

SERVICE = "http://www.ksz-bcss.fgov.be/XSD/SSDN/Service"
COMMON = "http://www.ksz-bcss.fgov.be/XSD/SSDN/Common"
CONNECTOR = "http://ksz-bcss.fgov.be/connectors/WebServiceConnector"


@dataclass(frozen=True, slots=True)
class Detail:
    """One message of a summary; `information` names at most five fields, a value may be absent."""

    severity: str
    code: str
    text: str
    information: tuple[tuple[str, str | None], ...] = ()


@dataclass(frozen=True, slots=True)
class Told:
    """What a service answers: its details and, unless one of them is an ERROR, a body."""

    details: tuple[Detail, ...] = ()
    body: str = ""


class Reasons:
    """The reason codes of mock.yaml."""

    def __init__(self, table: Mapping[str, Mapping[str, Any]]) -> None:
        self._table = table

    def detail(self, name: str, *information: tuple[str, str | None]) -> Detail:
        """One detail by its name in mock.yaml."""
        entry = self._table[name]
        return Detail(entry["severity"], entry["code"], entry["text"], information)

    def refuse(self, name: str, *information: tuple[str, str | None]) -> Told:
        """An answer that is nothing but that refusal."""
        return Told((self.detail(name, *information),))


@dataclass(frozen=True, slots=True)
class User:
    """AuthorizedUser of a request, with the place in the network that it claims."""

    texts: tuple[str | None, ...]  # UserID, Email, OrgUnit, MatrixID, MatrixSubID
    place: Place

    @property
    def org_unit(self) -> str | None:
        """Enterprise number."""
        return self.texts[2]


ServiceBody = Callable[[etree._Element, User, Call], Told]
_USER = ("UserID", "Email", "OrgUnit", "MatrixID", "MatrixSubID")


class SendXml:
    """Handles sendXML: unpack, check, hand to the service named, pack."""

    def __init__(
        self, services: Mapping[str, ServiceBody], members: Members, manual: Mapping[str, Any], schema: Path
    ) -> None:
        self._services = services
        self._members = members
        self._version = manual["ssdn"]["version"]
        self._reasons = Reasons(manual["reasons"])
        self._contract = Contract(schema / "ssdn_service.xsd")

    def __call__(self, request: etree._Element, call: Call) -> str:
        """Answer a valid xmlString element with the XML of another one."""
        reply = self._reply(request.text or "", call)
        if errors := self._contract.errors(parse(reply.encode())):
            raise BrokenMock(f"SSDNReply: {errors[0]}")
        return f'<xmlString xmlns="{CONNECTOR}">{escape(reply, quote=False)}</xmlString>'

    def _reply(self, document: str, call: Call) -> str:
        try:
            root = parse(document.strip().encode())
        except SoapFault:
            return self._envelope(self._reasons.refuse("not_xml"), None, "", call)
        if root.tag != f"{{{SERVICE}}}SSDNRequest" or self._contract.errors(root):
            return self._envelope(self._reasons.refuse("not_xml"), None, "", call)
        if call.fault == "throttled":
            return self._envelope(self._reasons.refuse("throttled"), root, "", call)
        user = _user(root[0][0])
        if self._members.place(user.org_unit, *user.texts[3:]) != user.place:
            return self._envelope(self._reasons.refuse("not_authorized"), root, "", call)
        told = [(one, self._served(one, user, call)) for one in root[1:]]
        details = tuple(detail for _, one in told for detail in one.details)
        return self._envelope(self._overall(details), root, "".join(_service_reply(*one) for one in told), call)

    def _served(self, request: etree._Element, user: User, call: Call) -> Told:
        service, version = child_texts(request[:2], ("ServiceId", "Version"))
        handle = self._services.get(service or "")
        expected = (service or "").removeprefix("OCMWCPAS") + "Request"
        if handle is None or version != self._version or etree.QName(request[2]).localname != expected:
            return self._reasons.refuse("unknown_service")
        return handle(request[2], user, call)

    def _overall(self, details: tuple[Detail, ...]) -> Told:
        severities = {detail.severity for detail in details}
        if "ERROR" in severities:
            return self._reasons.refuse("service_error")
        return self._reasons.refuse("service_warning") if "WARNING" in severities else Told()

    def _envelope(self, summary: Told, request: etree._Element | None, replies: str, call: Call) -> str:
        return (
            f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<SSDNReply xmlns="{SERVICE}">'
            f"<ReplyContext>{_summary('ns1', summary.details)}{_context(request, call)}</ReplyContext>"
            f"{replies}</SSDNReply>"
        )


def _user(element: etree._Element) -> User:
    texts = child_texts(element, _USER)
    return User(tuple(texts), Place(int(texts[3] or 0), int(texts[4] or 0)))


def _context(request: etree._Element | None, call: Call) -> str:
    user, reference, sent = "", "", ""
    if request is not None:
        echoed = _elements(zip(_USER, child_texts(request[0][0], _USER), strict=True))
        user = f"<AuthorizedUser>{echoed}</AuthorizedUser>"
        message = request[0][1] if len(request[0]) > 1 else ()
        texts = child_texts(message, ("Reference", "TimeRequest"))
        reference, sent = _elements([("Reference", texts[0])]), _elements([("TimeRequest", texts[1])])
    return (
        f"{user}<Message>{reference}<Ticket>{_ticket(call)}</Ticket>{sent}<TimeReceive>{_moment(call.received)}"
        f"</TimeReceive><TimeResponse>{_moment(call.clock())}</TimeResponse></Message>"
    )


def _service_reply(request: etree._Element, told: Told) -> str:
    service, version = child_texts(request[:2], ("ServiceId", "Version"))
    refused = any(detail.severity == "ERROR" for detail in told.details)
    return (
        f"<ServiceReply>{_summary('ns2', told.details)}<ServiceId>{escape(service or '', quote=False)}</ServiceId>"
        f"<Version>{version}</Version>{'' if refused else told.body}</ServiceReply>"
    )


def _summary(prefix: str, details: tuple[Detail, ...]) -> str:
    severities = {detail.severity for detail in details}
    ok, code = ("NO", 10000) if "ERROR" in severities else ("WARNING", 1) if "WARNING" in severities else ("YES", 0)
    inside = "".join(_detail(prefix, detail) for detail in details[:30])
    return (
        f'<{prefix}:ResultSummary xmlns:{prefix}="{COMMON}" ok="{ok}"><{prefix}:ReturnCode>{code}</{prefix}:ReturnCode>'
        f"{inside}</{prefix}:ResultSummary>"
    )


def _detail(prefix: str, detail: Detail) -> str:
    head = _elements(
        (
            ("Severity", detail.severity),
            ("ReasonCode", detail.code),
            ("Diagnostic", detail.text),
            ("AuthorCodeList", "CBSS"),
        ),
        prefix,
    )
    named = (_elements((("FieldName", name), ("FieldValue", value)), prefix) for name, value in detail.information[:5])
    fields = "".join(f"<{prefix}:Information>{one}</{prefix}:Information>" for one in named)
    return f"<{prefix}:Detail>{head}{fields}</{prefix}:Detail>"


def _elements(pairs: Any, prefix: str = "") -> str:
    at = f"{prefix}:" if prefix else ""
    return "".join(
        f"<{at}{name}>{escape(value, quote=False)}</{at}{name}>" for name, value in pairs if value is not None
    )


def _ticket(call: Call) -> str:
    """Fifteen capitals and digits, as the Bank's tickets are."""
    letters = "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ"
    value = crc32(call.ticket.encode()) << 44 | crc32(call.ticket[::-1].encode()) << 12 | len(call.ticket)
    return "".join(letters[value // len(letters) ** at % len(letters)] for at in range(15))


def _moment(at: datetime) -> str:
    return f"{at:%Y%m%dT%H%M%S}"
