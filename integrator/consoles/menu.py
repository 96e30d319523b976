"""The menu in groups: a handful of lines stands as it is, more of them are put together by what one comes to do.

Which line belongs where is a table of the words under which the lines stand; what nobody put anywhere comes last.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

FEW = 8  # as many lines stand without groups

# fmt: off
GROUPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("shell.menu_look", ("dpo.home", "dpo.person", "dpo.agent", "dpo.reads", "dpo.files", "casefiles.menu", "reveals.menu", "dpo.programs")),
    ("shell.menu_decide", ("emergencies.menu", "orders.menu", "applications.menu", "me.office", "mandates.title")),
    ("shell.menu_wrong", ("dpo.refusals", "dpo.dangling", "dpo.unknown", "dpo.failed", "alerts.menu", "alerts.breach")),
    ("shell.menu_texts", ("texts.menu", "texts.diet_menu", "dpo.policies", "dpo.fields", "dpo.retention", "alerts.protected")),
    ("shell.menu_ledger", ("auditor.menu", "auditor.days", "auditor.compare", "dpo.health", "alerts.statistics")),
)
# fmt: on


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the menu."""

    path: str
    word: str
    roles: frozenset[str]


@dataclass(frozen=True, slots=True)
class Group:
    """Lines of the menu that belong together. `word`: its heading; None where the menu is short enough without."""

    word: str | None
    entries: tuple[Entry, ...]

    def has(self, path: str) -> bool:
        """Whether this page is among these; `path` without /console."""
        return any(path == one.path for one in self.entries)


def grouped(entries: Iterable[Entry]) -> list[Group]:
    """The menu of somebody who may see these; groups in their order, no empty one."""
    seen = list(entries)
    if len(seen) <= FEW:
        return [Group(None, tuple(seen))] if seen else []
    by_word = {one.word: one for one in seen}
    made = [Group(title, tuple(by_word.pop(word) for word in words if word in by_word)) for title, words in GROUPS]
    made.append(Group("shell.menu_rest", tuple(by_word.values())))
    return [one for one in made if one.entries]
