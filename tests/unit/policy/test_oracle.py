"""Two engines, one answer: whatever is asked, Cedar permits what ours permits, by the same lines."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from integrator.mapping import load_sheets
from integrator.policy import NO_FACTS, Ask, Facts, Permit, Policies, compile_policies
from integrator.policy.conditions import LEVELS, Conditions
from integrator.policy.why import why
from integrator.services import load_services
from tests.unit.policy.cedar import Cedar, Offers, inside
from tests.unit.policy.test_never import APPS, KEYS, KINDS, NEW_YEAR, NUMBERS, OFFERS, QUALITIES, ROLES, SERVICES, files

HOME = Path(__file__).resolve().parents[3]
DAY = 86_400
BATCH = 2_000


def shipped() -> tuple[list[tuple[str, bytes]], Any, Offers]:
    services = load_services(HOME / "config" / "services", load_sheets(HOME / "mappings"), sandbox=frozenset())
    texts = [(path.name, path.read_bytes()) for path in sorted((HOME / "policies").glob("*.yaml"))]
    organisations = yaml.safe_load((HOME / "config" / "organisations.yaml").read_text(encoding="utf-8"))
    return texts, organisations, {name: service.offers for name, service in services.items()}


def invented(chance: random.Random) -> tuple[list[tuple[str, bytes]], Any, Offers]:
    """A small world in which lines overlap, lapse and contradict each other as no lawyer would write them."""
    names, days = sorted(OFFERS), ["2026-01-01", "2026-02-01", "2026-02-28", "2026-12-31"]

    def some(of: Any, least: int = 0) -> list[str]:
        return chance.sample(sorted(of), chance.randint(least, 3) if len(of) > 2 else chance.randint(least, len(of)))

    def grant() -> dict[str, Any]:
        return {
            "service": chance.choice(SERVICES), "keys": some(KEYS), "fields": some(names, 1), "historyYears": chance.randint(0, 1),
            "use": chance.choice(["release", "answersOnly"]), **direction(), **conditions(),
        }  # fmt: skip

    def direction() -> dict[str, Any]:
        return chance.choice([{}, {"as": ["sender"]}, {"as": ["receiver"]}, {"as": ["sender", "receiver"]}])

    def conditions() -> dict[str, Any]:
        days = chance.sample(["mon", "tue", "wed", "thu", "fri", "sat", "sun"], chance.randint(1, 6))
        hours = {
            "from": chance.choice(["00:00", "08:00", "12:30"]),
            "to": chance.choice(["17:00", "23:59", "24:00"]),
            "days": days,
        }
        every = {
            "roles": some(ROLES, 1), "assurance": chance.choice(LEVELS), "registration": some(QUALITIES, 1), "dossier": True, "hours": hours,
            "breakable": some(KINDS, 1),
        }  # fmt: skip
        return {word: value for word, value in every.items() if chance.random() < 0.25}

    def entry() -> dict[str, Any]:
        until = {"validUntil": chance.choice(days)} if chance.random() < 0.8 else {}
        named = chance.choice([["group:all"], ["here"], [NUMBERS[1]], ["here", NUMBERS[1]]])
        apps = chance.choice(["any", "any", some(APPS, 1)])
        return {"validFrom": chance.choice(days), **until, "organisations": named, "applications": apps, "grants": [grant() for _ in range(chance.randint(1, 5))]}  # fmt: skip

    world = {name: [entry() for _ in range(chance.randint(1, 3))] for name in ("school", "housing")}
    organisations = {
        "organisations": {"here": {"number": NUMBERS[0]}, "there": {"number": NUMBERS[1]}},
        "groups": {"two": ["here", "there"], "all": ["group:two"]},
    }
    return files(world), organisations, dict.fromkeys(SERVICES, OFFERS)


def asks(policies: Policies, offers: Offers, count: int, chance: random.Random) -> Iterator[tuple[Ask, int, Facts]]:
    """Near the lines there are: each question fits one of them, and then up to three things are changed."""
    roles = sorted(
        {role for service in offers for grant in policies.of_service(service) for role in _asked(grant).roles}
        | set(ROLES)
    )
    lines = [grant for service in sorted(offers) for grant in policies.of_service(service)]
    purposes = [*sorted(policies.purposes), "nobody_knows"]
    numbers = sorted({number for grant in lines for number in grant.organisations})
    keys = sorted({key for grant in lines for key in grant.keys})
    for _ in range(count):
        line = chance.choice(lines)
        names = sorted(offers[line.service])
        edges = [
            line.starts,
            line.starts - 1,
            line.ends - 1,
            min(line.ends, 4e9),
            NEW_YEAR + chance.randint(0, 600) * DAY,
        ]
        asked: dict[str, Any] = {
            "organisation": chance.choice(sorted(line.organisations)), "application": chance.choice(sorted(line.applications or APPS)),
            "purpose": line.purpose, "service": line.service, "offers": offers[line.service],
            "keys": frozenset(chance.sample(sorted(line.keys), min(1, len(line.keys)))),
            "fields": None if chance.random() < 0.2 else frozenset(chance.sample(names, min(len(names), chance.randint(1, 4)))),
            "history": bool(line.history_years) and chance.random() < 0.5, "part": chance.random() < 0.5,
            "direction": chance.choice(sorted(line.directions)),
        }  # fmt: skip
        now = (
            line.starts + chance.random() * min(line.ends - line.starts, 400 * DAY)
            if chance.random() < 0.7
            else chance.choice(edges)
        )
        for wound in chance.sample(range(8), chance.choice([0, 0, 1, 1, 2, 3])):
            asked |= [
                {"organisation": chance.choice(numbers)}, {"application": chance.choice(APPS)}, {"purpose": chance.choice(purposes)},
                {"keys": frozenset(chance.sample(keys, min(len(keys), chance.randint(0, 2))))}, {"history": not asked["history"]}, {"part": not asked["part"]},
                {"fields": frozenset({chance.choice(names)})}, {"direction": chance.choice(["", "sender", "receiver"])},
            ][wound]  # fmt: skip
        if (hours := _asked(line).hours) is not None and chance.random() < 0.8:
            now = hours.nearest(now, line.starts, line.ends - 1) or now
        yield Ask(**asked), int(now), _facts(line, roles, chance)


def _asked(line: Any) -> Conditions:
    return line.conditions or Conditions()


def _facts(line: Any, roles: list[str], chance: random.Random) -> Facts:
    """What meets the line's conditions; then often something of it is changed."""
    asked = _asked(line)
    facts = Facts(asked.roles, asked.assurance, asked.registration, asked.dossier)
    for wound in chance.sample(range(5), chance.choice([0, 0, 0, 1, 1, 2])):
        facts = [
            replace(facts, roles=frozenset(chance.sample(roles, chance.randint(0, 2)))), replace(facts, assurance=chance.choice([None, *LEVELS])),
            replace(facts, registered=frozenset(chance.sample(QUALITIES, chance.randint(0, 2)))), replace(facts, dossier=not facts.dossier),
            replace(facts, emergency=True),
        ][wound]  # fmt: skip
    return facts


def disagreements(
    world: tuple[list[tuple[str, bytes]], Any, Offers], count: int, chance: random.Random
) -> tuple[int, list[str]]:
    """How many were permitted, and every question on which the engines do not say the same, in words."""
    texts, organisations, offers = world
    policies, cedar = compile_policies(texts, organisations), Cedar(texts, organisations, offers)
    lines = {grant.id: grant for service in offers for grant in policies.of_service(service)}
    permitted, wrong = 0, []
    questions = list(asks(policies, offers, count, chance))
    for start in range(0, count, BATCH):
        batch = questions[start : start + BATCH]
        for (ask, now, facts), by in zip(batch, cedar.judge(batch), strict=True):
            found = why(policies, ask, now, facts)
            given = found.decision.fields if isinstance(found.decision, Permit) else frozenset()
            wanted = ask.offers if ask.fields is None else inside(ask.fields, ask.offers)
            each = {one: inside(lines[one].fields, ask.offers) & wanted for one in by}
            same = bool(by) == isinstance(found.decision, Permit)
            if by and same:
                permitted += 1
                same = by == set(found.by) and given == each[found.by[0]] and len(given) == max(map(len, each.values()))
            if not same:
                wrong.append(f"{ask} at {now} with {facts}: Cedar by {sorted(by)}, ours {found.decision}")
    return permitted, wrong


def test_cedar_judges_the_shipped_authorisations_as_we_do():
    permitted, wrong = disagreements(shipped(), 2_000, random.Random(1))

    assert [] == wrong
    assert 400 < permitted < 1_600


@pytest.mark.parametrize("seed", range(20))
def test_cedar_judges_invented_authorisations_as_we_do(seed):
    chance = random.Random(seed)

    assert [] == disagreements(invented(chance), 100, chance)[1]


def test_a_disagreement_would_be_noticed():
    texts, organisations, offers = shipped()
    loosened = [
        (name, text.replace(b"keys: [plateNumber]", b"keys: [plateNumber, ssin]") if name.startswith("administrative_fine") else text)
        for name, text in texts
    ]
    policies, cedar = compile_policies(texts, organisations), Cedar(loosened, organisations, offers)
    lines = policies.of_service("vehicle.registrations")
    line = next(one for one in lines if one.purpose == "administrative_fine")
    ask = Ask(min(line.organisations), "any", line.purpose, line.service, frozenset({"ssin"}), offers[line.service])

    assert not isinstance(policies.decide(ask, line.starts), Permit)
    assert [frozenset({line.id})] == cedar.judge([(ask, int(line.starts), NO_FACTS)])


@pytest.mark.soak
def test_a_hundred_thousand_questions_and_no_disagreement():
    permitted, wrong = disagreements(shipped(), 80_000, random.Random(2026))
    count = 80_000
    for seed in range(1_000, 1_200):
        chance = random.Random(seed)
        more, other = disagreements(invented(chance), 200, chance)
        permitted, wrong, count = permitted + more, wrong + other, count + 200
    print(f"\nCedar and the engine: {count} questions, {permitted} permitted, {len(wrong)} disagreements")

    assert [] == wrong[:5]
    assert 120_000 == count
