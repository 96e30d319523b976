"""Two hubs that share what docs/operators.md says several machines share are one hub: who leaves at one, left at the other."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from integrator.commands import mock
from tests.flows.sandboxes import Beside, beside, callers
from tests.unit.audit.kit import engine_url

USER = {
    "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "an.peeters", "roles": [{"value": "registry_clerk"}],
}  # fmt: skip
QUESTION = {"ssin": "84651797654", "dossierReference": "NODES-2026-1"}
# docs/operators.md, Several machines: every room with a database of its own.
ROOMS = ("enrolment", "consoles", "governing", "watching", "directory", "agents", "quotas", "emergency")


def shared(url: str, issuer: str, shard: str) -> dict[str, Any]:
    """The settings of one node."""
    return {"ledger": url, "issuer": issuer, "shard": shard, **{room: {"database": url} for room in ROOMS}}


def asked(node: Beside, token: str) -> int:
    known = {"Authorization": f"Bearer {token}"}
    return httpx.post(
        f"{node.hub}/person/v1/persons/get", json=QUESTION, headers=known, timeout=60.0, trust_env=False
    ).status_code


@pytest.mark.postgres
def test_who_leaves_at_one_node_is_refused_at_the_other_within_seconds(hub: Any, tmp_path: Path) -> None:
    folder = tmp_path / "state"
    with engine_url("postgres", tmp_path) as url, beside(hub, folder, start=False) as one:
        one.configure(**shared(url, one.hub, "node-1"))
        one.start()
        with beside(hub, tmp_path / "other", start=False) as two:
            two.configure(state=str(folder), **shared(url, one.hub, "node-2"))
            two.start()
            doors = callers(one.running, one.settings, tmp_path / "keys")
            try:
                hr = {"Authorization": f"Bearer {doors.client('staff_directory').token()}"}
                told = httpx.post(f"{one.hub}/scim/v2/Users", json=USER, headers=hr, timeout=60.0, trust_env=False)
                vouched = mock.call("POST", f"{hub.mocks}/iam/token", {"person": USER["userName"]})["id_token"]
                with doors.client("administrative_fine").for_agent(vouched) as agent:
                    token = agent.token()
                before = [asked(node, token) for node in (one, two)]
                httpx.delete(f"{one.hub}/scim/v2/Users/{told.json()['id']}", headers=hr, timeout=60.0, trust_env=False)
                gone = time.monotonic()
                at_once = asked(one, token)
                while (after := asked(two, token)) != 401 and time.monotonic() < gone + 30:
                    time.sleep(0.1)
                print(f"refused at the other node after {time.monotonic() - gone:.2f} s")
            finally:
                doors.close()

    assert ([200, 200], 401, 401) == (before, at_once, after)
