"""Keys on disk: private, the same for ever, and gone when destroyed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from audit.errors import KeyMissing
from audit.keys import FileKeyRing

NAME = "kek-Y10-2026-11-subject"


def test_folder_and_key_are_private(tmp_path: Path) -> None:
    ring = FileKeyRing(tmp_path / "keys")
    ring.get(NAME, create=True)

    modes = [path.stat().st_mode & 0o777 for path in (ring.folder, ring.folder / f"{NAME}.key")]
    assert [0o700, 0o600] == modes


def test_a_key_is_32_bytes_and_stays_the_same(keyring: FileKeyRing) -> None:
    key = keyring.get(NAME, create=True)

    assert (32, key) == (len(key), FileKeyRing(keyring.folder).get(NAME))


def test_two_keys_differ(keyring: FileKeyRing) -> None:
    assert keyring.get("idx-subject-2026", create=True) != keyring.get("idx-agent-2026", create=True)


def test_a_reader_never_makes_a_key(keyring: FileKeyRing) -> None:
    with pytest.raises(KeyMissing):
        keyring.get(NAME)

    assert [] == list(keyring.folder.iterdir())


def test_a_destroyed_key_never_comes_back(keyring: FileKeyRing) -> None:
    keyring.get(NAME, create=True)
    keyring.destroy(NAME)

    with pytest.raises(KeyMissing, match="destroyed"):
        keyring.get(NAME, create=True)


def test_a_key_destroyed_before_it_was_made_is_never_made(keyring: FileKeyRing) -> None:
    keyring.destroy(NAME)

    with pytest.raises(KeyMissing, match="destroyed"):
        keyring.get(NAME, create=True)


def test_a_key_others_can_read_is_refused(keyring: FileKeyRing) -> None:
    keyring.get(NAME, create=True)
    (keyring.folder / f"{NAME}.key").chmod(0o640)

    with pytest.raises(KeyMissing, match="chmod 600"):
        keyring.get(NAME)


@pytest.mark.parametrize("text", ["zz" * 32, "00" * 31, "00" * 33], ids=["not_hexadecimal", "short", "long"])
def test_a_damaged_key_is_refused(keyring: FileKeyRing, text: str) -> None:
    keyring.get(NAME, create=True)
    (keyring.folder / f"{NAME}.key").write_text(text)

    with pytest.raises(KeyMissing):
        keyring.get(NAME)


@pytest.mark.parametrize("name", ["../passwd", "a/b", "", "-x", "a.b", "x" * 101])
def test_a_name_that_leaves_the_folder_is_refused(keyring: FileKeyRing, name: str) -> None:
    with pytest.raises(KeyMissing):
        keyring.get(name, create=True)


def test_of_many_makers_one_wins(keyring: FileKeyRing) -> None:
    with ThreadPoolExecutor(16) as pool:
        keys = set(pool.map(lambda _: FileKeyRing(keyring.folder).get(NAME, create=True), range(64)))

    assert 1 == len(keys)


def test_no_draft_of_a_key_is_left_behind(keyring: FileKeyRing) -> None:
    keyring.get(NAME, create=True)

    assert [f"{NAME}.key"] == [path.name for path in keyring.folder.iterdir()]
