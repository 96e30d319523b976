"""Texts are kept as they were."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from integrator.errors import ConfigurationError
from integrator.governing.archive import Archive

TEXT = b"purpose: resident_permit\ntitle: {nl: bewonerskaart}\n"
DIGEST = hashlib.sha256(TEXT).hexdigest()


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive(tmp_path / "texts")


def test_a_text_comes_back_byte_for_byte(archive: Archive) -> None:
    assert DIGEST == archive.put(TEXT)
    assert TEXT == archive.get(DIGEST)
    assert TEXT == archive.get(f"sha256:{DIGEST}")  # as ledger entries write it


def test_the_same_text_twice_is_one_file(archive: Archive, tmp_path: Path) -> None:
    archive.put(TEXT)
    archive.put(TEXT)

    assert [DIGEST] == [path.name for path in (tmp_path / "texts").iterdir()]
    assert [DIGEST] == list(archive.digests())


def test_an_old_text_stays_when_a_new_one_comes(archive: Archive) -> None:
    old, new = archive.put(TEXT), archive.put(TEXT + b"# amended\n")

    assert [TEXT, TEXT + b"# amended\n"] == [archive.get(old), archive.get(new)]


def test_a_file_that_was_edited_is_no_text(archive: Archive, tmp_path: Path) -> None:
    archive.put(TEXT)
    (tmp_path / "texts" / DIGEST).write_bytes(TEXT + b"# edited")

    assert archive.get(DIGEST) is None
    assert DIGEST == archive.put(TEXT)  # and is put right by who still has the text
    assert TEXT == archive.get(DIGEST)


@pytest.mark.parametrize("name", ["../../secret", "", "sha256:", "A" * 64, f"{DIGEST}/x"])
def test_what_is_no_digest_opens_no_file(archive: Archive, name: str) -> None:
    archive.put(TEXT)

    assert archive.get(name) is None


def test_where_nothing_can_be_kept_it_says_so(tmp_path: Path) -> None:
    (tmp_path / "texts").write_text("a file where the folder should be")

    with pytest.raises(ConfigurationError):
        Archive(tmp_path / "texts").put(TEXT)


def test_nothing_kept_yet_is_empty(archive: Archive) -> None:
    assert [] == list(archive.digests())
