"""What the tests of the directory share: a directory on either engine, its people, and time that is told."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from integrator.directory import Directory, Key, Period, Rules, open_directory

ANN, BEA, CAS = "85660812341", "92671504761", "84651797654"  # test numbers: month 61 to 72
CENTRE, TOWN, OTHER_CENTRE = "1982101265", "1992101272", "1982100176"
PURPOSE = "social_inquiry"
NOON = 1_795_435_200.0  # 2026-11-23 12:00 UTC
RULES = Rules(
    {"17": frozenset({"1", "2", "7"}), "*": frozenset({"0", "902"})}, {CENTRE: "17", OTHER_CENTRE: "17", TOWN: "65"}
)


class Clock:
    """A second passes with every look at it: no two changes happen at once."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> float:
        self.now += 1
        return self.now


@contextmanager
def a_directory(url: str, folder: Path, clock: Clock | None = None) -> Iterator[Directory]:
    directory = open_directory(url, folder / "keys", RULES, clock or Clock())
    try:
        yield directory
    finally:
        directory.close()


def key(subject: str = ANN, organisation: str = CENTRE, purpose: str = PURPOSE, quality: str = "2") -> Key:
    return Key(organisation, subject, purpose, quality)


def day(text: str) -> date:
    """`03-15` of 2026."""
    return date.fromisoformat("2026-" + text)


def period(starts: str, ends: str | None = None) -> Period:
    return Period(day(starts)) if ends is None else Period(day(starts), day(ends))
