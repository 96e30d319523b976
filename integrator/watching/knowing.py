"""What happened and which cases are open, as the rules of alerts ask for it: one look in, yes, no or a time out.

A look carries blind tags of its year only. Whom it was about and which case it named is opened here, in the clerk, and
compared by tag; what cannot be opened any more is not known, and nothing is concluded from it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime

from audit.alerts import Look, Sealed
from integrator.watching.cases import Cases
from integrator.watching.happenings import CHANGE, DEATH, MOVE, Happenings
from integrator.watching.tags import Tagger

JUST_BEFORE = 30 * 86_400_000_000  # µs: so long after a change it still explains a look
Registered = Callable[[str, str, date], bool]  # organisation, number, day: whether it keeps a file about this person


class Seen:
    """`home`: the municipality that an organisation stands for. `registered`: the directory of references, where there is one."""

    def __init__(
        self,
        sealed: Sealed,
        tagger: Tagger,
        cases: Cases,
        happenings: Happenings,
        home: Callable[[str], str | None],
        registered: Registered | None = None,
    ) -> None:
        self._sealed, self._tagger, self._cases, self._happenings = sealed, tagger, cases, happenings
        self._home, self._registered = home, registered

    def open_case(self, look: Look) -> bool:
        """The case it names was open then; or, where an organisation keeps no cases here, it names one. Or one of the person was."""
        if not self._sealed.opens(look):
            return True  # a forgotten month accuses nobody
        reference = self._sealed.case(look)
        if reference is not None:
            state = self._cases.state(look.org, reference)
            if state.open_at(look.ts) if state else not self._cases.kept_by(look.org):
                return True
        return any(self._cases.about(look.org, number, look.ts) for number in self._numbers(look))

    def case_closed(self, look: Look) -> int | None:
        """When the case it names was closed."""
        reference = self._sealed.case(look)
        state = self._cases.state(look.org, reference) if reference is not None else None
        return state.closed if state else None

    def death(self, look: Look) -> int | None:
        """When the person asked about died."""
        return next((at for at, _ in self._happened(DEATH, look)), None)

    def move(self, look: Look) -> int | None:
        """Since when the person asked about lives in another municipality than the one that asks."""
        home = self._home(look.org)
        return next((at for at, place in self._happened(MOVE, look) if home is not None and place != home), None)

    def recent_mutation(self, look: Look) -> bool:
        """Something about the person changed just before."""
        return any(0 <= look.ts - at <= JUST_BEFORE for at, _ in self._happened(CHANGE, look))

    def registration(self, look: Look) -> bool:
        """The organisation kept a file about the person."""
        if self._registered is None:
            return False
        day = datetime.fromtimestamp(look.ts // 1_000_000, UTC).date()
        return any(self._registered(look.org, number, day) for number in self._numbers(look))

    def _happened(self, kind: str, look: Look) -> Iterator[tuple[int, str]]:
        for number in self._numbers(look):
            found = self._happenings.at(kind, self._tagger.person(number))
            if found is not None:
                yield found

    def _numbers(self, look: Look) -> Iterator[str]:
        return (one.id for one in self._sealed.subjects(look) if one.type == "nrn")
