"""The Rijksregister: RetrieveTIGroups v2, one person's whole file (Tx25) by number."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from lxml import etree

from mock_sources import commonv3
from mock_sources.clock import Clock
from mock_sources.commonv3 import Status
from mock_sources.credentials import Credentials
from mock_sources.soap import Call, Contract, Operation, Router, Service, child_texts
from mock_sources.sources.recall import Recall
from mock_sources.sources.rijksregister.file import file_info, surplus_info
from mock_sources.sources.rijksregister.page import Page
from mock_sources.sources.rijksregister.parts import LANGUAGES, words_in
from mock_sources.sources.strangers import stranger
from mock_sources.world import World
from mock_sources.wsse import Gate, Signer

ROOM = Path(__file__).parent
NAMESPACE = "http://kszbcss.fgov.be/intf/RetrieveTIGroupsService/v2"
PATH = "/RetrieveTIGroupsService/v2/retrieveTI"
ACTION = "http://kszbcss.fgov.be/RetrieveTIGroupsService/retrieveTI"


class RetrieveTIGroups:
    """Turns a question into an answer; everything about envelopes and signatures is elsewhere."""

    def __init__(self, region: Recall, manual: Mapping[str, Any], lists: Mapping[str, Any]) -> None:
        self._region = region
        self._contexts = frozenset(manual["legal_contexts"])
        self._kept = manual["registers"]
        self._words = {language: words_in(language, lists) for language in LANGUAGES}

    def __call__(self, request: etree._Element, call: Call) -> str:
        """Answer a valid retrieveTIGroupsRequest with the XML of a retrieveTIGroupsResponse."""
        customer, search = commonv3.customer_of(request), request[-1]
        context = child_texts(request, ("legalContext",))[0] or ""
        ssin, language, history = child_texts(search, ("ssin", "language", "history"))
        asked = ssin or ""
        status = self._status(asked, context, call)
        echoed, about = asked, asked
        if call.fault == "wrong_subject" and status.code == "MSG00000":
            about = stranger(self._region.world, asked).ssin
            echoed = about if call.variant == "echo_other" else asked
        content = ""
        if status is commonv3.FOUND:
            content = self._file(about, language or "fr", history in ("true", "1"), call)
        return (
            f'<i:retrieveTIGroupsResponse xmlns:i="{NAMESPACE}">{commonv3.opening(customer, context, call)}'
            f"{_search(echoed, language, history)}{commonv3.status_xml(status)}{content}</i:retrieveTIGroupsResponse>"
        )

    def _status(self, ssin: str, context: str, call: Call) -> Status:
        if call.fault == "throttled":
            return commonv3.THROTTLED
        if context not in self._contexts:
            return commonv3.WRONG_CONTEXT
        trouble = commonv3.trouble_with(ssin, self._region)
        if trouble is not None:
            return trouble
        person = self._region.person(ssin)
        return commonv3.FOUND if person and self._kept[person.register] == "file" else commonv3.NO_DATA

    def _file(self, ssin: str, language: str, history: bool, call: Call) -> str:
        person = self._region.person(ssin)
        if person is None:
            return ""
        surplus = call.fault == "over_delivery"
        words = self._words[language]  # type: ignore[index]  # the schema allows these three only
        page = Page(person, self._region, words, history or surplus, call.clock().date())
        content = surplus_info(page) if surplus else file_info(page)
        return f"<rrn_it_implicit>{content}</rrn_it_implicit>"


def _search(ssin: str, language: str | None, history: str | None) -> str:
    return (
        f"<searchInformation><ssin>{ssin}</ssin>"
        f"{f'<language>{language}</language>' if language else ''}"
        f"{f'<history>{history}</history>' if history else ''}</searchInformation>"
    )


def build(world: World, credentials: Credentials, clock: Clock) -> Router:
    """Open the source: an ASGI callable for the paths in mock.yaml."""
    manual = yaml.safe_load((ROOM / "mock.yaml").read_text("utf-8"))
    lists = yaml.safe_load((ROOM / "codes.yaml").read_text("utf-8"))
    operation = Operation(
        path=PATH,
        action=ACTION,
        question=f"{{{NAMESPACE}}}retrieveTIGroupsRequest",
        handle=RetrieveTIGroups(Recall(world, clock), manual, lists),
        contract=Contract(ROOM / "schema" / "messages.xsd"),
        fault_detail=commonv3.fault_detail(NAMESPACE, "retrieveTIGroupsFault"),
    )
    signer = Signer(credentials.rijksregister.key, credentials.rijksregister.certificate)
    return Router({PATH: Service(operation, Gate(credentials.client.certificate, clock), signer, clock)})
