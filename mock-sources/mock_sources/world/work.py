"""Who works for whom. Derived people have none, one or two employers, by arithmetic on their number; nothing is kept."""

from __future__ import annotations

from mock_sources.world.arithmetic import key_for, scatter
from mock_sources.world.blocks import BLOCKS
from mock_sources.world.facts import Occupation, Person
from mock_sources.world.firms import ENTERPRISES_IN_BLOCK, Firms
from mock_sources.world.identifiers import enterprise_number

_COMMISSIONS = ("200", "124", "302", "201", "119", "140.03")
_FULL_TIME = 3800


class Work:
    """The jobs of derived people. Three adults in five have one, one in ten of those has a second one beside it."""

    def __init__(self, seed: int, firms: Firms) -> None:
        self._key = key_for(seed, "work")
        self._firms = firms

    def of(self, person: Person) -> tuple[Occupation, ...]:
        """Newest first; nobody under eighteen or over sixty-six, and nothing after a death."""
        draw = scatter(self._key, int(person.ssin))
        born = int(person.birth_date[:4])
        if draw % 5 >= 3 or born > 2026 - 20 or born < 2026 - 66:
            return ()
        end = person.death.date if person.death else None
        since = max(born + 18, 2026 - 2 - draw // 5 % 12)
        first = self._job(draw, f"{since}-{draw // 7 % 12 + 1:02d}-01", end)
        if draw // 11 % 10:
            return (first,)
        return first, self._job(scatter(self._key, draw), f"{max(since, 2023)}-02-15", end)

    def _job(self, draw: int, start: str, end: str | None) -> Occupation:
        block, place = draw % BLOCKS, 4 + draw // BLOCKS % (ENTERPRISES_IN_BLOCK - 4)
        manual, part = draw // 3 % 2 == 0, draw // 13 % 3 == 0
        return Occupation(
            self._firms.number(block, place),
            start,
            end if end and end > start else None,
            "015" if manual else "495",
            _COMMISSIONS[draw // 17 % len(_COMMISSIONS)],
            _FULL_TIME // 2 if part else _FULL_TIME,
            500,
            (11_000 + draw // 19 % 14_000) // (2 if part else 1),
        )


def nsso_number(employer: str) -> str:
    """Under which the NSSO knows an employer: ours, nine digits that follow from the enterprise number.

    >>> nsso_number("1800001185")
    '800001164'
    """
    return enterprise_number(int(employer[:8]) % 10_000_000)[1:]
