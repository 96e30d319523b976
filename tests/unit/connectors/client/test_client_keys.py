"""The vendors' client replaces its key before it ends, through crashes and beside other processes; no call fails for it."""

from __future__ import annotations

import asyncio
import json
import os
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from connectors.client import Hub, HubUnreachable, Problem, keys
from integrator.api.app import build
from integrator.identity.applications import create_application
from integrator.identity.keys import read_private
from tests.unit.api import stand_in


class Wired(httpx.BaseTransport):
    """To a hub in this process; `cut`: requests to this path get no answer, though the hub got them when `after` is true."""

    def __init__(self, hub: Any) -> None:
        self._front, self.cut, self.after, self.paths = build(hub).front, "", False, []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        path = request.url.raw_path.decode()
        self.paths.append(path)
        if path == self.cut and not self.after:
            raise httpx.ConnectError("cut")
        headers = [(name.lower(), value) for name, value in request.headers.raw if name.lower() != b"host"]
        caller = stand_in.Caller(self._front)
        reply = asyncio.run(caller.raw(request.method, path, request.read(), [(b"host", b"hub.example"), *headers]))
        if path == self.cut:
            raise httpx.ReadError("cut")
        return httpx.Response(reply.status, headers=reply.headers, content=reply.body)


class Shop:
    def __init__(self, folder: Path) -> None:
        self.hub = stand_in.StandIn(folder / "state", time.time)
        self.wire, self.path = Wired(self.hub), folder / "my-app.jwk"
        self.jwk = keys.new_key("sandbox")
        self.path.write_text(json.dumps({**self.jwk, "client_id": "my-app", "hub": stand_in.BASE}))
        self.path.chmod(0o600)
        create_application(
            folder / "state" / "applications", "my-app", organisation="0207373429", purposes=["resident_permit"], world="sandbox", now=time.time(),
            jwk=keys.public(self.jwk), key_ends=time.time() + 20 * 86_400,
        )  # fmt: skip

    def client(self, **more: Any) -> Hub:
        return Hub.from_key(self.path, purpose="resident_permit", transport=self.wire, **more)

    @property
    def kept(self) -> Any:
        return json.loads(self.path.read_text())

    def close(self) -> None:
        self.hub.enrolment.pile.close()
        self.hub.identity.close()


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    made = Shop(tmp_path)
    yield made
    made.close()


@pytest.mark.parametrize("algorithm", ["ES256", "EdDSA"])
def test_key_made_here_is_one_the_hub_knows_how_to_read(tmp_path: Path, algorithm: str) -> None:
    assert keys.keep(tmp_path / "a.jwk", keys.new_key("sandbox", algorithm))

    assert read_private(tmp_path / "a.jwk", "sandbox")["kid"].startswith("sandbox.")


def test_key_that_ends_within_a_month_is_replaced_with_the_first_token(shop: Shop) -> None:
    with shop.client() as hub:
        hub.token()
        token = hub.token(fresh=True)

    assert shop.jwk["kid"] != shop.kept["kid"] == shop.hub.identity.verify(token).key
    assert (0o600, "my-app", []) == (stat.S_IMODE(shop.path.stat().st_mode), shop.kept["client_id"], list(shop.path.parent.glob("*.new")))


def test_key_with_a_year_before_it_stays(shop: Shop) -> None:
    with shop.client(renew=86_400.0) as hub:
        hub.token()

    assert shop.jwk["kid"] == shop.kept["kid"]


@pytest.mark.parametrize("after", [False, True], ids=["order_never_arrived", "answer_never_arrived"])
def test_cut_while_the_key_is_replaced_costs_no_call_and_no_key(shop: Shop, after: bool) -> None:
    shop.wire.cut, shop.wire.after = "/enrolment/v1/keys/rotate", after
    with shop.client() as hub:
        hub.token()  # it goes on with the old key
    aside = shop.path.with_name("my-app.jwk.new")
    os.utime(aside, (1, 1))  # long ago: nobody is busy with it
    shop.wire.cut = ""
    with shop.client() as hub:
        hub.token()
        hub.token(fresh=True)
        kid = hub.key["kid"]

    assert shop.jwk["kid"] != kid == shop.kept["kid"]
    assert not aside.exists()


def test_two_processes_replace_it_once_and_both_go_on(shop: Shop) -> None:
    with shop.client() as one, shop.client() as two:
        one.token(), two.token()

        assert one.key["kid"] == two.key["kid"] == shop.kept["kid"]
    assert 1 == shop.wire.paths.count("/enrolment/v1/keys/rotate")


def test_process_with_a_key_that_was_taken_back_reads_the_file_again(shop: Shop) -> None:
    with shop.client(renew=0) as late, shop.client(renew=0) as quick:
        kid = quick.rotate()
        quick.revoke(shop.jwk["kid"])

        assert kid == shop.hub.identity.verify(late.token()).key


def test_refused_order_leaves_the_old_key_and_nothing_beside_it(shop: Shop) -> None:
    with shop.client(renew=0) as hub:
        for _ in range(4):
            hub.rotate()
        with pytest.raises(Problem) as refused:
            hub.rotate()
        hub.token(fresh=True)

    assert "TOO_MANY_KEYS" == refused.value.body["reason"]
    assert [] == list(shop.path.parent.glob("*.new"))


def test_without_a_file_nothing_is_replaced(shop: Shop) -> None:
    with Hub(stand_in.BASE, "my-app", shop.jwk, "resident_permit", transport=shop.wire) as hub:
        hub.token()
        with pytest.raises(OSError, match="file"):
            hub.rotate()


def test_hub_that_is_gone_is_said_to_be_gone(shop: Shop) -> None:
    shop.wire.cut = "/oauth/token"
    with shop.client() as hub, pytest.raises(HubUnreachable):
        hub.token()
