"""Which organisations say that they keep a file about the citizen who looks: his own, and only what is safe to show him.

A quality is never shown: that somebody is registered as a cohabitant would tell him what another in his household asked
for. For the same reason a purpose that is not safe for third parties, or not shown at once, is left out whole; the page says
to everybody, in the same words, that there may be more.
"""

from __future__ import annotations

from dataclasses import dataclass

from integrator.consoles.book import Aim
from integrator.consoles.dpo.asking import today
from integrator.consoles.visit import Visit
from integrator.directory import DirectoryUnavailable


@dataclass(frozen=True, slots=True)
class Files:
    """(organisation, purpose) in the reader's language, or that nobody could look."""

    lines: tuple[tuple[str, str], ...] = ()
    unavailable: bool = False


async def files_about(visit: Visit) -> Files | None:
    """None where there is no directory, or the visitor is nobody with a number. The page's own look is on record."""
    directory, subject = visit.consoles.extras.get("directory"), visit.person.subject
    if directory is None or subject is None or subject.type != "nrn":
        return None
    book = visit.consoles.book
    safe = {aim.code: aim.title.in_(visit.language) for aim in book.aims.values() if _is_safe(aim)}
    try:
        found = await directory.recipients(subject.id, today(visit), purposes=frozenset(safe))
    except DirectoryUnavailable:
        return Files(unavailable=True)
    lines = {(book.organisation(organisation, visit.language), safe[purpose]) for organisation, purpose, _ in found}
    return Files(tuple(sorted(lines)))


def _is_safe(aim: Aim) -> bool:
    return bool(aim.disclosure.get("thirdPartySafe")) and aim.disclosure.get("rule") == "immediate"
