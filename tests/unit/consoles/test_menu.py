"""The menu: no line without a place, short ones as they were, long ones in groups."""

from __future__ import annotations

from integrator.consoles.menu import GROUPS, Entry, grouped
from integrator.consoles.opening import ROOMS

STAFF = frozenset({"dpo", "hub_dpo", "auditor", "steward"})


def of(*roles: str) -> list[Entry]:
    return [one for room in ROOMS for one in room.menu if one.roles & frozenset(roles)]


def test_every_line_of_the_staff_has_one_place_and_no_place_is_of_a_line_that_is_gone() -> None:
    placed = [word for _, words in GROUPS for word in words]

    assert sorted({one.word for one in of(*STAFF)}) == sorted(placed)


def test_a_short_menu_has_no_groups_and_a_long_one_loses_no_line() -> None:
    assert [None] == [group.word for group in grouped(of("citizen"))]
    for roles in (("hub_dpo",), ("dpo",), ("dpo", "hub_dpo", "auditor", "steward")):
        shown = [one for group in grouped(of(*roles)) for one in group.entries]

        assert sorted(one.path for one in of(*roles)) == sorted(one.path for one in shown)


def test_a_line_that_nobody_placed_comes_last() -> None:
    more = Entry("/new/", "new.menu", frozenset({"hub_dpo"}))

    last = grouped([more, *of("hub_dpo")])[-1]

    assert ("shell.menu_rest", (more,)) == (last.word, last.entries)
