"""`integrator agent list | show | leave | delegate`: the people who work for organisations, for whoever runs the hub.

Works on the register itself, beside a running hub: what ends here ends there within a second, and the hub records it.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, select

from integrator import clock, settings
from integrator.agents import delegating, roster
from integrator.agents.changing import Change, agents
from integrator.agents.model import Agent, Author
from integrator.agents.scim.errors import ScimRefused
from integrator.agents.scim.filters import as_moment
from integrator.agents.scim.schemas import kinds
from integrator.agents.tables import resource_table
from integrator.database import Database
from integrator.errors import ConfigurationError, MalformedRequest

_BY = Author("command-line")
T = TypeVar("T")


def add(words: Any) -> None:
    agent = words.add_parser("agent", help="the people who work for organisations: list, show, leave, delegate")
    verbs = agent.add_subparsers(dest="verb", required=True)
    listing = verbs.add_parser("list", help="everybody HR told of, by organisation")
    listing.add_argument("--organisation", help="KBO number or short name; default: all")
    listing.set_defaults(run=run_list)
    show = verbs.add_parser("show", help="one agent: roles, unit, delegations")
    show.add_argument("agent", help="the id, a-…")
    show.set_defaults(run=run_show)
    leave = verbs.add_parser("leave", help="end an agent's access now, when HR cannot; tokens, sessions, delegations")
    leave.add_argument("agent", help="the id, a-…")
    leave.set_defaults(run=run_leave)
    delegate = verbs.add_parser("delegate", help="let a colleague act in some of an agent's roles, until a moment")
    delegate.add_argument("giver", help="whose roles, a-…")
    delegate.add_argument("taker", help="who may act, a-…")
    delegate.add_argument("--role", action="append", required=True, help="may be given several times")
    delegate.add_argument("--until", required=True, help="as 2026-12-24T18:00:00Z")
    delegate.set_defaults(run=run_delegate)
    for verb in (listing, show, leave, delegate):
        verb.add_argument("--settings", type=Path)
        verb.add_argument("--json", action="store_true")


def run_list(chosen: argparse.Namespace) -> int:
    table = resource_table.c
    query = select(table.id).where(table.kind == "User", table.gone.is_(None))
    if chosen.organisation:
        known = settings.organisations()["organisations"]
        number = known.get(chosen.organisation, {}).get("number", chosen.organisation)
        query = query.where(table.organisation == number)
    with _register(chosen) as run:
        found = run(lambda connection: agents(connection, connection.execute(query).scalars().all()))
    people = sorted(found.values(), key=lambda one: (one.organisation, not one.active, one.id))
    if chosen.json:
        print(json.dumps([_told(one) for one in people], indent=2))
        return 0
    for one in people:
        state = "active" if one.active else "left"
        print(f"{one.organisation}  {one.id}  {state:6}  {one.unit or '-'}  {' '.join(sorted(one.roles)) or '-'}")
    print(f"{len(people)} agents")
    return 0


def run_show(chosen: argparse.Namespace) -> int:
    with _register(chosen) as run:
        one = run(lambda connection: _one(connection, chosen.agent))
        delegations = run(lambda connection: delegating.known(connection, one.organisation, one.id))
    now = clock.system()
    told = _told(one) | {
        "delegations": [
            {
                "id": known.id, "giver": known.giver, "taker": known.taker, "roles": sorted(known.roles),
                "until": _iso(known.ends), "state": known.state(now),
            }
            for known in delegations
        ]
    }  # fmt: skip
    print(json.dumps(told, indent=2, ensure_ascii=False))
    return 0


def run_leave(chosen: argparse.Namespace) -> int:
    kind = kinds()["User"]

    def work(connection: Connection) -> Agent:
        one = _one(connection, chosen.agent)
        change = Change(connection, one.organisation, _BY, clock.system())
        data = {**roster.kept(connection, one.organisation, kind, one.id), "active": False}
        data.pop("schemas", None)
        roster.replace(change, kind, one.id, data, _no_tag, None)
        return one

    with _register(chosen) as run:
        one = run(work)
    print(f"{one.id}: no access from now on; a running hub knows within a second and records it")
    return 0


def run_delegate(chosen: argparse.Namespace) -> int:
    until = as_moment(chosen.until)
    if until is None:
        raise ConfigurationError("--until is a moment such as 2026-12-24T18:00:00Z")

    def work(connection: Connection) -> str:
        giver = _one(connection, chosen.giver)
        change = Change(connection, giver.organisation, _BY, clock.system())
        return delegating.delegate(change, giver.id, chosen.taker, chosen.role, change.now, until).id

    with _register(chosen) as run:
        made = run(work)
    print(json.dumps({"id": made}) if chosen.json else f"{made}: until {_iso(until)}")
    return 0


@contextmanager
def _register(chosen: argparse.Namespace) -> Iterator[Callable[[Callable[[Connection], T]], T]]:
    """The register of a hub's settings; refusals become words of the command line."""
    database = Database(str(settings.load(chosen.settings).agents["database"]), "agents")
    try:
        yield database.now
    except ScimRefused as error:
        raise ConfigurationError(error.words) from error
    except MalformedRequest as error:
        raise ConfigurationError("; ".join(issue.detail for issue in error.issues)) from error
    finally:
        database.close()


def _one(connection: Connection, id_: str) -> Agent:
    found = agents(connection, {id_}).get(id_)
    if found is None:
        raise ConfigurationError("no such agent", advice="integrator agent list")
    return found


def _no_tag(number: str) -> str:
    raise ConfigurationError("a national number is told by HR only")


def _told(one: Agent) -> dict[str, Any]:
    told = {
        "id": one.id, "organisation": one.organisation, "active": one.active, "unit": one.unit,
        "roles": sorted(one.roles), "mandate": one.mandate,
    }  # fmt: skip
    return {name: value for name, value in told.items() if value is not None}


def _iso(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
