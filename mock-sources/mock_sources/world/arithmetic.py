"""Scattering without remembering: hashes and bijections small enough to compute again for every question.

A `Shuffle` is a permutation of `0 … size-1` that needs no table: a Feistel network over the digits of the index in
a mixed base (row, column). It runs backwards as fast as forwards, so "which person has this number?" costs what
"which number has this person?" costs. Nothing here is secret or meant to be: it only has to look unsorted.
"""

from __future__ import annotations

from math import isqrt

_MASK = (1 << 64) - 1
_ODD = 0x9E3779B97F4A7C15  # 2**64 / golden ratio, the usual odd multiplier for scattering integers
_ODD2 = 0xBF58476D1CE4E5B9
_ROUNDS = 4


def scatter(key: int, value: int) -> int:
    """Mix a key and a value into 32 even bits; the same in every process (Python's own `hash` of text is not).

    >>> scatter(7, 1), scatter(7, 2)
    (405367786, 471072292)
    """
    mixed = ((value ^ key) * _ODD) & _MASK
    mixed = ((mixed ^ (mixed >> 31)) * _ODD2) & _MASK
    return mixed >> 32


def key_for(seed: int, topic: str) -> int:
    """A 64-bit key of its own for every topic ("sex", "names" …), so that facts do not follow each other."""
    key = seed & _MASK
    for byte in topic.encode():
        key = ((key ^ byte) * _ODD2 + _ODD) & _MASK
    return key ^ (key >> 29)


class Shuffle:
    """A permutation of `0 … size-1`: `shuffle[i]` is the place of i, `shuffle.back(place)` is i again.

    >>> deck = Shuffle(52, key=7)
    >>> sorted(deck[i] for i in range(52)) == list(range(52)), deck.back(deck[17])
    (True, 17)
    """

    __slots__ = ("_columns", "_keys", "_rows", "size")

    def __init__(self, size: int, key: int) -> None:
        self.size = size
        self._columns = largest_divisor_up_to_the_root(size)
        self._rows = size // self._columns
        self._keys = tuple(scatter(key, turn) << 16 for turn in range(_ROUNDS))

    # The four rounds are written out: this is the innermost step of every answer, and a call costs more than a round.

    def __getitem__(self, index: int) -> int:
        rows, columns = self._rows, self._columns
        row, column = divmod(index, columns)
        first, second, third, fourth = self._keys
        row = (row + (((column + first) * _ODD & _MASK) >> 37)) % rows
        column = (column + (((row + second) * _ODD & _MASK) >> 37)) % columns
        row = (row + (((column + third) * _ODD & _MASK) >> 37)) % rows
        column = (column + (((row + fourth) * _ODD & _MASK) >> 37)) % columns
        return row * columns + column

    def back(self, place: int) -> int:
        rows, columns = self._rows, self._columns
        row, column = divmod(place, columns)
        first, second, third, fourth = self._keys
        column = (column - (((row + fourth) * _ODD & _MASK) >> 37)) % columns
        row = (row - (((column + third) * _ODD & _MASK) >> 37)) % rows
        column = (column - (((row + second) * _ODD & _MASK) >> 37)) % columns
        row = (row - (((column + first) * _ODD & _MASK) >> 37)) % rows
        return row * columns + column


def largest_divisor_up_to_the_root(size: int) -> int:
    """The column count that makes the grid as square as it can be.

    >>> largest_divisor_up_to_the_root(10_000), largest_divisor_up_to_the_root(52)
    (100, 4)
    """
    return next(divisor for divisor in range(isqrt(size), 0, -1) if size % divisor == 0)
