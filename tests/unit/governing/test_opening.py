"""What a hub's office hands to the machine that proves: the newest texts, wherever they are kept."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from integrator import settings
from integrator.governing import opening
from integrator.governing.proving import load_all_services
from tests.unit.governing.kit import (
    GOOD,
    HUB,
    HUB_2,
    NOON,
    SCHOOL,
    STEWARD,
    STEWARD_2,
    Clock,
    Ledger,
    propose,
    without_gender,
    without_language,
)


class Shelf:
    """This year's book, which is a list."""

    def __init__(self) -> None:
        self.ledger = Ledger()

    async def begin(self) -> Shelf:
        return self

    def end(self) -> None:
        return None


async def test_a_change_is_proved_upon_what_was_approved_for_later_and_not_upon_what_runs_until_then(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[Any] = []

    async def noted(work: object, ledger: object, texts: Any, changed: object, *rest: object) -> Any:
        tried.append(texts[SCHOOL])
        return GOOD

    monkeypatch.setattr(opening, "apart", noted)
    chosen: Any = SimpleNamespace(governing={"database": f"sqlite:///{tmp_path}/governing.db"}, state=tmp_path)
    made = opening.open_governing(
        chosen, load_all_services(), settings.organisations(), Shelf(), None, Clock(), activates=False
    )
    one: Any = made
    first = await propose(one, STEWARD, without_language(), NOON + 86_400)
    for person in (HUB, HUB_2):
        await made.office.approve(person, first.id)
    await propose(one, STEWARD_2, without_gender(without_language()), NOON + 86_400)
    made.close()

    assert [made.live.current.texts[SCHOOL], without_language()] == tried
