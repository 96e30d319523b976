"""What is another organisation's does not exist: tried over every operation that the hub describes, with one of everything.

One municipality (and a CPAS, for what only those have) makes an object of every kind. The CPAS whose software is the same
vendor's, and another municipality, then try each in every place where the description lets something be named. Whatever
comes back must be what comes back for an object that nobody has; afterwards everything is as it was.
"""

from __future__ import annotations

import base64
import contextlib
import json
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from mock_sources.world import World
from mock_sources.world.find import find
from tests.flows import questions
from tests.flows.crossing.operations import Operation, attempts, read
from tests.flows.crossing.people import Body, settle
from tests.flows.crossing.possessions import LATER, Things, gather
from tests.flows.crossing.taking import OPEN, Outcome, Taking
from tests.flows.sandboxes import Beside, beside, callers

ASKED_ANYWAY = {str(keys["ssin"]) for keys in questions.KEYS.values() if "ssin" in keys}  # examples of the descriptions
# Who owns, then who takes; each with somebody for whom the regional issuer speaks.
BODIES = (
    ("ixelles", "an.peeters"),
    ("cpas-anderlecht", "greet.claes"),
    ("cpas-ixelles", "farid.benali"),
    ("forest", "dries.maes"),
)


@dataclass(slots=True)
class Scene:
    one: Beside
    owner: Body
    centre: Body
    thieves: list[Body]
    things: Things
    operations: list[Operation]
    taking: Taking


@pytest.fixture(scope="module")
def scene(hub: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """A hub of its own: nothing that others do there changes what is looked at."""
    folder = tmp_path_factory.mktemp("crossing")
    found = [one for one in find(World.build(7), "", limit=120) if one.get("name") and "replacedBy" not in one]
    people = [one["ssin"] for one in found if one["ssin"] not in ASKED_ANYWAY][:20]
    with (
        beside(hub, folder / "state") as one,
        contextlib.closing(callers(one.running, one.settings, folder / "keys")) as doors,
        httpx.Client(base_url=one.hub, timeout=120.0, trust_env=False) as http,
    ):
        owner, centre, *thieves = (settle(one, doors, http, name, vouched) for name, vouched in BODIES)
        things = gather(owner, centre, people, folder)
        for thief in thieves:
            _furnish(thief, people)
        operations = read(one.hub)
        yield Scene(one, owner, centre, thieves, things, operations, Taking(things, _purposes(thieves[0])))


def _furnish(thief: Body, people: list[str]) -> None:
    """What it takes to try something foreign beside something of one's own."""
    wish = {"service": "person.reportDifference", "mode": "pull", "endDate": LATER}
    made = thief.post("/events/v1/subscriptions/create", wish, purpose="file_update", key="own-subscription-1")
    if made.status == 201:
        thief.own["subscription"] = made.body["subscriptionId"]
        page = thief.post(
            "/events/v1/feed", {"subscriptionId": made.body["subscriptionId"]}, purpose="file_update"
        ).body
        thief.own["cursor"] = page["cursor"]
    thief.own |= {"filed": people[8], "person": people[9]}


def _purposes(thief: Body) -> dict[str, str]:
    """For each service a purpose for which it may be asked."""
    held = thief.post("/authorisation/v1/grants/mine", {"allPurposes": True}).body["purposes"]
    return {
        service["service"]: purpose["purpose"]
        for purpose in held
        for service in purpose["services"]
        if service["lines"]
    }


def test_every_property_that_the_hub_describes_is_classified(scene: Scene) -> None:
    missing = {str(one): one.unclassified() for one in scene.operations if one.unclassified()}

    assert {} == missing, (
        "say in tests/flows/crossing/names.py whose object each of these names, or that it names nobody's"
    )


def test_what_is_anothers_cannot_be_had_and_cannot_be_told_from_what_is_not_there(scene: Scene) -> None:
    before = scene.things.state()
    outcomes = [
        scene.taking.attempt(one, thief)
        for operation in scene.operations
        if str(operation) not in OPEN
        for one in attempts(operation)
        for thief in scene.thieves
    ]
    after = scene.things.state()

    _print(scene, outcomes)
    assert [] == [str(one) for one in outcomes if one.told]
    assert [] == [str(one) for one in outcomes if one.differs]
    assert [] == [name for name, look in before.items() if look != after[name]]


READ = (
    "POST /authorisation/v1/decisions/explain", "GET /scim/v2/Users/{id}", "GET /scim/v2/Groups/{id}", "POST /scim/v2/Users/.search",
    "POST /audit/v1/exchange", "POST /audit/v1/details", "POST /audit/v1/byAgent", "GET /audit/v1/requests/{id}", "POST /events/v1/feed",
    "POST /audit/v1/orders/{act}",
)  # fmt: skip


def test_who_owns_it_is_told_so_the_comparison_has_eyes(scene: Scene) -> None:
    """The same attempts by the owner himself: what he may read differs from what is not there, at every such operation."""
    told = Counter(
        str(operation)
        for operation in scene.operations if str(operation) in READ
        for one in attempts(operation) if one.note in ("", "read") and scene.taking.attempt(one, scene.owner).differs
    )  # fmt: skip

    assert set(READ) == set(told)


def test_a_token_that_says_another_organisation_is_no_token(scene: Scene) -> None:
    """One's own token with another's organisation or application in it, signed by one's own key or by nobody."""
    owner, thief = scene.owner, scene.thieves[0]
    head, claims, signature = thief.token("social_inquiry").split(".")
    said = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
    made = []
    for change in (
        {"organisation": owner.number},
        {"organisation": owner.number, "client_id": owner.application, "sub": owner.application},
    ):
        forged = base64.urlsafe_b64encode(json.dumps(said | change).encode()).decode().rstrip("=")
        made += [f"{head}.{forged}.{signature}", thief.signed("at+jwt", str(said["sub"]), str(said["aud"]), **change)]
    question = {"allPurposes": True}
    answers = [thief.ask("POST", "/authorisation/v1/grants/mine", question, bearer=token) for token in (*made, "x.y.z")]

    assert [401] * 5 == [one.status_code for one in answers]
    assert 1 == len({one.json()["detail"] for one in answers})


def test_the_log_of_a_peer_holds_its_own_transactions_only(scene: Scene) -> None:
    def log(body: Body, query: str = "") -> str:
        return body.ask("GET", f"/fsc/v1/logs?limit=1000{query}", bearer=body.token("social_inquiry")).text

    trace = str(scene.things.pairs["trace"].theirs)
    short = uuid.UUID(trace)

    assert any(one in log(scene.owner) for one in (trace, str(short)))
    for thief in scene.thieves:
        assert not any(one in log(thief) for one in (trace, str(short), scene.owner.application))
        assert [] == json.loads(log(thief, f"&transaction_ids={trace}"))["records"]


def _print(scene: Scene, outcomes: list[Outcome]) -> None:
    tried = Counter(str(one.attempt.operation) for one in outcomes)
    statuses = Counter(one.status for one in outcomes)
    print(
        f"{len(scene.operations)} operations, {len(tried)} of which name an object; {len(outcomes)} attempts, "
        f"{len(scene.things.pairs)} kinds of object; answers {dict(sorted(statuses.items()))}"
    )
    print("nothing to name:", ", ".join(str(one) for one in scene.operations if str(one) not in tried))
