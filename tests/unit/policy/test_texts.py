"""The texts as texts: what overlaps, what a new version changes, and which loosening no case would notice."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from hypothesis import given, settings

from integrator.cli import main
from integrator.places import read_yaml
from integrator.policy import Permit
from integrator.policy.cases import judge, mutants, survivors
from integrator.policy.lines import More, differences, overlaps
from integrator.policy.telling import LANGUAGES, tell_difference
from tests.unit.policy.test_never import ASKS, FACTS, MOMENTS, NUMBERS, OFFERS, SERVICES, WORLDS, engine

ROOT = Path(__file__).resolve().parents[3]
FINE, YOUTH = "policies/administrative_fine.yaml", "policies/youth_support.yaml"
LINE = {"service": "person.get", "keys": ["ssin"], "fields": ["name"]}
ENTRY = {
    "validFrom": "2026-01-01",
    "validUntil": "2026-12-31",
    "organisations": [NUMBERS[0]],
    "applications": ["counter"],
}
OFFERED = dict.fromkeys(SERVICES, OFFERS)


def one(*grants, **authorisation):
    return engine({"school": [{**ENTRY, "grants": list(grants) or [LINE], **authorisation}]})


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A copy of the collection, with the hub's state beside it."""
    for room in ("config", "policies", "mappings", "connectors"):
        shutil.copytree(ROOT / room, tmp_path / room, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setenv("INTEGRATOR_HOME", str(tmp_path))
    monkeypatch.setenv("INTEGRATOR_STATE", str(tmp_path / "state"))
    return tmp_path


def wound(home, good, bad, name=FINE):
    text = (home / name).read_text(encoding="utf-8")
    assert good in text
    (home / name).write_text(text.replace(good, bad, 1), encoding="utf-8")


# --- overlaps and differences -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("other", "superfluous"),
    [
        ({**LINE, "fields": ["name", "birth"]}, ["school@2026-0#1"]),
        (LINE, ["school@2026-0#2"]),
        ({**LINE, "keys": ["plate"]}, []),
        ({**LINE, "fields": ["name", "birth"], "use": "answersOnly"}, []),
        ({**LINE, "service": "household.get"}, []),
    ],
    ids=["within another", "twins", "another key", "another use", "another service"],
)
def test_a_line_that_gives_nothing_of_its_own_is_an_overlap(other, superfluous):
    assert superfluous == [line.id for line, _ in overlaps(one(LINE, other), OFFERED)]


@pytest.mark.parametrize(
    ("changed", "more"),
    [
        ({"grants": [{**LINE, "fields": ["name", "home"]}]}, More("field", ("home",))),
        ({"grants": [{**LINE, "keys": ["ssin", "plate"]}]}, More("key", ("plate",))),
        ({"grants": [{**LINE, "historyYears": 2}]}, More("past", ("2",))),
        ({"grants": [LINE, {**LINE, "service": "household.get"}]}, More("service", ("name",))),
        ({"applications": "any"}, More("application", ())),
        ({"validUntil": "2027-06-30"}, More("until", ("2027-06-30",))),
        ({"validFrom": "2025-12-01"}, More("from", ("2025-12-01",))),
    ],
    ids=lambda value: value.kind if isinstance(value, More) else "",
)
def test_what_a_new_text_gives_is_gained_and_lost_again_when_it_is_taken_back(changed, more):
    (there,) = differences(one(), one(**changed), OFFERED)
    (back,) = differences(one(**changed), one(), OFFERED)

    assert ((more,), (), (), (more,)) == (there.gained, there.lost, back.gained, back.lost)
    assert 6 == len(
        {text for way in (there, back) for language in LANGUAGES for text in tell_difference(way, language)}
    )


STRICT = {
    **LINE, "roles": ["clerk"], "assurance": "substantial", "hours": {"from": "08:00", "to": "18:00"}, "dossier": True, "registration": ["1"],
    "limits": {"perDay": 10}, "minors": "exclude", "obligations": {"pseudonymise": True, "notify": ["dpo"]}, "breakable": ["hours"],
}  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "more"),
    [
        ({"roles": ["clerk", "judge"]}, More("role", ("judge",))),
        ({"assurance": "low"}, More("assurance", ("low",))),
        (
            {"hours": {"from": "07:00", "to": "18:00"}},
            More("hours", ("mon, tue, wed, thu, fri, sat, sun 07:00–18:00",)),
        ),
        ({"dossier": None}, More("dossier")),
        ({"registration": ["1", "2"]}, More("registration", ("2",))),
        ({"limits": {"perDay": 11}}, More("amount", ("perDay 11",))),
        ({"minors": "any"}, More("minors")),
        ({"obligations": {"notify": ["dpo"]}}, More("identifiers")),
        ({"obligations": {"pseudonymise": True}}, More("silence", ("dpo",))),
        ({"breakable": ["hours", "roles"]}, More("emergency", ("roles",))),
    ],
    ids=lambda value: value.kind if isinstance(value, More) else "",
)
def test_a_condition_made_looser_is_gained_and_lost_again_when_it_is_taken_back(changed, more):
    looser = {name: value for name, value in {**STRICT, **changed}.items() if value is not None}
    (there,) = differences(one(STRICT), one(looser), OFFERED)
    (back,) = differences(one(looser), one(STRICT), OFFERED)

    assert ((more,), (), (), (more,)) == (there.gained, there.lost, back.gained, back.lost)
    assert 6 == len(
        {text for way in (there, back) for language in LANGUAGES for text in tell_difference(way, language)}
    )


def test_an_organisation_that_joins_gains_everything_and_the_others_nothing():
    (found,) = differences(one(), one(organisations=list(NUMBERS)), OFFERED)

    assert ((NUMBERS[1],), (More("service", ("name",)),)) == (found.organisations, found.gained)


@settings(deadline=None, max_examples=25)
@given(old=WORLDS, new=WORLDS, question=ASKS, now=MOMENTS, facts=FACTS)
def test_whoever_is_permitted_more_by_the_new_text_is_told_that_he_gains(old, new, question, now, facts):
    before, after = engine(old), engine(new)
    gains = {
        (found.purpose, found.service, number) for found in differences(before, after, OFFERED) if found.gained for number in found.organisations
    }  # fmt: skip
    if isinstance(after.decide(question, now, facts), Permit) and not isinstance(
        before.decide(question, now, facts), Permit
    ):
        assert (question.purpose, question.service, question.organisation) in gains


@settings(deadline=None, max_examples=25)
@given(world=WORLDS)
def test_a_text_compared_with_itself_changes_nothing(world):
    assert [] == differences(engine(world), engine(world), OFFERED)


# --- the commands -----------------------------------------------------------------------------------------------------


WOUNDS = {
    "a translation that is not there": (FINE, "  fr: Sanction administrative communale\n", "", "'fr' is a required property"),
    "no retention": (FINE, "retention: Y10\n", "", "'retention' is a required property"),
    "an overlap": (FINE, "      # Behind a leased car", "      - {service: vehicle.registrations, keys: [plateNumber], fields: [status]}\n      # Behind a leased car", "overlap: administrative_fine@2026-1#2 gives nothing"),
    "a grant that can never apply": (FINE, "      # Behind a leased car", "      - {service: person.search, keys: [gender], fields: [familyName]}\n      # Behind a leased car", "can never apply"),
    "the last weeks of a text": (FINE, "validUntil: 2028-12-31", "validUntil: 2027-01-10", "within 60 days"),
    "a role nobody has": (YOUTH, "roles: [youth_worker]\n", "roles: [juggler]\n", "unknown role 'juggler'"),
    "a quality nobody knows": (YOUTH, 'registration: ["1", "4"]', 'registration: ["1", "77"]', "unknown quality '77'"),
    "an emergency that breaks nothing": (FINE, "keys: [plateNumber]\n", "keys: [plateNumber]\n        breakable: [roles]\n", "roles is breakable, but this line does not ask for it"),
    "hours that end before they begin": (YOUTH, 'from: "07:00"', 'from: "21:00"', "they end before they begin"),
    "a registration of nobody in particular": (FINE, "keys: [plateNumber]\n", 'keys: [plateNumber]\n        registration: ["1"]\n', "names no person who could be in the files"),
    "an age that nobody knows": (FINE, "keys: [plateNumber]\n", "keys: [plateNumber]\n        minors: exclude\n", "nobody knows the birthDate"),
    "a controller who does not exist": (FINE, "retention: Y10\n", "retention: Y10\ncontroller: atlantis\n", "no such organisation: 'atlantis'"),
    "a retention class nobody keeps": ("config/retention.yaml", "  Y10:", "  Y11:", "no retention class 'Y10'"),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(WOUNDS))
def test_policy_check_finds_the_wound_and_names_its_line(name, home, capsys):
    room, good, bad, words = WOUNDS[name]
    wound(home, good, bad, room)
    main(["policy", "check", "--at", "2026-11-23"])
    said = capsys.readouterr().out

    assert [line for line in said.splitlines() if words in line and line.startswith(("policies/", "config/"))], said


def test_a_why_that_was_copied_instead_of_translated_is_found(home, capsys):
    text = (home / FINE).read_text(encoding="utf-8")
    start, end = text.index("  en: >-\n"), text.index("\ndpv:")
    french = text[text.index("  fr: >-\n") + 9 : start]
    (home / FINE).write_text(text[:start] + "  en: >-\n" + french.rstrip("\n") + text[end:], encoding="utf-8")

    assert 0 == main(["policy", "check", "--at", "2026-11-23"])
    assert "missing translation: `why` says the same in fr and en" in capsys.readouterr().out


def test_policy_test_is_content_with_what_is_shipped(home, capsys):
    assert 0 == main(["policy", "test", "school_enrolment", "parking_control"])
    assert " 0 findings" in capsys.readouterr().out


def test_policy_test_names_the_loosening_that_no_case_notices(home, capsys):
    text = (home / FINE).read_text(encoding="utf-8")
    start = text.index("  - why: nobody else has this task")
    end = text.index("  - why: ", start + 10)
    (home / FINE).write_text(text[:start] + text[end:], encoding="utf-8")

    assert 1 == main(["policy", "test", "administrative_fine"])
    assert "no case breaks when this is loosened by organisation cpas-anderlecht" in capsys.readouterr().out


def test_policy_test_names_the_case_that_a_looser_text_breaks(home, capsys):
    wound(home, "keys: [plateNumber]\n", "keys: [plateNumber, ssin]\n")

    assert 1 == main(["policy", "test", "administrative_fine"])
    assert "expected {'deny': 'KEY_NOT_GRANTED'}" in capsys.readouterr().out


def test_policy_diff_tells_who_gains_and_which_application_notices(home, capsys, tmp_path):
    main(
        [
            "app",
            "create",
            "fines",
            "--purpose",
            "administrative_fine",
            "--organisation",
            "evere",
            "--key",
            str(tmp_path / "fines.jwk"),
        ]
    )
    main(
        [
            "app",
            "create",
            "others",
            "--purpose",
            "local_tax",
            "--organisation",
            "evere",
            "--key",
            str(tmp_path / "others.jwk"),
        ]
    )
    shutil.copytree(home / "policies", tmp_path / "draft")
    wound(
        tmp_path,
        "birthDate, deathDate, address, language]",
        "birthDate, deathDate, address, parents]",
        "draft/administrative_fine.yaml",
    )
    capsys.readouterr()
    assert 0 == main(["policy", "diff", str(home / "policies"), str(tmp_path / "draft"), "--language", "en"])
    said = capsys.readouterr().out

    assert "gained, the fields parents" in said and "lost, the fields language" in said
    assert "Municipality of Evere" in said
    assert "Applications that will notice: fines." in said


# --- the cases' own words ---------------------------------------------------------------------------------------------


def test_a_case_for_several_fails_when_one_of_them_differs():
    world = {"school": [{**ENTRY, "applications": "any", "grants": [LINE]}]}
    asked = {"organisations": list(NUMBERS), "service": "person.get", "keys": ["ssin"], "at": "2026-11-23"}
    nobody = {"organisations": {}, "groups": {}}

    wanted, got = judge(
        "school", {"ask": asked, "expect": {"deny": "NO_AUTHORISATION"}}, engine(world), OFFERED, nobody
    )
    assert ({"deny": "NO_AUTHORISATION"}, {"deny": None}) == (wanted, got)


def test_without_cases_every_loosening_survives():
    path = ROOT / FINE
    data = {**read_yaml(path), "cases": []}
    organisations = read_yaml(ROOT / "config" / "organisations.yaml")
    services = {grant["service"] for entry in data["authorisations"] for grant in entry["grants"]}
    offers, keys = (
        dict.fromkeys(services, frozenset({"status", "address"})),
        dict.fromkeys(services, frozenset({"ssin", "vin"})),
    )
    ways = dict.fromkeys(services, frozenset[str]())
    every = list(mutants(data, offers, keys, ways, organisations))

    assert len(every) == len(survivors(data, offers, keys, ways, organisations)) > 30
    assert {"organisation", "first", "last", "field", "key", "past"} == {mutant.said.split()[0] for mutant in every}
    assert json.dumps(data, default=str) == json.dumps(
        {**read_yaml(path), "cases": []}, default=str
    )  # mutants are copies
