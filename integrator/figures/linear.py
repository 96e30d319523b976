"""What follows from sums: whether one sum can be written with others. Sparse rows, modulo a large prime.

Modulo a prime a sum may at worst seem to follow although it does not; then one figure more is kept back.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

PRIME = 2**61 - 1
Row = dict[Any, int]


class Span:
    """All that can be made of the rows added so far, by adding and subtracting multiples."""

    def __init__(self) -> None:
        self._rows: dict[Any, Row] = {}  # by pivot, which stands in its row with 1; in the order they came

    def add(self, row: Mapping[Any, int]) -> None:
        left = self._reduced(row)
        if left:
            pivot = next(iter(left))
            inverse = pow(left[pivot], -1, PRIME)
            self._rows[pivot] = {name: value * inverse % PRIME for name, value in left.items()}

    def holds(self, row: Mapping[Any, int]) -> bool:
        """Whether the row follows from those added.

        >>> span = Span()
        >>> span.add({"a": 1, "b": 1})
        >>> span.add({"b": 1})
        >>> span.holds({"a": 1}), span.holds({"c": 1})
        (True, False)
        """
        return not self._reduced(row)

    def _reduced(self, row: Mapping[Any, int]) -> Row:
        left = {name: value % PRIME for name, value in row.items() if value % PRIME}
        for pivot, known in self._rows.items():  # a later row has none of the pivots before it
            times = left.get(pivot, 0)
            if times:
                for name, value in known.items():
                    now = (left.get(name, 0) - times * value) % PRIME
                    if now:
                        left[name] = now
                    else:
                        left.pop(name, None)
        return left
