"""The newer generation: customer, legal context and search in; status, result and what was filtered out.

Read in this order: ticket, status, result. `Reply.document` is the whole response element; results carry the number of
the person they are about, which the mapping compares with the one asked.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from integrator.contract import Question, Reply
from integrator.errors import SourceFault, SourceUnavailable, WrongSubject
from integrator.transport.answers import Answers, Verdict
from integrator.transport.signed import SignedSoap
from integrator.transport.soap import Contract, Template, slot
from integrator.transport.wsse import zulu
from integrator.transport.xml import Element

_OPERATIONS = {  # ours, also its name under `paths` of the settings: theirs, its usual path
    "household_composition": ("getHouseholdComposition", "/SOA4520/HouseholdCompositionService/v1"),
    "living_wage": ("getLivingWage", "/SOA4520/LivingWageService/v1"),
    "social_status": ("getSocialStatus", "/SOA4520/SocialStatusService/v1"),
    "dmfa_consultation": ("consultDmfaAttestationsBySsin", "/SOA4520/DmfaConsultationService/v1"),
}
_PAGES = 20  # asked for one question at most; what is left then is said to be left
Search = Mapping[str, Any]
_PLACE = re.compile(r"[A-Za-z]+(?:/[A-Za-z]+)*")  # names of elements only, whatever else a path may hold


class _Service:
    """One service: its contract, its path, and a template for each shape that a search can have."""

    def __init__(self, name: str, contracts: Path, settings: Mapping[str, Any]) -> None:
        self.operation, path = _OPERATIONS[name]
        self.path = str(settings.get("paths", {}).get(name, path))
        self.contract = Contract.load(contracts / f"{name}.wsdl")
        self._templates: dict[Any, Template] = {}

    def template(self, shape: Any, search: Callable[[], Search]) -> Template:
        """The template of one shape of search (which optional parts, how many repeated ones), compiled once."""
        if shape not in self._templates:
            customer = {
                "ticket": slot("ticket"),
                "timestampSent": slot("sent"),
                "customerIdentification": {"cbeNumber": slot("organisation")},
            }
            values = {"informationCustomer": customer, "legalContext": slot("context"), "searchInformation": search()}
            self._templates[shape] = self.contract.template(self.operation, values)
        return self._templates[shape]


class Services:
    """Household composition, living wage, social statuses and DMFA attestations."""

    def __init__(
        self,
        soap: SignedSoap,
        contracts: Path,
        answers: Answers,
        filters: Mapping[str, Mapping[str, str]],
        settings: Mapping[str, Any],
        now: Callable[[], float],
    ) -> None:
        self._soap, self._answers, self._filters, self._now = soap, answers, filters, now
        self._services = {name: _Service(name, contracts, settings) for name in _OPERATIONS}

    async def household_composition(self, question: Question) -> Reply:
        """The members of somebody's household, and their address."""
        return await self._ask("household_composition", question, {"ssin": str(question.keys["ssin"])}, ())

    async def living_wage(self, question: Question) -> Reply:
        """Periods of living wage that overlap with `period` {startDate, endDate?}; without one, today's."""
        period = question.keys.get("period") or {}
        slots = {"ssin": str(question.keys["ssin"]), **{name: str(value) for name, value in period.items()}}
        return await self._ask("living_wage", question, slots, tuple(sorted(period)))

    async def social_status(self, question: Question) -> Reply:
        """For each of `statuses` whether it applies. What nobody asked is taken out of the answer unread."""
        names = list(question.keys["statuses"])
        slots = {"ssin": str(question.keys["ssin"]), **{f"status{at}": str(name) for at, name in enumerate(names)}}
        reply = await self._ask("social_status", question, slots, len(names))
        if reply.document is not None:
            _drop_unasked(reply.document, frozenset(names))
        return reply

    async def dmfa_consultation(self, question: Question) -> Reply:
        """What employers declared in `quarters` {begin, end}, from all pages of it: a page is never given for the whole.

        A page that fails fails the question. More pages than we ask make it `incomplete`.
        """
        quarters = question.keys["quarters"]
        slots = {"ssin": str(question.keys["ssin"]), "begin": str(quarters["begin"]), "end": str(quarters["end"])}
        whole = await self._ask("dmfa_consultation", question, slots, "first")
        last, seen = _next_page(whole.document), set[str]()
        while last is not None and len(seen) + 1 < _PAGES:
            if last in seen:
                raise SourceFault(self._soap.source, "MALFORMED", "a page leads to itself")
            seen.add(last)
            ticket = f"{question.ticket}-{len(seen) + 1}"
            page = await self._ask(
                "dmfa_consultation", replace(question, ticket=ticket), {**slots, "page": last}, "page"
            )
            if whole.document is None or page.document is None:
                raise SourceFault(self._soap.source, "MALFORMED", "a page was announced, and there is none")
            last = _next_page(page.document)
            whole.document.find("result").extend(page.document.findall("result/*"))
            whole = replace(whole, incomplete=whole.incomplete or page.incomplete)
        if whole.document is not None:
            _drop_overtaken(whole.document)
        return replace(whole, incomplete=whole.incomplete or last is not None)

    async def _ask(self, name: str, question: Question, slots: Mapping[str, str], shape: Any) -> Reply:
        service = self._services[name]
        common = {
            "ticket": question.ticket,
            "sent": zulu(self._now()),
            "organisation": question.organisation,
            "context": question.legal_context,
        }
        template = service.template(shape, partial(_search, name, shape))
        answer = await self._soap.ask(service.path, service.contract, template, {**common, **slots}, question)
        return self._read(name, answer, question)

    def _read(self, name: str, answer: Element, question: Question) -> Reply:
        if answer.findtext("informationCustomer/ticket") != question.ticket:
            raise SourceFault(self._soap.source, "CORRELATION", "the answer belongs to another question")
        # A "nothing" holds no data that could give it away: what it says it was asked is all that tells about whom it is.
        if (answer.findtext("searchInformation/ssin") or "").strip() != str(question.keys["ssin"]):
            raise WrongSubject(self._soap.source)
        status = answer.find("status")
        verdict = self._answers.read(status.findtext("code").strip(), status.findtext("value").strip())
        ticket = answer.findtext("informationCBSS/ticketCBSS")
        if verdict.answer == "replaced":
            return Reply(None, ticket, replaced_by=self._new_number(status, verdict))
        if verdict.answer == "nothing":
            return Reply(None, ticket)
        if answer.find("result") is None and verdict.incomplete:
            raise SourceUnavailable(self._soap.source, "the source behind the Bank did not answer")
        if answer.find("result") is None:
            raise SourceFault(self._soap.source, "MALFORMED", "the status says that there are data, and there are none")
        return Reply(answer, ticket, self._filtered(name, answer), verdict.incomplete)

    def _filtered(self, name: str, answer: Element) -> tuple[str, ...]:
        """What the Bank says it left out is left out, also where it came along: an address may be somebody's secret."""
        words = self._filters.get(name, {})
        said = [(element.text or "").strip() for element in answer.iterfind("dataFilters/filteredElement")]
        for word in filter(_PLACE.fullmatch, said):
            for element in answer.findall(f"result/{word}"):
                element.getparent().remove(element)
        return tuple(words[word] for word in said if word in words)

    def _new_number(self, status: Element, verdict: Verdict) -> str:
        for information in status.iterfind("information"):
            if information.findtext("fieldName") == verdict.by:
                return str(information.findtext("fieldValue", "")).strip()
        raise SourceFault(self._soap.source, "MALFORMED", "a number was replaced, and the new one is not told")


def _search(name: str, shape: Any) -> Search:
    if name == "social_status":
        return {"ssin": slot("ssin"), "statusName": [slot(f"status{at}") for at in range(shape)]}
    if name == "dmfa_consultation":
        page = slot("page") if shape == "page" else None
        quarters = {"begin": slot("begin"), "end": slot("end")}
        return {"ssin": slot("ssin"), "quarters": quarters, "situation": "LATEST", "page": page}
    if name == "living_wage" and shape:
        period = {"beginDate": slot("startDate"), "endDate": slot("endDate") if "endDate" in shape else None}
        return {"ssin": slot("ssin"), "period": period}
    return {"ssin": slot("ssin")}


def _drop_unasked(answer: Element, names: frozenset[str]) -> None:
    result = answer.find("result")
    for status in result.findall("socialStatus"):
        if (status.findtext("name") or "").strip() not in names:
            result.remove(status)


def _next_page(answer: Element | None) -> str | None:
    """What the next page must be asked with; None when this was the last."""
    return None if answer is None else (answer.findtext("result/nextPage") or "").strip() or None


def _drop_overtaken(answer: Element) -> None:
    """Only what stands: of each attestation the newest version, and none that was cancelled."""
    result = answer.find("result")
    newest: dict[str, int] = {}
    for one in result.findall("attestation"):
        number, version = _version(one)
        newest[number] = max(version, newest.get(number, version))
    for one in result.findall("attestation"):
        number, version = _version(one)
        if version < newest[number] or one.findtext("identification/status").strip() == "2":
            result.remove(one)


def _version(attestation: Element) -> tuple[str, int]:
    said = attestation.find("identification")
    return said.findtext("number").strip(), int(said.findtext("version"))
