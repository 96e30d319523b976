"""The key of a message: a UUID always will do, a number of a person never."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from integrator.api.deliveries import _idempotency
from integrator.errors import MalformedRequest

NUMBER = "7101" + "0112345"


def asked(key: str) -> str:
    request = SimpleNamespace(headers={"idempotency-key": key})
    return _idempotency(request)  # type: ignore[arg-type]


def test_a_uuid_that_ends_in_eleven_digits_is_a_key() -> None:
    key = f"7c0d4d8e-31f3-4a5e-9d0c-a{NUMBER}"

    assert key == asked(key)


@pytest.mark.parametrize("before", ["", "case-", "IX"], ids=["alone", "behind a dash", "behind letters"])
def test_a_number_of_a_person_is_none(before: str) -> None:
    with pytest.raises(MalformedRequest):
        asked(before + NUMBER)
