"""Tokens, health, readiness and metrics at their addresses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from integrator.api.app import build
from integrator.api.problems import Problems
from integrator.api.routes import Routes
from integrator.errors import ConfigurationError
from integrator.model import Trace

FORM = "application/x-www-form-urlencoded"


async def test_token_is_given_and_not_stored(stranger: Any, hub: Any) -> None:
    answer = await stranger("POST", "/oauth/token", hub.form(), kind=FORM)

    assert (200, "Bearer", 300, "no-store") == (
        answer.status, answer.json()["token_type"], answer.json()["expires_in"], answer.headers["cache-control"],
    )  # fmt: skip


async def test_refused_token_is_an_oauth_error(stranger: Any, hub: Any) -> None:
    answer = await stranger("POST", "/oauth/token", hub.form("nobody-known"), kind=FORM)

    assert (401, "invalid_client", "application/json") == (
        answer.status,
        answer.json()["error"],
        answer.headers["content-type"],
    )


async def test_token_request_as_json_is_415(stranger: Any) -> None:
    assert 415 == (await stranger("POST", "/oauth/token", b"{}")).status


async def test_token_request_over_the_limit_is_413(stranger: Any) -> None:
    assert 413 == (await stranger("POST", "/oauth/token", b"a" * 70_000, kind=FORM)).status


async def test_token_is_never_given_to_a_get(stranger: Any) -> None:
    assert (405, "POST") == ((answer := await stranger("GET", "/oauth/token")).status, answer.headers["allow"])


async def test_metadata_names_what_is_true(stranger: Any) -> None:
    data = (await stranger("GET", "/.well-known/oauth-authorization-server")).json()

    assert ("http://127.0.0.1:8443/sandbox", ["private_key_jwt"], ["ES256", "EdDSA"], ["purpose"]) == (
        data["issuer"], data["token_endpoint_auth_methods_supported"], data["token_endpoint_auth_signing_alg_values_supported"],
        data["authorization_details_types_supported"],
    )  # fmt: skip


async def test_metadata_stands_where_rfc_8414_puts_it_too(stranger: Any) -> None:
    assert 200 == (await stranger("GET", "/.well-known/oauth-authorization-server/sandbox")).status


async def test_published_keys_hold_no_private_part(stranger: Any) -> None:
    keys = (await stranger("GET", "/.well-known/jwks.json")).json()["keys"]

    assert keys
    assert not any("d" in key for key in keys)


@pytest.mark.parametrize(("state", "status"), [("UP", 200), ("DEGRADED", 200), ("DOWN", 503)])
async def test_health_is_belgifs(stranger: Any, hub: Any, state: str, status: int) -> None:
    hub.state = state
    answer = await stranger("GET", "/health")

    assert (status, state) == (answer.status, answer.json()["status"])


@pytest.mark.parametrize(
    ("accepting", "state", "status"),
    [(True, "UP", 200), (True, "DEGRADED", 200), (False, "UP", 503), (True, "DOWN", 503)],
)
async def test_ready_only_when_welcome_and_well(
    stranger: Any, api: Any, hub: Any, accepting: bool, state: str, status: int
) -> None:
    api.life.accepting, hub.state = accepting, state

    assert status == (await stranger("GET", "/readyz")).status


async def test_alive_even_when_down(stranger: Any, hub: Any) -> None:
    hub.state = "DOWN"

    assert 200 == (await stranger("GET", "/livez")).status


async def test_metrics_are_prometheus_text(stranger: Any) -> None:
    answer = await stranger("GET", "/metrics")

    assert answer.headers["content-type"].startswith("text/plain")
    assert b"integrator_exchange_in_flight 0.0" in answer.body


@pytest.mark.parametrize("path", ["/redoc", "/docs/oauth2-redirect", "/favicon.ico", "/docs/", "/openapi.json/"])
async def test_nothing_stands_where_the_framework_puts_things(stranger: Any, path: str) -> None:
    answer = await stranger("GET", path)

    assert (404, None) == (answer.status, answer.headers.get("location"))


async def test_https_hub_says_https_only(make_hub: Callable[..., Any], caller: Any) -> None:
    front = build(make_hub(issuer="https://hub.example")).front

    assert "strict-transport-security" in (await caller(front)("GET", "/livez")).headers


# --- what must not start --------------------------------------------------------------------------------------------


class Row:
    """A service that is only an address."""

    def __init__(self, name: str, method: str, path: str) -> None:
        self.name, self.method, self.path = name, method, path
        self.keys = {"a": None, "b": None}


@pytest.mark.parametrize(
    "rows",
    [
        [Row("one", "GET", "/x"), Row("two", "GET", "/x")],
        [Row("one", "GET", "/x/{a}/y")],
        [Row("one", "GET", "/x/{nobody}")],
        [Row("one", "GET", "/x/{a}"), Row("two", "GET", "/x/{b}")],
    ],
    ids=["two_at_one_address", "key_in_the_middle", "key_nobody_has", "two_at_one_template"],
)
def test_route_that_cannot_be_is_refused_at_start(rows: list[Any]) -> None:
    with pytest.raises(ConfigurationError):
        Routes({row.name: row for row in rows})


def test_every_problem_of_the_table_renders() -> None:
    problems = Problems("https://hub.example/")
    for row in problems.types.values():
        assert row.urn.startswith("urn:problem-type:")
        assert row.is_issue or 400 <= row.status < 600
        assert row.title.nl and row.title.fr and row.what.nl and row.what.fr

    assert 500 == problems.render(RuntimeError("x"), Trace("a" * 32, "b" * 16)).status
