"""Signs a case's answer as its source would, or as its source never would: the `soap:` and `ssdn:` words of a case.

soap: the payload as XML text; `{opening}` in it becomes the customer, ticket and legal context that the newer services
      of the KSZ echo (`{opening 2}`: of the second page), `{ticket}` our ticket, `{date 1985-06-00}` the parts of a date as the Rijksregister splits it
ssdn: a whole SSDNReply as XML text, put into xmlString; `{context}` becomes its user and message
sign: good (usual) · wrong_key · expired · only_timestamp · none
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape
from typing import Any

from lxml import etree

from tests.unit.transport import workshop

SERVICE = "http://www.ksz-bcss.fgov.be/XSD/SSDN/Service"
CONNECTOR = "http://ksz-bcss.fgov.be/connectors/WebServiceConnector"
TICKET = "00f067aa0ba902b7"  # of every question of a case that names no other
_DATE = re.compile(r"\{date (\d{4}-\d{2}-\d{2})\}")
OPENING = (
    "<informationCustomer><ticket>{ticket}</ticket><timestampSent>2026-11-30T10:59:59.000Z</timestampSent>"
    "<customerIdentification><cbeNumber>0207373429</cbeNumber></customerIdentification></informationCustomer>"
    "<informationCBSS><ticketCBSS>6f0a4f6e-0f5b-4bd5-9d0e-3d4f6c1c2a11</ticketCBSS>"
    "<timestampReceive>2026-11-30T11:00:00.000Z</timestampReceive>"
    "<timestampReply>2026-11-30T11:00:00.100Z</timestampReply></informationCBSS>"
    "<legalContext>PCSA:SOCIAL_INQUIRY</legalContext>"
)
CONTEXT = (
    "<AuthorizedUser><UserID>00000000097</UserID><Email>hub@integrator.example</Email><OrgUnit>0207373429</OrgUnit>"
    "<MatrixID>65</MatrixID><MatrixSubID>0</MatrixSubID></AuthorizedUser>"
    "<Message><Reference>{ticket}</Reference><Ticket>THTTMHHP49DGQ9V</Ticket><TimeRequest>20261130T105959</TimeRequest>"
    "<TimeReceive>20261130T110000</TimeReceive><TimeResponse>20261130T110001</TimeResponse></Message>"
)


def payload(answer: Mapping[str, Any]) -> str:
    """What stands in the Body of a case's answer."""
    if "ssdn" in answer:
        return f'<k:xmlString xmlns:k="{CONNECTOR}">{escape(_reply(answer), quote=False)}</k:xmlString>'
    return _filled(answer["soap"]).strip()


def document(answer: Mapping[str, Any]) -> etree._Element:
    """The SSDNReply inside the string of a case's answer."""
    return etree.fromstring(_reply(answer).rpartition("?>")[2])


def _reply(answer: Mapping[str, Any]) -> str:
    return _filled(answer["ssdn"]).strip().replace("<SSDNReply>", f'<SSDNReply xmlns="{SERVICE}">', 1)


def seal(answer: Mapping[str, Any], now: float) -> bytes:
    """The bytes of a case's answer, signed as it says by the source of the workshop."""
    how, age = answer.get("sign", "good"), now - workshop.NOW
    if how == "none":
        return f'<s:Envelope xmlns:s="{workshop.SOAP}"><s:Body>{payload(answer)}</s:Body></s:Envelope>'.encode()
    age -= 3600 if how == "expired" else 0
    root = workshop.unsigned(payload(answer), created=workshop.at(age), expires=workshop.at(age + 300))
    key = workshop.STRANGER if how == "wrong_key" else workshop.KEY
    workshop.sign(root, ("T",) if how == "only_timestamp" else ("T", "B"), key=key)
    signed: bytes = etree.tostring(root)
    return signed


def _filled(text: str) -> str:
    pages = re.sub(r"\{opening (\d+)\}", lambda found: OPENING.replace("{ticket}", f"{TICKET}-{found[1]}"), text)
    filled = pages.replace("{opening}", OPENING).replace("{context}", CONTEXT).replace("{ticket}", TICKET)
    return _DATE.sub(lambda found: _split(found[1]), filled)


def _split(date: str) -> str:
    """A date in the parts that are known.

    >>> _split("1985-06-00")
    '<r:Century>19</r:Century><r:Year>85</r:Year><r:Month>06</r:Month>'
    """
    parts = {"Century": date[:2], "Year": date[2:4], "Month": date[5:7], "Day": date[8:10]}
    known = {name: part for name, part in parts.items() if part != "00" or name in ("Century", "Year")}
    return "".join(f"<r:{name}>{part}</r:{name}>" for name, part in known.items())
