"""What a decision costs: the engine with 1 000 authorisations and 10 000 grants, and with what is shipped.

    python -P tests/bench/policy.py [--purposes 100] [--turns 20000]

Decisions are timed one by one (clock included), in two ways: questions that come back (as applications ask), and
questions nobody asked before. Half of them are refused, for every reason there is. Load is from files on disk: YAML read,
compiled, indexed; seconds of CPU, so that a busy machine is not blamed on the engine.
"""

from __future__ import annotations

import argparse
import gc
import random
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from integrator import places  # noqa: E402
from integrator.policy import NO_FACTS, Ask, Facts, Policies, load_policies  # noqa: E402
from integrator.policy.why import nearest  # noqa: E402

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC).timestamp()
TEXT = "{nl: tekst, fr: texte, en: text}"
RECORDS = ("name", "address", "birth", "parents", "status", "holder", "members", "licence")
LEAVES = ("code", "label", "startDate", "endDate", "source")
OFFERS = frozenset(set(RECORDS) | {f"{record}.{leaf}" for record in RECORDS for leaf in LEAVES})
NAMES = sorted(OFFERS)
KEYS = ("ssin", "plateNumber", "enterpriseNumber", "postCode", "streetName", "period")
SERVICES = tuple(f"service.number{letter}" for letter in "ABCDEFGHIJKLMNOPQRST")
NUMBERS = [f"1{number:09d}" for number in range(500)]


# What an agent of these organisations is known to be: enough for every condition that `write` puts on a line.
KNOWN = Facts(frozenset({"youth_worker"}), "high", frozenset({"1"}), True)
CONDITIONS = (
    ', roles: [youth_worker, social_worker], assurance: substantial, dossier: true, registration: ["1", "2"], '
    'hours: {days: [mon, tue, wed, thu, fri], from: "07:00", to: "20:00"}, limits: {perDay: 100}'
)
Held = tuple[str, str, str, str]  # purpose, organisation, service, a granted key


def write(folder: Path, purposes: int, chance: random.Random, conditions: str = "") -> list[Held]:
    """Files of ten authorisations with ten grants each; who holds what by them."""
    held: list[Held] = []
    for number in range(purposes):
        name = f"purpose_{number:04d}"
        lines = [
            f"purpose: {name}", f"title: {TEXT}", f"why: {TEXT}", "dpv: dpv:ServiceProvision", "gdprFinality: B4_01", "legalBasis: eu-gdpr:A6-1-e",
            f"processingActivity: https://ropa.example/{name}/v1", "retention: Y10", "disclosure: {rule: immediate, thirdPartySafe: true}", "authorisations:",
        ]  # fmt: skip
        for entry in range(10):
            named = chance.sample(NUMBERS, 3)
            organisations = ", ".join(f'"{one}"' for one in named)
            ends = "2026-06-30" if chance.random() < 0.1 else "2030-12-31"
            lines += [
                f"  - id: {name}@2026-{entry}", f"    legal: {{kind: law, number: BENCH {number}/{entry}, issuer: Bench, date: 2025-11-24, text: {TEXT}}}",
                "    validFrom: 2026-01-01", f"    validUntil: {ends}", f"    organisations: [{organisations}]", "    applications: any", "    grants:",
            ]  # fmt: skip
            for service in chance.sample(SERVICES, 10):
                keys, fields = chance.sample(KEYS, 2), chance.sample(NAMES, 8)
                held += [(name, one, service, keys[0]) for one in named]
                years = ", historyYears: 5" if chance.random() < 0.2 else ""
                lines.append(
                    f"      - {{service: {service}, keys: [{', '.join(keys)}], fields: [{', '.join(fields)}]{years}{conditions}}}"
                )
        (folder / f"{name}.yaml").write_text("\n".join([*lines, "cases: []", ""]))
    return held


def questions(held: Sequence[Held], count: int, chance: random.Random) -> Iterator[Ask]:
    """Half of them inside some grant, half with one thing changed."""
    for turn in range(count):
        purpose, number, service, key = chance.choice(held)
        ask: dict[str, Any] = {
            "organisation": number, "application": "bench", "purpose": purpose, "service": service, "offers": OFFERS,
            "keys": frozenset({key}), "fields": frozenset(chance.sample(NAMES, chance.randint(1, 12))),
        }  # fmt: skip
        if turn % 2:
            ask |= chance.choice([
                {"organisation": chance.choice(NUMBERS)}, {"service": chance.choice(SERVICES)}, {"keys": frozenset({chance.choice(KEYS)})},
                {"history": True}, {"purpose": "purpose_9999"}, {"fields": None},
            ])  # fmt: skip
        yield Ask(**ask)


def timed(policies: Policies, asks: Sequence[tuple[Ask, Facts]]) -> tuple[float, float, float]:
    """(median, p99, slowest) in microseconds of the thread's CPU, reading the clock included."""
    decide, clock, taken = policies.decide, time.thread_time_ns, []
    for ask, facts in asks:
        begin = clock()
        decide(ask, NOW, facts)
        taken.append(clock() - begin)
    taken.sort()
    return taken[len(taken) // 2] / 1e3, taken[len(taken) * 99 // 100] / 1e3, taken[-1] / 1e3


def row(name: str, policies: Policies, asks: Sequence[tuple[Ask, Facts]]) -> None:
    median, p99, slowest = timed(policies, asks)
    refused = sum(not hasattr(policies.decide(ask, NOW, facts), "fields") for ask, facts in asks[:2000]) / min(
        len(asks), 2000
    )
    print(
        f"  {name:<44} median {median:7.2f} µs   p99 {p99:8.2f} µs   slowest {slowest:9.1f} µs   refused {refused:.0%}"
    )


def shipped() -> tuple[Policies, list[tuple[Ask, Facts]]]:
    """The collection as it is, asked what its own cases ask."""
    from integrator import settings
    from integrator.mapping import load_sheets
    from integrator.policy.cases import questions as questions_of
    from integrator.services import load_services

    organisations = settings.organisations()
    policies = load_policies(places.folder("policies"), organisations)
    services = load_services(
        places.folder("config") / "services", load_sheets(places.folder("mappings")), sandbox=frozenset()
    )
    asks, offers = [], {name: service.offers for name, service in services.items()}
    for path in sorted(places.folder("policies").glob("*.yaml")):
        data = places.read_yaml(path)
        for case in data["cases"]:
            asks += [
                (ask, facts)
                for ask, _, facts in questions_of(path.stem, case, offers, organisations, data.get("given"))
            ]
    return policies, asks


def world(chosen: argparse.Namespace, facts: Facts, conditions: str) -> None:
    """Load and ask one collection."""
    chance = random.Random(4)
    with tempfile.TemporaryDirectory() as folder:
        held = write(Path(folder), chosen.purposes, chance, conditions)
        begin, cpu = time.perf_counter(), time.process_time()
        policies = load_policies(Path(folder), {"organisations": {}, "groups": {}})
        print(
            f"  loaded and compiled in {time.process_time() - cpu:.2f} s of CPU ({time.perf_counter() - begin:.2f} s on the clock)"
        )
    gc.freeze()
    fresh = [(ask, facts) for ask in questions(held, chosen.turns, chance)]
    few = fresh[:1000]
    row("questions nobody asked before", policies, fresh)
    row("questions that come back (1 000 in turn)", policies, few * 2 + few * (chosen.turns // 1000))
    refused = [ask for ask, _ in fresh[:2000] if not hasattr(policies.decide(ask, NOW, facts), "fields")]
    begin = time.thread_time_ns()
    for ask in refused:
        nearest(policies, ask, NOW, facts)
    print(
        f"  what would turn a refusal round                mean {(time.thread_time_ns() - begin) / len(refused) / 1e3:9.2f} µs"
    )
    gc.unfreeze()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--purposes", type=int, default=100, help="of ten authorisations with ten grants each")
    parser.add_argument("--turns", type=int, default=20_000)
    chosen = parser.parse_args()
    gc.set_threshold(100_000, 20, 100)  # as a serving hub does at its start
    print(f"{chosen.purposes * 10} authorisations, {chosen.purposes * 100} grants")
    world(chosen, NO_FACTS, "")
    print("the same, every line with five conditions and a limit, all met")
    world(chosen, KNOWN, CONDITIONS)
    policies, asks = shipped()
    print(f"as shipped, {len(asks)} questions of its cases in turn")
    row("questions that come back", policies, asks * (chosen.turns // len(asks)))


if __name__ == "__main__":
    main()
