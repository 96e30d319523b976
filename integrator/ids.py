"""Random ids for what stands in an address. None of them looks like a number of a person, which no address may hold."""

from __future__ import annotations

import re
import secrets

_LIKE_A_NUMBER = re.compile(r"\d{10}")  # an enterprise's has ten digits, a person's eleven


def new_id(size: int) -> str:
    """`size` random bytes as hex, drawn again while they hold ten digits in a row (one in thirty of 16 bytes).

    >>> len(new_id(12))
    24
    """
    while True:
        made = secrets.token_hex(size)
        if not like_a_number(made):
            return made


def like_a_number(text: str) -> bool:
    """Whether ten digits stand in a row.

    >>> like_a_number("0b1234567890"), like_a_number("0b123456789a0")
    (True, False)
    """
    return _LIKE_A_NUMBER.search(text) is not None
