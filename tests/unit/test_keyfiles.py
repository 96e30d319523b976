"""Files of keys: never seen half, never overwritten, and there after a power cut."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from integrator.consoles.vault import open_vault
from integrator.directory.seals import open_seals
from integrator.keyfiles import made_once, write_new
from integrator.pseudonyms import open_pseudonyms


@pytest.mark.parametrize(
    ("file", "open_"),
    [
        ("pseudonyms.key", lambda folder: open_pseudonyms(folder / "pseudonyms.key", "sandbox")),
        ("console-keys/vault.key", open_vault),
        ("directory.key", open_seals),
        ("some.key", lambda folder: made_once(folder / "some.key", lambda: os.urandom(32))),
    ],
    ids=["pseudonyms", "consoles", "directory", "any"],
)
def test_a_process_that_starts_beside_never_reads_an_empty_key(
    file: str, open_: Callable[[Path], Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[str, int | None]] = []
    sync, link = os.fsync, os.link

    def look(what: str) -> None:
        path = tmp_path / file
        seen.append((what, path.stat().st_size if path.exists() else None))

    def synced(descriptor: int) -> None:
        look("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "content")
        sync(descriptor)

    def linked(*paths: Any) -> None:
        look("link")
        link(*paths)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(os, "link", linked)
    open_(tmp_path)

    assert ["content", "link", "folder"] == [what for what, _ in seen]
    assert [None, None] == [size for _, size in seen[:2]]
    assert (tmp_path / file).stat().st_size == seen[2][1] > 0
    assert 0o600 == stat.S_IMODE((tmp_path / file).stat().st_mode)
    assert [Path(file).name] == [one.name for one in (tmp_path / file).parent.iterdir()]


def test_of_two_processes_that_both_saw_none_the_first_ones_key_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "some.key"
    first = made_once(path, lambda: b"first")
    monkeypatch.setattr(Path, "exists", lambda self: False)

    assert (b"first", b"first") == (first, made_once(path, lambda: b"second"))


def test_what_a_process_that_died_left_stops_nobody(tmp_path: Path) -> None:
    """In a container every process has the number of the one before it."""
    (tmp_path / f".some.key.{os.getpid()}").write_bytes(b"half")
    write_new(tmp_path / "some.key", b"whole")

    assert b"whole" == (tmp_path / "some.key").read_bytes()
    with pytest.raises(FileExistsError):
        write_new(tmp_path / "some.key", b"other")
    assert b"whole" == (tmp_path / "some.key").read_bytes()
