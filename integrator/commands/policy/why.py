"""`integrator policy why`: a question, or a recorded exchange, and the reasons of its answer in three languages.

Of a recorded exchange only the clear part of its entries is read: no person, no case, no key. Where the keys and fields
that are sealed would be needed to say more, that is said.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from audit import Store, open_store
from integrator import clock, settings
from integrator.commands import ledger
from integrator.commands.policy.house import in_force
from integrator.commands.policy.rooms import Rooms, open_rooms
from integrator.errors import ConfigurationError
from integrator.identity.grants.recorded import CONCLUDES, recorded
from integrator.model import QUESTION, RECEIVER, SENDER
from integrator.policy import NO_FACTS, Ask, Facts, Permit
from integrator.policy.conditions import BRUSSELS, LEVELS
from integrator.policy.telling import LANGUAGES, tell
from integrator.policy.why import why

_BLOCK = 10_000  # entries read at once, newest first


def add(verbs: Any) -> None:
    """Under `integrator policy`, and as a word of its own: it is what people ask most."""
    parser = verbs.add_parser("why", help="why a question is allowed or refused, and what would change that")
    parser.add_argument("exchange", nargs="?", help="a recorded one: its trace id, or SHARD/INDEX,INDEX…")
    parser.add_argument("--organisation", help="KBO number or short name")
    parser.add_argument("--application", default="any", help="only where an authorisation names applications")
    parser.add_argument("--purpose")
    parser.add_argument("--service")
    parser.add_argument("--keys", type=_names, default=frozenset(), help="search keys, separated by commas")
    parser.add_argument("--fields", type=_names, help="default: everything that is granted")
    parser.add_argument("--history", action="store_true")
    parser.add_argument("--as", dest="direction", choices=(SENDER, RECEIVER), help="of what is delivered")
    parser.add_argument("--part", action="store_true", help="inside a composition")
    parser.add_argument("--roles", type=_names, default=frozenset(), help="of the agent, separated by commas")
    parser.add_argument("--assurance", choices=LEVELS, help="how surely the agent was identified")
    parser.add_argument(
        "--registered", type=_names, help="qualities in which the subject is in the files; '' = in none"
    )
    parser.add_argument("--dossier", action="store_true", help="a case is named")
    parser.add_argument("--emergency", action="store_true", help="with a justification")
    parser.add_argument("--at", type=_noon, help="YYYY-MM-DD (noon UTC) or YYYY-MM-DDTHH:MM (Brussels), default now")
    parser.add_argument("--language", choices=LANGUAGES, action="append", help="default: all three")
    parser.add_argument("--settings", type=Path, help="for a recorded exchange")
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    languages = chosen.language or LANGUAGES
    loaded = settings.load(chosen.settings)
    rooms = open_rooms(*in_force(loaded))
    entries = list(_entries(loaded, chosen.exchange)) if chosen.exchange else []
    told = [_recorded(rooms, entry, languages) for entry in entries] or [_asked(rooms, chosen, languages)]
    print("\n\n".join(told))
    return 0


# --- a question -------------------------------------------------------------------------------------------------------


def _asked(rooms: Rooms, chosen: argparse.Namespace, languages: tuple[str, ...]) -> str:
    missing = [name for name in ("organisation", "purpose", "service") if getattr(chosen, name) is None]
    if missing:
        raise ConfigurationError(
            f"what is asked needs --{', --'.join(missing)}", advice="Or name a recorded exchange by its trace id."
        )
    service = rooms.service(chosen.service)
    for name in sorted(chosen.keys - set(service.keys)):
        raise ConfigurationError(f"{service.name} has no key {name!r}", advice=f"It has {', '.join(service.keys)}.")
    for name in sorted((chosen.fields or frozenset()) - service.offers):
        raise ConfigurationError(
            f"{service.name} has no field {name!r}", advice=f"See /docs or config/services/{service.name}.yaml."
        )
    if service.directions and chosen.direction not in service.directions:
        raise ConfigurationError(
            f"{service.name} is delivered", advice=f"Say --as {' or --as '.join(sorted(service.directions))}."
        )
    if chosen.direction and not service.directions:
        raise ConfigurationError(f"{service.name} is asked, not delivered", advice="Leave --as out.")
    ask = Ask(
        rooms.number(chosen.organisation), chosen.application, chosen.purpose, service.name, chosen.keys, service.offers,
        chosen.fields, chosen.history, chosen.part, chosen.direction or QUESTION,
    )  # fmt: skip
    now = clock.system() if chosen.at is None else chosen.at
    facts = Facts(chosen.roles, chosen.assurance, chosen.registered, chosen.dossier, chosen.emergency)
    told, decision = [_told(rooms, ask, now, languages, facts)], rooms.policies.decide(ask, now, facts)
    for part in service.parts_for(decision.fields if isinstance(decision, Permit) else frozenset()):
        offers = rooms.services[part.service].offers
        inner = replace(
            ask, service=part.service, keys=part.keys, fields=part.fields, offers=offers, history=False, part=True,
            direction=QUESTION,
        )
        told.append(f"part {part.name}\n" + _told(rooms, inner, now, languages, facts))
    return "\n\n".join(told)


def _told(rooms: Rooms, ask: Ask, now: float, languages: tuple[str, ...], facts: Facts = NO_FACTS) -> str:
    found, naming = why(rooms.policies, ask, now, facts), rooms.naming()
    return "\n".join(
        f"{language}  {sentence}" for language in languages for sentence in tell(found, ask, language, naming)
    )


# --- a recorded exchange ----------------------------------------------------------------------------------------------


def _entries(loaded: settings.Settings, named: str) -> list[dict[str, Any]]:
    """How the exchange ended: the clear entries that conclude it, in order of writing."""
    if re.fullmatch(r"[0-9a-f]{32}", named):
        store = open_store(loaded.ledger)
        try:
            found = list(_of_trace(store, named))
        finally:
            store.close()
    else:
        found = ledger.named(loaded, named)
    concluding = [entry for entry in found if entry["type"] in CONCLUDES]
    if not concluding:
        raise ConfigurationError(
            "no entry of this ledger says how that exchange ended",
            advice="Copy the header BelGov-Trace-Id or Integrator-Ledger-Entries whole; is this the ledger of that hub (--settings)?",
        )
    return concluding


def _of_trace(store: Store, trace: str) -> Iterator[dict[str, Any]]:
    """Newest first, block by block: who asks why, asks soon. All entries of an exchange stand in one shard, near each other."""
    for shard in reversed(store.shards()):
        stop, found = store.size(shard), False
        while stop > 0 and not found:
            start = max(0, stop - _BLOCK)
            for stored in store.read(shard, start, stop):
                if trace.encode() in stored.body and (entry := json.loads(stored.body)).get("trace_id") == trace:
                    found = True
                    yield {"shard": shard, "index": stored.index, **entry}
            stop = start
        if found:
            return


def _recorded(rooms: Rooms, entry: dict[str, Any], languages: tuple[str, ...]) -> str:
    head = f"{entry['shard']}/{entry['index']}  {entry['name']}  {entry['type']}"
    found = recorded(rooms.policies, rooms.services, entry)
    if found is None:
        return f"{head}\n(a service this hub no longer has)"
    told = (f"{language}  {line}" for language in languages for line in found.sentences(language, rooms.naming()))
    return "\n".join((head, *told))


def _names(text: str) -> frozenset[str]:
    return frozenset(name.strip() for name in text.split(",") if name.strip())


def _noon(text: str) -> float:
    if "T" in text:
        return datetime.fromisoformat(text).replace(tzinfo=BRUSSELS).timestamp()
    day = date.fromisoformat(text)
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC).timestamp()
