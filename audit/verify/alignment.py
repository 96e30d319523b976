"""What happened between the entries that are stored and those that were published: each difference under its name.

Both are sequences of leaf hashes. A hash that stands elsewhere in the other sequence was moved; one that stands nowhere
in it is alien (stored only) or lost (published only):

    alien and lost at one place   ENTRY_ALTERED        alien alone            ENTRY_INSERTED
    lost alone                    ENTRY_MISSING        two that changed place ENTRY_SWAPPED
    everything lost to the end    TAIL_CUT
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

ALTERED, MISSING, SWAPPED, INSERTED, CUT = [
    "ENTRY_ALTERED",
    "ENTRY_MISSING",
    "ENTRY_SWAPPED",
    "ENTRY_INSERTED",
    "TAIL_CUT",
]


@dataclass(frozen=True, slots=True)
class Wound:
    """One difference. `place` counts published entries; `stored` is the index in the store, None when nothing is there."""

    code: str
    place: int
    stored: int | None
    expected: bytes | None  # leaf hash, 32 bytes; None = nothing belongs there
    found: bytes | None
    also: int | None  # the other place, of two that were swapped
    shifts: bool  # everything stored after it stands at another index than it was published under


def align(stored: Sequence[tuple[int, bytes]], published: Sequence[bytes], first: int = 0) -> list[Wound]:
    """Differences, in order of place. `first`: index of the first published hash given; stored ones have their own.

    What is stored beyond the last published entry is no difference: it awaits its checkpoint.

    >>> a, b, c = (bytes([n]) * 32 for n in (1, 2, 3))
    >>> [wound.code for wound in align([(0, b), (1, a), (2, c)], [a, b, c])]
    ['ENTRY_SWAPPED']
    >>> [(wound.code, wound.place) for wound in align([(0, a), (1, c)], [a, b, c])]
    [('ENTRY_MISSING', 1)]
    """
    stored_at = {leaf: position for position, (_, leaf) in enumerate(stored)}
    published_at = {leaf: position for position, leaf in enumerate(published)}
    wounds: list[Wound] = []
    swapped: set[int] = set()
    here = there = 0  # positions in `stored` and `published`
    while here < len(stored) and there < len(published):
        index, found = stored[here]
        expected = published[there]
        if found == expected:
            here, there = here + 1, there + 1
            continue
        alien, lost = found not in published_at, expected not in stored_at
        if alien and not lost:
            wounds.append(Wound(INSERTED, first + there, index, None, found, None, True))
            here += 1
        elif lost and not alien:
            renumbered = index == first + there  # a gap in the indices is seen; closed, all that follows moved
            wounds.append(Wound(MISSING, first + there, None, expected, None, None, renumbered))
            there += 1
        else:
            if alien:
                wounds.append(Wound(ALTERED, first + there, index, expected, found, None, False))
            elif there not in swapped:
                swapped |= {there, published_at[found]}
                other = first + published_at[found]
                wounds.append(Wound(SWAPPED, first + there, index, expected, found, other, False))
            here, there = here + 1, there + 1
    if there < len(published):
        wounds.append(Wound(CUT, first + there, None, published[there], None, None, False))
    return wounds
