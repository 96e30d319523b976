"""Signing in by a local account: what a guesser learns, what a code is worth, and whose cookie counts."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from integrator.consoles.accounts import Accounts
from integrator.consoles.signin import totp
from integrator.consoles.web import Consoles
from integrator.errors import ConfigurationError
from tests.unit.consoles.doorstep import Browser, Clock, consoles

PASSWORD = "a long sentence of my own"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def house(tmp_path: Path, clock: Clock) -> Iterator[Consoles]:
    opened = consoles(tmp_path, clock)
    yield opened
    opened.database.close()


@pytest.fixture
def accounts(house: Consoles) -> Accounts:
    found: Accounts = house.extras["accounts"]
    return found


def enrolled(accounts: Accounts, clock: Clock, name: str = "dpo-hub") -> str:
    """An account that is ready; the secret of its app. The clock goes on, so that the next code is new."""
    secret = totp.new_secret()
    assert accounts.set_up(accounts.add(name, ["hub_dpo"]), PASSWORD, secret, code(secret, clock)) is not None
    clock.now += totp.STEP
    return secret


def code(secret: str, clock: Clock) -> str:
    return totp.code_at(secret, int(clock.now) // totp.STEP)


async def sign_in(browser: Browser, name: str, password: str, code: str) -> int:
    await browser.get("/console/signin")
    return (await browser.post("/console/signin", name=name, password=password, code=code)).status


async def test_password_and_code_together_begin_a_session_with_a_new_number(house, accounts, clock):
    secret, browser = enrolled(accounts, clock), Browser(house)
    await browser.get("/console/signin")
    before = browser.cookies["session"]

    assert 303 == await sign_in(browser, "dpo-hub", PASSWORD, code(secret, clock))
    assert before != browser.cookies["session"]
    assert await house.sessions.find(before) is None
    assert "dpo-hub" == (await house.sessions.find(browser.cookies["session"])).person.name


async def test_a_code_that_was_used_is_worth_nothing(house, accounts, clock):
    secret = enrolled(accounts, clock)
    used = code(secret, clock)
    assert 303 == await sign_in(Browser(house), "dpo-hub", PASSWORD, used)

    assert 401 == await sign_in(Browser(house), "dpo-hub", PASSWORD, used)


async def test_two_with_the_same_code_at_the_same_time_are_one(house, accounts, clock):
    secret = enrolled(accounts, clock)
    both = [asyncio.to_thread(accounts.check, "dpo-hub", PASSWORD, code(secret, clock)) for _ in range(2)]

    assert 1 == len([person for person in await asyncio.gather(*both) if person is not None])


async def test_a_wrong_password_and_an_unknown_account_look_the_same(house, accounts, clock):
    enrolled(accounts, clock)
    pages = []
    for name in ("dpo-hub", "dpo-hud"):
        browser = Browser(house)
        assert 401 == await sign_in(browser, name, "wrong", "000000")
        pages.append(browser.page.replace(name, "NAME").split('name="csrf"')[0])

    assert pages[0] == pages[1]


async def test_a_known_and_an_unknown_name_have_to_wait_alike(house, accounts, clock):
    secret = enrolled(accounts, clock)
    for name in ("dpo-hub", "dpo-hud"):
        seen = [await sign_in(Browser(house), name, "wrong", "000000") for _ in range(6)]
        assert [401] * 5 + [429] == seen

    assert 429 == await sign_in(Browser(house), "dpo-hub", PASSWORD, code(secret, clock))

    clock.now += 61

    assert 303 == await sign_in(Browser(house), "dpo-hub", PASSWORD, code(secret, clock))


async def test_a_stranger_who_fails_on_purpose_does_not_lock_the_owner_out(house, accounts, clock):
    secret, owner = enrolled(accounts, clock), Browser(house)
    assert 303 == await sign_in(owner, "dpo-hub", PASSWORD, code(secret, clock))
    for _ in range(6):
        await sign_in(Browser(house), "dpo-hub", "wrong", "000000")
    clock.now += totp.STEP
    del owner.cookies["session"]

    assert 303 == await sign_in(owner, "dpo-hub", PASSWORD, code(secret, clock))


async def test_a_thousand_guesses_at_the_same_time_count_as_so_many(house, accounts, clock):
    enrolled(accounts, clock)
    seen = await asyncio.gather(*(sign_in(Browser(house), "dpo-hub", "wrong", "000000") for _ in range(12)))

    assert 5 == seen.count(401)


def test_a_setup_code_works_once_and_not_after_a_week(accounts, clock):
    first, secret = accounts.add("auditor-2", ["auditor"]), totp.new_secret()
    clock.now += 7 * 86_400 + 1
    assert accounts.to_set_up(first) is None
    again = accounts.reset("auditor-2")
    assert accounts.set_up(again, PASSWORD, secret, code(secret, clock)) is not None

    assert accounts.set_up(again, PASSWORD, secret, code(secret, clock)) is None


async def test_a_reset_ends_password_app_and_sessions(house, accounts, clock):
    secret, browser = enrolled(accounts, clock), Browser(house)
    await sign_in(browser, "dpo-hub", PASSWORD, code(secret, clock))
    accounts.reset("dpo-hub")
    clock.now += totp.STEP

    assert await house.sessions.find(browser.cookies["session"]) is None
    assert accounts.check("dpo-hub", PASSWORD, code(secret, clock)) is None


@pytest.mark.parametrize(
    ("name", "roles", "org"),
    [("x", ["auditor"], None), ("dpo-x", ["dpo"], None), ("hub-x", ["hub_dpo"], "1992100975"), ("ann", ["citizen"], None), ("nobody", [], None)],
)  # fmt: skip
def test_an_account_that_makes_no_sense_is_not_made(accounts, name, roles, org):
    with pytest.raises(ConfigurationError):
        accounts.add(name, roles, org)


async def test_local_accounts_do_not_exist_in_production(tmp_path, clock):
    house = consoles(tmp_path, clock, secure=True, sandbox=False)
    browser = Browser(house)
    await browser.get("/console/signin")

    assert "password" not in browser.page
    token = house.vault.tag("csrf", browser.cookies["__Host-session"])
    assert 404 == (await browser.post("/console/signin", token, name="a", password="b", code="c")).status
    assert 404 == (await browser.get("/console/setup")).status
    house.database.close()


@pytest.mark.parametrize(
    ("moment", "expected"),
    [(59, "287082"), (1111111109, "081804"), (1111111111, "050471"), (1234567890, "005924"), (2000000000, "279037")],
)
def test_codes_are_those_of_rfc_6238(moment, expected):
    secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"

    assert expected == totp.code_at(secret, moment // totp.STEP)
