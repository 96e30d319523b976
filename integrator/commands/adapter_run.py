"""`integrator adapter run NAME --key FILE`: the adapter of a machine beside the package; it asks a hub as any application does."""

from __future__ import annotations

import argparse
import asyncio
import zlib
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import orjson

from connectors.client import Hub, HubUnreachable, Problem
from integrator import clock, places, settings
from integrator.adapters.asking import Asking
from integrator.adapters.completing import answered
from integrator.adapters.inquiry import Said
from integrator.adapters.intake import Stopped, Taken
from integrator.adapters.participation import Participation, participations
from integrator.adapters.posts import Outgoing, Post
from integrator.adapters.serving import Delivery
from integrator.adapters.staffing import Staffing
from integrator.commands.adapter_desk import opened
from integrator.commands.adapter_staff import ScimDirectory
from integrator.errors import NotAsAsked, SourceUnavailable
from integrator.inquiring import nobody_knows, open_inquiry, said
from integrator.mapping import load_sheets
from integrator.services import load_services
from integrator.taking_part import (
    access_of,
    asking_of,
    chosen_subscription,
    layout_of,
    open_outgoing,
    open_post,
    open_staff,
    staff_of,
)

LINES = 4  # requests under way; a hub lets one application have twelve
_REFUSED = {400: "NOT_ACCEPTED", 404: "NOT_ACCEPTED", 409: "KEY_REUSED", 422: "NOT_ACCEPTED"}
_LATER = frozenset({"OUTSIDE_HOURS"})


def add(verbs: Any) -> None:
    run = verbs.add_parser("run", help="watch the folder of an adapter and hand its rows in at a hub")
    run.add_argument("name", help="the adapter: a folder of connectors/")
    run.add_argument("--key", type=Path, required=True, help="key file of the application (`integrator app create`)")
    run.add_argument("--hub", help="default: the hub the key was made for")
    run.add_argument("--access", type=Path, help="access file of the package; default: as the settings say")
    run.add_argument("--once", action="store_true", help="take what is whole now, then end")
    run.add_argument("--settings", type=Path)
    run.set_defaults(run=run_run)


def run_run(chosen: argparse.Namespace) -> int:
    loaded = settings.load(chosen.settings)
    if (asks := asking_of(loaded, chosen.name)) is not None:
        return _asking(chosen, loaded, asks)
    if (staff := staff_of(loaded, chosen.name)) is not None:
        return _staff(chosen, loaded, staff)
    if not participations(layout_of(loaded, chosen.name)):
        return _serve(chosen, loaded)
    with opened(loaded) as database:
        made: list[OverHttp] = []

        def effect(part: Participation) -> OverHttp:
            made.append(OverHttp(part, [_client(chosen, part) for _ in range(LINES)]))
            return made[-1]

        post = open_post(loaded, chosen.name, effect, database, clock.system, chosen.access)
        try:
            return asyncio.run(_once(post) if chosen.once else _watch(post, float(loaded.adapters["pauseSeconds"])))
        except KeyboardInterrupt:
            return 0
        finally:
            for one in made:
                one.close()


def _staff(chosen: argparse.Namespace, loaded: settings.Settings, part: Staffing) -> int:
    """Rows that tell who works where."""
    with opened(loaded) as database, Hub.from_key(chosen.key, purpose=part.purpose, url=chosen.hub) as client:
        directory = ScimDirectory(client)
        post = open_staff(loaded, chosen.name, part, directory, database, clock.system, chosen.access)
        try:
            return asyncio.run(_once(post) if chosen.once else _watch(post, float(loaded.adapters["pauseSeconds"])))
        except KeyboardInterrupt:
            return 0


def _asking(chosen: argparse.Namespace, loaded: settings.Settings, part: Asking) -> int:
    """Rows that are questions; the answers lie in `out` of the adapter's folder."""
    client = Hub.from_key(chosen.key, purpose=part.purpose, url=chosen.hub)
    service = load_services(places.folder("config") / "services", load_sheets(places.folder("mappings")), sandbox=None)[
        part.service
    ]
    with opened(loaded) as database:
        access = chosen.access or access_of(loaded, chosen.name)
        layout = layout_of(loaded, chosen.name)
        ask = partial(_ask, client, service)
        post = open_inquiry(loaded, layout, part, ask, database, clock.system, access)
        try:
            return asyncio.run(_once(post) if chosen.once else _watch(post, float(loaded.adapters["pauseSeconds"])))
        except KeyboardInterrupt:
            return 0
        finally:
            client.close()


async def _ask(client: Hub, service: Any, body: Mapping[str, Any]) -> Said:
    """`Ask` of an inquiry. What a source did not tell is unknown; the hub itself being out stops the file there."""
    try:
        answer = await asyncio.to_thread(lambda: client.ask(service.name, **body))
    except Problem as problem:
        nothing = nobody_knows(service)
        if problem.status == 404 and "source" in problem.body:
            return Said("notFound", nothing, "SUBJECT_NOT_FOUND")
        if "source" in problem.body:
            return Said("unknown", nothing, str(problem.body.get("reason", "SOURCE_UNAVAILABLE")))
        reason = _refusal(problem)
        if reason is None:
            raise
        return Said("refused", nothing, reason)
    return said(service, answer.body)


def _serve(chosen: argparse.Namespace, loaded: settings.Settings) -> int:
    """The other direction: what the hub delivers becomes files."""
    with opened(loaded) as database:
        made: list[Hub] = []

        def fetch(part: Delivery) -> Any:
            client = Hub.from_key(chosen.key, purpose=part.purpose, url=chosen.hub)
            made.append(client)
            return partial(_fetch, client, part)

        out = open_outgoing(loaded, chosen.name, fetch, database, clock.system, chosen.access)
        try:
            if chosen.once:
                print(f"{asyncio.run(_written(out))} rows written")
            else:
                asyncio.run(out.watch(float(loaded.adapters["pauseSeconds"])))
        except KeyboardInterrupt:
            return 0
        finally:
            for one in made:
                one.close()
    return 0


async def _written(out: Outgoing) -> int:
    async with out.manned():
        return await out.turn()


async def _fetch(client: Hub, part: Delivery, cursor: str | None) -> tuple[Sequence[Mapping[str, Any]], str | None]:
    def work() -> tuple[Sequence[Mapping[str, Any]], str | None]:
        known = {"cursor": cursor} if cursor else {}
        if part.answers:
            page = client.call("POST", "/delivery/v1/deliveries/answers", {"service": part.service, **known})
            return page["items"], page["cursor"]
        mine = client.call("POST", "/events/v1/subscriptions/list", {})["items"]
        body = {"subscriptionId": chosen_subscription(mine, part.service), **known}
        page = client.call("POST", "/events/v1/feed", body)
        return page["items"], page["cursor"]

    events, reached = await asyncio.to_thread(work)
    return await answered(part.asks, events, partial(_told, client, part)), reached


async def _told(client: Hub, part: Delivery, body: dict[str, Any]) -> Mapping[str, Any] | None:
    assert part.asks is not None  # noqa: S101 (`answered` looked)
    try:
        return dict((await asyncio.to_thread(client.ask, part.asks.service, **body)).body)
    except Problem as problem:
        if problem.status in (400, 404):
            return None
        raise _cause(problem) from problem


async def _once(post: Post) -> int:
    """Two looks, as far apart as a file must stand still: the first sees nothing whole."""
    async with post.manned():
        results = await post.turn()
        await asyncio.sleep(post.drop.settle + 0.05)
        try:
            results += await post.turn()
        except Stopped as stop:
            raise SourceUnavailable("hub", "it cannot go on now; the position is kept") from stop
    for one in results:
        words = f"{one.file.good} handed in, {one.file.bad} wait" + (f", {one.file.reason}" if one.file.reason else "")
        print(f"{one.file.digest[:12]}  {one.state}: {words}")
    print("nothing new" if not results else f"integrator adapter waiting {post.adapter} shows what waits")
    return 0


async def _watch(post: Post, pause: float) -> int:
    await post.watch(pause)
    return 0


def _client(chosen: argparse.Namespace, part: Participation) -> Hub:
    return Hub.from_key(chosen.key, purpose=part.purpose, url=chosen.hub)


_Line = tuple[Taken, list[tuple[str, dict[str, Any]]]]  # a row, and what is handed in for it


class OverHttp:
    """The effect of rows at a hub elsewhere: `Effect` of an intake. Raises `Stopped`.

    Rows with the same keys (so: about the same person) go over the same line, one after the other.
    """

    def __init__(self, part: Participation, clients: Sequence[Hub]) -> None:
        self._part, self._clients = part, clients

    async def __call__(self, rows: Sequence[Taken]) -> Mapping[str, str]:
        lines: dict[int, list[_Line]] = {}
        settled: dict[str, str | None] = {}
        for row in rows:
            bodies = self._part.bodies(row.key, row.values)
            if not bodies:
                settled[row.key] = "NO_ROUTE"
                continue
            told = {name: bodies[0][1].get(name) for name in ("deliveryId", *self._part.keys)}
            keys = orjson.dumps(told, option=orjson.OPT_SORT_KEYS)
            lines.setdefault(zlib.crc32(keys) % len(self._clients), []).append((row, bodies))
        work = (asyncio.to_thread(self._line, self._clients[which], line, settled) for which, line in lines.items())
        failed = next((_cause(error) for error in await asyncio.gather(*work) if error is not None), None)
        refused = {key: reason for key, reason in settled.items() if reason is not None}
        if failed is not None:
            raise Stopped(frozenset(settled), refused) from failed
        return refused

    def _line(self, hub: Hub, rows: Sequence[_Line], settled: dict[str, str | None]) -> Exception | None:
        for row, bodies in rows:
            refused: str | None = None
            try:
                if not self._known(hub, row):
                    refused, bodies = "NOT_KNOWN", []
            except (HubUnreachable, KeyError) as error:
                return error
            except Problem as problem:  # nobody knows: that is no "no"
                refused, bodies = _refusal(problem), []
                if refused is None:
                    return problem
            for key, body in bodies:
                try:
                    self._send(hub, key, body)
                except (HubUnreachable, KeyError) as error:
                    return error
                except Problem as problem:
                    refused = _refusal(problem)
                    if refused is None:
                        return problem
            settled[row.key] = refused
        return None

    def _known(self, hub: Hub, row: Taken) -> bool:
        """Whether the source that is asked first knows of it. Raises `Problem`, `HubUnreachable`; KeyError without an answer."""
        known = self._part.known
        if known is None:
            return True
        return bool(hub.ask(known.service, **known.body(row.values)).body[known.found])

    def _send(self, hub: Hub, key: str, body: dict[str, Any]) -> None:
        if self._part.answers is None:
            hub.send(self._part.service, key, **body)
        else:
            hub.call("POST", "/delivery/v1/deliveries/answer", body, key)

    def close(self) -> None:
        for one in self._clients:
            one.close()


def _cause(error: Exception) -> Exception:
    """What the hub says of a source, as the hub itself would have it: a source that is down is asked more seldom than a hub."""
    if not isinstance(error, Problem) or "source" not in error.body:
        return error
    return SourceUnavailable(str(error.body["source"]), f"the hub answered {error.status}")


def _refusal(problem: Problem) -> str | None:
    """Why a row waits; None: nothing is wrong with the row, the hub cannot go on now."""
    if problem.type.startswith("oauth:") or problem.retry_after is not None:
        return None
    if problem.status == 403:
        reason = str(problem.body.get("reason", "REFUSED"))
        return None if reason in _LATER else reason
    if problem.body.get("code") == NotAsAsked.code:
        return NotAsAsked.code
    return _REFUSED.get(problem.status)
