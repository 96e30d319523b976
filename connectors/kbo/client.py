"""Questions to the KBO's public search: SOAP with a fresh UsernameToken for every attempt.

    template ─ render ─► envelope(token, context) ─ send ─► envelope ─► fault? ─► schema ─► exception? ─► clean ─► reply

A name search gives numbers and names only; when an address is wanted, each hit is read by its number.
"""

from __future__ import annotations

import asyncio
import re
import time
import unicodedata
from collections.abc import Iterator
from datetime import date
from typing import Final

from lxml import etree

from connectors.kbo.privacy import D, Privacy
from integrator.contract import HttpAnswer, Question, Reply, Send, Tools
from integrator.errors import SourceError, SourceFault, SubjectNotFound, WrongSubject
from integrator.transport.envelope import Fault, envelope, fault_of, open_envelope
from integrator.transport.faults import Faults
from integrator.transport.soap import Contract, SchemaError, Template, slot
from integrator.transport.wsse import UsernameToken
from integrator.transport.xml import Element, UnsafeXml

CONTRACT: Final = "contract/2026-11/wsKBOPub.wsdl"
PATH: Final = "/kbopubws180000/services/wsKBOPub"
M: Final = "{http://economie.fgov.be/kbopub/webservices/v1/messages}"
MOST: Final = 25  # hits of a search; each may cost a question of its own
LIMIT: Final = 5_000_000  # bytes; the channel has capped the answer long before
LANGUAGES: Final = frozenset({"fr", "nl", "de", "en"})
PROBE: Final = "0314595348"  # FPS Economy, which keeps the register

_UNKNOWN: Final = b"0001-01-01"  # how the KBO writes a begin that it does not know
_XML: Final = frozenset({"text/xml", "application/xml"})
_CURRENT_FIRST: Final = frozenset({f"{D}JuridicalForm", f"{D}JuridicalSituation", f"{D}Address"})
_READS: Final = frozenset({"read_enterprise", "read_legal_person"})
_FOR_ANYBODY: Final = frozenset({"read_legal_person", "find_legal_persons"})  # nothing of a person leaves these
_LEGAL_PERSON: Final = "2"  # TypeOfEnterprise; an unknown one is not taken for it
_NAME, _TEXT, _BEGIN, _END = f"{D}Denomination", f"{D}Description", f"{D}Validity/{D}Begin", f"{D}Validity/{D}End"


class Kbo:
    """The connector. `document` is the Enterprise element, or FindByEnterpriseNameResponse with its Enterprises."""

    def __init__(self, tools: Tools, send: Send, token: UsernameToken) -> None:
        self._send, self._token, self._sandbox = send, token, tools.sandbox
        self._path = str(tools.settings.get("path", PATH))
        self._faults = Faults.load("kbo", tools.room / "faults.yaml")
        self._privacy = Privacy.load(tools.room / "privacy.yaml")
        self._contract = Contract.load(tools.room / CONTRACT)
        context = {"context": {"Id": slot("id"), "Language": slot("language")}}
        self._read = self._contract.template("ReadEnterprise", {"EnterpriseNumber": slot("number")}, context)
        wanted = {"Name": slot("name"), "MaximumNumberOfResults": slot("most")}
        self._find = self._contract.template("FindByEnterpriseName", wanted, context)

    async def ask(self, question: Question) -> Reply:
        """Read one enterprise, or find some. A number that the KBO does not know is `document=None`."""
        if question.operation in _READS:
            return await self._enterprise(str(question.keys["enterpriseNumber"]), question)
        return await self._enterprises(question)

    async def check(self) -> None:
        """Read the enterprise that keeps the register: proves address, password and clock."""
        probe = Question("read_enterprise", {}, frozenset(), False, "check", "", "", time.monotonic() + 5.0)
        await self._enterprise(PROBE, probe)

    async def _enterprise(self, number: str, question: Question) -> Reply:
        try:
            payload, body = await self._answer(self._read, {"number": number}, question)
        except SubjectNotFound:
            return Reply(None)
        enterprise = payload[0]
        if not _may_have(question, enterprise):
            return Reply(None)
        filtered = self._privacy.clean(enterprise, body)
        if _UNKNOWN in body:
            for begin in [one for one in enterprise.iter(f"{D}Begin") if one.text == _UNKNOWN.decode()]:
                begin.getparent().remove(begin)
        return Reply(_in_order(enterprise), filtered=filtered)

    async def _enterprises(self, question: Question) -> Reply:
        slots = {"name": str(question.keys["name"]), "most": str(MOST)}
        try:
            payload, body = await self._answer(self._find, slots, question)
        except SubjectNotFound:
            return Reply(None)
        # First of all, so that not even a `filtered` tells of somebody who may not be handed over.
        hits = [hit for hit in payload.findall(f"{D}Enterprise") if _may_have(question, hit)]
        post_code = question.keys.get("postCode")
        filtered = tuple(name for hit in hits for name in self._privacy.clean(hit, body))
        if not all(_resembles(slots["name"], hit) for hit in hits):
            raise WrongSubject("kbo")
        if post_code is not None or "address" in question.groups:
            hits, filtered = await self._in_full(hits, question)
            hits = [hit for hit in hits if post_code in (None, hit.findtext(f"{D}Address/{D}Zipcode"))]
        hits = [_in_order(hit) for hit in hits]
        more = payload.findtext(f"{M}MoreResults") in ("true", "1")
        if not hits:
            return Reply(None, incomplete=more)
        for one in payload.findall(f"{D}Enterprise"):
            payload.remove(one)
        payload.extend(hits)
        return Reply(payload, filtered=tuple(dict.fromkeys(filtered)), incomplete=more)

    async def _in_full(self, hits: list[Element], question: Question) -> tuple[list[Element], tuple[str, ...]]:
        """Every hit read by its number; one that is gone meanwhile is left out, one that cannot be read fails all."""
        numbers = [hit.findtext(f"{D}EnterpriseNumber") or "" for hit in hits[:MOST]]
        reading = [asyncio.create_task(self._enterprise(number, question)) for number in numbers]
        try:
            replies = await asyncio.gather(*reading)
        except BaseException:
            for task in reading:
                task.cancel()
            raise
        whole = [reply for reply in replies if reply.document is not None]
        for number, reply in zip(numbers, replies, strict=True):
            if reply.document is not None and reply.document.findtext(f"{D}EnterpriseNumber") != number:
                raise WrongSubject("kbo")
        return [reply.document for reply in whole], tuple(name for reply in whole for name in reply.filtered)

    async def _answer(self, template: Template, slots: dict[str, str], question: Question) -> tuple[Element, bytes]:
        """The payload that may be believed, and the bytes it came in."""
        answer = self._opened(await self._post(template, slots, question))
        if isinstance(
            answer, _Replayed
        ):  # the channel sent it twice over a broken connection, or somebody has our nonce
            answer = self._opened(await self._post(template, slots, question))
        if isinstance(answer, _Replayed):
            raise self._faults.error("FailedCheck")
        return answer

    async def _post(self, template: Template, slots: dict[str, str], question: Question) -> HttpAnswer:
        language = question.language if question.language in LANGUAGES else "fr"
        try:
            payload = template.render(**slots)
            context = template.render_header(id=question.ticket, language=language)
        except UnsafeXml:
            raise SourceFault("kbo", "UNSPEAKABLE", "a key holds characters that XML cannot carry") from None
        headers = {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": f'"{template.action}"'}
        if self._sandbox and question.scenario:
            headers["Integrator-Test-Scenario"] = question.scenario
        return await self._send(
            "POST",
            self._path,
            body=lambda: envelope(payload, self._token.header(), context),
            headers=headers,
            deadline=question.deadline,
        )

    def _opened(self, answer: HttpAnswer) -> tuple[Element, bytes] | _Replayed:
        """An ordinary answer that may be believed. Raises what the source says instead of one."""
        if answer.content_type not in _XML:
            raise SourceFault("kbo", "CONTENT_TYPE", f"HTTP {answer.status} without XML")
        try:
            payload = open_envelope(answer.body, LIMIT).payload
        except UnsafeXml as error:
            raise SourceFault("kbo", "MALFORMED", str(error)) from None
        fault = fault_of(payload)
        if fault is not None:
            codes = list(_codes(fault))
            if "FailedCheck" in codes:
                return _Replayed()
            raise self._told(codes)
        if answer.status != 200:
            raise SourceFault("kbo", "HTTP", f"HTTP {answer.status} round an ordinary answer")
        try:
            self._contract.check(payload)
        except SchemaError as error:
            raise SourceFault("kbo", "SCHEMA", error.where) from None
        exceptions = [one.findtext(f"{M}Identificatie") or "" for one in payload.iter(f"{M}Uitzondering")]
        if exceptions:
            raise self._told(exceptions)
        return payload, answer.body

    def _told(self, codes: list[str]) -> SourceError:
        return self._faults.error(next((code for code in codes if code in self._faults), ""))


class _Replayed:
    """The KBO has seen this nonce before."""


def _codes(fault: Fault) -> Iterator[str]:
    """The service's own code, then SOAP's; the text is the source's and is not looked at."""
    if fault.detail is not None:
        yield from ((code.text or "").strip() for code in fault.detail.iter(f"{M}Code"))
    yield fault.code


def _may_have(question: Question, enterprise: Element) -> bool:
    """Whether this operation may hand it over: of anybody else than a legal person the ones for anybody say nothing."""
    if question.operation not in _FOR_ANYBODY:
        return True
    return bool(enterprise.findtext(f"{D}TypeOfEnterprise/{D}Code") == _LEGAL_PERSON)


def _resembles(asked: str, hit: Element) -> bool:
    """Whether one of its names has a word that begins like one of the words asked; a hit without names may be anybody.

    Loose on purpose: the KBO may find by sound. It is there to notice records that were mixed up.
    """
    names = [text.text or "" for text in hit.iterfind(f"{D}Denomination/{D}Description/{D}Value")]
    return not names or bool(_beginnings(asked) & {start for name in names for start in _beginnings(name)})


def _beginnings(text: str) -> set[str]:
    plain = unicodedata.normalize("NFKD", text.casefold())
    return {word[:3] for word in re.findall(r"\w+", "".join(sign for sign in plain if not unicodedata.combining(sign)))}


def _in_order(enterprise: Element) -> Element:
    """One description per name, and of forms, situations and addresses the current one first, then newest to oldest."""
    kinds: dict[str, list[Element]] = {}
    for child in list(enterprise):
        if child.tag == _NAME:
            _one_text_each(child)
        elif child.tag in _CURRENT_FIRST:
            kinds.setdefault(child.tag, []).append(child)
    for records in kinds.values():
        ages = [_age(record) for record in records] if len(records) > 1 else []
        if ages != sorted(ages):
            place = enterprise.index(records[0])
            for record in sorted(records, key=_age, reverse=True):
                enterprise.insert(place, record)  # moves it; the last one moved stands first
    return enterprise


def _one_text_each(name: Element) -> None:
    """A name in two languages becomes two names of one text each."""
    texts = [child for child in name if child.tag == _TEXT]
    for extra in texts[1:]:
        twin = etree.fromstring(etree.tostring(name))
        for text in twin.findall(_TEXT):
            twin.remove(text)
        name.remove(extra)
        twin.insert(1, extra)
        name.addnext(twin)


def _age(record: Element) -> tuple[bool, int]:
    """Sorts current before ended, and later before earlier; equal ones keep their order."""
    begin = record.findtext(_BEGIN) or ""
    try:
        day = date.fromisoformat(begin[:10]).toordinal()
    except ValueError:
        day = 0
    return record.find(_END) is not None, -day
