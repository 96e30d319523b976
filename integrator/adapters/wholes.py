"""The effect of a file that is taken whole or not at all: its rows go on as the messages that they make together.

A message is itself by what it was gathered by, so the same file again, or another one that says the same, has no second
effect. What the hub refuses refuses the file; messages of it that were accepted by then stay, and are known the next time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from integrator.adapters.findings import FileRefused
from integrator.adapters.intake import Effect, Stopped, Taken
from integrator.adapters.participation import Participation


class AsOne:
    """Implements Effect over those of the deposits of one adapter. Raises `FileRefused`, `Stopped`."""

    def __init__(self, effects: Sequence[tuple[Participation, Effect]]) -> None:
        self._effects = effects

    async def __call__(self, rows: Sequence[Taken]) -> Mapping[str, str]:
        made = [(effect, list(_messages(part, rows))) for part, effect in self._effects]  # all of it before any of it
        refused: list[tuple[str, str]] = []
        for effect, messages in made:
            try:
                said = await effect(messages) or {}
            except Stopped as stop:
                raise Stopped(frozenset(), {}) from stop.__cause__
            refused += [(said[one.key], one.about) for one in messages if one.key in said]
        if refused:
            reason, about = refused[0]
            raise FileRefused(reason, about=about)
        return {}


def _messages(part: Participation, rows: Sequence[Taken]) -> list[Taken]:
    gather = part.gather
    assert gather is not None  # noqa: S101 (an adapter with `gather` has it in every deposit)
    made = gather.messages(row.values for row in rows)
    return [
        Taken(part.key("", values), number, values, " ".join(str(values[name]) for name in gather.by))
        for number, values in enumerate(made, start=1)
    ]
