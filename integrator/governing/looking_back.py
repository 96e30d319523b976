"""Looks at what was recorded, as functions of plain values: a hub runs them apart, a command runs them itself.

Each opens the ledger for reading and reads the clear part only. They take as long as there are entries in the time asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from audit import open_store
from integrator import clock, settings
from integrator.governing.diet import Use, diet, unused
from integrator.governing.narrowing import narrowed
from integrator.governing.proving import Proof, load_all_services, prove
from integrator.governing.replaying import Replay, replay, with_hours
from integrator.governing.texts import Suspended, Texts, compile_texts
from integrator.governing.traffic import Traffic, read_traffic
from integrator.policy import Policies
from integrator.services import Service

DAY = 86_400
REPLAYED = 30  # days that a proposal is tried upon


def traffic_of(
    ledger: str, since: float, until: float, org: str | None = None, timed: frozenset[str] = frozenset()
) -> Traffic:
    """`ledger`: as in the settings; times in epoch seconds. Raises `LedgerError`."""
    store = open_store(ledger)
    try:
        return read_traffic(store, int(since * 1e6), int(until * 1e6), org=org, timed=timed)
    finally:
        store.close()


def replay_of(
    ledger: str,
    in_force: Texts,
    changed: Texts,
    suspended: frozenset[Suspended],
    since: float,
    until: float,
    at: float,
    org: str | None = None,
) -> Replay:
    """What was asked in a time, by one organisation or by all, under the texts in force and with `changed` in their place, both deciding at `at`."""
    organisations = settings.organisations()
    old = compile_texts(in_force, organisations, suspended)
    new = compile_texts({**in_force, **changed}, organisations, suspended)
    traffic = traffic_of(ledger, since, until, org, timed=with_hours(old) | with_hours(new))
    return replay(traffic, old, new, load_all_services(), at)


def diet_of(ledger: str, in_force: Texts, since: float, until: float, org: str | None = None) -> list[Use]:
    """How granted fields were used in a time; of one organisation, or of all."""
    policies = compile_texts(in_force, settings.organisations())
    return diet(traffic_of(ledger, since, until, org), policies, load_all_services(), org)


def narrower_of(ledger: str, in_force: Texts, since: float, until: float) -> dict[str, bytes]:
    """Of each purpose that gives what nobody used: its text without that. Over all organisations, since they share texts."""
    organisations, services = settings.organisations(), load_all_services()
    policies = compile_texts(in_force, organisations)
    return _narrower(in_force, traffic_of(ledger, since, until), policies, services, organisations)


def _narrower(
    in_force: Texts,
    traffic: Traffic,
    policies: Policies,
    services: Mapping[str, Service],
    organisations: Mapping[str, Any],
) -> dict[str, bytes]:
    offers = {name: service.offers for name, service in services.items()}
    idle: Mapping[str, Any] = unused(diet(traffic, policies, services), policies, services)
    return {code: narrowed(in_force[code], found, offers, organisations) for code, found in idle.items()}


def diet_and_narrower_of(
    ledger: str, in_force: Texts, since: float, until: float, org: str | None
) -> tuple[list[Use], dict[str, bytes]]:
    """Both, for a page: what everybody asked is read once."""
    organisations, services = settings.organisations(), load_all_services()
    policies, traffic = compile_texts(in_force, organisations), traffic_of(ledger, since, until)
    return diet(traffic, policies, services, org), _narrower(in_force, traffic, policies, services, organisations)


def tried_out(
    ledger: str | None,
    in_force: Texts,
    changed: Texts,
    suspended: frozenset[Suspended],
    now: float,
    at: float,
) -> Proof:
    """What the machine says of a change before anybody approves: proof, and where it is sound, the replay of a month."""
    proof = prove(in_force, changed, clock.today(now), suspended)
    if proof["sound"] and ledger is not None:
        since = now - REPLAYED * DAY
        proof["replay"] = replay_of(ledger, in_force, changed, suspended, since, now, max(now, at)).json()
    return proof
