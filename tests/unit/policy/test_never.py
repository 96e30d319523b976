"""What must never be: properties of the engine over random authorisations and questions."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from integrator.policy import Ask, Denial, Permit, Policies, compile_policies, expand, tops

DAY = 86_400.0
NEW_YEAR = 1_767_225_600.0  # 2026-01-01T00:00Z
OFFERS = frozenset({"name", "nameCode", "birth", "birth.date", "birth.place", "home", "home.box", "home.box.floor"})
NUMBERS = ("0207000010", "0207000109")
SERVICES, KEYS, APPS = ("person.get", "household.get"), ("ssin", "plate", "street"), ("counter", "mobile")
TEXT = {"nl": "x", "fr": "x", "en": "x"}

some = {"max_size": 3, "unique": True}
DATES = st.sampled_from(["2026-01-01", "2026-02-01", "2026-02-28", "2026-12-31"])
GRANTS = st.fixed_dictionaries({
    "service": st.sampled_from(SERVICES), "keys": st.lists(st.sampled_from(KEYS), **some),
    "fields": st.lists(st.sampled_from(sorted(OFFERS)), min_size=1, **some), "use": st.sampled_from(["release", "answersOnly"]),
    "historyYears": st.integers(0, 2), "territory": st.sampled_from(["own", "any"]),
})  # fmt: skip
ENTRIES = st.fixed_dictionaries({
    "validFrom": DATES, "validUntil": DATES, "organisations": st.lists(st.sampled_from(NUMBERS), min_size=1, **some),
    "applications": st.just("any") | st.lists(st.sampled_from(APPS), min_size=1, **some), "grants": st.lists(GRANTS, min_size=1, max_size=4),
})  # fmt: skip
WORLDS = st.fixed_dictionaries(
    {name: st.lists(ENTRIES, min_size=1, max_size=3) for name in ("school", "housing", "tax")}
)
ASKS = st.builds(
    Ask, st.sampled_from(NUMBERS), st.sampled_from(APPS), st.sampled_from(["school", "housing", "none"]), st.sampled_from(SERVICES),
    st.frozensets(st.sampled_from(KEYS), max_size=2), st.just(OFFERS), st.none() | st.frozensets(st.sampled_from(sorted(OFFERS)), min_size=1),
    st.booleans(), st.booleans(),
)  # fmt: skip
MOMENTS = st.sampled_from([0, 30, 31, 57, 58, 59, 364, 365]).map(lambda day: NEW_YEAR + day * DAY) | st.floats(
    NEW_YEAR - DAY, NEW_YEAR + 400 * DAY
)


def files(world: dict[str, Any]) -> list[tuple[str, bytes]]:
    written = []
    for name, entries in world.items():
        entries = [{"id": f"{name}@2026-{number}", **entry} for number, entry in enumerate(entries)]
        data = {
            "purpose": name, "title": TEXT, "why": TEXT, "dpv": "dpv:ServiceProvision", "retention": "Y10", "legalBasis": "eu-gdpr:A6-1-e",
            "processingActivity": f"https://ropa.example/{name}/v1", "disclosure": {"rule": "immediate"}, "authorisations": entries,
        }  # fmt: skip
        written.append((f"{name}.yaml", yaml.dump(data, Dumper=yaml.CSafeDumper).encode()))
    return written


def engine(world: dict[str, Any]) -> Policies:
    return compile_policies(files(world), {"organisations": {}, "groups": {}})


def shown(decision: Permit | Denial) -> tuple[Any, ...]:
    """A decision in full, without the digest and the position of the line."""
    if isinstance(decision, Denial):
        return decision.reason, decision.rule
    grant = decision.grant
    text = (grant.authorisation, grant.keys, grant.fields, grant.territory_own, grant.history_years, grant.answers_only)
    return decision.categories, decision.withheld, decision.since, decision.narrowed, text


@settings(deadline=None, max_examples=40)
@given(world=WORLDS, questions=st.lists(st.tuples(ASKS, MOMENTS), min_size=5, max_size=20), data=st.data())
def test_a_grant_taken_away_never_permits_more(world, questions, data):
    purpose = data.draw(st.sampled_from(sorted(world)))
    entry = data.draw(st.integers(0, len(world[purpose]) - 1))
    grants = world[purpose][entry]["grants"]
    cut = data.draw(st.integers(0, len(grants) - 1))
    left = [grant for number, grant in enumerate(grants) if number != cut]
    entries = list(world[purpose])
    entries[entry : entry + 1] = [{**entries[entry], "grants": left}] if left else []
    more, fewer = engine(world), engine({**world, purpose: entries})
    for ask, now in questions:
        after, before = fewer.decide(ask, now), more.decide(ask, now)
        if isinstance(after, Permit):
            assert isinstance(before, Permit) and len(after.fields) <= len(before.fields)
            for name in after.fields:  # and whatever is still given was given to who asked it alone
                alone = more.decide(replace(ask, fields=frozenset({name})), now)
                assert isinstance(alone, Permit) and name in alone.fields


@settings(deadline=None, max_examples=40)
@given(world=WORLDS, questions=st.lists(st.tuples(ASKS, MOMENTS), min_size=5, max_size=20), seed=st.integers(0, 999))
def test_the_order_of_files_and_lines_never_matters(world, questions, seed):
    chance = random.Random(seed)
    shuffled = {}
    for name in chance.sample(sorted(world), len(world)):
        entries = [{"id": f"{name}@2026-{number}", **entry} for number, entry in enumerate(world[name])]
        shuffled[name] = [
            {**entry, "grants": chance.sample(entry["grants"], len(entry["grants"]))}
            for entry in chance.sample(entries, len(entries))
        ]
    one, other = engine(world), compile_policies(files(shuffled)[::-1], {"organisations": {}, "groups": {}})

    assert [shown(one.decide(*question)) for question in questions] == [
        shown(other.decide(*question)) for question in questions
    ]


@settings(deadline=None, max_examples=40)
@given(world=WORLDS, ask=ASKS, last=st.integers(0, 364))
def test_a_lapsed_grant_is_refused_from_that_second_though_it_was_permitted_before(world, ask, last):
    day = f"2026-{'01' if last < 31 else '02'}-{last % 28 + 1:02d}"
    for entries in world.values():
        for entry in entries:
            entry |= {"validFrom": "2026-01-01", "validUntil": day}
    policies = engine(world)
    midnight = NEW_YEAR + ((0 if last < 31 else 31) + last % 28 + 1) * DAY
    before = policies.decide(ask, midnight - 0.001)
    after = policies.decide(ask, midnight)

    assert isinstance(after, Denial)
    if isinstance(before, Permit):
        assert ("EXPIRED", before.purpose) == (after.reason, after.purpose)


@settings(deadline=None, max_examples=40)
@given(world=WORLDS, questions=st.lists(st.tuples(ASKS, MOMENTS), min_size=5, max_size=20))
def test_what_was_remembered_changes_no_decision(world, questions):
    warm = engine(world)
    for question in questions:
        warm.decide(*question)

    for question in questions:
        assert shown(engine(world).decide(*question)) == shown(warm.decide(*question))


def test_of_two_lines_that_give_the_same_the_more_generous_decides():
    near = {"service": "person.get", "keys": ["ssin"], "fields": ["name"], "territory": "own"}
    entry = {"validFrom": "2026-01-01", "organisations": [NUMBERS[0]]}
    ask = Ask(NUMBERS[0], "counter", "tax", "person.get", frozenset({"ssin"}), OFFERS)

    for grants in ([near, {**near, "territory": "any"}], [{**near, "territory": "any"}, near]):
        assert engine({"tax": [{**entry, "grants": grants}]}).decide(ask, NEW_YEAR).grant.territory_own is False


def test_memory_of_permits_is_bounded():
    entry = {"validFrom": "2026-01-01", "organisations": [NUMBERS[0]]}
    policies = engine({"tax": [{**entry, "grants": [{"service": "person.get", "keys": ["ssin"], "fields": ["name"]}]}]})
    for number in range(5000):
        policies.decide(Ask(NUMBERS[0], f"app{number}", "tax", "person.get", frozenset(), OFFERS), NEW_YEAR)

    assert 4096 == len(policies._permits)


NAMES = st.frozensets(
    st.lists(st.sampled_from(["a", "ab", "b", "bC", "c9"]), min_size=1, max_size=3).map(".".join), max_size=8
)


@given(names=NAMES, offers=NAMES)
def test_names_inside_names_are_found_as_their_definition_says(names, offers):
    inside = {one for one in offers if one in names or any(one.startswith(name + ".") for name in names)}
    outermost = {one for one in names if not any(one.startswith(name + ".") for name in names)}

    assert inside == expand(names, offers)
    assert tuple(sorted(outermost)) == tops(names)
