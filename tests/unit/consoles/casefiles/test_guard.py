"""What a letter would tell those who should not know is found before it leaves."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from audit.reports import Row
from integrator.consoles.casefiles.files import Decision, Line, kept
from integrator.consoles.casefiles.guard import Guard, grounds
from integrator.consoles.rendering import words

DAY = 86_400_000_000
TS = 1_795_440_600_123_456


@dataclass
class Purpose:
    activity: str
    disclosure: dict[str, Any] = field(default_factory=dict)


PURPOSES = [
    Purpose("plain", {"rule": "immediate", "thirdPartySafe": True}),
    Purpose("family", {"rule": "immediate", "thirdPartySafe": False}),
    Purpose("later", {"rule": "delayed(P30D)", "thirdPartySafe": True}),
    Purpose("never", {"rule": "withheld(inquiry)", "thirdPartySafe": True}),
]


def a_row(activity: str, index: int = 1, **more: Any) -> Row:
    given: dict[str, Any] = {
        "shard": "hub", "index": index, "part": 0, "ts": TS, "kind": "outcome", "trace_id": f"{index:032x}", "span_id": "7" * 16,
        "parent": None, "name": "person.get", "status": "Ok", "reason": None, "org": "1992100975", "app": "counter",
        "source": None, "operation": None, "activity": activity, "op": None, "initiator": "official", "counts": {"subjects": 1},
    }  # fmt: skip
    return Row(**{**given, **more})


def guard(days: float = 1) -> Guard:
    return Guard(PURPOSES, lambda: TS + int(days * DAY))  # type: ignore[arg-type]


def a_line(row: Row, decided: Decision | None = None) -> Line:
    return Line(kept(row), guard().propose(row), decided)


@pytest.mark.parametrize(
    ("row", "what", "ground"),
    [
        (a_row("plain"), "show", None),
        (a_row("family"), "show", None),
        (a_row("plain", part=1), "show", None),
        (a_row("family", part=1), "omit", "others"),
        (a_row("later"), "delay", "purpose_later"),
        (a_row("never"), "omit", "purpose_withheld"),
        (a_row("plain", vis=1), "omit", "restricted"),
        (a_row("long gone"), "show", None),
    ],
    ids=[
        "at once",
        "her own act",
        "a relative, safe",
        "a relative, unsafe",
        "not yet",
        "never",
        "by order",
        "a purpose that is gone",
    ],
)
def test_each_line_gets_a_proposal(row: Row, what: str, ground: str | None) -> None:
    proposal = guard().propose(row)

    assert (what, ground) == (proposal.what, proposal.ground)


def test_a_delayed_line_is_shown_once_its_time_has_come() -> None:
    assert "show" == guard(31).propose(a_row("later")).what


def test_an_order_holds_whatever_anybody_decided() -> None:
    assert "omit" == a_line(a_row("plain", vis=1), Decision("show", why="somebody thought better")).decision.what


@pytest.mark.parametrize(
    ("lines", "wounds"),
    [
        ([a_line(a_row("plain"))], set()),
        ([a_line(a_row("family"))], {"household"}),
        ([a_line(a_row("family", part=1), Decision("show", why="she was the bride"))], {"their_act", "against"}),
        ([a_line(a_row("plain", counts={"subjects": 3}))], {"several"}),
        ([a_line(a_row("plain", categories=("members.ssin",)))], {"relatives"}),
        (
            [a_line(a_row("plain")), a_line(a_row("plain", 2, trace_id=f"{1:032x}"), Decision("omit", "crime"))],
            {"half"},
        ),
        ([a_line(a_row("family", part=1))], set()),
    ],
    ids=[
        "nothing",
        "read at home",
        "a relative's act",
        "others in the entry",
        "family data",
        "half an exchange",
        "left out",
    ],
)
def test_what_could_be_read_between_the_lines_is_named(lines: list[Line], wounds: set[str]) -> None:
    assert wounds == {one.word for one in guard().infer(lines)}


def test_every_ground_and_warning_has_words() -> None:
    named = [f"casefiles.ground_{code}" for code in grounds()]
    named += [
        f"casefiles.infer_{word}" for word in ("their_act", "half", "against", "household", "several", "relatives")
    ]

    assert [] == [name for name in named if name not in words()]
