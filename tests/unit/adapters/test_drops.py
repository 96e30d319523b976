"""A folder that others write into: nothing half-written, no link, no path out, and one taker at a time."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from integrator.adapters.drops import Drop, DropTaken


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def drop(tmp_path: Path, clock: Clock) -> Drop:
    return Drop(tmp_path / "drop", "notes*.csv", 2.0, clock=clock, largest=1000)


def put(drop: Drop, name: str = "notes.csv", content: bytes = b"a;b\n") -> Path:
    path = drop.root / "in" / name
    path.write_bytes(content)
    return path


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def looks(drop: Drop, clock: Clock) -> list[Path]:
    """Two looks, as far apart as a file must stand still."""
    drop.look()
    clock.now += 2.0
    return drop.look()


def test_a_file_that_stood_still_is_ours_by_its_digest(drop: Drop, clock: Clock) -> None:
    put(drop)

    [taken] = looks(drop, clock)

    assert hashlib.sha256(b"a;b\n").hexdigest() == taken.name
    assert [] == names(drop.root / "in")


def test_a_file_is_not_taken_at_the_first_look(drop: Drop) -> None:
    put(drop)

    assert [] == drop.look()


@pytest.mark.parametrize("when", ["longer", "as long, written again"])
def test_a_file_that_is_still_written_is_left(drop: Drop, clock: Clock, when: str) -> None:
    path = put(drop)
    drop.look()
    path.write_bytes(b"a;b\nc;d\n" if when == "longer" else b"a;c\n")
    os.utime(path, ns=(1, 1))
    clock.now += 2.0

    assert [] == drop.look()
    clock.now += 2.0
    assert 1 == len(drop.look())


@pytest.mark.parametrize(
    "name", ["notes.csv.part", ".notes.csv", "notes.csv.tmp", "notes.csv~", "other.csv", "NOTES.txt"]
)
def test_a_name_that_is_not_meant_for_us_is_left(drop: Drop, clock: Clock, name: str) -> None:
    put(drop, name)

    assert [] == looks(drop, clock)
    assert [name] == names(drop.root / "in")


def test_what_is_no_file_is_neither_read_nor_moved_and_is_counted(drop: Drop, clock: Clock, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"x")
    inside = drop.root / "in"
    (inside / "notes1.csv").symlink_to(secret)
    (inside / "notes2.csv").hardlink_to(secret)
    (inside / "notes3.csv").mkdir()
    os.mkfifo(inside / "notes4.csv")

    assert [] == looks(drop, clock)
    assert (4, 4) == (drop.strange(), len(names(inside)))


def test_a_claim_that_became_a_link_is_not_followed(drop: Drop, clock: Clock, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"x")
    (drop.root / "work" / "claim-1").symlink_to(secret)
    claim = drop.root / "work" / "claim-2"
    claim.write_bytes(b"y")
    drop._adopt(drop.root / "work" / "claim-1")

    assert [hashlib.sha256(b"y").hexdigest()] == [path.name for path in drop.look()]
    assert ["claim-1"] == names(drop.root / "refused")


def test_a_file_beyond_the_limit_is_refused_before_it_is_copied(drop: Drop, clock: Clock) -> None:
    put(drop, content=b"x" * 1001)

    assert [] == looks(drop, clock)
    assert (0, 1) == (len(names(drop.root / "in")), len(names(drop.root / "refused")))


def test_a_sidecar_says_when_a_file_is_whole_and_goes_with_it(tmp_path: Path, clock: Clock) -> None:
    drop = Drop(tmp_path / "drop", "*", 2.0, ".ok", clock=clock)
    put(drop, "notes.csv")
    before = looks(drop, clock)
    put(drop, "notes.csv.ok", b"")

    assert ([], 1, []) == (before, len(drop.look()), names(drop.root / "in"))


def test_the_same_file_again_is_one_file(drop: Drop, clock: Clock) -> None:
    put(drop, "notes-1.csv")
    put(drop, "notes-2.csv")

    assert 1 == len(looks(drop, clock))


@pytest.mark.parametrize(("state", "folder"), [("done", "done"), ("already", "done"), ("refused", "refused")])
def test_what_is_settled_is_out_of_the_way_and_forgotten_in_time(
    drop: Drop, clock: Clock, state: str, folder: str
) -> None:
    put(drop)
    [taken] = looks(drop, clock)

    drop.settled(taken, state)
    drop.settled(taken, state)  # as after a kill between move and word

    assert [taken.name] == names(drop.root / folder)
    assert (0, 1, []) == (drop.forget(60), drop.forget(-1), names(drop.root / folder))


def test_a_claim_of_a_killed_process_is_finished_by_the_next(drop: Drop, clock: Clock) -> None:
    (drop.root / "work" / "claim-00000000000000000001-dead").write_bytes(b"a;b\n")

    assert 1 == len(drop.look())


def test_a_half_copy_of_a_killed_process_does_not_stay(drop: Drop) -> None:
    (drop.root / "work" / ".copy-1").write_bytes(b"a;b")

    with drop.alone():
        assert [".lock"] == names(drop.root / "work")


def test_one_process_takes_and_the_folder_is_free_when_it_is_killed(drop: Drop) -> None:
    holding = "import sys; from pathlib import Path; from integrator.adapters.drops import Drop\n"
    holding += "with Drop(Path(sys.argv[1])).alone():\n print('mine', flush=True); sys.stdin.read()"
    other = subprocess.Popen(
        [sys.executable, "-P", "-c", holding, str(drop.root)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert other.stdout is not None
    other.stdout.readline()

    with pytest.raises(DropTaken), drop.alone():
        pass
    other.kill()
    other.wait()
    other.stdout.close()
    assert other.stdin is not None
    other.stdin.close()
    with drop.alone():
        pass
