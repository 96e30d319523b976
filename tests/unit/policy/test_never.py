"""What must never be: properties of the engine over random authorisations and questions."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from integrator.policy import Ask, Denial, Facts, Permit, Policies, compile_policies, expand, tops

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
ROLES, QUALITIES, LEVELS = ("clerk", "judge", "nurse"), ("1", "2", "7"), ("low", "substantial", "high")
KINDS = ("roles", "assurance", "hours", "dossier", "registration")
HOURS = st.fixed_dictionaries(
    {"from": st.sampled_from(["00:00", "07:30"]), "to": st.sampled_from(["12:00", "18:00", "24:00"])},
    optional={"days": st.lists(st.sampled_from(["mon", "wed", "sat", "sun"]), min_size=1, **some)},
)
CONDITIONS = st.fixed_dictionaries({}, optional={
    "roles": st.lists(st.sampled_from(ROLES), min_size=1, **some), "assurance": st.sampled_from(LEVELS), "hours": HOURS,
    "dossier": st.just(True), "registration": st.lists(st.sampled_from(QUALITIES), min_size=1, **some),
    "breakable": st.lists(st.sampled_from(KINDS), min_size=1, **some), "minors": st.sampled_from(["any", "exclude", "only"]),
    "limits": st.fixed_dictionaries({"perDay": st.integers(1, 3)}),
    "obligations": st.sampled_from([{"pseudonymise": True}, {"notify": ["dpo"]}]),
})  # fmt: skip
FACTS = st.builds(
    Facts, st.frozensets(st.sampled_from(ROLES), max_size=2), st.none() | st.sampled_from(LEVELS),
    st.none() | st.frozensets(st.sampled_from(QUALITIES), max_size=2), st.booleans(), st.booleans(),
)  # fmt: skip
CONDITIONAL = st.tuples(GRANTS, CONDITIONS).map(lambda both: both[0] | both[1])
ENTRIES = st.fixed_dictionaries({
    "validFrom": DATES, "validUntil": DATES, "organisations": st.lists(st.sampled_from(NUMBERS), min_size=1, **some),
    "applications": st.just("any") | st.lists(st.sampled_from(APPS), min_size=1, **some), "grants": st.lists(CONDITIONAL, min_size=1, max_size=4),
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
    text += (grant.conditions, grant.limits, grant.minors, grant.notify, grant.pseudonymise)
    return decision.categories, decision.withheld, decision.since, decision.narrowed, text


@settings(deadline=None, max_examples=40)
@given(world=WORLDS, questions=st.lists(st.tuples(ASKS, MOMENTS, FACTS), min_size=5, max_size=20), data=st.data())
def test_a_grant_taken_away_never_permits_more(world, questions, data):
    purpose = data.draw(st.sampled_from(sorted(world)))
    entry = data.draw(st.integers(0, len(world[purpose]) - 1))
    grants = world[purpose][entry]["grants"]
    cut = data.draw(st.integers(0, len(grants) - 1))
    left = [grant for number, grant in enumerate(grants) if number != cut]
    entries = list(world[purpose])
    entries[entry : entry + 1] = [{**entries[entry], "grants": left}] if left else []
    more, fewer = engine(world), engine({**world, purpose: entries})
    for ask, now, facts in questions:
        after, before = fewer.decide(ask, now, facts), more.decide(ask, now, facts)
        if isinstance(after, Permit):
            assert isinstance(before, Permit) and len(after.fields) <= len(before.fields)
            for name in after.fields:  # and whatever is still given was given to who asked it alone
                alone = more.decide(replace(ask, fields=frozenset({name})), now, facts)
                assert isinstance(alone, Permit) and name in alone.fields


@settings(deadline=None, max_examples=40)
@given(
    world=WORLDS, questions=st.lists(st.tuples(ASKS, MOMENTS, FACTS), min_size=5, max_size=20), seed=st.integers(0, 999)
)
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
@given(world=WORLDS, ask=ASKS, last=st.integers(0, 364), facts=FACTS)
def test_a_lapsed_grant_is_refused_from_that_second_though_it_was_permitted_before(world, ask, last, facts):
    day = f"2026-{'01' if last < 31 else '02'}-{last % 28 + 1:02d}"
    for entries in world.values():
        for entry in entries:
            entry |= {"validFrom": "2026-01-01", "validUntil": day}
    policies = engine(world)
    midnight = NEW_YEAR + ((0 if last < 31 else 31) + last % 28 + 1) * DAY
    before = policies.decide(ask, midnight - 0.001, facts)
    after = policies.decide(ask, midnight, facts)

    assert isinstance(after, Denial)
    if isinstance(before, Permit):
        assert ("EXPIRED", before.purpose) == (after.reason, after.purpose)


@settings(deadline=None, max_examples=40)
@given(world=WORLDS, questions=st.lists(st.tuples(ASKS, MOMENTS, FACTS), min_size=5, max_size=20))
def test_what_was_remembered_changes_no_decision(world, questions):
    warm = engine(world)
    for question in questions:
        warm.decide(*question)

    for question in questions:
        assert shown(engine(world).decide(*question)) == shown(warm.decide(*question))


@settings(deadline=None, max_examples=60)
@given(world=WORLDS, ask=ASKS, now=MOMENTS, facts=FACTS, more=st.frozensets(st.sampled_from(QUALITIES)))
def test_one_registration_more_never_takes_a_permit_away(world, ask, now, facts, more):
    policies = engine(world)
    before = policies.decide(ask, now, facts)
    after = policies.decide(ask, now, replace(facts, registered=(facts.registered or frozenset()) | more))
    if isinstance(before, Permit):
        assert isinstance(after, Permit) and len(after.fields) >= len(before.fields)


LOOSER = {
    "roles": None,
    "assurance": None,
    "hours": None,
    "dossier": None,
    "registration": None,
    "breakable": list(KINDS),
}


@settings(deadline=None, max_examples=60)
@given(
    world=WORLDS,
    questions=st.lists(st.tuples(ASKS, MOMENTS, FACTS), min_size=5, max_size=20),
    word=st.sampled_from(sorted(LOOSER)),
    data=st.data(),
)
def test_a_condition_made_looser_never_refuses_more(world, questions, word, data):
    purpose = data.draw(st.sampled_from(sorted(world)))
    entry = data.draw(st.sampled_from(world[purpose]))
    place = data.draw(st.integers(0, len(entry["grants"]) - 1))
    changed = {
        name: value for name, value in {**entry["grants"][place], word: LOOSER[word]}.items() if value is not None
    }
    grants = [changed if number == place else grant for number, grant in enumerate(entry["grants"])]
    entries = [{**one, "grants": grants} if one is entry else one for one in world[purpose]]
    strict, loose = engine(world), engine({**world, purpose: entries})
    for ask, now, facts in questions:
        before, after = strict.decide(ask, now, facts), loose.decide(ask, now, facts)
        if isinstance(before, Permit):
            assert isinstance(after, Permit) and len(after.fields) >= len(before.fields)


@settings(deadline=None, max_examples=60)
@given(world=WORLDS, ask=ASKS, now=MOMENTS, facts=FACTS, other=FACTS)
def test_a_fact_that_is_not_needed_changes_nothing(world, ask, now, facts, other):
    policies = engine(world)
    needs = policies.needs(ask)
    shared = {
        "roles": facts.roles if "roles" in needs else other.roles, "assurance": facts.assurance if "assurance" in needs else other.assurance,
        "registered": facts.registered if "registration" in needs else other.registered,
        "dossier": facts.dossier if "dossier" in needs else other.dossier,
    }  # fmt: skip

    assert shown(policies.decide(ask, now, facts)) == shown(policies.decide(ask, now, replace(facts, **shared)))
    assert not needs or policies.conditional(ask.purpose, ask.organisation)


@settings(deadline=None, max_examples=60)
@given(world=WORLDS, ask=ASKS, now=MOMENTS, facts=FACTS)
def test_an_emergency_gives_nothing_that_no_line_gives(world, ask, now, facts):
    bare = {
        name: [
            {**one, "grants": [{k: v for k, v in grant.items() if k not in KINDS} for grant in one["grants"]]}
            for one in entries
        ]
        for name, entries in world.items()
    }
    found = engine(world).decide(ask, now, replace(facts, emergency=True))
    if isinstance(found, Permit):
        assert isinstance(engine(bare).decide(ask, now, facts), Permit)


@settings(deadline=None, max_examples=100)
@given(world=WORLDS, ask=ASKS, now=MOMENTS, facts=FACTS)
def test_who_could_not_be_looked_up_is_told_so_only_when_it_would_have_mattered(world, ask, now, facts):
    policies = engine(world)
    found = policies.decide(ask, now, replace(facts, registered=None))
    everywhere = policies.decide(ask, now, replace(facts, registered=frozenset(QUALITIES)))
    if isinstance(found, Denial):
        assert isinstance(everywhere, Permit) == (found.reason == "REGISTRATION_UNKNOWN")


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
