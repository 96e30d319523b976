"""What several bodies say: added up exactly, and never to a total while one of them is unknown."""

from __future__ import annotations

import random
from decimal import Decimal
from fractions import Fraction

import pytest

from integrator.errors import SourceFault, SourceUnavailable
from integrator.gathered import Body, Told, added, listed, retry_after, together
from integrator.model import LocalizedString
from integrator.services import Gather

GATHER = Gather("items", "amount")
SEEDS = range(200)


def body(number: int) -> Body:
    return Body(f"19700{number:05}", LocalizedString(f"nl {number}", f"fr {number}", f"en {number}"))


def amounts(chance: random.Random) -> list[str]:
    return [f"{chance.randrange(10**6)}.{chance.randrange(100):02}" for _ in range(chance.randrange(6))]


def known(number: int, said: list[str]) -> Told:
    return Told(body(number), listed({"bodies": [{"items": [{"amount": one} for one in said]}]}, GATHER))


@pytest.mark.parametrize("seed", SEEDS)
def test_the_total_is_the_exact_sum_of_every_item_in_whatever_order(seed):
    chance = random.Random(seed)
    said = [amounts(chance) for _ in range(chance.randrange(1, 6))]
    exact = sum((Fraction(one) for each in said for one in each), Fraction(0))
    told = [known(number, each) for number, each in enumerate(said)]
    total = together(told, "fr")["total"]
    chance.shuffle(told)
    for each in said:
        chance.shuffle(each)

    assert {"complete": True, "amount": total["amount"]} == total
    assert exact == Fraction(total["amount"])
    assert -2 == Decimal(total["amount"]).as_tuple().exponent
    assert total == together(told, "nl")["total"]
    assert total == together([known(number, each) for number, each in enumerate(said)], "fr")["total"]


@pytest.mark.parametrize("seed", SEEDS)
def test_there_is_no_total_while_one_is_unknown(seed):
    chance = random.Random(seed)
    told = [known(number, amounts(chance)) for number in range(chance.randrange(1, 6))]
    for _ in range(chance.randrange(1, 4)):
        silent = Told(body(99), {}, chance.choice([SourceUnavailable("x"), SourceFault("x", "SCHEMA")]))
        told.insert(chance.randrange(len(told) + 1), silent)
    document = together(told, "en")

    assert {"complete": False} == document["total"]
    assert ["unknown" if one.error else "known" for one in told] == [one["state"] for one in document["bodies"]]
    assert [one.error is None for one in told] == ["amount" in one for one in document["bodies"]]


def test_nobody_asked_is_no_total_of_nothing():
    assert {"complete": False} == together([], "fr")["total"]


def test_a_body_that_owes_nothing_is_known_and_one_that_is_silent_is_not():
    document = together([Told(body(1), listed(None, GATHER)), Told(body(2), {}, SourceUnavailable("x"))], "fr")

    assert [("known", "0.00", []), ("unknown", None, None)] == [
        (one["state"], one.get("amount"), one.get("items")) for one in document["bodies"]
    ]
    assert ["fr 1", "fr 2"] == [one["body"]["name"] for one in document["bodies"]]


def test_who_is_silent_longest_says_when_to_ask_again():
    late = SourceUnavailable("x")
    late.retry_after = 600

    assert 600 == retry_after([known(1, ["1.00"]), Told(body(2), {}, SourceUnavailable("x")), Told(body(3), {}, late)])
    assert retry_after([known(1, [])]) is None


@pytest.mark.parametrize("amount", ["1.005", "NaN", "Infinity", "twelve", ""])
def test_what_is_no_amount_in_euro_and_cents_is_not_added_up(amount):
    with pytest.raises((ArithmeticError, ValueError)):
        added(["1.00", amount])


def test_an_item_without_an_amount_makes_no_smaller_sum():
    with pytest.raises(KeyError):
        listed({"bodies": [{"items": [{"amount": "1.00"}, {"kind": "tax"}]}]}, GATHER)
