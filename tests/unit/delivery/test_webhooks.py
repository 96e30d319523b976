"""A push is believed when the hub signed it, just now, for this subscription; and it goes nowhere it was not meant to."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from connectors.client import Webhook, WebhookInvalid
from integrator.delivery.terms import Held, Sent
from integrator.delivery.webhooks import guard, pushing
from integrator.delivery.webhooks.cloudevents import event
from integrator.delivery.webhooks.signing import Signer, load_keys, new_key
from integrator.errors import ConfigurationError
from tests.unit.delivery.kit import NOW, NUMBER, RECEIVER, SENDER

MINE = "5" * 32


def held(**changes: Any) -> Held:
    values: dict[str, Any] = {
        "id": 1, "uid": "a" * 32, "service": "person.changes", "kind": "event", "mode": "push", "recipient": MINE,
        "organisation": RECEIVER, "application": "app", "purpose": "school", "sender": SENDER, "trace": "b" * 32,
        "keys": {"ssin": NUMBER}, "content": {"address": True}, "created": int(NOW * 1000), "deadline": int(NOW * 1000) + 1,
        "attempts": 1, "lost": False, "lease": "x",
    }  # fmt: skip
    return Held(**values | changes)


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    return tmp_path / "keys"


@pytest.fixture
def signer(keys: Path) -> Signer:
    return Signer(load_keys(keys, "sandbox"))


def signed(signer: Signer, at: float = NOW, **changes: Any) -> tuple[dict[str, str], bytes]:
    one = held(**changes)
    body = json.dumps(event(one, one.content, issuer="https://hub.example", type_="p.v1.p.notify.changed")).encode()
    return signer.headers(one.uid, int(at), body), body


def hook(signer: Signer, at: float = NOW, **more: Any) -> Webhook:
    return Webhook([key.public for key in signer.keys], **{"subscription": MINE, "now": lambda: at, **more})


# --- signatures -----------------------------------------------------------------------------------------------------------


def test_what_the_hub_signs_the_receiver_believes(signer: Signer) -> None:
    assert "a" * 32 == hook(signer).verify(*signed(signer))["id"]


def test_an_event_tells_types_and_no_value(signer: Signer) -> None:
    told = hook(signer).verify(*signed(signer))["data"]

    assert {"ssin": NUMBER, "changed": ["address"]} == told


def test_no_header_holds_whom_it_is_about(signer: Signer) -> None:
    assert NUMBER not in str(signed(signer)[0])


@pytest.mark.parametrize("late", [301, -301], ids=["old", "early"])
def test_a_push_outside_the_window_is_not_believed(signer: Signer, late: int) -> None:
    with pytest.raises(WebhookInvalid, match="clocks"):
        hook(signer, NOW + late).verify(*signed(signer))


def test_a_body_changed_by_one_byte_is_not_believed(signer: Signer) -> None:
    headers, body = signed(signer)
    with pytest.raises(WebhookInvalid, match="signed"):
        hook(signer).verify(headers, body.replace(b"address", b"adresse"))


def test_a_time_changed_by_one_second_is_not_believed(signer: Signer) -> None:
    headers, body = signed(signer)
    with pytest.raises(WebhookInvalid, match="signed"):
        hook(signer).verify(headers | {"webhook-timestamp": str(int(NOW) + 1)}, body)


def test_an_id_that_is_not_the_events_is_not_believed(signer: Signer) -> None:
    _, body = signed(signer)
    with pytest.raises(WebhookInvalid, match="id"):
        hook(signer).verify(signer.headers("c" * 32, int(NOW), body), body)


def test_a_push_for_another_subscription_is_not_believed(signer: Signer) -> None:
    with pytest.raises(WebhookInvalid, match="another"):
        hook(signer).verify(*signed(signer, recipient="6" * 32))


@pytest.mark.parametrize("missing", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_a_push_without_one_of_its_headers_is_not_believed(signer: Signer, missing: str) -> None:
    headers, body = signed(signer)
    with pytest.raises(WebhookInvalid):
        hook(signer).verify({name: value for name, value in headers.items() if name != missing}, body)


def test_another_scheme_is_not_believed(signer: Signer) -> None:
    headers, body = signed(signer)
    weak = base64.b64encode(hashlib.sha256(body).digest()).decode()
    with pytest.raises(WebhookInvalid):
        hook(signer).verify(headers | {"webhook-signature": f"v1,{weak} v1a,??? v1a,{weak}"}, body)


def test_while_keys_change_receivers_of_either_believe(keys: Path, signer: Signer) -> None:
    new_key(keys, "sandbox")
    both = Signer(load_keys(keys, "sandbox"))
    pushed = signed(both)

    assert ["webhook-2", "webhook-1"] == [key.name for key in both.keys]
    assert [MINE, MINE] == [
        Webhook([key.public], subscription=MINE, now=lambda: NOW).verify(*pushed)["recipient"] for key in both.keys
    ]


def test_a_key_of_the_other_world_is_refused(keys: Path, signer: Signer) -> None:
    with pytest.raises(ConfigurationError):
        load_keys(keys, "production")


def test_in_production_no_key_is_made_by_itself(keys: Path) -> None:
    with pytest.raises(ConfigurationError):
        Signer(load_keys(keys, "production"))


def test_a_key_that_others_can_read_is_refused(keys: Path, signer: Signer) -> None:
    (keys / "webhook-1.key").chmod(0o644)
    with pytest.raises(ConfigurationError):
        load_keys(keys, "sandbox")


# --- where it may go --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("url", [
    "http://example.org/hook", "https://10.0.0.5/hook", "https://169.254.169.254/latest", "https://[::1]/", "https://[fd00::1]/",
    "https://[::ffff:10.0.0.1]/", "https://user@example.org/", "https://example.org/?x=1", "ftp://example.org/", "https://0.0.0.0/",
    "https://127.0.0.1/hook", "https://100.64.0.1/", "https://224.0.0.1/", "no address", "https://2130706433/x?",
])  # fmt: skip
def test_an_address_that_is_not_outside_is_not_registered(url: str) -> None:
    with pytest.raises(ConfigurationError):
        guard.check_url(url, sandbox=False)


def test_an_https_address_outside_is_registered() -> None:
    assert "https://hooks.example.org:8443/in" == guard.check_url("https://hooks.example.org:8443/in", sandbox=False)


def test_loopback_is_there_in_the_sandbox_only() -> None:
    assert [True, False] == [guard.may_connect("http://127.0.0.1:9/x", sandbox=world) for world in (True, False)]


def test_plain_http_to_the_outside_is_not_there_in_the_sandbox_either() -> None:
    assert not guard.may_connect("http://example.org/x", sandbox=True)


class Names:
    """A resolver that says what a test tells it to: names can be pointed elsewhere after they were registered."""

    def __init__(self, *addresses: str) -> None:
        self.addresses = addresses

    async def resolve(self, host: str, port: int = 0, family: Any = 0) -> list[Any]:
        return [
            {"hostname": host, "host": one, "port": port, "family": family, "proto": 0, "flags": 0}
            for one in self.addresses
        ]

    async def close(self) -> None:
        """Nothing to close."""


@pytest.mark.parametrize("address", [
    "64:ff9b::a00:1", "64:ff9b:1::1", "fec0::1", "::10.0.0.1", "::9.9.9.9", "::", "::ffff:10.0.0.1", "2002:a00:1::",
], ids=["nat64", "nat64_of_ours", "site_local", "compatible", "compatible_outside", "nowhere", "mapped", "6to4"])  # fmt: skip
def test_an_address_that_leads_inside_in_another_dress_is_none_of_the_outside_world(address: str) -> None:
    assert [False, False] == [guard.allowed(address, sandbox=sandbox) for sandbox in (True, False)]


@pytest.mark.parametrize("addresses", [["10.0.0.1"], ["9.9.9.9", "192.168.1.1"], ["127.0.0.1"], ["::1"], []])
async def test_a_name_that_leads_inside_is_not_connected_to(addresses: list[str]) -> None:
    with pytest.raises(OSError, match="inside"):
        await guard.Guarded(sandbox=False, look_up=Names(*addresses)).resolve("hooks.example.org", 443)


async def test_a_name_that_leads_outside_is_connected_to_where_it_was_looked_up() -> None:
    found = await guard.Guarded(sandbox=False, look_up=Names("9.9.9.9")).resolve("hooks.example.org", 443)

    assert ["9.9.9.9"] == [one["host"] for one in found]


# --- what receivers answer ----------------------------------------------------------------------------------------------------


class Door:
    def __init__(self) -> None:
        self.answers: list[Any] = []
        self.got: list[tuple[dict[str, str], bytes]] = []

    async def answer(self, request: web.Request) -> web.Response:
        self.got.append((dict(request.headers), await request.read()))
        answer = self.answers.pop(0) if self.answers else 204
        return answer if isinstance(answer, web.Response) else web.Response(status=answer)


@asynccontextmanager
async def pushed(
    signer: Signer, door: Door, *, path: str = "/hook", url: str | None = None, why: str = ""
) -> AsyncIterator[pushing.Push]:
    app = web.Application()
    app.router.add_post("/hook", door.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]

    async def find(uid: str) -> pushing.Target:
        return pushing.Target(None, why) if why else pushing.Target(url or f"http://127.0.0.1:{port}{path}")

    session: aiohttp.ClientSession = guard.open_way(sandbox=True)
    try:
        yield pushing.Push(session, signer, find, {}, issuer="https://hub.example", sandbox=True, now=lambda: NOW)
    finally:
        await session.close()
        await runner.cleanup()


@pytest.mark.parametrize(("status", "verdict"), [
    (200, "delivered"), (202, "delivered"), (204, "delivered"), (301, "again"), (307, "again"), (400, "never"), (401, "never"),
    (404, "never"), (408, "again"), (409, "again"), (410, "never"), (425, "again"), (429, "again"), (500, "again"), (503, "again"),
])  # fmt: skip
async def test_what_an_answer_means(signer: Signer, status: int, verdict: str) -> None:
    door = Door()
    door.answers = [status]
    async with pushed(signer, door) as push:
        assert verdict == (await push.send(held(), {"address": True})).verdict


async def test_a_redirect_is_not_followed(signer: Signer) -> None:
    door = Door()
    door.answers = [web.Response(status=307, headers={"Location": "/hook"})]
    async with pushed(signer, door) as push:
        sent = await push.send(held(), {"address": True})

    assert ("REDIRECT", 1) == (sent.reason, len(door.got))


async def test_what_is_granted_now_is_told_and_nothing_beside_it(signer: Signer) -> None:
    door = Door()
    async with pushed(signer, door) as push:
        await push.send(held(content={"address": True, "name": True}), {"name": True})
    [(headers, body)] = door.got

    assert ["name"] == hook(signer).verify(headers, body)["data"]["changed"]


async def test_nobody_there_is_tried_again(signer: Signer) -> None:
    async with pushed(signer, Door(), url="http://127.0.0.1:1/hook") as push:
        assert Sent("again", "NO_CONNECTION") == await push.send(held(), {})


async def test_an_address_that_became_forbidden_is_not_asked(signer: Signer) -> None:
    async with pushed(signer, Door(), url="http://10.0.0.1/hook") as push:
        assert Sent("never", "ADDRESS_FORBIDDEN") == await push.send(held(), {})


async def test_a_subscription_that_ended_is_a_reason(signer: Signer) -> None:
    async with pushed(signer, Door(), why="SUBSCRIPTION_ENDED") as push:
        assert Sent("never", "SUBSCRIPTION_ENDED") == await push.send(held(), {})


async def test_a_receiver_that_keeps_failing_is_left_alone(signer: Signer) -> None:
    door = Door()
    door.answers = [503] * 100
    async with pushed(signer, door) as push:
        for _ in range(12):
            sent = await push.send(held(), {})
        closed = push.closed()

    assert ("CIRCUIT_OPEN", 10, [MINE]) == (sent.reason, len(door.got), list(closed))
