"""A vendor's program from its first request to its last key, as vendor, operator and officer do it; and nginx in front."""

from __future__ import annotations

import json
import os
import shutil
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from connectors.client import Hub, Problem
from integrator.commands import apps
from integrator.commands.sandbox import Sandbox, free_port
from integrator.identity.certificates import thumbprint
from integrator.settings import Settings
from tests.flows.sandboxes import Beside, beside, plain_environment
from tests.unit.identity.crooked import SERVER, Authority, Issued

INTEGRATOR = Path(sys.executable).parent / "integrator"
IXELLES = "1992100975"
QUESTION = {"plateNumber": "1ABC123", "dossierReference": "OPS-1"}
NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")


def integrator(folder: Path, hub: Sandbox, *words: str, code: int = 0) -> str:
    """The command line as at the hub's own machine; what it printed."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("INTEGRATOR_")}
    environment |= {
        "INTEGRATOR_STATE": str(hub.state),
        "INTEGRATOR_PORT": hub.hub.rpartition(":")[2],
        "INTEGRATOR_MOCKS": hub.mocks,
    }
    done = subprocess.run([INTEGRATOR, *words], cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False)  # fmt: skip
    assert code == done.returncode, done.stderr + done.stdout
    return done.stdout + done.stderr


def until(true: Any, seconds: float = 10.0) -> float:
    """Seconds until something is so; fails after a while."""
    started = time.monotonic()
    while not true():
        assert time.monotonic() - started < seconds, "it never came"
        time.sleep(0.02)
    return time.monotonic() - started


@pytest.fixture(scope="module")
def enrolled(hub: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The key file of an application that came in by the front door."""
    folder = tmp_path_factory.mktemp("vendor")
    integrator(
        folder, hub, "app", "request", "plate-desk", "--hub", hub.hub, "--organisation", IXELLES, "--purpose", "parking_control",
        "--contact", "integrations@vendor.example",
    )  # fmt: skip
    file = folder / "plate-desk.jwk"
    id_ = json.loads(file.read_text())["request"]["requestId"]
    assert "waiting" in integrator(folder, hub, "app", "status", "--key", str(file))
    assert id_ in integrator(folder, hub, "app", "requests")
    integrator(folder, hub, "app", "approve", id_, "--as", "ops-1")
    integrator(folder, hub, "app", "approve", id_, "--as-dpo", "--as", "dpo-1")
    assert "approved" in integrator(folder, hub, "app", "status", "--key", str(file))
    return file


def test_application_that_two_people_let_in_gets_an_answer(enrolled: Path) -> None:
    with Hub.from_key(enrolled, purpose="parking_control", timeout=30.0) as hub:
        assert "yes" == hub.ask("vehicle.registrationCheck", **QUESTION)["valid"]


def test_application_reads_its_rights_and_why_it_was_refused(enrolled: Path, hub: Sandbox) -> None:
    with Hub.from_key(enrolled, purpose="parking_control", timeout=30.0) as client:
        services = {one["service"] for purpose in client.rights()["purposes"] for one in purpose["services"]}
        with pytest.raises(Problem) as refused:
            client.ask("vehicle.registrations", **QUESTION)
        until(lambda: found(client, str(refused.value.trace_id)))
        [told] = client.why(str(refused.value.trace_id))["decisions"]

    assert {"vehicle.registrationCheck", "vehicle.registrations", "parking.cards.count"} == services
    assert ("deny", "ANSWERS_ONLY") == (told["decision"], told["reason"])


def found(client: Hub, trace: str) -> bool:
    try:
        client.why(trace)
    except Problem:
        return False
    return True


def test_trace_of_another_organisation_is_one_that_does_not_exist(enrolled: Path, ask: Any) -> None:
    other = ask("social_inquiry", "cpas-ixelles").ask("person.get", ssin="84651797654", dossierReference="2026-17")
    own = ask("social_inquiry", "cpas-ixelles")
    until(lambda: found(own, other.trace_id))
    with Hub.from_key(enrolled, purpose="parking_control", timeout=30.0) as client:
        told = []
        for trace in (other.trace_id, "0" * 31 + "1"):
            with pytest.raises(Problem) as refused:
                client.why(trace)
            told.append({name: value for name, value in refused.value.body.items() if name != "instance"})

    assert told[0] == told[1]


def test_key_taken_back_by_the_operator_bites_within_a_second(
    hub: Sandbox, hub_settings: Settings, tmp_path: Path
) -> None:
    apps.create(hub_settings, "to-revoke", "ixelles", ["parking_control"], tmp_path / "to-revoke.jwk")
    kid = json.loads((tmp_path / "to-revoke.jwk").read_text())["kid"]
    with Hub.from_key(tmp_path / "to-revoke.jwk", purpose="parking_control", timeout=30.0) as client:
        client.ask("vehicle.registrationCheck", **QUESTION)
        token = client.token()
    path = hub.state / "applications" / "to-revoke.json"
    before = path.stat().st_mtime
    integrator(tmp_path, hub, "app", "revoke", "to-revoke", "--kid", kid, "--why", "the laptop was stolen")
    seconds = until(lambda: 401 == status(hub.hub, token)) + max(0.0, time.time() - path.stat().st_mtime)

    assert path.stat().st_mtime > before
    assert "revoked" in integrator(tmp_path, hub, "app", "keys", "to-revoke")
    assert seconds < 30  # the figure is printed by tests/bench; here only that it bites at all


def status(hub: str, token: str) -> int:
    headers = {"Authorization": f"Bearer {token}"}
    return httpx.post(
        f"{hub}/vehicle/v1/registrations/check", json=QUESTION, headers=headers, trust_env=False, timeout=30.0
    ).status_code


def test_page_of_rights_opens_with_a_code_of_the_operator(enrolled: Path, hub: Sandbox, tmp_path: Path) -> None:
    code = integrator(tmp_path, hub, "app", "code", "plate-desk").split()[-1]
    page = httpx.post(f"{hub.hub}/docs/rights?lang=fr", data={"code": code}, trust_env=False, timeout=30.0)

    assert 200 == page.status_code
    assert "Recherche par" in page.text


def test_replacing_the_key_under_load_costs_no_call(hub: Sandbox, hub_settings: Settings, tmp_path: Path) -> None:
    """Eight threads ask, each with tokens of its own that it renews all the time, while the key is replaced three times."""
    file = tmp_path / "busy.jwk"
    apps.create(hub_settings, "busy-desk", "ixelles", ["parking_control"], file)
    done, failed, lock = [0], [], threading.Lock()
    turns = [threading.Event() for _ in range(3)]

    def ask() -> None:
        with Hub.from_key(file, purpose="parking_control", timeout=60.0) as client:
            for number in range(50):
                try:
                    client.token(fresh=number % 5 == 0)
                    client.ask("vehicle.registrationCheck", **QUESTION)
                except Exception as error:
                    failed.append(repr(error))
                with lock:
                    done[0] += 1
                    for place, turn in enumerate(turns):
                        if done[0] >= 100 * (place + 1):
                            turn.set()

    threads = [threading.Thread(target=ask) for _ in range(8)]
    started = time.monotonic()
    for thread in threads:
        thread.start()
    kids = []
    with Hub.from_key(file, purpose="parking_control", timeout=60.0) as owner:
        for turn in turns:
            turn.wait(120)
            kids.append(owner.rotate(overlap=3600))
    for thread in threads:
        thread.join(240)
    print(f"{done[0]} calls, {done[0] / (time.monotonic() - started):.0f} each second, {len(failed)} failed")

    assert ([], 400, 3) == (failed, done[0], len(set(kids)))


# --- nginx in front, as docs/operators.md says ---------------------------------------------------------------------------


def configuration(port: int, hub: str, good: Authority, own: Issued) -> str:
    """What docs/operators.md shows, with this test's paths."""
    page = (Path(__file__).resolve().parents[2] / "docs" / "operators.md").read_text(encoding="utf-8")
    shown = page.partition("<!-- nginx -->")[2].partition("```\n")[2].partition("```")[0]
    for was, becomes in (
        ("127.0.0.1:8080", hub.removeprefix("http://")), ("listen 443 ssl", f"listen 127.0.0.1:{port} ssl"), ("hub.region.example", "localhost"),
        ("/etc/integrator/tls.pem", str(own.pem)), ("/etc/integrator/tls.key", str(own.key_pem)), ("/etc/integrator/clients.pem", str(good.pem)),
        ("proxy_set_header Host $host;", f"proxy_set_header Host {hub.removeprefix('http://')};"),
    ):  # fmt: skip
        assert was in shown, was
        shown = shown.replace(was, becomes)
    return shown


@contextmanager
def nginx(folder: Path, port: int, hub: str, good: Authority, own: Issued) -> Iterator[str]:
    temporary = " ".join(
        f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "nginx.conf").write_text(
        f"daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;\nevents {{}}\n"
        f"http {{ access_log off; {temporary}\n{configuration(port, hub, good, own)}\n}}\n"
    )
    process = subprocess.Popen(
        [str(NGINX), "-p", str(folder), "-c", str(folder / "nginx.conf")], stderr=subprocess.DEVNULL
    )
    try:
        until(lambda: answers(port) or process.poll() is not None)
        assert process.poll() is None, (folder / "error.log").read_text()
        yield f"https://localhost:{port}"
    finally:
        process.terminate()
        process.wait(10)


def answers(port: int) -> bool:
    import socket

    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.skipif(NGINX is None, reason="nginx is not installed")
def test_nginx_hands_the_certificate_over_and_a_forged_header_never_gets_through(hub: Sandbox, tmp_path: Path) -> None:
    good, other = Authority(tmp_path / "good"), Authority(tmp_path / "other", words="Another one")
    own, caller, thief = good.issue("localhost", usages=(SERVER,)), good.issue("caller"), other.issue("thief")
    with beside(hub, tmp_path / "state", proxies=[{"address": "127.0.0.1"}]) as second:
        client = enrol(second, tmp_path)
        with nginx(tmp_path, free_port(0), second.hub, good, own) as front:
            token = bound(front, client, good, caller)
            told = [ask_through(front, token, good, shown) for shown in (caller, None, good.issue("another"))]
            forged = [
                ask_through(front, token, good, shown, **{"Client-Cert": header}) for shown in (None, good.issue("third"))
                for header in (as_header(caller),)
            ]  # fmt: skip
            stranger = ask_through(front, token, good, thief)

    assert [200, 401, 401] == told
    assert [401, 401] == forged  # nginx writes the header itself, whatever came
    assert stranger in (400, 401)


def enrol(second: Beside, folder: Path) -> Any:
    with plain_environment():
        apps.create(second.settings, "front-desk", "ixelles", ["parking_control"], folder / "front-desk.jwk")
    return json.loads((folder / "front-desk.jwk").read_text())


def tls(good: Authority, shown: Issued | None) -> ssl.SSLContext:
    made = ssl.create_default_context(cafile=str(good.pem))
    if shown is not None:
        made.load_cert_chain(shown.pem, shown.key_pem)
    return made


def bound(front: str, jwk: Any, good: Authority, shown: Issued) -> str:
    from integrator.identity.assertions import make

    form = {
        "grant_type": "client_credentials", "purpose": "parking_control", "client_assertion": make(jwk, "front-desk", f"{jwk['hub']}/oauth/token", time.time()),
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    }  # fmt: skip
    reply = httpx.post(f"{front}/oauth/token", data=form, verify=tls(good, shown), trust_env=False, timeout=30.0)
    assert 200 == reply.status_code, reply.text
    import base64

    part = reply.json()["access_token"].split(".")[1]
    assert {"x5t#S256": thumbprint(shown.der)} == json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))[
        "cnf"
    ]
    return str(reply.json()["access_token"])


def ask_through(front: str, token: str, good: Authority, shown: Issued | None, **more: str) -> int:
    headers = {"Authorization": f"Bearer {token}", **more}
    return httpx.post(
        f"{front}/vehicle/v1/registrations/check", json=QUESTION, headers=headers, verify=tls(good, shown), trust_env=False, timeout=30.0
    ).status_code  # fmt: skip


def as_header(one: Issued) -> str:
    import base64

    return f":{base64.b64encode(one.der).decode()}:"
