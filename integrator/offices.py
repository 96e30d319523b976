"""The consoles of a running hub: a desk over its ledger, with what publishing, witnesses and stamps tell of its health.

publishing ─► desk (reports, looks, evidence, health) ─► consoles (pages, questions)
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import aiohttp
from sqlalchemy.exc import SQLAlchemyError

from audit import Subject
from audit.verify.bundle import make_bundle
from integrator import clock
from integrator.alerting import open_alerting
from integrator.consoles.auditor import AuditTools, Verifying
from integrator.consoles.auditor.process import Apart
from integrator.consoles.casefiles.opening import open_office
from integrator.consoles.desks import open_desk
from integrator.consoles.emergencies import SecondPersons
from integrator.consoles.exporting import Exporter, words_of
from integrator.consoles.opening import may_audit, open_consoles
from integrator.consoles.orders import Orders, Pile
from integrator.consoles.reveals.opening import open_reveals
from integrator.consoles.web import Consoles
from integrator.emergency import Emergencies
from integrator.errors import IntegratorError
from integrator.keeping import retention_classes, until_night
from integrator.logs import log
from integrator.policy import Policies
from integrator.publishing import Logbook, Publishing
from integrator.services import Service
from integrator.settings import Settings

PEER = "hub"  # our name as a peer of FSC; at most 20 characters


def open_offices(
    settings: Settings,
    publishing: Publishing,
    policies: Policies,
    services: Mapping[str, Service],
    emergencies: Emergencies,
    session: aiohttp.ClientSession,
    now: clock.Now,
) -> Consoles | None:
    """None where nothing is published (benchmarks). Raises `ConfigurationError`."""
    book = publishing.logbook
    if book is None:
        return None
    desk = open_desk(
        book.store, book.keyring, publishing.books, policies, services, now,
        health=lambda: health(publishing), proof=_evidence(settings, book),
    )  # fmt: skip
    consoles = open_consoles(settings, desk, session, now)
    consoles.extras["exporter"] = Exporter(
        book.store, book.keyring, desk.reports, PEER, words_of(consoles.book), "0.1.0"
    )  # fmt: skip
    consoles.extras["alerting"] = open_alerting(book.store, book.keyring, publishing, now)
    open_office(consoles, policies.purposes, _bundle(settings, book))
    open_reveals(consoles)
    consoles.extras["emergencies"] = SecondPersons(emergencies, publishing)
    pile = Pile(consoles.database, consoles.vault)
    consoles.extras["orders"] = Orders(desk, book.store, publishing.books, pile, retention_classes(), now)
    apart = Apart(settings)
    verifying = Verifying(consoles.database, apart, now, apart.stop)
    sources = sorted({one.source for one in services.values() if one.source})
    consoles.extras["auditor"] = AuditTools(
        book.store, book.keyring, settings.state / "maps", _roots(settings), verifying, sources
    )
    if publishing.published is not None:
        publishing.published.auditor = lambda request: may_audit(consoles, request)
    return consoles


async def forget_every_night(consoles: Consoles) -> None:
    """Requests of citizens whose time is over are wiped; what fails is tried again the next night."""
    while True:
        try:
            await consoles.extras["casefiles"].forget()
        except (IntegratorError, SQLAlchemyError) as error:
            log.error("requests_not_forgotten", error=type(error).__name__)
        await asyncio.sleep(until_night(consoles.now()))


async def close_offices(consoles: Consoles) -> None:
    """Nobody asks any more."""
    await asyncio.to_thread(consoles.extras["exporter"].close)
    await asyncio.to_thread(consoles.extras["alerting"].close)
    await consoles.extras["auditor"].verifying.close()
    await asyncio.to_thread(consoles.extras["auditor"].close)
    await asyncio.to_thread(consoles.desk.reports.close)
    consoles.database.close()


def health(publishing: Publishing) -> dict[str, Any]:
    """What the desk adds to the health of the ledger: logs, stamps and witnesses as data. Cheap."""
    told: dict[str, Any] = {"logs": [], "stamps": [], "witnesses": [], "quorum": 0}
    if publishing.publisher is not None:
        status = publishing.publisher.status()
        told["logs"] = [asdict(one) for one in (*status.shards, status.anchor) if one is not None]
    if publishing.attesting is not None:
        told["stamps"] = [asdict(one) for one in publishing.attesting.stamper.status().tsas]
        witnessing = publishing.attesting.witnessing.status()
        told["witnesses"] = [asdict(one) for one in witnessing.witnesses]
        told["quorum"] = witnessing.quorum
    return told


def _evidence(settings: Settings, book: Logbook) -> Callable[[str, int, Collection[str]], Any]:
    async def evidence(shard: str, index: int, audiences: Collection[str]) -> bytes:
        return await asyncio.to_thread(
            make_bundle, book.log, book.store, book.keyring, shard, index, audiences,
            signers=book.signers, tsa_roots=_roots(settings),
        )  # fmt: skip

    return evidence


def _bundle(settings: Settings, book: Logbook) -> Callable[[str, int, Subject], bytes]:
    """Evidence for one person only: values about others in the same entry stay closed."""

    def bundle(shard: str, index: int, subject: Subject) -> bytes:
        return make_bundle(
            book.log, book.store, book.keyring, shard, index, ("subject",),
            subject=subject, signers=book.signers, tsa_roots=_roots(settings),
        )  # fmt: skip

    return bundle


def _roots(settings: Settings) -> bytes:
    """The roots that time stamps lead to, as PEM."""
    paths = [Path(str(one["roots"])) for one in settings.audit.get("timestamps") or ()]
    return b"".join(path.read_bytes() for path in paths if path.exists())
