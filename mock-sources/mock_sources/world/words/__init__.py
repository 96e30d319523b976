"""Word lists, as data: one text file each, words apart by spaces or one entry per line."""

from __future__ import annotations

from pathlib import Path

_FOLDER = Path(__file__).resolve().parent


def words(name: str) -> tuple[str, ...]:
    """All words of a list, in file order. Order matters: everybody's name depends on it."""
    return tuple((_FOLDER / f"{name}.txt").read_text(encoding="utf-8").split())


def lines(name: str) -> tuple[str, ...]:
    """All entries of a list with one entry per line."""
    return tuple(line.strip() for line in (_FOLDER / f"{name}.txt").read_text(encoding="utf-8").splitlines() if line)
