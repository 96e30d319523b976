"""What every newer service of the Crossroads Bank (KSZ/BCSS, "CommonV3") opens, answers and fails with.

RetrieveTIGroups and our projections of the other services share it: customer and times first, the legal context,
the question echoed, a status with an MSG code, then data. A fault carries the same opening and its own messages.
The codes and their texts are the Bank's, as published by those who consult it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from html import escape
from typing import Protocol

from lxml import etree

from mock_sources.soap import Call, FaultDetail, SoapFault, child_texts
from mock_sources.world.facts import Person
from mock_sources.world.identifiers import birth_year


@dataclass(frozen=True, slots=True)
class Customer:
    """Who asks, in the words of informationCustomer: an enterprise number, or a place in the network."""

    ticket: str | None
    sent: str | None
    cbe: str | None
    sector: str | None
    institution: str | None


@dataclass(frozen=True, slots=True)
class Status:
    """How a question was treated; `information` names the fields that made it so."""

    value: str  # DATA_FOUND | NO_DATA_FOUND | INCOMPLETE_DATA | NO_RESULT
    code: str
    description: str
    information: tuple[tuple[str, str], ...] = ()


class People(Protocol):
    """All that this module needs of a world."""

    def person(self, ssin: str) -> Person | None:
        """The person of that number, also a replaced one; None when nobody has it."""


FOUND = Status("DATA_FOUND", "MSG00000", "Treatment successful")
NO_DATA = Status("NO_DATA_FOUND", "MSG00100", "Treatment successful, but no data found at the supplier")
UNKNOWN = Status("NO_RESULT", "MSG00005", "The ssin given in request does not exist.")
REPLACED = Status("NO_RESULT", "MSG00006", "The ssin given in request is replaced")
DECEASED = Status("NO_DATA_FOUND", "MSG00009", "Person deceased")
MISFORMED = Status("NO_RESULT", "MSG00011", "The structure of the ssin given in request is invalid")
NOT_INTEGRATED = Status("NO_RESULT", "MSG00012", "The SSIN is not sufficiently integrated for your organization")
WRONG_CONTEXT = Status(
    "NO_RESULT", "MSG00013", "Access to this operation is not allowed with the given legalcontext and credentials."
)
INCOMPLETE = Status(
    "INCOMPLETE_DATA",
    "HAN20200",
    "Treatment partially successful. Some sources could not be consulted due to technical issues.",
)
# No throttling code of the Bank itself is published; this is the one its Flemish consumer shows for it.
THROTTLED = Status("NO_RESULT", "99995", "Too many simultaneous requests")


def trouble_with(ssin: str, people: People) -> Status | None:
    """Return why no answer about this number is possible, or None when somebody bears it."""
    if birth_year(ssin) is None:
        return MISFORMED
    person = people.person(ssin)
    if person is None:
        return UNKNOWN
    if person.replaced_by is not None:
        return replace(REPLACED, information=(("newSSIN", person.replaced_by),))
    return None


def customer_of(request: etree._Element) -> Customer:
    """Read informationCustomer of a valid request (its first child)."""
    ticket, sent = child_texts(request[0], ("ticket", "timestampSent"))
    return Customer(ticket, sent, *child_texts(request[0][-1], ("cbeNumber", "sector", "institution")))


def opening(customer: Customer, legal_context: str, call: Call) -> str:
    """informationCustomer, informationCBSS and legalContext of an answer, as XML."""
    return (
        f"{_information_customer(customer)}{_information_cbss(call)}"
        f"<legalContext>{escape(legal_context, quote=False)}</legalContext>"
    )


def status_xml(status: Status) -> str:
    """The status element of an answer."""
    return (
        f"<status><value>{status.value}</value><code>{status.code}</code>"
        f"<description>{escape(status.description, quote=False)}</description>"
        f"{_information(status.information)}</status>"
    )


def fault_detail(namespace: str, name: str) -> FaultDetail:
    """Make the renderer of one operation's fault element, a CBSSFaultType."""

    def render(call: Call, request: etree._Element | None, fault: SoapFault) -> str:
        customer = "" if request is None else _information_customer(customer_of(request))
        # For security the Bank publishes no code: the name of the WS-Security fault, as far as 16 characters reach.
        code = _REASONS.get(fault.code) or fault.code.partition(":")[2][:16]
        return (
            f'<f:{name} xmlns:f="{namespace}">{customer}{_information_cbss(call)}'
            f"<detail><severity>FATAL</severity><reasonCode>{code}</reasonCode>"
            f"<diagnostic>{escape(fault.text, quote=False)[:256]}</diagnostic><authorCode>CBSS</authorCode></detail>"
            f"</f:{name}>"
        )

    return render


_REASONS = {"Server": "MSG00003", "Client": "MSG00008"}


def _information_customer(customer: Customer) -> str:
    ticket = f"<ticket>{escape(customer.ticket, quote=False)}</ticket>" if customer.ticket else ""
    sent = f"<timestampSent>{customer.sent}</timestampSent>" if customer.sent else ""
    who = (
        f"<cbeNumber>{customer.cbe}</cbeNumber>"
        if customer.cbe
        else f"<sector>{customer.sector}</sector><institution>{customer.institution}</institution>"
    )
    who = f"<customerIdentification>{who}</customerIdentification>"
    return f"<informationCustomer>{ticket}{sent}{who}</informationCustomer>"


def _information_cbss(call: Call) -> str:
    return (
        f"<informationCBSS><ticketCBSS>{call.ticket}</ticketCBSS>"
        f"<timestampReceive>{zulu(call.received)}</timestampReceive>"
        f"<timestampReply>{zulu(call.clock())}</timestampReply></informationCBSS>"
    )


def _information(fields: tuple[tuple[str, str], ...]) -> str:
    return "".join(
        f"<information><fieldName>{name}</fieldName><fieldValue>{escape(value, quote=False)}</fieldValue></information>"
        for name, value in fields
    )


def zulu(moment: datetime) -> str:
    """Write a UTC moment with milliseconds and Z."""
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"
