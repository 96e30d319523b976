"""Small cells are kept back, and with them whatever would let a reader compute one.

A table is a count for each cell, and totals over some of its dimensions. A figure below `k` (and above 0) is kept back.
Then others are kept back too, until for what is told three things hold:

1. under every total that is told, the figures kept back are none, or at least two that make at least k together;
2. no small figure, cell or total, can be computed from the totals told, however they are added and subtracted;
3. so nothing that follows from the table is a figure that would not have been told itself.

What a reader knows beforehand is taken to be everything but the figures: which cells are not 0 is no secret here. What
remains possible is a range: a small figure lies between 1 and k - 1, which its absence says anyway.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from integrator.figures.linear import Span

ALL = "*"  # in the place of a dimension that a total goes over
Key = tuple[str, ...]
Kept = frozenset[int]  # positions of the dimensions that a total keeps apart


@dataclass(frozen=True, slots=True)
class Table:
    """Every figure there is, and which cells each of them adds up."""

    figures: Mapping[Key, int]
    cells: Mapping[Key, tuple[Key, ...]]  # of each figure, those that are not 0
    children: Mapping[Key, tuple[tuple[Key, ...], ...]]  # of a total: for each way to split it, its parts

    @classmethod
    def of(cls, counts: Mapping[Key, int], totals: Sequence[Kept]) -> Table:
        """`totals`: which dimensions each kind of total keeps; frozenset() is the total of all."""
        cells = {key: n for key, n in counts.items() if n}
        width = len(next(iter(cells), ()))
        kinds = [*{*totals} - {frozenset(range(width))}, frozenset(range(width))]
        parts: dict[Key, list[Key]] = {}
        for kind in kinds:
            for cell in cells:
                parts.setdefault(_over(cell, kind), []).append(cell)
        figures = {key: sum(cells[one] for one in inside) for key, inside in parts.items()}
        children: dict[Key, list[tuple[Key, ...]]] = {}
        for kind in kinds:
            for finer in (one for one in kinds if kind < one):
                split: dict[Key, dict[Key, None]] = {}
                for cell in cells:
                    split.setdefault(_over(cell, kind), {})[_over(cell, finer)] = None
                for key, found in split.items():
                    children.setdefault(key, []).append(tuple(found))
        return cls(
            figures, {key: tuple(one) for key, one in parts.items()}, {key: tuple(one) for key, one in children.items()}
        )


def suppress(counts: Mapping[Key, int], totals: Sequence[Kept], k: int) -> dict[Key, int]:
    """The figures that may be told, cells and totals (`ALL` in the place of what they go over). k: at least 2."""
    if k < 2:
        raise ValueError("a cell of one is somebody: k is at least 2")
    table = Table.of(counts, totals)
    told = {key for key, n in table.figures.items() if n >= k}
    while (more := next(_too_much(table, told, k), None)) is not None:
        told.discard(more)
    return {key: table.figures[key] for key in sorted(told)}


def rounded(figure: int, base: int) -> int:
    """To the nearest multiple of `base`, halves up. 1 = as it is.

    >>> rounded(12, 5), rounded(13, 5), rounded(7, 1)
    (10, 15, 7)
    """
    return (figure + base // 2) // base * base


def _too_much(table: Table, told: set[Key], k: int) -> Iterator[Key]:
    """What has to be kept back next; nothing when all is well."""
    for parent in sorted(told):
        for parts in table.children.get(parent, ()):
            hidden = [part for part in parts if part not in told]
            if hidden and (len(hidden) < 2 or sum(table.figures[part] for part in hidden) < k):
                yield _smallest(table, [part for part in parts if part in told]) or parent
    span = Span()
    hidden_cells = {key for key in table.cells if ALL not in key and key not in told}
    for total in told:
        row = {cell: 1 for cell in table.cells[total] if cell in hidden_cells}
        if row and ALL in total:
            span.add(row)
    for figure, n in table.figures.items():
        if (
            n < k
            and figure not in told
            and span.holds({cell: 1 for cell in table.cells[figure] if cell in hidden_cells})
        ):
            yield _guard(table, told, figure)


def _guard(table: Table, told: set[Key], figure: Key) -> Key:
    """What is kept back so that `figure` cannot be computed: the smallest beside it, else the smallest total over it."""
    above = [total for total in told if ALL in total and set(table.cells[figure]) & set(table.cells[total])]
    beside = [part for total in above for parts in table.children[total] for part in parts if part in told]
    return min(
        beside or above, key=lambda key: (table.figures[key], key)
    )  # a total over it was told, or nothing would follow


def _smallest(table: Table, keys: list[Key]) -> Key | None:
    return min(keys, key=lambda key: (table.figures[key], key), default=None)


def _over(cell: Key, kept: Kept) -> Key:
    return tuple(value if at in kept else ALL for at, value in enumerate(cell))
