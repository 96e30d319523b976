"""Rows of packages go through the one way: each good row is handed in as an application would hand it in over the API.

row ─► body ─► read by the service ─► Exchange.accept ─► outbox      key of the row = Idempotency-Key

Rows about one person stay in the order of the file; others go together, so that they share commits of the ledger.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from integrator import places
from integrator.adapters.asking import Asking, asking, settle_of
from integrator.adapters.asking import faults as faults_of_asking
from integrator.adapters.completing import answered
from integrator.adapters.completing import faults as faults_of_completing
from integrator.adapters.drops import Drop
from integrator.adapters.intake import Intake, Stopped, Taken
from integrator.adapters.layout import Layout, load
from integrator.adapters.participation import Participation, faults, participations
from integrator.adapters.posts import Outgoing, Post
from integrator.adapters.serving import Delivery, Serving, delivery
from integrator.adapters.shelves import Folder
from integrator.adapters.staffing import Directory, Staffing, Tells, staffing
from integrator.adapters.ways.opening import open_shelf, open_way
from integrator.adapters.wholes import AsOne
from integrator.api.delivering import Counter
from integrator.api.hub import Hub
from integrator.consoles.vault import open_vault
from integrator.database import Database
from integrator.errors import (
    ConfigurationError,
    IntegratorError,
    KeyReused,
    MalformedRequest,
    NoSuchDelivery,
    NotAsAsked,
    PolicyDenied,
    QuotaExceeded,
    SubjectNotFound,
)
from integrator.inquiring import AsksHub, open_inquiry
from integrator.logs import log
from integrator.model import Caller, Request, Trace
from integrator.settings import Settings, organisations
from integrator.staffing_part import OwnDirectory

_LATER = frozenset({"OUTSIDE_HOURS"})  # its hour will come: the file waits, the row is not wrong

Handed = tuple[str, Request, Any]  # key, what is handed in and its content; a row may be several


class HandsIn:
    """The effect of rows inside the hub: `Effect` of an intake. Raises `Stopped`."""

    def __init__(self, hub: Hub, part: Participation, organisation: str) -> None:
        self._hub, self._part, self._organisation = hub, part, organisation
        self._service = hub.services[part.service]
        self._counter = Counter(hub)

    async def __call__(self, rows: Sequence[Taken]) -> Mapping[str, str]:
        caller = self._caller()
        refused: dict[str, str] = {}
        lanes: dict[Any, list[tuple[Taken, list[Handed]]]] = {}
        if self._part.answers is not None:
            return await self._answer(rows, caller)
        for row in rows:
            try:
                handed = [self._read(key, body, caller) for key, body in self._part.bodies(row.key, row.values)]
            except MalformedRequest:
                refused[row.key] = "NOT_ACCEPTED"
                continue
            if not handed:
                refused[row.key] = "NO_ROUTE"
                continue
            lanes.setdefault(self._service.subject(handed[0][1].keys) or row.key, []).append((row, handed))
        settled = set(refused)
        done = await asyncio.gather(*(self._lane(lane, refused, settled) for lane in lanes.values()))
        failed = next((error for error in done if error is not None), None)
        if failed is not None:
            raise Stopped(frozenset(settled), refused) from failed
        return refused

    async def _answer(self, rows: Sequence[Taken], caller: Caller) -> Mapping[str, str]:
        """Answers one after the other: what a package says of a message later stands after what it said before."""
        refused: dict[str, str] = {}
        settled: set[str] = set()
        for row in rows:
            body = self._part.body(row.values)
            try:
                await self._counter.answer(caller, str(body["deliveryId"]), row.key, body["content"], _trace())
            except NoSuchDelivery:
                refused[row.key] = "NO_SUCH_DELIVERY"
            except IntegratorError as error:
                reason = _refusal(error)
                if reason is None:
                    raise Stopped(frozenset(settled), refused) from error
                refused[row.key] = reason
            settled.add(row.key)
        return refused

    async def _lane(
        self, lane: Sequence[tuple[Taken, Sequence[Handed]]], refused: dict[str, str], settled: set[str]
    ) -> BaseException | None:
        """One after the other; the first that cannot go on ends the lane and is returned."""
        for row, handed in lane:
            try:
                if not await self._known(row, handed[0][1].caller):
                    refused[row.key] = "NOT_KNOWN"
                    handed = ()
            except IntegratorError as error:  # nobody knows: that is no "no"
                reason = _refusal(error)
                if reason is None:
                    return error
                refused[row.key], handed = reason, ()
            for one in handed:  # one that is refused keeps nothing from the others
                try:
                    await self._hand_in(*one)
                except IntegratorError as error:
                    reason = _refusal(error)
                    if reason is None:
                        return error
                    refused[row.key] = reason
            settled.add(row.key)
        return None

    async def _known(self, row: Taken, caller: Caller) -> bool:
        """Whether the source that is asked first knows of it: an exchange of its own, recorded like any other."""
        known = self._part.known
        if known is None:
            return True
        service = self._hub.services[known.service]
        read = service.read(known.body(row.values))
        answer = await self._hub.exchange.answer(Request(service.name, caller, read.keys, _trace()))
        return bool(answer.body[known.found])

    async def _hand_in(self, key: str, request: Request, handed: Any) -> None:
        if self._service.later.kind == "announcement":
            await self._counter.announce(self._service, request, key, handed)
        else:
            await self._counter.hand_in(self._service, request, key, self._service.later.read(handed))

    def _read(self, key: str, body: dict[str, Any], caller: Caller) -> Handed:
        handed = body.pop("changed" if self._service.later.kind == "announcement" else "content", None)
        read = self._service.read(body)
        return key, Request(self._service.name, caller, read.keys, _trace(), None, read.dossier), handed

    def _caller(self) -> Caller:
        """Raises `Stopped` when the application is not enrolled, or no longer."""
        try:
            return enrolled(self._hub, self._part, self._organisation)
        except ConfigurationError as error:
            raise Stopped(frozenset(), {}) from error


def _trace() -> Trace:
    return Trace(os.urandom(16).hex(), os.urandom(8).hex())


class Fetches:
    """What waits for a package inside the hub: `Fetch` of a serving."""

    def __init__(self, hub: Hub, part: Delivery, organisation: str) -> None:
        self._hub, self._part, self._organisation = hub, part, organisation
        self._counter = Counter(hub)

    async def __call__(self, cursor: str | None) -> tuple[Sequence[Mapping[str, Any]], str | None]:
        caller = enrolled(self._hub, self._part, self._organisation)
        if self._part.answers:
            page = await self._counter.answered(caller, self._part.service, cursor, 100)
            return page["items"], page["cursor"]
        subscription = chosen_subscription(await self._counter.followed(caller), self._part.service)
        page = await self._counter.fetch(caller, subscription, cursor, 100)
        return await answered(self._part.asks, page["items"], partial(self._ask, caller)), page["cursor"]

    async def _ask(self, caller: Caller, body: Mapping[str, Any]) -> Mapping[str, Any] | None:
        assert self._part.asks is not None  # noqa: S101 (`answered` looked)
        service = self._hub.services[self._part.asks.service]
        try:
            read = service.read(body)
            answer = await self._hub.exchange.answer(
                Request(service.name, caller, read.keys, _trace(), None, read.dossier)
            )
        except (SubjectNotFound, MalformedRequest):
            return None
        return dict(answer.body)


def enrolled(hub: Hub, part: Participation | Delivery | Asking | Staffing, organisation: str) -> Caller:
    """The package's application as it is enrolled now. Raises `ConfigurationError`."""
    mine = (one for one in hub.identity.applications.all() if one.organisation == organisation and not one.disabled)
    for one in mine:
        if part.application in (one.id, one.name) and part.purpose in one.purposes:
            return Caller(organisation, one.id, part.purpose)
    raise ConfigurationError(
        "the package's application is not enrolled for its purpose", advice="integrator app create …"
    )


def chosen_subscription(mine: Sequence[Mapping[str, Any]], service: str) -> str:
    """Raises `ConfigurationError` when there is none to fetch from."""
    for one in mine:
        if one["service"] == service and one["mode"] == "pull":
            return str(one["subscriptionId"])
    raise ConfigurationError(
        f"no subscription to {service} that is fetched", advice="POST /events/v1/subscriptions/create, mode pull."
    )


def _refusal(error: IntegratorError) -> str | None:
    """Why a row waits; None: nothing is wrong with the row, the hub cannot go on now."""
    if isinstance(error, PolicyDenied):
        return None if isinstance(error, QuotaExceeded) or error.reason in _LATER else error.reason
    if isinstance(error, NotAsAsked):
        return error.code
    if isinstance(error, MalformedRequest):
        return "NOT_ACCEPTED"
    return error.code if isinstance(error, KeyReused) else None


def number_of(organisation: str) -> str:
    """The enterprise number of an organisation by its short name or number. Raises `ConfigurationError`."""
    known = organisations()["organisations"]
    number = str(known.get(organisation, {}).get("number", organisation))
    if number not in {one["number"] for one in known.values()}:
        raise ConfigurationError(f"no organisation {organisation!r}", advice="config/organisations.yaml lists them.")
    return number


def open_post(
    settings: Settings, name: str, effect: Any, database: Database, now: Any, access: Path | None = None
) -> Post:
    """`effect`: of a Participation; `access`: another file than the settings say. Raises `ConfigurationError`."""
    layout, parts = taking_part(settings, name)
    effects = [(part, effect(part)) for part in parts]
    made = AsOne(effects) if layout.whole else effects[0][1]
    return _post(settings, layout, made, database, now, access or access_of(settings, name))


def _post(settings: Settings, layout: Layout, made: Any, database: Database, now: Any, access: Path) -> Post:
    """`made`: the effect of its rows."""
    name, chosen = layout.adapter, settings.adapters
    vault = open_vault(settings.state)
    intake = Intake(layout, database, made, seal=vault.seal, unseal=vault.open, now=now)
    drop = Drop(Path(chosen["folders"]) / name, *settle_of(layout), layout.max_bytes)
    way = open_way(layout, access, database, drop, now, log.info)
    return Post(
        name, drop, intake, database, now, log.info, way, float(chosen.get("keepDays", 7)), float(chosen.get("waitingDays", 90)),
    )  # fmt: skip


def access_of(settings: Settings, name: str) -> Path:
    """The access file of an adapter; in the sandbox the one that the mock sources wrote, where there is no other."""
    path = Path(settings.adapters["access"]) / f"{name}.yaml"
    return path if path.exists() or not settings.sandbox else settings.state / "mock" / "access" / f"{name}.yaml"


def open_outgoing(
    settings: Settings, name: str, fetch: Any, database: Database, now: Any, access: Path | None = None
) -> Outgoing:
    """`fetch`: of a Delivery. Raises `ConfigurationError`."""
    layout = layout_of(settings, name)
    part = delivery(layout)
    if part is None:
        raise ConfigurationError(f"{name}/adapter.yaml has neither `deposit:` nor `deliver:`")
    root = Path(settings.adapters["folders"]) / name
    shelf = open_shelf(layout, access or access_of(settings, name)) or Folder(root / "out")
    serving = Serving(layout, part, shelf, database, fetch(part), open_vault(settings.state).seal, now)
    return Outgoing(name, Drop(root), serving, log.info, float(settings.adapters.get("waitingDays", 90)))


def layout_of(settings: Settings, name: str) -> Layout:
    named = settings.named_numbers if settings.sandbox else None
    return load(places.folder("connectors") / name / "adapter.yaml", sandbox=named)


def taking_part(settings: Settings, name: str) -> tuple[Layout, tuple[Participation, ...]]:
    """Layout and parts of an adapter. Raises `ConfigurationError` for one that only describes a file."""
    layout = layout_of(settings, name)
    parts = participations(layout)
    if not parts:
        raise ConfigurationError(f"{name}/adapter.yaml has no `deposit:`", advice="Say what its rows become.")
    return layout, parts


def organisation_of(layout: Layout) -> str:
    """The enterprise number of whose package it is, whether it hands in or is delivered to. Raises `ConfigurationError`."""
    part: Any = next(iter(participations(layout)), None) or delivery(layout)
    part = part or asking(layout, sandbox=None) or staffing(layout)
    if part is None:
        raise ConfigurationError(f"{layout.adapter}/adapter.yaml has none of `deposit:`, `deliver:`, `ask:`, `staff:`")
    return number_of(part.organisation)


def open_posts(hub: Hub, settings: Settings, database: Database, now: Any) -> list[Post | Outgoing]:
    """The adapters that this hub itself runs, as the settings say. Raises `ConfigurationError`."""

    def effect(part: Participation) -> HandsIn:
        wrong = list(faults(part, hub.services))
        if wrong:
            raise ConfigurationError(f"{part.adapter}/adapter.yaml: {wrong[0]}")
        return HandsIn(hub, part, number_of(part.organisation))

    def fetch(part: Delivery) -> Fetches:
        wrong = list(faults_of_completing(part.asks, hub.services)) if part.asks else []
        if wrong:
            raise ConfigurationError(f"{part.application}: {wrong[0]}")
        return Fetches(hub, part, number_of(part.organisation))

    posts: list[Post | Outgoing] = []
    for name in settings.adapters.get("run") or ():
        if (asks := asking_of(settings, name)) is not None:
            posts.append(_inquiry(hub, settings, name, asks, database, now))
        elif (staff := staff_of(settings, name)) is not None:
            organisation = number_of(staff.organisation)
            directory = OwnDirectory(hub.agents, partial(enrolled, hub, staff, organisation))
            posts.append(open_staff(settings, name, staff, directory, database, now))
        elif participations(layout_of(settings, name)):
            posts.append(open_post(settings, name, effect, database, now))
        else:
            posts.append(open_outgoing(settings, name, fetch, database, now))
    return posts


def asking_of(settings: Settings, name: str) -> Asking | None:
    """What the package asks; None when it asks nothing. Raises `ConfigurationError`."""
    return asking(layout_of(settings, name), sandbox=settings.named_numbers if settings.sandbox else None)


def _inquiry(hub: Hub, settings: Settings, name: str, part: Asking, database: Database, now: Any) -> Post:
    wrong = list(faults_of_asking(part, hub.services))
    if wrong:
        raise ConfigurationError(f"{name}/adapter.yaml: {wrong[0]}")
    organisation = number_of(part.organisation)
    ask = AsksHub(hub, part, lambda: enrolled(hub, part, organisation), _refusal)
    return open_inquiry(settings, layout_of(settings, name), part, ask, database, now, access_of(settings, name))


def staff_of(settings: Settings, name: str) -> Staffing | None:
    """What the package tells of staff; None when it tells nothing. Raises `ConfigurationError`."""
    return staffing(layout_of(settings, name))


def open_staff(
    settings: Settings, name: str, part: Staffing, directory: Directory, database: Database, now: Any, access: Path | None = None
) -> Post:  # fmt: skip
    """A post whose rows give and withdraw access."""
    made = Tells(part, directory)
    return _post(settings, layout_of(settings, name), made, database, now, access or access_of(settings, name))
