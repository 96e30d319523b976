"""What was signed only grows, whoever asks, and survives its own crashes."""

from __future__ import annotations

from pathlib import Path

import pytest

from audit.errors import RollbackRefused
from audit.log.state import SignedState
from audit.tree.checkpoint import Checkpoint

ORIGIN = "audit.hub.example/test/hub-1/2026"


@pytest.fixture
def state(tmp_path: Path) -> SignedState:
    return SignedState(tmp_path)


def at(size: int, root: int = 1, origin: str = ORIGIN) -> Checkpoint:
    return Checkpoint(origin, size, bytes([root]) * 32)


def test_what_was_signed_is_known_to_the_next_process(state: SignedState, tmp_path: Path):
    state.advance(at(7))
    state.advance(at(9))

    assert at(9) == SignedState(tmp_path).last(ORIGIN)
    assert [ORIGIN] == state.origins()


def test_nothing_signed_yet_is_no_checkpoint(state: SignedState):
    assert None is state.last(ORIGIN)
    assert [] == state.origins()


def test_the_same_checkpoint_twice_is_no_rollback(state: SignedState):
    state.advance(at(7))
    state.advance(at(7))

    assert at(7) == state.last(ORIGIN)


@pytest.mark.parametrize("later", [at(6), at(7, root=2), at(0 + 1)], ids=["smaller", "forked", "far_smaller"])
def test_going_back_is_refused_and_changes_nothing(state: SignedState, later: Checkpoint):
    state.advance(at(7))

    with pytest.raises(RollbackRefused):
        state.advance(later)
    assert at(7) == state.last(ORIGIN)


def test_logs_do_not_share_their_memory(state: SignedState):
    other = "audit.hub.example/test/hub.1/2026"
    state.advance(at(7))
    state.advance(at(3, origin=other))

    assert (7, 3) == (state.last(ORIGIN).size, state.last(other).size)
    assert sorted([ORIGIN, other]) == state.origins()


@pytest.mark.parametrize(
    "torn", [b"", b"audit.hub.example/test/hub-1/2026\n7\n", b"\xff"], ids=["empty", "cut", "no_text"]
)
def test_a_torn_file_is_not_taken_for_a_new_log(state: SignedState, tmp_path: Path, torn: bytes):
    state.advance(at(7))
    [file] = tmp_path.glob("*_signed")
    file.write_bytes(torn)

    with pytest.raises(RollbackRefused, match="damaged"):
        state.last(ORIGIN)
    with pytest.raises(RollbackRefused):
        state.advance(at(8))


def test_the_file_of_another_log_is_not_believed(state: SignedState, tmp_path: Path):
    state.advance(at(7))
    [file] = tmp_path.glob("*_signed")
    file.write_text(at(7, origin="other").text())

    with pytest.raises(RollbackRefused, match="another log"):
        state.last(ORIGIN)
