"""HR tells who works where; an agent's own token becomes one of the hub; who leaves is refused at the next call."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from connectors.client import Hub, Problem
from integrator.commands import mock
from integrator.commands.sandbox import Sandbox
from tests.flows.conftest import Ask
from tests.flows.ledgers import Book

AGENT = "urn:integrator:params:scim:schemas:extension:agent:1.0:User"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
IXELLES = "1992100975"
QUESTION = {"ssin": "84651797654", "dossierReference": "AG-2026-1"}


@dataclass(slots=True)
class Office:
    """The HR of Ixelles, its people, and the application that they work with."""

    hub: Sandbox
    hr: Hub
    app: Hub
    ids: dict[str, str]  # user name -> agent

    def scim(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        known = {"Authorization": f"Bearer {self.hr.token()}", "Content-Type": "application/scim+json", **headers}
        return httpx.request(
            method, f"{self.hub.hub}/scim/v2{path}", headers=known, timeout=30.0, trust_env=False,
            content=None if body is None else json.dumps(body),
        )  # fmt: skip

    def vouch(self, person: str, issuer: str = "iam", **more: Any) -> str:
        told = mock.call("POST", f"{self.hub.mocks}/{issuer}/token", {"person": person, **more})
        return str(told["id_token"])

    def of(self, person: str, issuer: str = "iam", **more: Any) -> Hub:
        """The application, asking for somebody."""
        return self.app.for_agent(self.vouch(person, issuer), **more)

    def post(self, token: str, path: str, body: Mapping[str, Any]) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token}"}
        return httpx.post(self.hub.hub + path, json=body, headers=headers, timeout=30.0, trust_env=False)


@pytest.fixture(scope="module")
def office(hub: Sandbox, ask: Ask) -> Iterator[Office]:
    made = Office(hub, ask("staff_directory"), ask("administrative_fine"), {})
    feed = httpx.get(f"{hub.mocks}/iam/staff/{IXELLES}", trust_env=False).json()
    told = made.scim("POST", "/Bulk", feed).json()
    for operation, outcome in zip(feed["Operations"], told["Operations"], strict=True):
        assert "201" == outcome["status"], outcome
        made.ids[operation["data"]["userName"]] = outcome["location"].rpartition("/")[2]
    yield made


def entry_of(answer: Any) -> int:
    return int(answer.entries.rpartition("/")[2].split(",")[0])


def agent_block(ledger: Book, entry: int) -> Any:
    return ledger.opened(entry).values["agent"]


@pytest.mark.parametrize("issuer", ["iam", "eid", "itsme"])
def test_what_an_agent_asks_is_recorded_as_his_in_his_roles(office: Office, ledger: Book, issuer: str):
    with office.of("an.peeters", issuer) as client:
        answer = client.call("POST", "/person/v1/persons/get", QUESTION)

    entry = entry_of(answer)
    block, clear = agent_block(ledger, entry), json.dumps(ledger.since(entry)[0])

    assert (office.ids["an.peeters"], "registry_clerk", "Burgerlijke stand", "high") == (
        block["id"], block["role"], block["unit"], block["assurance"],
    )  # fmt: skip
    assert office.ids["an.peeters"] not in clear


def test_an_agent_whom_only_the_application_names_has_no_roles_and_is_marked(office: Office, ledger: Book):
    form = {
        "authorization_details": json.dumps(
            [{"type": "purpose", "purpose": "administrative_fine", "agent": "somebody"}]
        )
    }
    form |= {"grant_type": "client_credentials", "client_assertion": office.app.assertion()}
    form |= {"client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"}
    token = httpx.post(f"{office.hub.hub}/oauth/token", data=form, trust_env=False).json()["access_token"]

    reply = office.post(token, "/person/v1/persons/get", QUESTION)

    entry = int(reply.headers["integrator-ledger-entries"].rpartition("/")[2].split(",")[0])
    assert {"id": "somebody", "said_by": "application"} == agent_block(ledger, entry)


def test_who_left_is_refused_at_the_first_call_after_hr_was_answered(office: Office, ledger: Book):
    before = ledger.size()
    with office.of("bruno.lambert") as client:
        client.call("POST", "/person/v1/persons/get", QUESTION)
        token = client.token()

        began = time.perf_counter()
        patch = {
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
            "Operations": [{"op": "replace", "path": "active", "value": False}],
        }
        left = office.scim("PATCH", f"/Users/{office.ids['bruno.lambert']}", patch)
        refused = office.post(token, "/person/v1/persons/get", QUESTION)
        print(f"from HR's request to the refusal: {time.perf_counter() - began:.3f} s")

    assert (200, False) == (left.status_code, left.json()["active"])
    assert 401 == refused.status_code
    with pytest.raises(Problem, match="no active agent"):
        office.of("bruno.lambert")
    names = [entry["name"] for entry in ledger.since(before)]
    assert "agent.left" in names


def test_a_colleague_acts_for_an_agent_in_the_roles_he_lent_until_it_is_revoked(office: Office, ledger: Book):
    with office.of("chantal.dubois") as giver, office.of("an.peeters") as taker:
        wish = {"to": office.ids["an.peeters"], "roles": ["head_of_service"], "until": "2099-01-01T00:00:00Z"}
        too_long = office.post(giver.token(), "/agents/v1/delegations", wish)
        soon = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))
        made = office.post(giver.token(), "/agents/v1/delegations", {**wish, "until": soon})
        seen = office.post(taker.token(), "/agents/v1/delegations/list", {}).json()["items"]
        with office.of("an.peeters", delegation=made.json()["id"]) as acting:
            answer = acting.call("POST", "/person/v1/persons/get", QUESTION)
            office.post(giver.token(), "/agents/v1/delegations/revoke", {"id": made.json()["id"]})
            after = office.post(acting.token(), "/person/v1/persons/get", QUESTION)

    assert (400, 201, [made.json()["id"]]) == (too_long.status_code, made.status_code, [one["id"] for one in seen])
    block = agent_block(ledger, entry_of(answer))
    assert (office.ids["an.peeters"], "head_of_service", office.ids["chantal.dubois"]) == (
        block["id"], block["role"], block["on_behalf_of"],
    )  # fmt: skip
    assert 401 == after.status_code


def test_another_organisation_sees_nobody_and_changes_nobody(office: Office, ask: Ask):
    other = Office(office.hub, ask("staff_directory", "forest"), office.app, {})
    theirs = f"/Users/{office.ids['an.peeters']}"

    assert 0 == other.scim("GET", "/Users").json()["totalResults"]
    assert [404] * 3 == [
        other.scim(*one).status_code for one in (("GET", theirs), ("DELETE", theirs), ("PUT", theirs, {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "x"}))
    ]  # fmt: skip
    assert 200 == office.scim("GET", theirs).status_code


def test_a_name_in_an_address_is_refused_and_asked_in_a_body_instead(office: Office):
    search = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"], "filter": 'userName eq "an.peeters"'}

    in_address = office.scim("GET", "/Users?filter=userName%20eq%20%22an.peeters%22")
    in_body = office.scim("POST", "/Users/.search", search)

    assert (400, "sensitive") == (in_address.status_code, in_address.json()["scimType"])
    assert [office.ids["an.peeters"]] == [one["id"] for one in in_body.json()["Resources"]]


def test_the_national_number_hr_told_is_nowhere_in_clear(office: Office):
    number = b"71631425296"
    one = office.scim("GET", f"/Users/{office.ids['an.peeters']}")

    held = [path.name for path in office.hub.state.glob("agents.db*") if number in path.read_bytes()]

    assert ([], False) == (held, number in one.content)
