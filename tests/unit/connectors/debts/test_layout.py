"""How amounts, days and references of accounting packages are read: exactly, or not at all."""

from __future__ import annotations

import random

import pytest
import yaml

from connectors.debts.layout import Layout, Unreadable, in_cents, structured, with_comma, with_point
from integrator.errors import ConfigurationError
from tests.contract import cases as played

ROOM = played.ROOT / "connectors" / "debts"


def digits(number: int) -> str:
    return f"{number:010}{number % 97 or 97:02}"


@pytest.mark.parametrize("seed", range(100))
def test_an_amount_is_the_same_however_it_is_written(seed):
    cents = random.Random(seed).randrange(1, 10**8)
    euro = f"{cents // 100}.{cents % 100:02}"
    comma = f"{cents // 100:,}".replace(",", ".") + f",{cents % 100:02}"

    assert [euro] * 4 == [in_cents(cents), with_point(euro), with_comma(comma), with_comma(euro.replace(".", ","))]


@pytest.mark.parametrize("said", [0, -1, 12.5, "12", True, 10**12, None])
def test_what_is_no_number_of_cents_is_no_amount(said):
    with pytest.raises(Unreadable, match="AMOUNT"):
        in_cents(said)


@pytest.mark.parametrize("said", ["1,234.56", "12.34,56", "12", "12,5", "-1,00", "0,00", "1.23,45", "१,00", 12.0])
def test_what_may_be_another_amount_is_none(said):
    with pytest.raises(Unreadable, match="AMOUNT"):
        with_comma(said)


@pytest.mark.parametrize("seed", range(100))
def test_a_reference_whose_digits_fit_is_read_and_any_other_digit_is_seen(seed):
    chance = random.Random(seed)
    whole = digits(chance.randrange(1, 10**10))
    place = chance.randrange(12)
    wrong = whole[:place] + str((int(whole[place]) + chance.randrange(1, 10)) % 10) + whole[place + 1 :]
    read = structured(whole)

    assert (whole, read) == ("".join(filter(str.isdigit, read)), structured(read))
    with pytest.raises(Unreadable, match="REFERENCE"):
        structured(wrong)


def test_a_rest_of_nothing_is_written_as_97():
    assert "+++000/0000/09797+++" == structured("000000009797")
    with pytest.raises(Unreadable, match="REFERENCE"):
        structured("000000009700")


@pytest.mark.parametrize(
    "change",
    [{"package": "another"}, {"surprise": 1}, {"amount": {"at": "x", "form": "float"}}, {"state": {"at": "x", "words": {"A": "paid"}}}, {"items": None, "kind": None}],
    ids=["another_name", "a_word_too_many", "a_form_that_is_none", "a_word_of_ours_that_is_none", "nothing"],
)  # fmt: skip
def test_a_layout_that_is_none_is_refused_at_the_start(change, tmp_path):
    (tmp_path / "packages").mkdir()
    (tmp_path / "contract").symlink_to(ROOM / "contract")
    data = yaml.safe_load((ROOM / "packages" / "receipts.yaml").read_text())
    path = tmp_path / "packages" / "receipts.yaml"
    path.write_text(yaml.safe_dump(data))
    assert "receipts" == Layout.load(path).package

    path.write_text(yaml.safe_dump(data | change))

    with pytest.raises(ConfigurationError):
        Layout.load(path)
