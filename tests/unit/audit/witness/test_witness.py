"""What a witness cosigns and what it never will, status by status of C2SP tlog-witness."""

from __future__ import annotations

import hashlib
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from audit.tree.checkpoint import Checkpoint
from audit.tree.merkle import EMPTY_ROOT
from audit.tree.note import NoteSigner, make_verifier, open_note, sign_note
from audit.witness.cosigned import with_lines
from audit.witness.request import MAX_BODY, RequestMalformed, parse, render
from audit.witness.witness import Reply, Witness
from tests.unit.audit.witness.conftest import NAME, NOW, ORIGIN, Log

MakeWitness = Callable[..., Witness]


def vouched(witness: Witness, note: bytes, reply: Reply) -> list[tuple[str, int | None]]:
    """Who vouches for this note with the lines of this reply, and when."""
    whole = with_lines(note, reply.body.decode().splitlines())
    return [(one.name, one.time) for one in open_note(whole, map(make_verifier, witness.vkeys)).signed_by]


# --- 200 ----------------------------------------------------------------------------------------------------------------


def test_the_first_checkpoint_of_a_known_log_is_cosigned(witness: Witness, log: Log) -> None:
    note = log.grow_to(5)

    reply = witness.add_checkpoint(log.request(0, 5))

    assert 200 == reply.status
    assert [(NAME, NOW)] == vouched(witness, note, reply)
    assert reply.body.startswith("— ".encode()) and reply.body.endswith(b"\n")


@pytest.mark.parametrize(("old", "new"), [(1, 2), (3, 7), (4, 8), (8, 9), (255, 256), (256, 257), (255, 513)])
def test_a_tree_that_grew_is_cosigned_with_the_proof_of_it(old: int, new: int, witness: Witness, log: Log) -> None:
    log.grow_to(old)
    assert 200 == witness.add_checkpoint(log.request(0, old)).status
    note = log.grow_to(new)

    reply = witness.add_checkpoint(log.request(old, new))

    assert [(NAME, NOW)] == vouched(witness, note, reply)


def test_the_same_checkpoint_is_cosigned_again_for_who_lost_the_answer(witness: Witness, log: Log) -> None:
    note = log.grow_to(5)
    witness.add_checkpoint(log.request(0, 5))

    assert [(NAME, NOW)] == vouched(witness, note, witness.add_checkpoint(log.request(5, 5)))


def test_an_empty_tree_can_be_cosigned_and_then_grow(witness: Witness, log: Log) -> None:
    log.grow_to(3)

    assert [200, 200] == [witness.add_checkpoint(log.request(0, size)).status for size in (0, 3)]


def test_both_keys_cosign_where_a_post_quantum_key_is_configured(make_witness: MakeWitness, log: Log) -> None:
    witness = make_witness(log, mldsa=True)
    note = log.grow_to(5)

    reply = witness.add_checkpoint(log.request(0, 5))

    assert [(NAME, NOW), (NAME, NOW)] == vouched(witness, note, reply)
    assert 2 == len(reply.body.splitlines())


def test_signatures_of_strangers_are_ignored_and_not_kept(witness: Witness, log: Log) -> None:
    log.grow_to(5)
    stranger = NoteSigner.from_seed("stranger.example", b"s" * 32)
    note = sign_note(Checkpoint.parse(log.note(5).decode().partition("\n\n")[0] + "\n").text(), stranger, log.signer)

    assert 200 == witness.add_checkpoint(render(0, [], note)).status
    kept = witness.checkpoint(hashlib.sha256(ORIGIN.encode()).hexdigest()).body
    assert b"stranger.example" not in kept


def test_a_monitor_finds_the_checkpoint_with_the_signatures_of_log_and_witness(witness: Witness, log: Log) -> None:
    note = log.grow_to(5)
    reply = witness.add_checkpoint(log.request(0, 5))

    served = witness.checkpoint(hashlib.sha256(ORIGIN.encode()).hexdigest())

    assert (200, note + reply.body) == (served.status, served.body)
    assert 404 == witness.checkpoint(hashlib.sha256(b"another").hexdigest()).status


# --- refusals -------------------------------------------------------------------------------------------------------------


def test_another_old_size_is_told_ours(witness: Witness, log: Log) -> None:
    log.grow_to(9)
    witness.add_checkpoint(log.request(0, 5))

    for old in (0, 4, 6):
        assert Reply(409, "text/x.tlog.size", b"5\n") == witness.add_checkpoint(log.request(old, 9))


def test_a_smaller_tree_is_never_cosigned_again(witness: Witness, log: Log) -> None:
    log.grow_to(9)
    witness.add_checkpoint(log.request(0, 9))

    assert 409 == witness.add_checkpoint(log.request(0, 5)).status
    assert 409 == witness.add_checkpoint(log.request(5, 5)).status
    assert 400 == witness.add_checkpoint(render(9, [], log.note(5))).status


def test_another_root_for_a_size_that_was_cosigned_is_a_fork(witness: Witness, log: Log) -> None:
    log.grow_to(5)
    witness.add_checkpoint(log.request(0, 5))
    fork = Log(story="other")
    fork.grow_to(5)

    assert 422 == witness.add_checkpoint(fork.request(5, 5)).status


def test_a_tree_that_rewrote_its_past_is_a_fork_whatever_it_proves(witness: Witness, log: Log) -> None:
    log.grow_to(5)
    witness.add_checkpoint(log.request(0, 5))
    fork = Log(story="other")
    fork.grow_to(9, common=3)

    proofs = [fork.proof(5, 9), log.grow_to(9) and log.proof(5, 9), [], [bytes(32)] * 4]
    assert [422] * 4 == [witness.add_checkpoint(render(5, proof, fork.note(9))).status for proof in proofs]
    assert 200 == witness.add_checkpoint(log.request(5, 9)).status  # the true history goes on


def test_a_proof_where_there_is_nothing_to_prove_is_refused(witness: Witness, log: Log) -> None:
    note = log.grow_to(5)

    assert 422 == witness.add_checkpoint(render(0, [bytes(32)], note)).status
    witness.add_checkpoint(log.request(0, 5))
    assert 422 == witness.add_checkpoint(render(5, [bytes(32)], note)).status


def test_an_empty_tree_with_another_root_is_refused(witness: Witness, log: Log) -> None:
    text = Checkpoint(ORIGIN, 0, EMPTY_ROOT).text().replace("47DEQ", "58DEQ")

    assert 422 == witness.add_checkpoint(render(0, [], sign_note(text, log.signer))).status


def test_a_log_that_is_not_known_is_not_found(witness: Witness) -> None:
    other = Log("audit.other.example/anchor")
    other.grow_to(1)

    assert 404 == witness.add_checkpoint(other.request(0, 1)).status


def test_a_checkpoint_that_the_log_did_not_sign_is_forbidden(witness: Witness, log: Log) -> None:
    impostor = Log(seed=b"i" * 32)
    impostor.grow_to(1)
    note = log.grow_to(2)

    assert 403 == witness.add_checkpoint(impostor.request(0, 1)).status
    broken = note.replace(b"\n2\n", b"\n3\n")
    assert 403 == witness.add_checkpoint(render(0, [], broken)).status  # our key's name and id, over another text


@pytest.mark.parametrize(
    "wound",
    [
        b"",
        b"old 0\n",
        b"old 00\n\n%s",
        b"old -1\n\n%s",
        b"old +1\n\n%s",
        b"Old 0\n\n%s",
        b"old  0\n\n%s",
        b"old 0 \n\n%s",
        b"old 0\r\n\r\n%s",
        b"old 99999999999999999999\n\n%s",
        b"old 0\nAA==\n\n%s",
        b"old 0\n????\n\n%s",
        b"old 0\n" + b"A" * 43 + b"=" + b" \n\n%s",
        b"old 0\n" + b"A" * 42 + b"B=\n\n%s",
        b"old 0\n" + (b"A" * 43 + b"=\n") * 64 + b"\n%s",
        b"old 0\n\n" + b"x" * MAX_BODY,
        b"old 0\n\nlog\n1\n",
        b"old 0\n\nlog\n1\n\n",
        b"old 0\n\n\xff\xfe\n\n\xe2\x80\x94 log AAAAAAAA\n",
        b"old 0\n\nonly one line\n\n\xe2\x80\x94 log AAAAAAAA\n",
        b"old 0\n\nlog\n01\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\n\xe2\x80\x94 log AAAAAAAA\n",
    ],
    ids=range(21),
)
def test_what_is_no_request_is_a_bad_request_and_changes_nothing(wound: bytes, witness: Witness, log: Log) -> None:
    note = log.grow_to(1)

    assert 400 == witness.add_checkpoint(wound.replace(b"%s", note)).status
    assert 200 == witness.add_checkpoint(log.request(0, 1)).status


def test_a_request_is_read_as_it_was_written(log: Log) -> None:
    log.grow_to(9)
    asked = parse(log.request(5, 9))

    assert (5, tuple(log.proof(5, 9)), log.note(9)) == (asked.old_size, asked.proof, asked.note)
    assert log.request(5, 9) == render(asked.old_size, asked.proof, asked.note)
    with pytest.raises(RequestMalformed):
        parse(b"old 1\n")


def test_a_witness_without_a_key_is_no_witness(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="key"):
        Witness(tmp_path, [], {})


# --- memory ---------------------------------------------------------------------------------------------------------------


def test_a_restarted_witness_remembers(make_witness: MakeWitness, log: Log) -> None:
    log.grow_to(9)
    make_witness(log).add_checkpoint(log.request(0, 5))
    again = make_witness(log)

    assert 409 == again.add_checkpoint(log.request(0, 9)).status
    assert 200 == again.add_checkpoint(log.request(5, 9)).status


def test_the_size_is_durable_before_the_cosignature_leaves(make_witness: MakeWitness, log: Log) -> None:
    log.grow_to(5)
    first, other = make_witness(log), make_witness(log)  # two processes on one memory would see just this

    first.add_checkpoint(log.request(0, 5))

    assert b"5\n" == other.add_checkpoint(log.request(0, 5)).body


def test_a_disk_that_does_not_take_the_new_size_lets_no_cosignature_leave(
    make_witness: MakeWitness, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full:
        """A database whose last word fails, as on a full disk."""

        def __init__(self, db: sqlite3.Connection) -> None:
            self._db = db

        def execute(self, statement: str, *values: object) -> sqlite3.Cursor:
            if statement == "COMMIT":
                raise sqlite3.OperationalError("database or disk is full")
            return self._db.execute(statement, *values)

        def __getattr__(self, name: str) -> object:
            return getattr(self._db, name)

    log.grow_to(9)
    witness = make_witness(log)
    witness.add_checkpoint(log.request(0, 5))
    with monkeypatch.context() as full, pytest.raises(sqlite3.OperationalError):
        full.setattr(witness._memory, "_db", Full(witness._memory._db))
        witness.add_checkpoint(log.request(5, 9))

    assert b"5\n" == witness.add_checkpoint(log.request(0, 9)).body
    assert 200 == witness.add_checkpoint(log.request(5, 9)).status


def test_the_memory_itself_refuses_to_go_back_or_to_take_a_second_root(witness: Witness, log: Log) -> None:
    log.grow_to(5)
    witness.add_checkpoint(log.request(0, 5))
    db = witness._memory._db
    for wound in ("UPDATE log SET size = 4", "UPDATE log SET root = zeroblob(32)", "DELETE FROM log"):
        with pytest.raises(sqlite3.IntegrityError):
            db.execute(wound)
    assert (2, "wal") == (*db.execute("PRAGMA synchronous").fetchone(), *db.execute("PRAGMA journal_mode").fetchone())


def test_two_histories_at_once_one_is_cosigned_and_the_other_never(make_witness: MakeWitness, log: Log) -> None:
    """Eight threads over two witnesses on one memory race with two stories; every size has one root in the end."""
    fork = Log(story="other")
    log.grow_to(40)
    fork.grow_to(40)
    witnesses = [make_witness(log), make_witness(log)]
    cosigned: list[tuple[str, int]] = []
    begin = threading.Barrier(8)

    def push(number: int) -> None:
        story, witness = (log, fork)[number % 2], witnesses[number // 4]
        begin.wait()
        old = 0
        for new in range(1, 41):
            for _ in range(50):  # the others move it on under our feet
                reply = witness.add_checkpoint(story.request(old, new))
                if reply.status == 200:
                    cosigned.append((story.story, new))
                old = new if reply.status == 200 else int(reply.body) if reply.status == 409 else old
                if reply.status != 409 or old > new:
                    break

    threads = [threading.Thread(target=push, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert 1 == len({story for story, _ in cosigned})
    assert 40 == max(size for _, size in cosigned)
