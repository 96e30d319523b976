"""The composition root: the only place that knows every room. Settings in, a hub that can be asked out.

settings ─► policies, services, mappings ─► connectors (all or none) ─► ledger ─► exchange ─► API
"""

from __future__ import annotations

import asyncio
import gc
import signal
import sys
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from audit import Ledger
from audit.log.years import OneBook
from integrator import clock, places, registry
from integrator import settings as settings_module
from integrator.agents.issuers import fetcher, read_issuers
from integrator.agents.office import open_agents
from integrator.api.soap.opening import open_soap
from integrator.attesting import AttestingFigures
from integrator.chores import begin, end
from integrator.consoles.book import open_book
from integrator.consoles.desks import Purposes
from integrator.contract import Connector, Tools
from integrator.database import Database
from integrator.deciding import Registered
from integrator.delivery.announcing import Changed
from integrator.directory import Directory, DirectorySource, load_rules, open_directory
from integrator.dispatch import open_dispatch
from integrator.emergency import Emergencies, Most, Rules, Store
from integrator.errors import ConfigurationError, IntegratorError
from integrator.exchange import Exchange
from integrator.gathered import Body
from integrator.governing.opening import open_governing
from integrator.hub import Hub
from integrator.identity.enrolment.opening import open_enrolment
from integrator.identity.grants import Bureau
from integrator.identity.service import Identity
from integrator.keeping import Keeper, retention_classes
from integrator.logs import log
from integrator.mapping import load_sheets
from integrator.metrics import Metrics
from integrator.model import LocalizedString
from integrator.nodes import apart
from integrator.offices import know_agents, open_offices
from integrator.opened.opening import opening
from integrator.pseudonyms import open_pseudonyms
from integrator.publishing import LogFigures, Publishing, open_publishing
from integrator.quotas import Quotas, Table
from integrator.recording import Recorder, Replaced
from integrator.seeds import seeded
from integrator.services import load_services
from integrator.settings import Settings
from integrator.taking_part import open_posts
from integrator.transport.channel import Channel, Lines, open_session
from integrator.watching.happenings import CHANGE
from integrator.watching.learning import learning
from integrator.watching.opening import Watching, agent_tags, open_closeness, open_watching
from integrator.years import ThisYear

VERSION = "0.1.0"


async def open_hub(settings: Settings, *, now: clock.Now = clock.system, ledger: Ledger | None = None) -> Hub:
    """Build the hub, or raise `ConfigurationError` and leave nothing open."""
    if settings.mocked and not settings.sandbox:  # else the mocks' inventions would be told as the truth
        raise ConfigurationError(
            f"{settings.mocked[0]} still has the sandbox's values",
            advice="In production every source needs its own address and credentials in config/local.yaml.",
        )
    settings.state.mkdir(parents=True, exist_ok=True, mode=0o700)
    organisations = settings_module.organisations()
    sheets = load_sheets(places.folder("mappings"))
    named = settings.named_numbers if settings.sandbox else None
    services = load_services(places.folder("config") / "services", sheets, sandbox=named)
    classes = retention_classes()
    metrics = Metrics()
    metrics.build_info.labels(VERSION).set(1)
    rules = load_rules(places.folder("config") / "directory.yaml", organisations)
    directory = open_directory(settings.directory["database"], Path(settings.directory["keys"]), rules, now)
    session, lines = open_session(), Lines()
    try:
        channels, connectors = await _connect(settings, metrics, lines, now)
        connectors["directory"] = DirectorySource(directory, now)
        for service in services.values():
            if service.source is not None and service.source not in connectors:
                raise ConfigurationError(f"{service.name}: no source {service.source!r} in settings and connectors/")
            if service.gather is not None and not settings.sources[service.source or ""].get("bodies"):
                raise ConfigurationError(f"{service.name}: sources.{service.source}.bodies names nobody to ask")
        door = opening(settings, services, registry.manifests(places.folder("connectors")), organisations)
        # Processes on several machines share the register of used assertions where they share the ledger's database.
        shared = settings.ledger if settings.ledger.startswith("postgresql:") else None
        authority = Path(settings.tls["clientCa"]) if "clientCa" in settings.tls else None
        identity = Identity(
            settings.state, base=settings.issuer, world=settings.mode, now=now, replays=shared,
            mutual=settings.tls["address"] if authority else None, authority=authority,
            binds=authority is not None or bool(settings.proxies),
        )  # fmt: skip
        publishing = open_publishing(settings, now) if ledger is None else Publishing(OneBook(ledger), None, None)
        watching = open_watching(settings) if publishing.logbook else None
        book = publishing.logbook
        governing = open_governing(
            settings, services, organisations, publishing.books, settings.ledger if book else None, now
        )
        quotas, emergencies = _open_conditions(settings, now)
        offices = open_offices(
            settings, publishing, governing, services, emergencies, session, now, watching, directory
        )
        enrolment = open_enrolment(
            settings, identity, lambda: governing.live.policies.purposes, ThisYear(publishing.books).append, now
        )
        purposes = Purposes(lambda: governing.live.policies.purposes)
        trusted = read_issuers(settings.agents.get("issuers") or (), sandbox=settings.sandbox)
        soap = open_soap(settings.soap, sandbox=settings.sandbox, now=now)
        agents = open_agents(settings, purposes, identity, publishing.books, trusted, fetcher(session), now)
        if offices is not None:
            offices.extras["enrolment"] = enrolment
            know_agents(offices, agents, settings)
            offices.extras["directory"] = directory
    except BaseException:
        directory.close()
        await session.close()
        await lines.close()
        raise
    shows_at = offices.desk.shown_at if offices else None
    keeper = (
        Keeper(book.store, book.keyring, publishing, classes, now, settings.state / "maps", shows_at) if book else None
    )
    recorder = Recorder(publishing.books, metrics, admit=publishing.admit)
    recorder.on_replaced = _replaced(directory, keeper)
    if watching is not None:
        tags = agent_tags(settings)
        tags.agents()  # a damaged file is said at the start, and never stops an exchange afterwards
        recorder.closeness = open_closeness(watching.tagger, tags, tags, agents.tags)
        recorder.learn = learning(watching.happenings, _territory(organisations))
    if publishing.publisher is not None:
        metrics.registry.register(LogFigures(publishing.publisher, now))
    if publishing.attesting is not None:
        metrics.registry.register(AttestingFigures(publishing.attesting))
    publishing.start()
    deadline = float(settings.limits.get("deadlineSeconds", 10))
    policies = governing.live.policies
    exchange = Exchange(
        services, policies, connectors, recorder, metrics, now, _territory(organisations), deadline,
        registered=_registered(settings, directory, organisations), quotas=quotas, emergencies=emergencies,
        pseudonyms=open_pseudonyms(settings.state / "pseudonyms.key", settings.mode), bodies=_bodies(settings, organisations),
    )  # fmt: skip
    book_of_words = offices.book if offices else open_book()
    bureau = Bureau(
        exchange, services, identity.applications, lambda: book_of_words.laws, offices.desk.reports if offices else None,
        ThisYear(publishing.books).append, now,
    )  # fmt: skip
    hub = Hub(
        settings=settings, services=services, governing=governing, exchange=exchange, identity=identity,
        metrics=metrics, publishing=publishing, channels=channels, session=session, lines=lines, clock=now,
        codes=places.folder("mappings") / "codes", keeper=keeper, consoles=offices, watching=watching, directory=directory,
        enrolment=enrolment, bureau=bureau, agents=agents, quotas=quotas, emergencies=emergencies, soap=soap,
        opened=door(exchange),
    )  # fmt: skip
    governing.live.told.append(hub.swap)
    if book is not None:
        try:
            hub.dispatch = await open_dispatch(
                settings,
                book,
                lambda: hub.exchange,
                directory=directory,
                changed=_changed(watching),
                keepers=_keepers(organisations),
            )
            await hub.dispatch.figures.count()
            hub.dispatch.start()
        except BaseException:
            await hub.close()
            raise
    return hub


async def _connect(
    settings: Settings, metrics: Metrics, lines: Lines, now: clock.Now
) -> tuple[dict[str, Channel], dict[str, Connector]]:
    """One channel and one connector per source that settings name; all or none."""
    channels: dict[str, Channel] = {}
    connectors: dict[str, Connector] = {}
    for name, manifest in registry.manifests(places.folder("connectors")).items():
        chosen = settings.sources.get(name)
        if chosen is None:
            raise ConfigurationError(
                f"settings have no sources.{name}", advice="Say how it is reached, or take the room away."
            )
        if "url" in chosen:
            channels[name] = Channel(name, chosen["url"], lines, manifest.limits, observe=_observe(metrics, now))
        # Each body of a source that is several has a way of its own: one that is ill takes nothing from the others.
        sends = {
            number: Channel(f"{name}.{number}", body["url"], lines, manifest.limits, observe=_observe(metrics, now))
            for number, body in chosen.get("bodies", {}).items()
        }
        channels |= {channel.source: channel for channel in sends.values()}
        connectors[name] = await registry.build(
            manifest, Tools(name, manifest.room, chosen, channels.get(name), now, settings.sandbox, sends)
        )  # fmt: skip
    return channels, connectors


def _bodies(settings: Settings, organisations: Mapping[str, Any]) -> dict[str, tuple[Body, ...]]:
    """The bodies of each source that is several. Raises `ConfigurationError` for one that does not take part."""
    names = {one["number"]: one["names"] for one in organisations["organisations"].values()}
    found: dict[str, tuple[Body, ...]] = {}
    for source, chosen in settings.sources.items():
        bodies = chosen.get("bodies", {})
        strangers = sorted(set(bodies) - set(names))
        if strangers:
            raise ConfigurationError(f"sources.{source}.bodies: {strangers[0]} is nobody in config/organisations.yaml")
        if bodies:
            found[source] = tuple(Body(number, LocalizedString.read(names[number])) for number in bodies)
    return found


def _replaced(directory: Directory, keeper: Keeper | None) -> Replaced:
    """A number was replaced: its history in the ledger and its files in the directory go along. In a thread, for nobody waits."""

    def replaced(subject: tuple[str, str], number: str, source: str) -> None:
        if keeper is not None:
            keeper.replaced(subject, number, source)
        if subject[0] != "nrn":
            return
        try:
            asyncio.run(directory.replaced(subject[1], number))
        except IntegratorError as error:  # the source will say it again the next time it is asked
            log.warning("directory_not_joined", source=source, error=type(error).__name__)

    return replaced


def _registered(settings: Settings, directory: Directory, organisations: Mapping[str, Any]) -> Registered:
    """Who keeps a file about whom: the directory; in the sandbox, whose people nobody registered, also its list of files."""
    if not settings.sandbox:
        return directory.qualities
    listed = seeded(places.folder("config") / "sandbox" / "registrations.yaml", organisations)

    async def either(organisation: str, subject: str, purpose: str, day: date) -> frozenset[str]:
        found = await directory.qualities(organisation, subject, purpose, day)
        return found | await listed(organisation, subject, purpose, day)

    return either


def _open_conditions(settings: Settings, now: clock.Now) -> tuple[Quotas, Emergencies]:
    """Raises `ConfigurationError`."""
    quotas, said = settings.quotas, settings.emergency
    rules = Rules(
        float(said["hours"]),
        of_agent=Most(int(said["perAgentPerDay"]), int(said["waiting"])),
        of_application=Most(int(said["perApplicationPerDay"]), int(said["waitingPerApplication"])),
    )
    return (
        Quotas(Table(Database(str(quotas["database"]), "quotas")), now, lease=int(quotas["lease"])),
        Emergencies(Store(Database(str(said["database"]), "emergency")), rules, now),
    )


def _keepers(organisations: Mapping[str, Any]) -> frozenset[str]:
    """Organisations that keep an authentic source."""
    return frozenset(one["number"] for one in organisations["organisations"].values() if one["kind"] == "register")


def _changed(watching: Watching | None) -> Changed | None:
    """A change that was told explains the looks that follow it: alerts must know."""
    if watching is None:
        return None
    happenings = watching.happenings

    async def changed(number: str, at: float) -> None:
        await asyncio.to_thread(happenings.tell, CHANGE, number, clock.micros(at))

    return changed


def _observe(metrics: Metrics, now: clock.Now) -> Callable[[str, str, float], None]:
    return lambda source, outcome, seconds: metrics.source(source, outcome, seconds, now())


def _territory(organisations: Mapping[str, Any]) -> Callable[[str], str | None]:
    homes = {
        one["number"]: str(one["municipality"])
        for one in organisations["organisations"].values()
        if "municipality" in one
    }
    return homes.get


def serve(settings: Settings) -> None:
    """Run until SIGTERM or Ctrl-C; then finish what was accepted."""
    import uvloop

    from integrator.api.server import run  # late: only a serving process needs it
    from integrator.logs import configure

    configure()
    for room in apart(settings):  # right for processes of one machine, wrong for several: we cannot know
        log.warning("not_shared", setting=room)
    # What was built at start stays for good: the collector of cycles need not look at it again, nor look so often.
    gc.set_threshold(100_000, 20, 100)
    # The ledger's thread needs the interpreter only for a moment, but at once: every waiting caller waits for it.
    sys.setswitchinterval(0.0005)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)

    async def main() -> None:
        hub = await open_hub(settings)
        # From here on SIGTERM is a request, however often it comes: nothing interrupts what is being written at the end.
        stop = asyncio.Event()
        signal.signal(signal.SIGTERM, lambda *_: stop.set())
        gc.freeze()
        await asyncio.to_thread(hub.publishing.tidy, timedelta(0))  # what a process that died left open
        chores = begin(hub)
        adapters = Database(str(settings.adapters["database"]), "adapters") if settings.adapters.get("run") else None
        try:
            if adapters is not None:
                pause = float(settings.adapters.get("pauseSeconds", 2))
                posts = open_posts(hub, settings, adapters, hub.clock)
                chores += [asyncio.create_task(post.watch(pause)) for post in posts]
            await run(hub, settings.host, settings.port, stop=stop)
        finally:
            await end(chores)  # the clerk has written what it was writing
            if adapters is not None:
                adapters.close()
            await hub.close()

    uvloop.run(main())
