"""Who asks too much is told to wait; nothing that could be found in memory afterwards says who it was."""

from __future__ import annotations

import pytest

from integrator.api.turnstile import Turnstile, network_of

PROXY = [{"address": "10.0.0.1"}]


def test_a_network_that_asks_more_than_its_share_waits_and_another_does_not():
    turnstile = Turnstile(3, lambda: 1000.0)

    assert [None, None, None, 60] == [turnstile.wait(b"one") for _ in range(4)]
    assert turnstile.wait(b"two") is None


def test_the_next_minute_knows_nobody_of_the_one_before():
    now = [1000.0]
    turnstile = Turnstile(1, lambda: now[0])
    turnstile.wait(b"one")
    key = turnstile._key
    assert 60 == turnstile.wait(b"one")
    now[0] = 1060.0

    assert turnstile.wait(b"one") is None
    assert key != turnstile._key


def test_no_address_stands_in_what_is_kept():
    turnstile = Turnstile(3, lambda: 1000.0)
    turnstile.wait(bytes([203, 0, 113, 77]))
    kept = b"".join([turnstile._cells.tobytes(), turnstile._key])

    assert bytes([203, 0, 113, 77]) not in kept
    assert 2 == sum(turnstile._cells)  # two cells of one: which network fills them, only the key of this minute tells


def test_thousands_of_networks_do_not_refuse_a_quiet_one():
    turnstile = Turnstile(60, lambda: 1000.0)
    for number in range(20_000):
        turnstile.wait(number.to_bytes(4))

    assert turnstile.wait(b"quiet") is None


@pytest.mark.parametrize(
    ("client", "forwarded", "network"),
    [
        ("203.0.113.7", b"", bytes([203, 0, 113, 7])),
        ("203.0.113.7", b"198.51.100.1", bytes([203, 0, 113, 7])),  # anybody may write that header
        ("10.0.0.1", b"6.6.6.6, 198.51.100.1", bytes([198, 51, 100, 1])),  # only what our proxy wrote
        ("10.0.0.1", b"", bytes([10, 0, 0, 1])),
        ("2001:db8:1:2:3:4:5:6", b"", bytes.fromhex("20010db800010002")),
        ("::ffff:203.0.113.7", b"", bytes([203, 0, 113, 7])),
        ("10.0.0.1", b"unknown", b"?"),
        ("", b"", b"?"),
    ],
)
def test_a_network_is_what_our_own_proxy_or_the_connection_says(client, forwarded, network):
    scope = {"client": (client, 1)} if client else {}

    assert network == network_of(scope, {b"x-forwarded-for": forwarded}, PROXY)
