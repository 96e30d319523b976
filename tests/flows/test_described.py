"""Every route that a whole hub serves is in one of its three documents, which are valid, and none is in them that is not."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from openapi_spec_validator import OpenAPIV30SpecValidator, OpenAPIV31SpecValidator

from integrator.api.app import build
from integrator.app import open_hub
from integrator.commands.sandbox import Sandbox
from tests.flows.sandboxes import beside

# No operation for programs: pages and what they are made of, and where the log is read as files (docs/verify.md).
PROBES = ("/livez", "/readyz", "/metrics")  # for the machine that looks after the hub (docs/operators.md)
PAGES = ("/console", "/docs", "/log/")
WSDL = "/soap/v1/"  # is described by its own contracts: tests/unit/api/soap
_PARAMETER = re.compile(r"{[^}]*}")
ONE_DOOR = "/scim/v2/"  # one route that takes what RFC 7644 names; tests/unit/agents asks each of them
OPEN_DOOR = "/open/v1/"  # one route, too: test_what_is_described_as_open_is_there asks each of them
DOCUMENTS = ("/openapi.json", "/doc/openapi.json", "/audit/v1/openapi.json", "/policy/v1/openapi.json")


@pytest.fixture
async def served(hub: Sandbox, tmp_path: Path) -> AsyncIterator[set[tuple[str, str]]]:
    """(method, path) of everything behind the door of a hub with all its offices, services of the front included."""
    with beside(hub, tmp_path / "state", start=False) as other:
        opened = await open_hub(other.settings)
        try:
            paths = build(opened).rest.openapi()["paths"]  # made from the routes; nobody is shown it
            yield _operations(paths) | {
                (one.method.lower(), _PARAMETER.sub("{}", one.path)) for one in opened.services.values()
            }
        finally:
            await opened.close()


def _operations(paths: dict[str, Any]) -> set[tuple[str, str]]:
    """Each with its address, where only the place of a parameter counts, not its name."""
    return {(method, _PARAMETER.sub("{}", path)) for path, methods in paths.items() for method in methods}


@pytest.fixture
def documents(hub: Sandbox) -> dict[str, Any]:
    return {path: httpx.get(hub.hub + path, trust_env=False, timeout=30.0).json() for path in DOCUMENTS}


@pytest.mark.parametrize("path", DOCUMENTS)
def test_the_document_is_valid(documents: dict[str, Any], path: str) -> None:
    document = documents[path]
    validator = OpenAPIV30SpecValidator if document["openapi"].startswith("3.0") else OpenAPIV31SpecValidator

    validator(document).validate()


@pytest.mark.filterwarnings("ignore:Duplicate Operation ID")  # of that one door
def test_every_route_is_in_one_document_and_no_document_has_another(
    documents: dict[str, Any], served: set[tuple[str, str]]
) -> None:
    described = {name: _operations(document["paths"]) for name, document in documents.items()}
    new, old = described.pop("/openapi.json"), described.pop("/doc/openapi.json")
    everywhere = new.union(*described.values())
    ours = {one for one in served if not one[1].startswith((*PAGES, *PROBES, *DOCUMENTS, ONE_DOOR, OPEN_DOOR, WSDL))}
    theirs = {one for one in everywhere if not one[1].startswith((ONE_DOOR, OPEN_DOOR))}

    assert new == old
    assert ([], []) == (sorted(ours - everywhere), sorted(theirs - served))


def test_what_is_described_as_open_is_there(documents: dict[str, Any], hub: Sandbox) -> None:
    """An address that is not there is 404 RESOURCE; without its keys one that is says 400, or 404 of the source."""
    paths = documents["/openapi.json"]["paths"]
    opened = {path: methods["get"] for path, methods in paths.items() if path.startswith(OPEN_DOOR)}
    known = {"addressId": "953687263", "enterpriseNumber": "1800001185", "period": "2020-01"}
    got = {path: httpx.get(hub.hub + path.format(**known), trust_env=False, timeout=30.0) for path in opened}

    assert all(one["security"] == [] and one["tags"] == ["Open data"] for one in opened.values())
    assert {"/open/v1/statistics/exchanges/{period}"} == {
        path for path, reply in got.items() if reply.status_code == 404 and reply.json().get("code") == "EDGE_REFUSAL"
    }
