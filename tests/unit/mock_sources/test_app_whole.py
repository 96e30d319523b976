"""All sources in one process: routing, the admin API, faults that reach every source, and the program itself."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mock_sources import app as composition
from mock_sources.app import Mocks
from mock_sources.server import running

DEBTS = ("debts_receipts", "debts_postes", "debts_arrears")
SOURCES = ["rr", "ksz", "kbo", "div", "best", "dimona", "cadastre", *DEBTS]
PACKAGE_HOME = Path(composition.__file__).parents[1]


@pytest.fixture(scope="module")
def mocks(tmp_path_factory: pytest.TempPathFactory) -> Mocks:
    return composition.build(tmp_path_factory.mktemp("state"))


@pytest.fixture
def call(mocks: Mocks, ask: Any) -> Iterator[Any]:
    """Ask the whole of it; every fault and counter is gone afterwards."""

    def go(method: str, path: str, document: object = None, **more: Any) -> Any:
        headers = {"content-type": "application/json"} | more.pop("headers", {})
        body = b"" if document is None else json.dumps(document).encode()
        return ask(mocks, method, path, headers=headers, body=body, **more)

    yield go
    for source in (*SOURCES, "parking"):
        mocks.board.clear(source)
        if source in mocks.layers:
            go("DELETE", f"/mock/requests/{source}")


# --- routing ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/", "/nowhere", "/mock", "/mock/nothing", "/rr/../div"])
def test_a_path_that_leads_nowhere_is_a_404(call: Any, path: str) -> None:
    assert 404 == call("GET", path).status


def test_health_tells_what_is_here_and_where_the_kit_lies(call: Any, mocks: Mocks) -> None:
    health = call("GET", "/mock/health").json

    assert (health["status"], health["sources"]) == ("UP", [*SOURCES, "parking"])
    assert Path(health["credentials"]) == mocks.credentials.folder
    assert Path(health["parking"]).is_file()
    assert 1_250_000 == health["world"]["people"]


def test_a_source_sees_its_own_path(call: Any) -> None:
    answer = call("GET", "/best/belgianAddress/v2/municipalities", headers={"BelGov-Trace-Id": "a", "Host": "h"})

    assert "http://h/best/belgianAddress/v2/municipalities" == answer.json["self"]


def test_an_id_with_encoded_slashes_survives_the_routing(call: Any) -> None:
    place = "/best/belgianAddress/v2/municipalities/https%3A%2F%2Fdatabrussels.be%2Fid%2Fmunicipality%2F21009%2F2"

    assert "21009" == call("GET", place, headers={"BelGov-Trace-Id": "a"}).json["nisCode"]


# --- admin ------------------------------------------------------------------------------------------------------


def test_a_fault_is_set_shown_and_cleared(call: Any) -> None:
    put = call("PUT", "/mock/faults/div", {"kind": "delay", "ms": 5, "rate": 0.5, "times": 3})
    shown = call("GET", "/mock/faults/div").json
    gone = call("DELETE", "/mock/faults/div").status

    assert (200, 204) == (put.status, gone)
    assert {"kind": "delay", "ms": 5, "rate": 0.5, "times": 3, "at": "service"} == shown["fault"]
    assert "fault" not in call("GET", "/mock/faults/div").json


def test_a_source_may_be_called_by_its_room(call: Any) -> None:
    call("PUT", "/mock/faults/rijksregister", {"kind": "http500"})

    assert "http500" == call("GET", "/mock/faults/rr").json["fault"]["kind"]


@pytest.mark.parametrize(
    ("path", "document", "status"),
    [
        ("/mock/faults/moon", {"kind": "delay"}, 404),
        ("/mock/faults/div", {"kind": "soap_fault"}, 400),
        ("/mock/faults/div", {"kind": "delay", "until": 1}, 400),
        ("/mock/faults/div", "delay", 400),
        ("/mock/faults/parking", {"kind": "delay"}, 400),
        ("/mock/faults/div", {"kind": "x" * 5000}, 400),
    ],
)
def test_a_fault_that_cannot_be_is_refused(call: Any, path: str, document: object, status: int) -> None:
    assert call("PUT", path, document).status == status


def test_a_fault_that_is_no_json_is_refused(call: Any) -> None:
    assert 415 == call("PUT", "/mock/faults/div", {"kind": "delay"}, headers={"content-type": "text/plain"}).status


@pytest.mark.parametrize("path", ["/mock/faults/div", "/mock/requests/div"])
def test_an_admin_method_that_does_not_exist_says_which_do(call: Any, path: str) -> None:
    refused = call("POST", path)

    assert (405, True) == (refused.status, "GET" in refused.headers["allow"])


def test_calls_are_counted_per_source(call: Any) -> None:
    call("PUT", "/mock/faults/best", {"kind": "http500", "times": 1})
    for _ in range(2):
        call("GET", "/best/belgianAddress/v2/streets")
    call("GET", "/best/health")
    counted = {item["source"]: item for item in call("GET", "/mock/requests").json["items"]}

    assert {"source": "best", "requests": 3, "questions": 2, "struck": 1} == counted["best"]
    assert 0 == counted["div"]["requests"]


def test_what_was_asked_is_kept_nowhere(call: Any) -> None:
    call("GET", "/div/v1/mobility/registrations", query={"nationalNr": "71640618918"})
    told = [call("GET", f"/mock/{page}").body for page in ("health", "requests", "faults", "requests/div")]

    assert b"71640618918" not in b"".join(told)


# --- faults, everywhere -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("source", SOURCES)
def test_a_source_that_is_down_is_down_alone(call: Any, source: str) -> None:
    call("PUT", f"/mock/faults/{source}", {"kind": "http503"})
    down = {name: call("GET", f"/{name}/anything").status == 503 for name in SOURCES}

    assert down == {name: name == source for name in SOURCES}


def test_soap_sources_break_with_a_gateways_page_and_rest_sources_with_a_problem(call: Any) -> None:
    for source in SOURCES:
        call("PUT", f"/mock/faults/{source}", {"kind": "http500"})
    kinds = {source: call("GET", f"/{source}/x").headers["content-type"] for source in SOURCES}

    assert kinds == {
        **dict.fromkeys(("rr", "ksz", "kbo"), "text/html"),
        **dict.fromkeys(("div", "best", "dimona", "cadastre", *DEBTS), "application/problem+json"),
    }


def test_the_parking_file_breaks_and_heals_over_the_admin_api(call: Any, mocks: Mocks) -> None:
    whole = mocks.parking.path.read_bytes()
    call("PUT", "/mock/faults/parking", {"kind": "truncated", "variant": "missing_trailer"})
    broken = mocks.parking.path.read_bytes()
    call("PUT", "/mock/faults/parking", {"kind": "http503"})
    gone = not mocks.parking.path.exists()
    call("DELETE", "/mock/faults/parking")

    assert (202, True) == (len(whole) - len(broken), gone)
    assert mocks.parking.path.read_bytes() == whole


# --- on sockets -------------------------------------------------------------------------------------------------


def test_over_a_socket_a_plate_is_found_and_then_reset(mocks: Mocks) -> None:
    plate = next(one.plate for one in mocks.world.personas.values() if one.plate)
    with running(mocks) as base:
        basic = base64.b64encode(f"{mocks.credentials.div.client_id}:{mocks.credentials.div.client_secret}".encode())
        form = {"authorization": "Basic " + basic.decode(), "content-type": "application/x-www-form-urlencoded"}
        sold = _http("POST", f"{base}/div/oauth/token", form, b"grant_type=client_credentials")
        bearer = {"authorization": "Bearer " + json.loads(sold)["access_token"]}
        place = f"{base}/div/v1/mobility/registrations?plateNr={plate}"
        found = json.loads(_http("GET", place, bearer))

        assert found["items"][0]["license"]["plateNr"] == plate
        with pytest.raises(ConnectionResetError):
            _http("GET", place, bearer | {"Integrator-Test-Scenario": "div.reset"})


def _http(method: str, url: str, headers: dict[str, str], body: bytes | None = None) -> bytes:
    request = urllib.request.Request(url, body, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.read()
    except urllib.error.URLError as error:
        raise error.reason from error


def test_many_connections_at_once_all_get_their_own_answer(mocks: Mocks) -> None:
    import aiohttp

    async def ask_all(base: str) -> list[str]:
        async with aiohttp.ClientSession(headers={"BelGov-Trace-Id": "a"}) as session:

            async def one(nis: str) -> str:
                async with session.get(f"{base}/best/belgianAddress/v2/municipalities?nisCode={nis}") as answer:
                    return (await answer.json())["items"][0]["nisCode"]

            return await asyncio.gather(*(one(f"210{n % 19 + 1:02d}") for n in range(200)))

    with running(mocks) as base:
        assert asyncio.run(ask_all(base)) == [f"210{n % 19 + 1:02d}" for n in range(200)]


# --- the program ------------------------------------------------------------------------------------------------


def _program(state: Path, port: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-P", "-m", "mock_sources", "--state", str(state), "--port", str(port)]
    return subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(PACKAGE_HOME)},
    )


def test_the_program_says_where_it_is_and_stops_when_told_even_while_hanging(tmp_path: Path) -> None:
    with _program(tmp_path, 0) as program:
        line = json.loads(program.stdout.readline())
        port = int(line["base"].rpartition(":")[2])
        health = json.loads(_http("GET", f"{line['admin']}/health", {}))
        fault = json.dumps({"kind": "hang"}).encode()
        _http("PUT", f"{line['admin']}/faults/best", {"content-type": "application/json"}, fault)
        with socket.create_connection(("127.0.0.1", port), timeout=5) as waiting:
            waiting.sendall(b"GET /best/health HTTP/1.1\r\nHost: x\r\n\r\n")
            _http("GET", f"{line['admin']}/health", {})
            program.send_signal(signal.SIGTERM)
            program.communicate(timeout=20)

    assert (True, "UP") == (line["ready"], health["status"])
    assert {"rijksregister", "ksz", "kbo", "div", "best", "dimona", "cadastre", *DEBTS} == set(line["sources"])
    assert Path(line["parking"]).parent.parent == tmp_path


def test_a_taken_port_is_said_at_once(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with _program(tmp_path, taken.getsockname()[1]) as program:
            out, told = program.communicate(timeout=20)

    assert (2, "") == (program.returncode, out)
    assert "in use" in told
    assert not (tmp_path / "credentials").exists()
