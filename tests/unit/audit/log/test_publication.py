"""Published files appear whole or not at all, and nothing outside the folder can be reached."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from audit.log import publication as room
from audit.log.publication import Publication


@pytest.fixture
def publication(tmp_path: Path) -> Publication:
    return Publication(tmp_path / "log")


def test_what_was_written_is_read(publication: Publication):
    publication.write("a/b/checkpoint", b"one")
    publication.write("a/b/checkpoint", b"two")

    assert b"two" == publication.read("a/b/checkpoint")
    assert ["a/b/checkpoint"] == list(publication.files("a/b"))


@pytest.mark.parametrize(
    "path", ["../out", "a/../../out", "/etc/passwd", "a//b", ".hidden", "a/.hidden", "", "a/", "a b", "a\nb"]
)
def test_a_path_out_of_the_folder_is_not_there(publication: Publication, path: str):
    with pytest.raises(FileNotFoundError):
        publication.read(path)
    with pytest.raises(FileNotFoundError):
        publication.write(path, b"x")


def test_a_full_disk_leaves_the_old_file_and_no_draft(publication: Publication, monkeypatch: pytest.MonkeyPatch):
    publication.write("a/checkpoint", b"old")
    monkeypatch.setattr(room.os, "fsync", _no_space)

    with pytest.raises(OSError, match="No space"):
        publication.write("a/checkpoint", b"new")

    monkeypatch.undo()
    assert b"old" == publication.read("a/checkpoint")
    assert ["checkpoint"] == [path.name for path in (publication.folder / "a").iterdir()]


def test_file_and_folder_are_synced_and_the_folder_after_the_rename(
    publication: Publication, monkeypatch: pytest.MonkeyPatch
):
    done: list[str] = []
    monkeypatch.setattr(room.os, "fsync", _noting(done, os.fsync))
    monkeypatch.setattr(room.os, "rename", _noting(done, os.rename))
    publication.write("checkpoint", b"x")

    assert ["fsync", "rename", "fsync"] == done


def test_a_partial_tile_that_is_gone_is_cut_from_its_full_tile(publication: Publication):
    publication.write("a/tile/0/000", bytes(range(256)) * 32)

    assert (bytes(range(256)) * 32)[:96] == publication.read("a/tile/0/000.p/3")


def test_entries_are_never_cut_by_bytes(publication: Publication):
    publication.write("a/tile/entries/000", b"x" * 512)

    with pytest.raises(FileNotFoundError):
        publication.read("a/tile/entries/000.p/3")


def test_logs_are_found_without_reading_their_tiles(publication: Publication, monkeypatch: pytest.MonkeyPatch):
    for origin in ("x/test/hub-1/2026", "x/test/hub-1/2026-2", "x/test/anchor"):
        publication.write(f"{origin}/vkey", b"key")
        publication.write(f"{origin}/tile/0/000", b"")
    looked: list[str] = []
    listed = Path.iterdir
    monkeypatch.setattr(Path, "iterdir", lambda self: looked.append(self.name) or listed(self))

    assert ["x/test/anchor", "x/test/hub-1/2026", "x/test/hub-1/2026-2"] == publication.origins()
    assert not {"tile", "2026"} & set(looked)


def _no_space(descriptor: int) -> None:
    raise OSError(28, "No space left on device")


def _noting(done: list[str], what):
    def noted(*arguments, **more):
        done.append(what.__name__)
        return what(*arguments, **more)

    return noted
