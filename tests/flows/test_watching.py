"""Looks that somebody should ask about, over a real hub and its clerk: each beside one that only looks like it.

Agents are kept by hand (tags in a file), cases are told over the API, deaths and moves by the sources' own answers.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from audit.alerts import Alerts, Judge, Known, Rules
from audit.alerts.watch import KINDS, look_of
from audit.exports.walk import Walk
from audit.reports.tables import open_tables
from integrator import clock, settings
from integrator.alerting import alert_rules
from integrator.commands.sandbox import Sandbox
from integrator.watching.agents import Near
from integrator.watching.opening import agent_tags, open_closeness, open_watching
from tests.flows.ledgers import book
from tests.flows.sandboxes import Beside, Callers, Reply, beside, callers

PATIENCE = 60.0  # seconds until everything was judged; most of it is never used
DAY = 86_400_000_000  # µs
PURPOSE, CPAS = "social_inquiry", "cpas-ixelles"
JOY, SPOUSE = "84651797654", "82710398973"  # vrolijke-eekhoorn of Ixelles, and whom she lives with
THEO, LONG_DEAD, DEAD_TODAY = "71632295922", "47611789707", "64660689453"
ELSEWHERE = "86722097853"  # in Anderlecht's neighbour since 2018
NUMBERS = settings.organisations()["organisations"]
OPEN, CLOSED, YESTERDAY, NOBODYS = "IX-2026-1", "IX-2025-7", "IX-2026-2", "IX-2026-9"


@dataclass
class Town:
    """The hub, and what was asked of it: label -> reply."""

    hub: Beside
    doors: Callers
    asked: dict[str, Reply] = field(default_factory=dict)
    raised: dict[str, set[str]] = field(default_factory=dict)  # label -> rules

    def token(self, agent: str, organisation: str, purpose: str) -> str:
        client = self.doors.client(purpose, organisation)
        form = {
            "grant_type": "client_credentials", "client_assertion": client.assertion(),
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "authorization_details": json.dumps([{"type": "purpose", "purpose": purpose, "agent": agent}]),
        }  # fmt: skip
        return str(client._send("POST", "/oauth/token", data=form).json()["access_token"])

    def look(
        self,
        label: str,
        agent: str,
        service: str,
        case: str,
        organisation: str = CPAS,
        purpose: str = PURPOSE,
        **keys: Any,
    ) -> None:
        bearer = {"Authorization": f"Bearer {self.token(agent, organisation, purpose)}"}
        question = {**keys, "dossierReference": case}
        self.asked[label] = self.doors.ask(
            service, question, purpose=purpose, organisation=organisation, headers=bearer
        )

    def case(self, act: str, **told: str) -> Reply:
        return self.doors.send(
            "POST", f"/case/v1/cases/{act}", json.dumps(told).encode(), purpose=PURPOSE, organisation=CPAS
        )


# label: (agent, service, case, keys, rules that must mind). Every pair: somebody near, and somebody who only looks so.
LOOKS: dict[str, tuple[str, str, str, dict[str, str], set[str]]] = {
    "oneself": ("joy", "person.get", OPEN, {"ssin": JOY}, {"OWN_DATA"}),
    "oneself, refused": ("joy", "person.drivingLicence", OPEN, {"ssin": JOY, "category": "B"}, {"OWN_DATA"}),
    "somebody else": ("stranger", "person.get", OPEN, {"ssin": JOY}, set()),
    "a stranger, for a case that nobody opened": ("stranger", "person.get", NOBODYS, {"ssin": JOY}, set()),
    "one’s household": ("spouse", "household.get", NOBODYS, {"ssin": JOY}, {"CLOSE_TO_AGENT"}),
    "one’s household, for an open case": ("spouse", "household.get", OPEN, {"ssin": JOY}, set()),
    "somebody else’s household": ("stranger", "household.get", NOBODYS, {"ssin": JOY}, set()),
    "whom one married": ("spouse", "person.get", NOBODYS, {"ssin": JOY}, {"CLOSE_TO_AGENT"}),
    "a namesake": ("namesake", "person.get", NOBODYS, {"ssin": JOY}, {"CLOSE_TO_AGENT"}),
    "half a namesake": ("half-namesake", "person.get", NOBODYS, {"ssin": JOY}, set()),
    "at one’s own address": ("housemate", "person.get", NOBODYS, {"ssin": JOY}, {"CLOSE_TO_AGENT"}),
    "at the house beside": ("neighbour", "person.get", NOBODYS, {"ssin": JOY}, set()),
    "a colleague": ("stranger", "person.get", NOBODYS, {"ssin": THEO}, {"CLOSE_TO_AGENT"}),
    "long dead": ("stranger", "person.get", NOBODYS, {"ssin": LONG_DEAD}, {"AFTER_DEATH"}),
    "long dead, by a question that tells no death": ("stranger", "person.addressHistory", NOBODYS, {"ssin": LONG_DEAD}, {"AFTER_DEATH"}),
    "long dead, for an open case": ("stranger", "person.get", OPEN, {"ssin": LONG_DEAD}, set()),
    "dead since today": ("stranger", "person.get", NOBODYS, {"ssin": DEAD_TODAY}, set()),
    "for a case closed long ago": ("stranger", "person.get", CLOSED, {"ssin": JOY}, {"AFTER_CASE_CLOSED"}),
    "for a case closed yesterday": ("stranger", "person.get", YESTERDAY, {"ssin": JOY}, set()),
    "long since elsewhere": ("stranger", "person.get", NOBODYS, {"ssin": ELSEWHERE}, {"AFTER_MOVE"}),
    "elsewhere, for an open case": ("stranger", "person.get", OPEN, {"ssin": ELSEWHERE}, set()),
}  # fmt: skip


@pytest.fixture(scope="module")
def town(hub: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    folder = tmp_path_factory.mktemp("watched")
    with beside(hub, folder / "state", start=False) as started:
        _know_the_agents(started)
        started.start()
        doors = callers(started.running, started.settings, folder / "keys")
        town = Town(started, doors)
        _tell_the_cases(town)
        for label, (agent, service, case, keys, _) in LOOKS.items():
            town.look(label, agent, service, case, **keys)
        for number in range(13):
            town.look(
                f"search {number}", "browser", "person.search", OPEN, familyName="Eekhoorn", birthDate="1984-05-17"
            )
        for number in range(13):
            town.look(
                f"search and open {number}",
                "clerk",
                "person.search",
                OPEN,
                familyName="Eekhoorn",
                birthDate="1984-05-17",
            )
            town.look(f"open {number}", "clerk", "person.get", OPEN, ssin=JOY)
        town.look("the last", "joy", "person.get", OPEN, ssin=JOY)
        _wait(town)
        yield town
        doors.close()


def _know_the_agents(hub: Beside) -> None:
    watching = open_watching(hub.settings)
    tags, elsewhere = agent_tags(hub.settings), NUMBERS["brussels"]["number"]
    closeness, person = open_closeness(watching.tagger, tags, tags), watching.tagger.person
    home = {"streetName": {"nl": "Voorbeeldstraat", "fr": "Rue de l'Exemple"}, "houseNumber": "12", "postCode": "1050"}
    tags.put("joy", elsewhere, person(JOY), Near())
    tags.put("spouse", elsewhere, person(SPOUSE), Near())
    tags.put(
        "stranger",
        elsewhere,
        person("85610100147"),
        Near(closeness.surnames("Vos"), closeness.addresses(home | {"houseNumber": "99"})),
    )
    tags.put("theo", NUMBERS[CPAS]["number"], person(THEO), Near())
    for agent, near in {
        "namesake": Near(closeness.surnames("EEKHOORN")), "half-namesake": Near(closeness.surnames("Eekhoorn-Vos")),
        "housemate": Near(addresses=closeness.addresses(home)), "neighbour": Near(addresses=closeness.addresses(home | {"houseNumber": "14"})),
    }.items():  # fmt: skip
        tags.put(agent, elsewhere, person("85610200101"), near)
    watching.close()


def _tell_the_cases(town: Town) -> None:
    """Two over the API as a vendor does; what lies in the past is put there."""
    assert ["OPEN", "OPEN"] == [town.case("open", dossierReference=name).body["status"] for name in (OPEN, CLOSED)]
    watching, now = open_watching(town.hub.settings), clock.micros(clock.system())
    org = NUMBERS[CPAS]["number"]
    watching.cases.close(org, CLOSED, now - 60 * DAY)
    watching.cases.open(org, YESTERDAY, now - 10 * DAY)
    watching.cases.close(org, YESTERDAY, now - DAY)
    watching.close()


def _wait(town: Town) -> None:
    """Until the clerk has judged the last look; then what it said of each."""
    places = {f"{shard}/{index}": label for label, reply in town.asked.items() for shard, index in [_last(reply)]}
    end = time.monotonic() + PATIENCE
    with book(town.hub.settings) as read:
        while time.monotonic() < end:
            found = Alerts(read.store, lambda drafts: []).open(limit=500).alerts
            town.raised = {label: set() for label in town.asked}
            for one in found:
                town.raised[places[f"{one.shard}/{one.index}"]].add(one.rule)
            if "OWN_DATA" in town.raised["the last"]:
                return
            time.sleep(0.1)
    raise AssertionError("the last look was never judged")


def _last(reply: Reply) -> tuple[str, int]:
    shard, _, indices = reply.headers["integrator-ledger-entries"].rpartition("/")
    return shard, max(map(int, indices.split(",")))


@pytest.mark.parametrize("label", LOOKS)
def test_only_the_looks_that_nothing_explains_are_minded(town: Town, label: str) -> None:
    assert LOOKS[label][-1] == town.raised[label] - {"RANDOM_SAMPLE"}, town.asked[label].body


def test_the_ledger_tells_codes_and_nothing_of_whom(town: Town) -> None:
    with book(town.hub.settings) as read:
        flagged = [one for one in read.since(0) if "flags" in one]

    assert {"COLLEAGUE", "FAMILY", "SAME_ADDRESS", "SAME_HOUSEHOLD", "SAME_SURNAME", "SELF"} == {
        code for one in flagged for code in one["flags"]
    }
    assert not any(number in json.dumps(one) for one in flagged for number in (JOY, SPOUSE, THEO))


def test_who_stands_in_an_answer_stands_there_as_something(town: Town) -> None:
    with book(town.hub.settings) as read:
        opened = read.opened(_last(town.asked["somebody else’s household"])[1])

    roles = {one.id: one.role for one in opened.subjects}
    assert ("data-subject", "household-member") == (roles[JOY], roles[SPOUSE])


def test_searching_without_opening_anybody_is_minded_and_a_clerk_at_work_is_not(town: Town) -> None:
    """Said when a day is over; so a judge of our own ends this one."""
    rules = Rules({"NAME_BROWSING": alert_rules().by_code["NAME_BROWSING"]})
    judge = Judge(rules, Known())
    with book(town.hub.settings) as read:
        tables = open_tables(read.store, ())
        found = [one for each in Walk(tables, kinds=KINDS) for one in judge.look(look_of(each))] + list(judge.close())
        tables.close()
        agents = {one.look.index: read.store for one in found}

    searched = {_last(town.asked[f"search {number}"])[1] for number in range(13)}
    assert [13] == [one.amount for one in found]
    assert agents.keys() <= searched


def test_a_case_of_another_organisation_looks_like_none(town: Town) -> None:
    said = [
        town.doors.send("POST", "/case/v1/cases/close", json.dumps({"dossierReference": name}).encode(), purpose=PURPOSE, organisation="cpas-uccle")
        for name in (OPEN, "IX-NEVER-WAS")
    ]  # fmt: skip

    assert [404, 404] == [one.status for one in said]
    assert said[0].body["detail"] == said[1].body["detail"]


@pytest.mark.parametrize(
    "told",
    [{}, {"dossierReference": "a b"}, {"dossierReference": "IX-85610100147"}, {"dossierReference": OPEN, "ssin": "12345678901"}, {"dossierReference": OPEN, "why": "x"}],
    ids=["no case", "a blank", "a number in it", "nobody’s number", "more than is asked"],
)  # fmt: skip
def test_a_case_that_cannot_be_one_is_refused_with_its_place(town: Town, told: dict[str, str]) -> None:
    answer = town.case("open", **told)

    assert (400, True) == (answer.status, bool(answer.body["issues"]))


def test_a_stranger_tells_no_case(town: Town) -> None:
    answer = town.doors.send(
        "POST", "/case/v1/cases/open", b"{}", purpose=PURPOSE, headers={"Authorization": "Bearer nothing"}
    )

    assert 401 == answer.status


def test_what_was_told_of_cases_is_on_record_without_saying_which(town: Town, tmp_path: Path) -> None:
    with book(town.hub.settings) as read:
        told = [one for one in read.since(0) if one["name"].startswith("case.")]

    assert {"case.opened"} == {one["name"] for one in told}
    assert not any(OPEN in json.dumps(one) for one in told)
