"""Client certificates at the door: over our own TLS, and in the word of a proxy; with nobody fooled by a copy of either."""

from __future__ import annotations

import base64
import http.client
import json
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from integrator.errors import ConfigurationError
from integrator.identity.certificates import REVOKED, thumbprint
from tests.unit.api import stand_in
from tests.unit.identity.crooked import SERVER, WOUNDS, Authority, Issued, crooked

BODY = b'{"ssin":"85660812341","dossierReference":"IX-1"}'


class Yard:
    """A hub that listens with TLS on a port of its own, and the authorities round it."""

    def __init__(self, folder: Path) -> None:
        self.good, self.other = Authority(folder / "good"), Authority(folder / "other", words="Another one")
        own = self.good.issue("hub", usages=(SERVER,))
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        tls = {
            "certificate": str(own.pem), "key": str(own.key_pem), "clientCa": str(self.good.pem), "port": self.port,
            "address": f"https://localhost:{self.port}",
        }  # fmt: skip
        import time

        self.hub = stand_in.StandIn(
            folder / "state", time.time, tls=tls, hosts=("hub.example", f"localhost:{self.port}", "127.0.0.1:8443")
        )
        self.live = stand_in.Live(self.hub)
        self.folder = folder

    def call(
        self, method: str, path: str, body: bytes, headers: dict[str, str], shown: Issued | None = None
    ) -> tuple[int, Any]:
        trusted = ssl.create_default_context(cafile=str(self.good.pem))
        if shown is not None:
            trusted.load_cert_chain(shown.pem, shown.key_pem)
        wire = http.client.HTTPSConnection("localhost", self.port, context=trusted, timeout=20)
        try:
            wire.request(method, path, body, {"Host": "hub.example", **headers})
            reply = wire.getresponse()
            return reply.status, json.loads(reply.read())
        finally:
            wire.close()

    def token(self, shown: Issued | None = None) -> tuple[int, Any]:
        return self.call(
            "POST", "/oauth/token", self.hub.form(), {"Content-Type": "application/x-www-form-urlencoded"}, shown
        )

    def ask(self, token: str, shown: Issued | None = None) -> tuple[int, Any]:
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
        return self.call("POST", stand_in.PERSON, BODY, headers, shown)


@pytest.fixture(scope="module")
def yard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Yard]:
    made = Yard(tmp_path_factory.mktemp("yard"))
    yield made
    made.live.stop()
    made.hub.identity.close()


def claims(token: str) -> Any:
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def test_token_asked_over_mutual_tls_is_bound_to_the_certificate(yard: Yard) -> None:
    one = yard.good.issue("caller-1")
    status, body = yard.token(one)

    assert (200, {"x5t#S256": thumbprint(one.der)}) == (status, claims(body["access_token"])["cnf"])
    assert 200 == yard.ask(body["access_token"], one)[0]


def test_bound_token_without_or_with_another_certificate_is_refused(yard: Yard) -> None:
    token = yard.token(yard.good.issue("caller-2"))[1]["access_token"]
    refused = [yard.ask(token), yard.ask(token, yard.good.issue("thief"))]

    assert [401, 401] == [status for status, _ in refused]
    assert ["invalidAccessToken"] * 2 == [body["type"].rpartition(":")[2] for _, body in refused]


def test_without_a_certificate_the_listener_serves_and_binds_nothing(yard: Yard) -> None:
    status, body = yard.token()

    assert (200, False) == (status, "cnf" in claims(body["access_token"]))
    assert 200 == yard.ask(body["access_token"])[0]


@pytest.mark.parametrize("wound", WOUNDS)
def test_crooked_certificate_gets_nothing(yard: Yard, wound: str) -> None:
    shown = crooked(yard.good, yard.other)[wound]
    try:
        status = yard.token(shown)[0]
    except (ssl.SSLError, ConnectionError, http.client.HTTPException):
        status = 0  # the handshake itself said no

    assert status in (0, 401)


def test_certificate_of_another_key_does_not_get_through_the_handshake(yard: Yard) -> None:
    one, other = yard.good.issue("owner"), yard.good.issue("other-key")
    with pytest.raises((ssl.SSLError, ConnectionError)):
        yard.token(Issued(one.certificate, other.key, one.pem, other.key_pem))


def test_revoked_certificate_is_refused_with_the_tokens_bound_to_it(yard: Yard) -> None:
    one = yard.good.issue("stolen")
    token = yard.token(one)[1]["access_token"]
    yard.hub.identity.certificates._looked = float("-inf")  # the next look is now, not in half a second
    (yard.folder / "state" / REVOKED).write_text(thumbprint(one.der) + "\n")
    refused = yard.ask(token, one)[0], yard.token(one)[0]
    (yard.folder / "state" / REVOKED).unlink()
    yard.hub.identity.certificates._looked = float("-inf")

    assert (401, 401) == refused


def test_old_tls_is_not_spoken(yard: Yard) -> None:
    old = ssl.create_default_context(cafile=str(yard.good.pem))
    with pytest.warns(DeprecationWarning):
        old.maximum_version = ssl.TLSVersion.TLSv1_1
        old.minimum_version = ssl.TLSVersion.TLSv1
    with (
        socket.create_connection(("127.0.0.1", yard.port), timeout=10) as plain,
        pytest.raises((ssl.SSLError, ConnectionError)),
    ):
        old.wrap_socket(plain, server_hostname="localhost")


def test_plain_text_on_the_tls_port_is_not_answered(yard: Yard) -> None:
    with socket.create_connection(("127.0.0.1", yard.port), timeout=10) as plain:
        plain.sendall(b"GET /livez HTTP/1.1\r\nhost: hub.example\r\n\r\n")
        try:
            answer = plain.recv(100)
        except ConnectionError:
            answer = b""

    assert not answer.startswith(b"HTTP/")


def test_metadata_says_where_and_that_tokens_are_bound(yard: Yard) -> None:
    told = yard.hub.identity.metadata()

    assert {"token_endpoint": f"https://localhost:{yard.port}/oauth/token"} == told["mtls_endpoint_aliases"]
    assert True is told["tls_client_certificate_bound_access_tokens"]


def test_listener_whose_files_are_not_there_stops_the_start(tmp_path: Path) -> None:
    from integrator.api.tls import context

    with pytest.raises(ConfigurationError):
        context({"certificate": str(tmp_path / "no.pem"), "key": str(tmp_path / "no.key"), "port": 1})


# --- behind a proxy -----------------------------------------------------------------------------------------------------


def header(one: Issued) -> str:
    return f":{base64.b64encode(one.der).decode()}:"


@pytest.fixture
def good(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "ca")


@pytest.fixture
def behind(make_hub: Any, good: Authority) -> Any:
    """A hub that believes the proxy at 127.0.0.1, and its authority's certificates only."""
    from integrator.api.app import build

    hub = make_hub(
        proxies=({"address": "127.0.0.1"},), tls={"clientCa": str(good.pem), "port": 1, "address": "https://x"}
    )
    return hub, stand_in.Caller(build(hub).front)


FORM = "application/x-www-form-urlencoded"


async def bound(behind: Any, one: Issued) -> str:
    hub, call = behind
    reply = await call("POST", "/oauth/token", hub.form(), headers={"Client-Cert": header(one)}, kind=FORM)
    assert 200 == reply.status, reply.body
    return str(reply.json()["access_token"])


@pytest.mark.parametrize("path", ["/events/v1/subscriptions/list", "/events/v1/feed", "/delivery/v1/deliveries/get"])
async def test_bound_token_is_believed_at_the_doors_of_deliveries_too(behind: Any, good: Authority, path: str) -> None:
    _, call = behind
    one = good.issue("caller")
    known = {"Authorization": f"Bearer {await bound(behind, one)}"}
    with_it = await call("POST", path, b"{}", headers={**known, "Client-Cert": header(one)})
    without = await call("POST", path, b"{}", headers=known)

    assert (401, True) == (without.status, with_it.status != 401)


async def test_certificate_in_the_word_of_our_proxy_binds_the_token(behind: Any, good: Authority) -> None:
    one = good.issue("caller")
    token = await bound(behind, one)
    call = stand_in.Caller(behind[1].app, token)
    replies = [
        await call("POST", stand_in.PERSON, BODY, headers={"Client-Cert": header(one)}),
        await call("POST", stand_in.PERSON, BODY),
        await call("POST", stand_in.PERSON, BODY, headers={"Client-Cert": header(good.issue("thief"))}),
    ]

    assert [200, 401, 401] == [reply.status for reply in replies]


@pytest.mark.parametrize(
    "proxies",
    [(), ({"address": "10.0.0.9"},), ({"address": "127.0.0.1", "certificate": "A" * 43},)],
    ids=["no_proxies", "another_address", "without_its_certificate"],
)
async def test_header_of_somebody_who_is_no_proxy_is_refused(make_hub: Any, good: Authority, proxies: Any) -> None:
    from integrator.api.app import build

    hub = make_hub(proxies=proxies)
    call = stand_in.Caller(build(hub).front, await hub.token())
    one = await call("POST", stand_in.PERSON, BODY, headers={"Client-Cert": header(good.issue("self-made"))})
    chain = await call("POST", stand_in.PERSON, BODY, headers={"Client-Cert-Chain": header(good.issue("self-made"))})

    assert [(400, "badRequest")] * 2 == [(r.status, r.json()["type"].rpartition(":")[2]) for r in (one, chain)]
    assert [] == hub.exchange.asked


async def test_proxy_may_be_known_by_its_own_certificate(make_hub: Any, good: Authority) -> None:
    from integrator.api.certificates import PEER, SHOWN, Shown

    proxy, caller, other = good.issue("proxy"), good.issue("caller"), good.issue("other")
    hub = make_hub()
    shown = Shown(hub.identity.certificates, ({"certificate": thumbprint(proxy.der)},))
    scope: dict[str, Any] = {"client": ("192.0.2.1", 1), PEER: proxy.der}
    shown.find(scope, {b"client-cert": header(caller).encode()})

    assert thumbprint(caller.der) == scope[SHOWN]
    with pytest.raises(Exception, match="badRequest"):
        shown.find({"client": ("192.0.2.1", 1), PEER: other.der}, {b"client-cert": header(caller).encode()})


async def test_certificate_of_the_proxy_itself_is_never_taken_for_the_callers(make_hub: Any, good: Authority) -> None:
    """Without Client-Cert the proxy's own certificate is the one shown: a token bound to a caller's does not fit it."""
    from integrator.api.certificates import PEER, SHOWN, Shown

    proxy, hub = good.issue("proxy"), make_hub()
    scope: dict[str, Any] = {"client": ("192.0.2.1", 1), PEER: proxy.der}
    Shown(hub.identity.certificates, ({"certificate": thumbprint(proxy.der)},)).find(scope, {})

    assert SHOWN not in scope


@pytest.mark.parametrize("wound", WOUNDS)
async def test_crooked_certificate_is_refused_though_the_proxy_let_it_through(
    behind: Any, good: Authority, tmp_path: Path, wound: str
) -> None:
    shown = crooked(good, Authority(tmp_path / "other", words="Another one"))[wound]
    hub, call = behind
    reply = await call("POST", "/oauth/token", hub.form(), headers={"Client-Cert": header(shown)}, kind=FORM)

    assert 401 == reply.status


@pytest.mark.parametrize(
    "value",
    ["", "abc", "::", ":AAEC", ":A:", ":AAE=C:", ":AAEC:,:AAEC:", ":AAEC:;x=1", ":" + "A" * 20_000 + ":", "%3AAAEC%3A"],
    ids=["empty", "bare", "nothing", "open", "one_letter", "padding_inside", "a_list", "parameter", "huge", "encoded"],
)
async def test_header_that_is_no_byte_sequence(behind: Any, value: str) -> None:
    hub, call = behind
    raw = [
        (b"host", b"hub.example"), (b"client-cert", value.encode()), (b"content-type", FORM.encode()),
        (b"content-length", str(len(form := hub.form())).encode()),
    ]  # fmt: skip
    reply = await call.raw("POST", "/oauth/token", form, raw)

    assert reply.status in (400, 401)


async def test_header_twice_is_refused(behind: Any, good: Authority) -> None:
    _hub, call = behind
    one = header(good.issue("caller")).encode()
    reply = await call.raw(
        "GET", "/livez", b"", [(b"host", b"hub.example"), (b"client-cert", one), (b"client-cert", one)]
    )

    assert 400 == reply.status


async def test_application_that_must_bind_its_tokens_gets_none_without_certificate(
    behind: Any, good: Authority
) -> None:
    hub, call = behind
    path = hub.codes.parent / "applications" / "ixelles-parking.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"certificateBound": True}))
    hub.identity.applications.reload()
    without = await call("POST", "/oauth/token", hub.form(), kind=FORM)
    token = await bound(behind, good.issue("caller"))

    assert (401, "invalid_client") == (without.status, without.json()["error"])
    assert "cnf" in claims(token)


async def test_token_of_before_the_binding_was_ordered_is_refused(behind: Any) -> None:
    hub, call = behind
    token = await hub.token()
    path = hub.codes.parent / "applications" / "ixelles-parking.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"certificateBound": True}))
    hub.identity.applications.reload()

    assert 401 == (await stand_in.Caller(call.app, token)("POST", stand_in.PERSON, BODY)).status
