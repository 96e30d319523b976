"""The classic generation (SSDN): an XML document as text inside sendXML, with two summaries to read.

    SOAP ─► xmlString ─► SSDNReply: summary of the envelope, then of the service, then its body

HTTP and SOAP say nothing about success: `ok` of the two summaries does, and the reason codes of their details say why.
`Reply.document` is the service's own body.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from integrator.contract import Question, Reply
from integrator.errors import SourceFault, WrongSubject
from integrator.transport.answers import Answers
from integrator.transport.signed import SignedSoap
from integrator.transport.soap import Contract, SchemaError, Template, slot
from integrator.transport.xml import Element, UnsafeXml, parse

from .dates import overlap, tolerance

SERVICE = "{http://www.ksz-bcss.fgov.be/XSD/SSDN/Service}"
COMMON = "{http://www.ksz-bcss.fgov.be/XSD/SSDN/Common}"
IDENTIFY = "{http://www.ksz-bcss.fgov.be/XSD/SSDN/OCMW_CPAS/IdentifyPerson}"
ACCESS = "{http://www.ksz-bcss.fgov.be/XSD/SSDN/OCMW_CPAS/ManageAccess}"
VERSION = "20050930"
PROGRAM = {"userId": "00000000097", "email": "hub@integrator.example"}  # who asks is a program; settings say which
MAXIMUM = 80  # people that the Bank tells at most
LIMIT = 5_000_000  # bytes; the channel has capped the answer before
_DECLARATION = re.compile(r"\A\s*<\?xml[^>]*\?>")  # inside a string an encoding means nothing any more


class Ssdn:
    """IdentifyPerson and ManageAccess."""

    def __init__(
        self,
        soap: SignedSoap,
        contracts: Path,
        answers: Answers,
        settings: Mapping[str, Any],
        now: Callable[[], float],
    ) -> None:
        self._soap, self._answers, self._settings, self._now = soap, answers, settings, now
        self._path = str(settings.get("paths", {}).get("ssdn", "/connectors/webservice/KSZBCSSWebServiceConnectorPort"))
        self._contract = Contract.load(contracts / "connector.wsdl")
        self._outer = self._contract.template("sendXML", slot("document"))
        self._inner: dict[tuple[str, ...], Template] = {}
        self._user = {name: str(settings.get(name, usual)) for name, usual in PROGRAM.items()}

    async def identify_person(self, question: Question) -> Reply:
        """By `ssin`; else by the sound of `familyName` (givenName, gender) and `birthDate` ± `toleranceDays`."""
        keys = {name: str(value) for name, value in question.keys.items() if value is not None}
        criteria: dict[str, Any]
        if "ssin" in keys:
            slots, criteria = {"ssin": keys["ssin"]}, {"SSIN": slot("ssin")}
        else:
            slots = {**keys, "tolerance": str(tolerance(keys["birthDate"], int(keys.get("toleranceDays", 0))))}
            criteria = {"PhoneticCriteria": _phonetic(keys)}
        reply = await self._ask("IdentifyPerson", {"SearchCriteria": criteria}, slots, question, tuple(sorted(keys)))
        if reply.document is None:
            return reply
        people = reply.document.findall(f"{IDENTIFY}SearchResults/*")
        if not people:
            return Reply(None, reply.ticket, incomplete=reply.incomplete)
        if "ssin" not in keys:
            self._check_birth_dates(people, slots)
        return Reply(reply.document, reply.ticket, incomplete=reply.incomplete or len(people) >= MAXIMUM)

    async def manage_access(self, question: Question) -> Reply:
        """REGISTER, UNREGISTER (sent once, never repeated) or LIST the registrations of somebody.

        Keys: ssin, action, period {startDate, endDate?}, purpose (quality code), register, sector, and as proof of
        identity identityCardNumber or familyName, givenName?, birthDate.
        """
        period = {name: str(value) for name, value in question.keys["period"].items()}
        given = {name: value for name, value in question.keys.items() if value is not None and name != "period"}
        slots = {name: str(value) for name, value in {**given, **period}.items()}
        body = _access(slots)
        repeatable = slots["action"] == "LIST"
        shape = ("action=" + slots["action"], *sorted(slots))
        reply = await self._ask("ManageAccess", body, slots, question, shape, repeatable=repeatable)
        if reply.document is not None:
            self._check_echo(reply.document.find(f"{ACCESS}OriginalRequest"), slots)
        return reply

    async def _ask(
        self,
        service: str,
        body: Mapping[str, Any],
        slots: Mapping[str, str],
        question: Question,
        shape: tuple[str, ...],
        *,
        repeatable: bool = True,
    ) -> Reply:
        try:
            document = self._template(service, body, shape).render(**slots, **self._context(question)).decode()
        except UnsafeXml as error:
            raise SourceFault(self._soap.source, "UNSPEAKABLE", "a key holds what XML cannot carry") from error
        answer = await self._soap.ask(
            self._path, self._contract, self._outer, {"document": document}, question, repeatable=repeatable
        )
        return self._read(self._document(answer), "OCMWCPAS" + service, question)

    def _context(self, question: Question) -> dict[str, str]:
        """Who asks, in the Bank's words: user, enterprise number, place in the network; and our ticket."""
        place = self._settings.get("members", {}).get(question.organisation) or self._settings
        return {
            **self._user,
            "organisation": question.organisation,
            "matrix": str(place["sector"]),
            "matrixSub": str(place["institution"]),
            "ticket": question.ticket,
            "sent": datetime.fromtimestamp(self._now(), UTC).strftime("%Y%m%dT%H%M%S"),
        }

    def _template(self, service: str, body: Mapping[str, Any], shape: tuple[str, ...]) -> Template:
        key = (service, *shape)
        if key not in self._inner:
            namespace = IDENTIFY if service == "IdentifyPerson" else ACCESS
            user = {
                "UserID": slot("userId"), "Email": slot("email"), "OrgUnit": slot("organisation"),
                "MatrixID": slot("matrix"), "MatrixSubID": slot("matrixSub"),
            }  # fmt: skip
            message = {"Reference": slot("ticket"), "TimeRequest": slot("sent")}
            asked = {
                "ServiceId": "OCMWCPAS" + service,
                "Version": VERSION,
                "_value_1": self._contract.value(f"{namespace}{service}Request", **body),
            }
            self._inner[key] = self._contract.document(
                SERVICE + "SSDNRequest",
                {"RequestContext": {"AuthorizedUser": user, "Message": message}, "ServiceRequest": [asked]},
            )
        return self._inner[key]

    def _document(self, answer: Element) -> Element:
        try:
            root = parse(_DECLARATION.sub("", answer.text or "").encode(), LIMIT)
            self._contract.check(root)
        except UnsafeXml as error:
            raise SourceFault(self._soap.source, "MALFORMED", str(error)) from error
        except SchemaError as error:
            raise SourceFault(self._soap.source, "SCHEMA", error.where) from error
        if root.tag != SERVICE + "SSDNReply":
            raise SourceFault(self._soap.source, "SCHEMA", "not an SSDNReply")
        return root

    def _read(self, root: Element, service: str, question: Question) -> Reply:
        context, replies = root[0], root.findall(SERVICE + "ServiceReply")
        reference = context.findtext(f"{SERVICE}Message/{SERVICE}Reference")
        ticket = context.findtext(f"{SERVICE}Message/{SERVICE}Ticket")
        refused = any(summary.get("ok") == "NO" for summary in _summaries(root))
        if reference != question.ticket and not (refused and reference is None):
            raise SourceFault(self._soap.source, "CORRELATION", "the answer belongs to another question")
        if refused:
            return self._refusal(root, ticket)
        if len(replies) != 1 or replies[0].findtext(SERVICE + "ServiceId") != service or len(replies[0]) != 4:
            raise SourceFault(self._soap.source, "MALFORMED", "not one answer of the service that was asked")
        codes = [code for _, code, _ in _details(root)]
        return Reply(replies[0][3], ticket, incomplete=self._answers.incomplete(codes))

    def _refusal(self, root: Element, ticket: str | None) -> Reply:
        """What a reply with ok=NO comes down to; the service's own reasons count before those of the envelope."""
        errors = [(code, informations) for severity, code, informations in _details(root) if severity == "ERROR"]
        verdict = self._answers.read(*(code for code, _ in errors))
        if verdict.answer == "replaced":
            for _, informations in errors:
                if informations.get(verdict.by):
                    return Reply(None, ticket, replaced_by=informations[verdict.by])
            raise SourceFault(self._soap.source, "MALFORMED", "a number was replaced, and the new one is not told")
        if verdict.answer == "found":
            raise SourceFault(self._soap.source, "MALFORMED", "a refusal for a reason that is none")
        return Reply(None, ticket)

    def _check_birth_dates(self, people: list[Element], slots: Mapping[str, str]) -> None:
        """A name is matched by sound, so only the date of birth can show that an answer is about other people."""
        for person in people:
            born = person.findtext(f"{IDENTIFY}Basic/{IDENTIFY}BirthDate", "").strip()
            if not overlap(slots["birthDate"], int(slots["tolerance"]), born):
                raise WrongSubject(self._soap.source)

    def _check_echo(self, asked: Element, slots: Mapping[str, str]) -> None:
        if asked.findtext(ACCESS + "SSIN", "").strip() != slots["ssin"]:
            raise WrongSubject(self._soap.source)
        if asked.findtext(ACCESS + "Action", "").strip() != slots["action"]:
            raise SourceFault(self._soap.source, "CORRELATION", "the answer is about another action")


def _phonetic(keys: Mapping[str, str]) -> dict[str, Any]:
    optional = {"FirstName": "givenName", "Gender": "gender"}
    return {
        "LastName": slot("familyName"),
        "BirthDate": slot("birthDate"),
        "Tolerance": slot("tolerance"),
        **{element: slot(key) for element, key in optional.items() if key in keys},
    }


def _access(slots: Mapping[str, str]) -> dict[str, Any]:
    optional = {"Purpose": "purpose", "Sector": "sector", "QueryRegister": "register"}
    proof: dict[str, Any] = {}
    if "identityCardNumber" in slots:
        proof["IdentityCardNumber"] = slot("identityCardNumber")
    if "familyName" in slots:
        names = {"FirstName": slot("givenName")} if "givenName" in slots else {}
        proof["PersonData"] = {"LastName": slot("familyName"), "BirthDate": slot("birthDate"), **names}
    return {
        "SSIN": slot("ssin"),
        "Period": {"StartDate": slot("startDate"), "EndDate": slot("endDate") if "endDate" in slots else None},
        "Action": slot("action"),
        "ProofOfAuthentication": proof,
        **{element: slot(key) for element, key in optional.items() if key in slots},
    }


def _summaries(root: Element) -> Iterator[Element]:
    yield from root.iterfind(f"{SERVICE}ServiceReply/{COMMON}ResultSummary")
    yield root[0].find(COMMON + "ResultSummary")


def _details(root: Element) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Severity, reason code and informations of every detail: the service's first, they say why."""
    for summary in _summaries(root):
        for detail in summary.iterfind(COMMON + "Detail"):
            informations = {
                one.findtext(COMMON + "FieldName", ""): one.findtext(COMMON + "FieldValue", "").strip()
                for one in detail.iterfind(COMMON + "Information")
            }
            yield detail.findtext(COMMON + "Severity", ""), detail.findtext(COMMON + "ReasonCode", ""), informations
