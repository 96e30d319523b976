"""The services, purposes and code lists of this house, as the API shows them: described, valid, readable."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from openapi_spec_validator import OpenAPIV30SpecValidator, OpenAPIV31SpecValidator

from integrator import places
from integrator import settings as settings_module
from integrator.api.app import build
from integrator.api.openapi import request_example, request_schema
from integrator.mapping import load_sheets
from integrator.policy import load_policies
from integrator.services import load_services

NAMES = sorted(path.stem for path in (Path(__file__).parents[3] / "config" / "services").glob("*.yaml"))


@pytest.fixture
def hub(make_hub: Callable[..., Any]) -> Any:
    hub = make_hub()
    hub.services = load_services(
        places.folder("config") / "services", load_sheets(places.folder("mappings")), sandbox=frozenset()
    )
    hub.purposes = load_policies(places.folder("policies"), settings_module.organisations()).purposes
    hub.codes = places.folder("mappings") / "codes"
    return hub


async def test_both_descriptions_are_valid(hub: Any, caller: Any) -> None:
    ask = caller(build(hub).front)
    new, old = (await ask("GET", "/openapi.json")).json(), (await ask("GET", "/doc/openapi.json")).json()
    OpenAPIV31SpecValidator(new).validate()
    OpenAPIV30SpecValidator(old).validate()

    told = [one for one in hub.services.values() if not one.is_open]  # this hub has no open door
    assert {service.path for service in told} <= set(new["paths"]) == set(old["paths"])


@pytest.mark.parametrize("name", NAMES)
def test_example_of_the_service_is_accepted_by_schema_and_service(hub: Any, name: str) -> None:
    service = hub.services[name]
    example = request_example(service)
    jsonschema.Draft202012Validator(request_schema(service)).validate(example)
    if not service.has_door:
        return  # followed, or set going by an answer: api.deliveries reads its wish

    assert set(service.read(example).keys) <= set(example)


async def test_every_page_renders_in_every_language(hub: Any, caller: Any) -> None:
    ask = caller(build(hub).front)
    paths = [
        "/docs",
        *(f"/docs/{name}" for name in NAMES),
        *(f"/refData/codes/{path.stem}" for path in hub.codes.glob("*.yaml")),
    ]
    for path in paths:
        for language in ("nl", "fr", "en"):
            answer = await ask("GET", f"{path}?lang={language}", headers={"Accept": "text/html"})
            assert (200, False) == (answer.status, b"object at 0x" in answer.body), path


async def test_every_service_can_be_found_from_the_first_page(hub: Any, caller: Any) -> None:
    page = (await caller(build(hub).front)("GET", "/docs?lang=en")).body.decode()

    assert [] == [name for name in NAMES if f"/docs/{name}?" not in page]
    assert [] == [code for code in hub.purposes if code not in page]
