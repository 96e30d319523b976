"""Time stamps of a running hub: real authority, real wire, three judges; lies that are refused; hours without any."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from audit.posting import Unreachable
from audit.timestamps import StampInvalid, Tsa, check_stamp, load_roots, openssl
from audit.timestamps.newest import Attested, attested
from integrator.commands import sandbox
from integrator.commands.sandbox import Sandbox
from integrator.settings import Settings
from tests.flows.sandboxes import Beside, Callers, beside, callers, heal, plain_environment, strike

TEXT = b"audit.integrator.example/sandbox/anchor\n7\nK7gNU3sdo+OL0wNhqoVWhr3g6s1xYv72ol/pe/Unols=\n"
QUESTION = {"plateNumber": "1ABC123", "dossierReference": "FLOW-2026-1"}
HOURS = 3600


@pytest.fixture
def ill(hub: Sandbox) -> Iterator[Callable[..., None]]:
    yield lambda kind, **more: strike(hub.mocks, "tsa", kind, **more)
    heal(hub.mocks, "tsa")


@pytest.fixture
def tsa(hub: Sandbox) -> Tsa:
    return Tsa("sandbox", f"{hub.mocks}/tsa", hub.state / "mock" / "tsa" / "root.pem", timeout=2.0)


def until(holds: Callable[[], Any], what: str, seconds: float = 45.0) -> Any:
    """What `holds` gives once it gives something."""
    deadline = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < deadline, f"{what}: not within {seconds} s"
        time.sleep(0.1)
    return found


def anchor_of_hub(chosen: Settings) -> str:
    return f"{chosen.audit['name']}/{chosen.mode}/anchor"


def ask(of: Callers) -> tuple[int, str]:
    """Status and error code of one ordinary question."""
    reply = of.ask("vehicle.registrationCheck", QUESTION, purpose="parking_control")
    return reply.status, str(reply.body.get("code", "")) if reply.status != 200 else ""


def test_what_a_hub_records_is_stamped_by_an_outsider_and_all_judges_agree(
    hub: Sandbox, hub_settings: Settings, doors: Callers
) -> None:
    assert (200, "") == ask(doors)
    folder, anchor = hub.state / "log", anchor_of_hub(hub_settings)

    found: Attested = until(lambda: attested(folder, anchor), "a stamp of the anchor")

    response = found.stamps["sandbox"]
    text = found.note.rpartition(b"\n\n")[0] + b"\n"
    roots = load_roots(hub.state / "mock" / "tsa" / "root.pem")
    assert check_stamp(response, text, roots) == openssl.verify(response, text, roots)
    assert abs((check_stamp(response, text, roots) - datetime.now(UTC)).total_seconds()) < HOURS
    with pytest.raises(StampInvalid):
        check_stamp(response, text.replace(anchor.encode(), b"another.example/anchor"), roots)


@pytest.mark.parametrize("kind", ["wrong_nonce", "wrong_imprint", "expired_certificate", "http503", "http500", "reset"])
def test_an_authority_that_lies_or_fails_gives_no_stamp(kind: str, ill: Callable[..., None], tsa: Tsa) -> None:
    ill(kind)

    with pytest.raises((StampInvalid, Unreachable)):
        tsa.stamp(TEXT)


@pytest.mark.parametrize("kind", ["empty", "truncated", "malformed", "content_type"])
def test_a_broken_answer_is_no_stamp(kind: str, ill: Callable[..., None], tsa: Tsa) -> None:
    ill(kind)

    with pytest.raises((StampInvalid, Unreachable)):
        tsa.stamp(TEXT)


@pytest.mark.parametrize("kind", ["hang", "drip"])
def test_an_authority_that_keeps_us_waiting_is_given_up_in_its_time(
    kind: str, ill: Callable[..., None], tsa: Tsa
) -> None:
    ill(kind, **({"ms": 60_000} if kind == "drip" else {}))

    with pytest.raises(Unreachable):  # a drip never pauses for as long as the timeout, and is given up all the same
        tsa.stamp(TEXT)


def test_certificates_out_of_order_are_no_lie(ill: Callable[..., None], tsa: Tsa) -> None:
    ill("unsorted_certificates")

    assert tsa.stamp(TEXT).response


def test_hours_without_a_stamp_refuse_with_a_code_and_the_next_stamp_ends_it(
    hub: Sandbox, tmp_path: Path, ill: Callable[..., None]
) -> None:
    with beside(hub, tmp_path / "state", start=False) as own:
        anchor = anchor_of_hub(own.settings)
        ill("http503")
        own.start()
        first = callers(own.running, own.settings, tmp_path / "keys")
        assert (200, "") == ask(first)  # an outage blocks nobody …
        until(lambda: (own.state / "log" / anchor / "checkpoint").exists(), "an anchor checkpoint")
        until(lambda: (stamps(own) / "sandbox.json").exists(), "somebody waiting for a stamp")
        own.end()
        (stamps(own) / "sandbox.json").write_text(
            json.dumps({"origin": anchor, "size": -1, "at": None, "since": time.time() - 5 * HOURS})
        )
        with plain_environment():  # ready it will not be: it may record nothing
            own.process = sandbox.start(own.running, "hub-late", command(own), f"{own.hub}/livez")
        assert (503, "STAMPS_OVERDUE") == ask(first)  # … until it has lasted
        heal(hub.mocks, "tsa")
        until(lambda: ask(first) == (200, ""), "recording again")
        assert attested(own.state / "log", anchor)
        first.close()


def stamps(own: Beside) -> Path:
    return Path(str(own.settings.audit["signedState"])) / "stamps"


def command(own: Beside) -> list[str]:
    return sandbox.command("serve", "--settings", str(own.file))
