"""Certificates that callers show: what is believed, by which name, and until when."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from integrator.errors import ConfigurationError, UnknownCaller
from integrator.identity.certificates import REVOKED, Certificates, read_thumbprint, thumbprint
from tests.unit.identity.crooked import WOUNDS, Authority, Issued, crooked

NOW = 1_795_000_000.0


class Desk:
    def __init__(self, folder: Path) -> None:
        self.now = NOW
        self.good, self.other = Authority(folder / "good", NOW), Authority(folder / "other", NOW, "Another one")
        self.revoked = folder / REVOKED
        self.believer = Certificates(self.good.pem, self.revoked, lambda: self.now)
        self.wounded = crooked(self.good, self.other)

    def believed(self, one: Issued) -> bool:
        try:
            self.believer.believe(one.der)
        except UnknownCaller:
            return False
        return True


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_a_certificate_for_clients_by_our_authority_is_believed(desk: Desk) -> None:
    one = desk.good.issue("caller")

    assert thumbprint(one.der) == desk.believer.believe(one.der)


@pytest.mark.parametrize("wound", WOUNDS)
def test_crooked_certificate(desk: Desk, wound: str) -> None:
    assert not desk.believed(desk.wounded[wound])


@pytest.mark.parametrize("der", [b"", b"\x30", b"\x30\x82\xff\xff" * 40, b"-----BEGIN CERTIFICATE-----"])
def test_bytes_that_are_no_certificate(desk: Desk, der: bytes) -> None:
    with pytest.raises(UnknownCaller):
        desk.believer.believe(der)


def test_certificate_ends_to_the_second_also_when_remembered(desk: Desk) -> None:
    one = desk.good.issue("short", days=(-1, 1))
    before = desk.believed(one)
    desk.now = one.certificate.not_valid_after_utc.timestamp()

    assert (True, False) == (before, desk.believed(one))


def test_revoked_by_thumbprint_bites_within_a_second(desk: Desk) -> None:
    one = desk.good.issue("stolen")
    before = desk.believed(one)
    desk.revoked.write_text(f"{thumbprint(one.der)}  # lost laptop\n")
    desk.now += 0.9

    assert (True, False) == (before, desk.believed(one))


def test_a_remark_revokes_nobody(desk: Desk) -> None:
    one = desk.good.issue("fine")
    desk.revoked.write_text(f"# {thumbprint(one.der)}\nnot a thumbprint\n")

    assert desk.believed(one)


def test_without_authority_of_ours_the_proxy_has_looked_but_we_look_at_its_use_and_end(
    desk: Desk, tmp_path: Path
) -> None:
    believer = Certificates(None, tmp_path / REVOKED, lambda: NOW)
    stranger = desk.wounded["of_another_authority"]

    assert thumbprint(stranger.der) == believer.believe(stranger.der)
    for wound in ("expired", "not_valid_yet", "for_servers", "for_nothing"):
        with pytest.raises(UnknownCaller):
            believer.believe(desk.wounded[wound].der)


def test_thumbprint_is_read_as_openssl_prints_it(desk: Desk) -> None:
    der = desk.good.issue("printed").der
    printed = ":".join(f"{byte:02X}" for byte in hashlib.sha256(der).digest())

    assert thumbprint(der) == read_thumbprint(printed) == read_thumbprint(thumbprint(der))


@pytest.mark.parametrize(
    "text", ["", "abc", "0" * 63, "=" * 43, "85660812341"], ids=["empty", "short", "odd", "signs", "number"]
)
def test_thumbprint_that_is_none(text: str) -> None:
    with pytest.raises(ConfigurationError):
        read_thumbprint(text)


def test_authorities_that_cannot_be_read_stop_the_start(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("no certificate")
    with pytest.raises(ConfigurationError):
        Certificates(tmp_path / "ca.pem", tmp_path / REVOKED, lambda: NOW)


async def test_token_asked_with_a_certificate_is_worth_nothing_without_it(shop: Any) -> None:
    status, body = await shop.identity.token(shop.form(), "A" * 43)
    token = body["access_token"]

    assert (200, "ixelles-parking") == (status, shop.identity.verify(token, "A" * 43).caller.application)
    for shown in (None, "B" * 43, ""):
        with pytest.raises(UnknownCaller):
            shop.identity.verify(token, shown)


async def test_token_asked_without_a_certificate_is_believed_with_and_without(shop: Any) -> None:
    token = await shop.token()

    assert shop.identity.verify(token).certificate is shop.identity.verify(token, "A" * 43).certificate is None
