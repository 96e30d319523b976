"""Nothing that is kept back can be computed from what is told. The reader of these tests solves the equations himself."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from integrator.figures.suppression import ALL, suppress

ONE_BY_ONE = (frozenset({0}), frozenset({1}), frozenset({2}), frozenset())
NESTED = (*ONE_BY_ONE, frozenset({0, 1}), frozenset({1, 2}), frozenset({0, 2}))


def figures(counts, totals):
    """Every figure with its cells, made anew: nothing of the module that is tested."""
    cells = {key: n for key, n in counts.items() if n}
    width = len(next(iter(cells), ()))
    found: dict[tuple[str, ...], set] = {}
    for kept in {*totals, frozenset(range(width))}:
        for cell in cells:
            found.setdefault(tuple(v if at in kept else ALL for at, v in enumerate(cell)), set()).add(cell)
    return {key: (sum(cells[one] for one in inside), inside) for key, inside in found.items()}


def computed(counts, totals, told):
    """What a reader can compute: figures whose cells follow, by Gauss over the fractions, from the figures told."""
    known = figures(counts, totals)
    cells = sorted({cell for _, inside in known.values() for cell in inside})
    rows = [[Fraction(cell in known[key][1]) for cell in cells] for key in told]
    reduced: list[tuple[int, list[Fraction]]] = []

    def left(row):
        for pivot, other in reduced:
            if row[pivot]:
                times = row[pivot]
                row = [one - times * two for one, two in zip(row, other, strict=True)]
        return row

    for row in rows:
        row = left(row)
        pivot = next((at for at, one in enumerate(row) if one), None)
        if pivot is not None:
            reduced.append((pivot, [one / row[pivot] for one in row]))
    return {key for key, (_, inside) in known.items() if not any(left([Fraction(cell in inside) for cell in cells]))}


names = st.sampled_from("abcd")
tables = st.dictionaries(st.tuples(names, names, names), st.one_of(st.integers(1, 9), st.integers(1, 60)), max_size=24)


@given(tables, st.sampled_from([ONE_BY_ONE, NESTED, (frozenset(),)]), st.sampled_from([2, 5, 10]))
@settings(max_examples=300, deadline=None)
def test_no_small_figure_can_be_computed_from_what_is_told(counts, totals, k):
    told = suppress(counts, totals, k)
    known = figures(counts, totals)

    assert [] == [key for key in computed(counts, totals, told) if 0 < known[key][0] < k]


@given(tables, st.sampled_from([ONE_BY_ONE, NESTED]), st.sampled_from([2, 10]))
@settings(max_examples=200, deadline=None)
def test_what_is_left_of_a_total_beside_its_told_parts_is_nothing_or_a_figure_that_might_be_told(counts, totals, k):
    told, known = suppress(counts, totals, k), figures(counts, totals)
    left = []
    for total, other in product(told, [*totals, frozenset({0, 1, 2})]):
        kept = frozenset(at for at, one in enumerate(total) if one != ALL)
        if kept < other:
            parts = {tuple(v if at in other else ALL for at, v in enumerate(cell)) for cell in known[total][1]}
            left.append(known[total][0] - sum(told.get(part, 0) for part in parts))

    assert [] == [rest for rest in left if 0 < rest < k]


@given(tables, st.sampled_from([2, 10]))
@settings(max_examples=100, deadline=None)
def test_what_is_told_is_true_and_never_small(counts, k):
    known = figures(counts, ONE_BY_ONE)

    assert {} == {key: n for key, n in suppress(counts, ONE_BY_ONE, k).items() if n < k or n != known[key][0]}


def test_one_small_cell_takes_a_neighbour_with_it():
    told = suppress({("a",): 3, ("b",): 12, ("c",): 40}, (frozenset(),), 10)

    assert {("c",): 40, (ALL,): 55} == told  # 3 would be 55 - 40 - 12; 15 of two together is no secret


def test_two_small_cells_that_make_too_little_together_take_a_third():
    told = suppress({("a",): 3, ("b",): 2, ("c",): 12, ("d",): 40}, (frozenset(),), 10)

    assert {("d",): 40, (ALL,): 57} == told


def test_a_small_cell_beside_nothing_takes_the_total_with_it():
    assert {} == suppress({("a",): 3}, (frozenset(),), 10)


def test_an_empty_table_tells_nothing():
    assert {} == suppress({}, ONE_BY_ONE, 10)


def test_a_small_total_of_one_body_cannot_be_taken_from_the_total_of_all():
    counts = {("a", "x"): 2, ("a", "y"): 2, ("b", "x"): 50, ("b", "y"): 50, ("c", "x"): 30, ("c", "y"): 31}
    told = suppress(counts, (frozenset({0}), frozenset({1}), frozenset()), 10)

    assert ("a", ALL) not in computed(counts, (frozenset({0}), frozenset({1}), frozenset()), told)


def test_a_k_that_protects_nobody_is_refused():
    with pytest.raises(ValueError, match="at least 2"):
        suppress({("a",): 3}, (), 1)


def test_a_cell_that_bridges_two_blocks_follows_from_no_single_total_and_yet_from_all_of_them():
    """Every row and column has two hidden cells or more that make enough; (a, z) is what rows a and b have beyond x and y."""
    blocks = [("a", "x"), ("a", "y"), ("b", "x"), ("b", "y"), ("c", "z"), ("c", "w"), ("d", "z"), ("d", "w")]
    counts = dict.fromkeys(blocks, 6) | {("a", "z"): 3, ("e", "x"): 70, ("e", "z"): 80}
    totals = (frozenset({0}), frozenset({1}), frozenset())
    plain = {key: n for key, (n, _) in figures(counts, totals).items() if n >= 10}
    told = suppress(counts, totals, 10)

    assert ("a", "z") in computed(counts, totals, plain)  # so it would be, if only small figures were kept back
    assert ("a", "z") not in computed(counts, totals, told)
    assert told
