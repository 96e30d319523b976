"""The consoles of a running hub: a desk over its ledger, with what publishing, witnesses and stamps tell of its health.

publishing ─► desk (reports, looks, evidence, health) ─► consoles (pages, questions)
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, replace
from datetime import date
from pathlib import Path
from typing import Any

import aiohttp

from audit import Subject
from audit.keeping.shown import ShowsAt, prove_shown
from audit.verify.bundle import make_bundle
from audit.verify.day import day_bundle
from integrator import clock
from integrator.agents.office import Agents
from integrator.alerting import open_alerting, registered_in
from integrator.consoles.auditor import AuditTools, Verifying
from integrator.consoles.auditor.process import Apart
from integrator.consoles.casefiles.opening import open_office
from integrator.consoles.citizen.notifying import tell_everyone
from integrator.consoles.citizen.outbox import FileOutbox
from integrator.consoles.desks import Purposes, open_desk
from integrator.consoles.emergencies import SecondPersons
from integrator.consoles.exporting import Exporter, words_of
from integrator.consoles.looking import Day
from integrator.consoles.opening import may_audit, open_consoles
from integrator.consoles.orders import Orders, Pile
from integrator.consoles.people import Person
from integrator.consoles.reveals.opening import open_reveals
from integrator.consoles.signin.claims import OFFICIAL
from integrator.consoles.signin.oidc import Oidc
from integrator.consoles.web import Consoles
from integrator.directory import Directory
from integrator.emergency import Emergencies
from integrator.governing.live import InForce
from integrator.governing.opening import Governing
from integrator.keeping import retention_classes
from integrator.logs import log
from integrator.publishing import Logbook, Publishing
from integrator.services import Service
from integrator.settings import Settings
from integrator.watching.desk import CaseDesk
from integrator.watching.opening import Watching

PEER = "hub"  # our name as a peer of FSC; at most 20 characters


def open_offices(
    settings: Settings,
    publishing: Publishing,
    governing: Governing,
    services: Mapping[str, Service],
    emergencies: Emergencies,
    session: aiohttp.ClientSession,
    now: clock.Now,
    watching: Watching | None = None,
    directory: Directory | None = None,
) -> Consoles | None:
    """None where nothing is published (benchmarks). Raises `ConfigurationError`."""
    book = publishing.logbook
    if book is None:
        return None
    desk = open_desk(
        book.store, book.keyring, publishing.books, lambda: governing.live.policies, services, now,
        health=lambda: health(publishing), proof=_evidence(settings, book), day=_day(settings, book),
    )  # fmt: skip
    consoles = open_consoles(settings, desk, session, now)
    consoles.extras["exporter"] = Exporter(
        book.store, book.keyring, desk.reports, PEER, words_of(consoles.book), "0.1.0"
    )  # fmt: skip
    consoles.extras["alerting"] = open_alerting(
        book.store, book.keyring, publishing, now, watching, registered_in(directory) if directory else None
    )
    if watching is not None:
        consoles.extras["cases"] = CaseDesk(watching.cases, desk, now)
    consoles.extras["governing"] = governing

    def tell(new: InForce) -> None:
        consoles.book.reread(new.texts)

    tell(governing.live.current)
    governing.live.told.append(tell)
    open_office(consoles, Purposes(lambda: governing.live.policies.purposes), _bundle(settings, book))
    open_reveals(consoles)
    consoles.extras["emergencies"] = SecondPersons(emergencies, desk, publishing)
    pile = Pile(consoles.database, consoles.vault)
    consoles.extras["orders"] = Orders(desk, book.store, publishing.books, pile, retention_classes(), now)
    apart = Apart(settings)
    verifying = Verifying(consoles.database, apart, now, apart.stop)
    sources = sorted({one.source for one in services.values() if one.source})
    notices = settings.consoles.get("notices") or {}
    consoles.extras["notices"] = (
        FileOutbox(Path(str(notices.get("outbox") or settings.state / "notices")), str(notices.get("from", ""))),
        f"{settings.issuer}/console/",
    )
    consoles.extras["auditor"] = AuditTools(
        book.store, book.keyring, settings.state / "maps", _roots(settings), verifying, sources
    )
    if publishing.published is not None:
        publishing.published.auditor = lambda request: may_audit(consoles, request)
    return consoles


def know_agents(consoles: Consoles, agents: Agents, settings: Settings) -> None:
    """Officials who left their organisation do not sign in any more, sessions of who leaves end at once, and an agent is no
    second person for an emergency of his own."""
    agents.end_sessions_by(consoles.sessions.end_all)
    consoles.extras["emergencies"].somebody_else = agents.somebody_else
    chosen = (settings.consoles.get("signIn") or {}).get("agent")
    oidc = consoles.extras.get("oidc")
    if chosen is None or not isinstance(oidc, Oidc):
        return

    async def admit(person: Person, claims: Mapping[str, Any]) -> Person:
        value = claims.get(chosen["claim"])
        if not person.roles & OFFICIAL or not isinstance(value, str):
            return person
        if await agents.may_work(person.id, person.org, chosen["matches"], value):
            return person
        return replace(person, roles=person.roles - OFFICIAL, org=None)  # a citizen he still is, if he was one here

    oidc.admit = admit


async def tell_news(consoles: Consoles) -> None:
    """Who wants notice of news gets it."""
    outbox, address = consoles.extras["notices"]
    if told := await tell_everyone(consoles, outbox, address):
        log.info("notices_sent", count=told)


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


def _day(settings: Settings, book: Logbook) -> Day:
    def bundle(shard: str, index: int) -> bytes:
        return make_bundle(
            book.log, book.store, book.keyring, shard, index, (), signers=book.signers, tsa_roots=_roots(settings)
        )

    def day(subject: Subject, day: date, shows_at: ShowsAt) -> bytes | None:
        proofs = prove_shown(book.store, book.keyring, settings.state / "maps", subject, day, shows_at)
        if not proofs:
            return None
        erasures = sorted({order for one in proofs for _, order in one.erased})
        return day_bundle(bundle(proofs[0].shard, proofs[0].index), proofs, [bundle(*one) for one in erasures])

    return day


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
