"""The bearer token: bought once for all, ahead of time, and never at the price of somebody else's question."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import pytest

from connectors.div.token import Secret, Tokens, read_secret
from integrator.contract import HttpAnswer
from integrator.errors import ConfigurationError, SourceFault, SourceUnavailable


class Shop:
    """Sells numbered tokens; `gate` holds the sale up, `failing` refuses it."""

    def __init__(self) -> None:
        self.now, self.sold, self.failing = 1000.0, 0, False
        self.gate = asyncio.Event()
        self.gate.set()
        self.requests: list[dict[str, Any]] = []
        self.answer: dict[str, Any] = {"token_type": "Bearer", "expires_in": 300}

    async def send(self, method: str, path: str, **options: Any) -> HttpAnswer:
        self.requests.append({"method": method, "path": path, **options})
        await self.gate.wait()
        if self.failing:
            raise SourceUnavailable("div")
        self.sold += 1
        body = json.dumps({"access_token": f"token-{self.sold}", **self.answer}).encode()
        return HttpAnswer(200, "application/json", body, {})


@pytest.fixture
def shop() -> Shop:
    return Shop()


@pytest.fixture
def tokens(shop: Shop) -> Tokens:
    return Tokens(shop.send, Secret("hub", "s3:cret/+"), {}, lambda: shop.now)


def soon(seconds: float = 5.0) -> float:
    return time.monotonic() + seconds


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_first_question_buys_a_token(tokens):
    assert "Bearer token-1" == await tokens.get(soon())


async def test_next_questions_use_the_same_one(tokens, shop):
    for _ in range(5):
        await tokens.get(soon())

    assert 1 == shop.sold


async def test_fifty_questions_at_once_buy_one_token(tokens, shop):
    shop.gate.clear()
    asking = [asyncio.create_task(tokens.get(soon())) for _ in range(50)]
    await settled()
    shop.gate.set()
    await asyncio.gather(*asking)

    assert 1 == len(shop.requests)


async def test_ageing_token_is_used_while_it_is_renewed_beside(tokens, shop):
    await tokens.get(soon())
    shop.now += 250
    shop.gate.clear()

    assert "Bearer token-1" == await tokens.get(soon())


async def test_ageing_token_is_replaced(tokens, shop):
    await tokens.get(soon())
    shop.now += 250
    await tokens.get(soon())
    await settled()

    assert "Bearer token-2" == await tokens.get(soon())


async def test_token_is_not_used_in_its_last_seconds(tokens, shop):
    await tokens.get(soon())
    shop.now += 296

    assert "Bearer token-2" == await tokens.get(soon())


async def test_renewal_ahead_that_fails_costs_the_question_nothing(tokens, shop):
    await tokens.get(soon())
    shop.now, shop.failing = shop.now + 250, True
    await tokens.get(soon())
    await settled()

    assert "Bearer token-1" == await tokens.get(soon())


async def test_renewal_ahead_that_fails_is_not_tried_for_every_question(tokens, shop):
    await tokens.get(soon())
    shop.now, shop.failing = shop.now + 250, True
    for _ in range(20):
        await tokens.get(soon())
        await settled()

    assert 2 == len(shop.requests)


async def test_refused_token_is_replaced(tokens):
    tokens.refused(await tokens.get(soon()))

    assert "Bearer token-2" == await tokens.get(soon())


async def test_late_refusal_of_an_old_token_leaves_the_new_one(tokens, shop):
    old = await tokens.get(soon())
    tokens.refused(old)
    await tokens.get(soon())
    tokens.refused(old)
    await tokens.get(soon())

    assert 2 == shop.sold


async def test_caller_who_gives_up_does_not_take_the_token_from_others(tokens, shop):
    shop.gate.clear()
    hasty, patient = asyncio.create_task(tokens.get(soon())), asyncio.create_task(tokens.get(soon()))
    await settled()
    hasty.cancel()
    await settled()
    shop.gate.set()

    assert "Bearer token-1" == await patient


async def test_caller_waits_no_longer_than_its_deadline(tokens, shop):
    shop.gate.clear()

    with pytest.raises(SourceUnavailable):
        await tokens.get(soon(0.02))
    shop.gate.set()
    await settled()


async def test_failed_purchase_is_tried_again_by_the_next_question(tokens, shop):
    shop.failing = True
    with pytest.raises(SourceUnavailable):
        await tokens.get(soon())
    shop.failing = False

    assert "Bearer token-1" == await tokens.get(soon())


async def test_client_and_secret_are_form_encoded_before_base64(tokens, shop):
    await tokens.get(soon())

    assert "Basic aHViOnMzJTNBY3JldCUyRiUyQg==" == shop.requests[0]["headers"]["Authorization"]


@pytest.mark.parametrize(
    "wound",
    [
        {"access_token": "a b"},
        {"access_token": "a\nb"},
        {"access_token": ""},
        {"access_token": 7},
        {"token_type": "mac"},
        {"expires_in": "soon"},
    ],
)
async def test_token_that_is_none_is_a_fault(tokens, shop, wound):
    shop.answer |= wound

    with pytest.raises(SourceFault):
        await tokens.get(soon())


async def test_fault_never_shows_the_token(tokens, shop):
    shop.answer |= {"access_token": "very secret"}

    with pytest.raises(SourceFault) as caught:
        await tokens.get(soon())

    assert "secret" not in repr(caught.value) + repr(caught.value.__cause__) + repr(caught.value.__dict__)


async def test_refused_client_is_told_as_credentials(shop):
    async def send(*_: Any, **__: Any) -> HttpAnswer:
        return HttpAnswer(401, "application/json", b'{"error":"invalid_client"}', {})

    with pytest.raises(SourceFault) as caught:
        await Tokens(send, Secret("a", "b"), {}, lambda: shop.now).get(soon())

    assert "CREDENTIALS" == caught.value.reason


def test_secret_does_not_show_itself():
    assert "hush" not in repr(Secret("hub", "hush"))


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"clientId": "a"}', None])
def test_kit_that_cannot_be_read_is_said_at_start(tmp_path: Path, content: str | None):
    if content is not None:
        (tmp_path / "div.json").write_text(content)

    with pytest.raises(ConfigurationError, match=r"sources\.div\.credentials"):
        read_secret({"credentials": str(tmp_path / "div.json")})
