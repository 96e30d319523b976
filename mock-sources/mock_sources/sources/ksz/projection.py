"""The newer generation: what household composition, living wage, social status and DMFA have in common.

One question passes the same controls in the same order, each with its own status code; only what is left is the
service's own: legal context and sector (MSG00013), the number (MSG00011, 05, 06), integration (MSG00012), death
(MSG00009), and then data, with a list of what this customer may not have (dataFilters).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from lxml import etree

from mock_sources import commonv3
from mock_sources.commonv3 import Customer, Status
from mock_sources.soap import Call, child_texts
from mock_sources.sources.ksz.network import Directory, Members, Place
from mock_sources.sources.recall import Recall
from mock_sources.sources.strangers import stranger
from mock_sources.world.facts import Person


@dataclass(frozen=True, slots=True)
class Question:
    """What a service gets to see once a question has passed the controls."""

    search: etree._Element
    person: Person
    context: str  # the legal context of the question
    hidden: frozenset[str]  # what this customer may not have
    tags: tuple[str, ...]  # of the persona asked about, for the cases that mock.yaml ties to a tag
    today: date
    surplus: bool  # the fault over_delivery: everything the contract has room for, also what is said to be hidden


@dataclass(frozen=True, slots=True)
class Found:
    """What a service answers: a status, the inside of `result`, and which elements it says were filtered."""

    status: Status
    content: str = ""
    filtered: tuple[str, ...] = ()


Answer = Callable[[Question], Found]


class Projection:
    """Handles one operation; `answer` is the service's own part, `rules` its entry in mock.yaml."""

    def __init__(
        self,
        name: str,
        namespace: str,
        answer: Answer,
        rules: Mapping[str, Any],
        region: Recall,
        members: Members,
        directory: Directory,
    ) -> None:
        self._name, self._namespace = name, namespace
        self._answer = answer
        self._rules = rules
        self._region, self._members, self._directory = region, members, directory
        self._tags = {one.ssin: one.tags for one in region.world.personas.values() if one.ssin}

    def __call__(self, request: etree._Element, call: Call) -> str:
        """Answer a valid request element with the XML of its response."""
        customer, search = commonv3.customer_of(request), request[-1]
        context = child_texts(request, ("legalContext",))[0] or ""
        asked = child_texts(search, ("ssin",))[0] or ""
        about = asked
        place = self._members.place(customer.cbe, customer.sector, customer.institution)
        refusal = self._refusal(asked, customer, place, context, call)
        if refusal is None and call.fault == "wrong_subject":
            about = stranger(self._region.world, asked).ssin
        found = Found(refusal) if refusal else self._found(about, search, context, place, call)
        echoed = about if call.variant == "echo_other" else asked
        return (
            f'<s:{self._name}Response xmlns:s="{self._namespace}">{commonv3.opening(customer, context, call)}'
            f"{_echo(search, echoed)}{commonv3.status_xml(found.status)}{_result(about, found)}"
            f"</s:{self._name}Response>"
        )

    def _refusal(self, ssin: str, customer: Customer, place: Place | None, context: str, call: Call) -> Status | None:
        if call.fault == "throttled":
            return commonv3.THROTTLED
        rules = self._rules
        if place is None or place.sector not in rules["sectors"] or context not in rules["legal_contexts"]:
            return commonv3.WRONG_CONTEXT
        if trouble := commonv3.trouble_with(ssin, self._region):
            return trouble
        today = call.clock().date().isoformat()
        qualities = rules.get("qualities_under", {}).get(context, rules["qualities"]).get(place.sector)
        if not self._directory.is_integrated(ssin, place, today, qualities):
            fields = (("ssin", ssin), ("cbeNumber", customer.cbe or f"{place.sector}.{place.institution}"))
            return replace(commonv3.NOT_INTEGRATED, information=fields)
        person = self._region.person(ssin)
        if person and person.death and rules["deceased"] == "refused":
            return replace(commonv3.DECEASED, information=(("deceiseDate", person.death.date),))
        return None

    def _found(self, ssin: str, search: etree._Element, context: str, place: Place | None, call: Call) -> Found:
        person = self._region.person(ssin)
        if person is None or place is None:
            return Found(commonv3.UNKNOWN)
        hidden = frozenset(self._rules["filters"].get(place.sector, ()))
        tags, surplus = self._tags.get(ssin, ()), call.fault == "over_delivery"
        return self._answer(Question(search, person, context, hidden, tags, call.clock().date(), surplus))


def _result(ssin: str, found: Found) -> str:
    filtered = "".join(f"<filteredElement>{name}</filteredElement>" for name in found.filtered)
    return (
        f"{f'<result><ssin>{ssin}</ssin>{found.content}</result>' if found.content else ''}"
        f"{f'<dataFilters>{filtered}</dataFilters>' if filtered else ''}"
    )


def _echo(search: etree._Element, ssin: str) -> str:
    """The question as it was asked, in canonical form: a valid one holds nothing but elements and text."""
    echoed: bytes = etree.tostring(search, method="c14n", exclusive=True)
    asked = child_texts(search, ("ssin",))[0] or ""
    return echoed.decode().replace(f"<ssin>{asked}</ssin>", f"<ssin>{ssin}</ssin>", 1)
