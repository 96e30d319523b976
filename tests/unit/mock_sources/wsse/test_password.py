"""The password gate: a digest counts once, for five minutes, for one user."""

from __future__ import annotations

import base64
from datetime import timedelta

import pytest
from lxml import etree

from mock_sources.wsse import PasswordGate, SecurityRefused, names
from mock_sources.wsse.username import digest

USER, SECRET = "participant", "a secret of the kit"


def message(clock, *, user=USER, secret=SECRET, nonce=b"0123456789abcdef", age=0, kind=names.PASSWORD_DIGEST, stamp=0):
    created = f"{clock() - timedelta(seconds=age):%Y-%m-%dT%H:%M:%SZ}"
    begun, ended = (f"{clock() + timedelta(seconds=at):%Y-%m-%dT%H:%M:%SZ}" for at in (-stamp, 300 - stamp))
    word = digest(nonce, created, secret.encode()) if kind == names.PASSWORD_DIGEST else secret
    return etree.fromstring(
        f'<S:Envelope xmlns:S="{names.SOAP}" xmlns:w="{names.WSSE}" xmlns:u="{names.WSU}"><S:Header><w:Security>'
        f"<u:Timestamp><u:Created>{begun}</u:Created><u:Expires>{ended}</u:Expires></u:Timestamp><w:UsernameToken>"
        f'<w:Username>{user}</w:Username><w:Password Type="{kind}">{word}</w:Password>'
        f"<w:Nonce>{base64.b64encode(nonce).decode()}</w:Nonce><u:Created>{created}</u:Created></w:UsernameToken>"
        "</w:Security></S:Header><S:Body><question/></S:Body></S:Envelope>"
    )


@pytest.fixture
def gate(clock):
    return PasswordGate(USER, SECRET, clock)


def test_the_right_password_opens(gate, clock):
    assert "question" == gate.admit(message(clock))[0].tag


@pytest.mark.parametrize(
    ("code", "wound"),
    [
        ("FailedAuthentication", {"secret": "another"}),
        ("FailedAuthentication", {"user": "somebody"}),
        ("MessageExpired", {"age": 301}),
        ("MessageExpired", {"age": -61}),
        ("MessageExpired", {"stamp": 301}),
        ("UnsupportedAlgorithm", {"kind": names.PASSWORD_DIGEST.replace("Digest", "Text")}),
        ("InvalidSecurity", {"nonce": b"short"}),
    ],
    ids=[
        "wrong_password",
        "wrong_user",
        "old_token",
        "token_of_tomorrow",
        "old_timestamp",
        "bare_password",
        "short_nonce",
    ],
)
def test_a_wounded_token_is_refused(gate, clock, code, wound):
    with pytest.raises(SecurityRefused) as refused:
        gate.admit(message(clock, **wound))

    assert code == refused.value.code


def test_a_nonce_counts_once(gate, clock):
    gate.admit(message(clock))

    with pytest.raises(SecurityRefused, match="replay"):
        gate.admit(message(clock))
