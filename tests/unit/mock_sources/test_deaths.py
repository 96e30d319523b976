"""The base of acts refuses what no officer may sign; the permit register withdraws for who died, and gives back for a wrong act."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from mock_sources.packages.acts import Acts
from mock_sources.packages.permits import LENGTH, Permits, parse

PERSON, OTHER = "84651797654", "94641897237"
ACT = {"ssin": PERSON, "factDate": "2026-11-20", "municipality": "21004"}


@pytest.fixture
def acts(tmp_path: Path) -> Acts:
    return Acts(tmp_path / "packages" / "acts.json", lambda: datetime(2026, 11, 23, tzinfo=UTC))


@pytest.fixture
def permits(tmp_path: Path) -> Permits:
    made = Permits(tmp_path / "packages" / "permits.db", tmp_path / "import")
    asyncio.run(made.grant({"plate": "1ABC123", "ssin": PERSON}))
    return made


def file(folder: Path, number: int, *rows: tuple[str, str, str]) -> None:
    lines = [f"D{notice:0>32}{holder}{life}" for notice, holder, life in rows]
    lines.append(f"T{len(rows):>6}".ljust(LENGTH))
    (folder / "import" / f"parking_deaths-{number:06}.txt").write_bytes(
        "".join(f"{one}\r\n" for one in lines).encode("cp1252")
    )


def status(permits: Permits, plate: str = "1ABC123") -> Any:
    return asyncio.run(permits.permit(plate))["status"]


@pytest.mark.parametrize(
    "said",
    [{"ssin": "84651797655"}, {"ssin": "8465179765"}, {"factDate": "2026-11-24"}, {"factDate": "never"}, {"municipality": "Uccle"}],
    ids=["check-digits", "too-short", "tomorrow", "no-date", "no-code"],
)  # fmt: skip
def test_an_act_that_cannot_be_is_not_drawn_up(acts: Acts, said: dict[str, str]) -> None:
    with pytest.raises(ValueError):
        asyncio.run(acts.register({**ACT, **said}))


def test_nobody_has_two_acts_of_death_in_force(acts: Acts) -> None:
    first = asyncio.run(acts.register(ACT))
    with pytest.raises(ValueError, match="in force"):
        asyncio.run(acts.register(ACT))

    asyncio.run(acts.annul(first))

    assert first != asyncio.run(acts.register(ACT))
    with pytest.raises(ValueError, match="annulled already"):
        asyncio.run(acts.annul(first))


def test_acts_and_token_outlive_a_restart(acts: Acts, tmp_path: Path) -> None:
    asyncio.run(acts.register(ACT))
    again = Acts(tmp_path / "packages" / "acts.json", lambda: datetime(2026, 11, 23, tzinfo=UTC))

    assert acts.token == again.token
    with pytest.raises(ValueError, match="in force"):
        asyncio.run(again.register(ACT))


def test_a_permit_of_who_is_not_in_life_is_withdrawn(permits: Permits, tmp_path: Path) -> None:
    asyncio.run(permits.grant({"plate": "1XYZ999", "ssin": OTHER}))
    file(tmp_path, 1, ("a", PERSON, "N"), ("b", OTHER, "J"))

    assert "withdrawn: the holder died" == status(permits)
    assert "active" == status(permits, "1XYZ999")


def test_what_was_withdrawn_for_a_wrong_act_is_given_back_and_nothing_else(permits: Permits, tmp_path: Path) -> None:
    asyncio.run(permits.grant({"plate": "1SUS001", "ssin": PERSON, "suspended": True}))
    file(tmp_path, 1, ("a", PERSON, "N"))
    assert "withdrawn: the holder died" == status(permits)

    file(tmp_path, 2, ("b", PERSON, "J"))

    assert ["active", "suspended"] == [status(permits), status(permits, "1SUS001")]


def test_a_notice_that_was_read_is_not_read_again(permits: Permits, tmp_path: Path) -> None:
    file(tmp_path, 1, ("a", PERSON, "N"))
    status(permits)
    file(tmp_path, 2, ("b", PERSON, "J"))
    status(permits)

    file(tmp_path, 3, ("a", PERSON, "N"))

    assert "active" == status(permits)


@pytest.mark.parametrize(
    "content",
    [b"", b"D\r\n", b"T     1".ljust(LENGTH) + b"\r\n", b"T     0".ljust(LENGTH), b"X".ljust(LENGTH) + b"\r\n" + b"T     1".ljust(LENGTH) + b"\r\n"],
    ids=["empty", "short", "wrong-count", "cut", "no-row"],
)  # fmt: skip
def test_a_file_that_is_not_whole_is_no_file(permits: Permits, tmp_path: Path, content: bytes) -> None:
    with pytest.raises(ValueError):
        parse(content)
    (tmp_path / "import" / "parking_deaths-000009.txt").write_bytes(content)

    assert {"status": "active", "notices": 0, "filesAside": 1} == asyncio.run(permits.permit("1ABC123"))
