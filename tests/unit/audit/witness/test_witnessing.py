"""Asking witnesses: proofs from where each stands, quorum, and the alarms that nobody may overlook."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from audit.posting import Answer
from audit.tree.cosignature import Cosigner
from audit.tree.note import make_verifier, open_note
from audit.witness.client import WitnessClient, WitnessConflict, WitnessForked, WitnessRefused
from audit.witness.witness import Witness
from audit.witness.witnessing import AHEAD, FORKED, Witnessing
from tests.unit.audit.witness.conftest import NAME, NOW, ORIGIN, Log, Wire

MakeWitness = Callable[..., Witness]


class Clock:
    now = float(NOW)

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def wire() -> Wire:
    return Wire()


@pytest.fixture
def told() -> list[tuple[str, str, str]]:
    return []


@pytest.fixture
def witnessing(
    log: Log, wire: Wire, make_witness: MakeWitness, clock: Clock, told: list[tuple[str, str, str]]
) -> Callable[..., Witnessing]:
    """`witnessing("w1", "w2")`: that many witnesses of `log` on the wire, and what asks them."""

    def tell(level: str, event: str, **fields: Any) -> None:
        told.append((level, event, str(fields.get("reason", fields.get("error")))))

    def make(*names: str, of: Log = log, **more: Any) -> Witnessing:
        for name in names:
            if f"http://{name}" not in wire.witnesses:
                seed = name.encode().ljust(32, b".")
                wire.witnesses[f"http://{name}"] = make_witness(of, name=f"{name}.example", folder=name, seed=seed)
        clients = [
            WitnessClient(f"http://{name}/", wire.witnesses[f"http://{name}"].vkeys, name=name, send=wire)
            for name in names
        ]
        return Witnessing(clients, of, clock=clock, tell=tell, **more)

    return make


def names(wire: Wire, note: bytes) -> list[str]:
    """Which witnesses vouch for this note."""
    keys = [make_verifier(vkey) for one in wire.witnesses.values() for vkey in one.vkeys]
    return [signed.name for signed in open_note(note, keys).signed_by]


def test_every_witness_signs_and_the_note_with_their_lines_is_kept_and_handed_on(
    witnessing: Callable[..., Witnessing], log: Log, wire: Wire
) -> None:
    handed: list[bytes] = []
    one = witnessing("w1", "w2", "w3", on_cosigned=[handed.append])
    note = log.grow_to(5)
    one.on_anchor(note)
    one.step()

    kept = log.files[f"{ORIGIN}/witnessed/5"]
    assert [kept] == handed
    assert ["w1.example", "w2.example", "w3.example"] == names(wire, kept)
    assert note == kept[: len(note)]  # text and our own signature are untouched
    assert (5, 0.0, False) == (one.status().size, one.status().waiting, one.status().alarm)


def test_cosigned_notes_that_nobody_stamped_make_room_for_newer_ones(
    witnessing: Callable[..., Witnessing], log: Log
) -> None:
    one = witnessing("w1", keep=lambda size: size == 7)
    for size in (5, 6, 7, 8, 9):
        one.on_anchor(log.grow_to(size))
        one.step()

    assert ["7", "9"] == sorted(path.rpartition("/")[2] for path in log.files if "/witnessed/" in path)


def test_the_second_time_the_proof_is_right_at_once(
    witnessing: Callable[..., Witnessing], log: Log, wire: Wire
) -> None:
    one = witnessing("w1")
    for size in (5, 300, 300, 1000):
        one.on_anchor(log.grow_to(size))
        one.step()

    assert [0, 5, 300] == [old for _, old in wire.asked]
    assert 1000 == one.status().size


def test_a_restarted_hub_learns_from_the_conflict_where_the_witness_stands(
    witnessing: Callable[..., Witnessing], log: Log, wire: Wire
) -> None:
    first = witnessing("w1")
    first.on_anchor(log.grow_to(300))
    first.step()
    again = witnessing("w1")
    again.on_anchor(log.grow_to(555))
    again.step()

    assert [0, 0, 300] == [old for _, old in wire.asked]
    assert (555, False) == (again.status().size, again.status().alarm)


def test_a_quorum_suffices_while_one_witness_is_down(
    witnessing: Callable[..., Witnessing], log: Log, wire: Wire
) -> None:
    one = witnessing("w1", "w2", "w3")
    wire.down = {"http://w2"}
    one.on_anchor(log.grow_to(5))
    one.step()

    assert (5, 0.0, False) == (one.status().size, one.status().waiting, one.status().alarm)
    assert ["", "Unreachable", ""] == [w.reason for w in one.status().witnesses]


def test_without_a_quorum_the_checkpoint_waits_is_asked_again_and_alarms_in_the_end(
    witnessing: Callable[..., Witnessing], log: Log, wire: Wire, clock: Clock
) -> None:
    one = witnessing("w1", "w2", "w3")
    wire.down = {"http://w2", "http://w3"}
    one.on_anchor(log.grow_to(5))
    one.step()
    clock.now += 901
    before = one.status()
    wire.down = {"http://w3"}
    one.step()

    assert (-1, 901.0, True) == (before.size, before.waiting, before.alarm)
    assert (5, 0.0, False) == (one.status().size, one.status().waiting, one.status().alarm)
    assert 1 == [base for base, _ in wire.asked].count("http://w1")  # who has signed is left alone


def test_a_fork_is_found_by_the_first_witness_that_saw_the_other_history(
    witnessing: Callable[..., Witnessing], log: Log, wire: Wire, told: list[tuple[str, str, str]]
) -> None:
    shown_to_the_dpo = witnessing("w1", "w2", "w3")
    shown_to_the_dpo.on_anchor(log.grow_to(5))
    shown_to_the_dpo.step()
    fork = Log(story="other")
    shown_to_the_citizen = witnessing("w1", "w2", "w3", of=fork)
    note = fork.grow_to(9, common=3)
    shown_to_the_citizen.on_anchor(note)
    shown_to_the_citizen.step()

    status = shown_to_the_citizen.status()
    assert [FORKED] * 3 == [w.alarm for w in status.witnesses]
    assert status.alarm
    assert ("critical", "witness_alarm", FORKED) in told
    assert f"{ORIGIN}/witnessed/9" not in fork.files  # nobody vouched for it


def test_the_other_history_is_kept_with_our_own_signature_on_it_as_evidence(
    witnessing: Callable[..., Witnessing], log: Log
) -> None:
    true = witnessing("w1")
    true.on_anchor(log.grow_to(5))
    true.step()
    fork = Log(story="other")
    forked = witnessing("w1", of=fork)
    forked.on_anchor(fork.grow_to(5))
    forked.step()

    evidence = fork.files[f"{ORIGIN}/forked/w1"]
    assert (
        log.note(5).decode().partition("\n\n")[0] + "\n" == open_note(evidence, [make_verifier(log.signer.vkey)]).text
    )


def test_an_alarm_is_said_at_every_round_and_does_not_go_away_by_itself(
    witnessing: Callable[..., Witnessing], log: Log, told: list[tuple[str, str, str]]
) -> None:
    true = witnessing("w1")
    true.on_anchor(log.grow_to(5))
    true.step()
    fork = Log(story="other")
    forked = witnessing("w1", of=fork)
    for size in (9, 10):
        forked.on_anchor(fork.grow_to(size))
        forked.step()

    assert 2 == told.count(("critical", "witness_alarm", FORKED))
    assert forked.status().alarm


def test_a_restored_backup_is_noticed_because_the_witness_stands_further(
    witnessing: Callable[..., Witnessing], log: Log, told: list[tuple[str, str, str]]
) -> None:
    before = witnessing("w1", "w2")
    before.on_anchor(log.grow_to(500))
    before.step()
    restored = Log()
    note = restored.grow_to(300)
    after = witnessing("w1", "w2", of=restored)

    assert {"w1": 500, "w2": 500} == after.sizes(note)
    assert [AHEAD, AHEAD] == [w.alarm for w in after.status().witnesses]
    assert ("critical", "witness_alarm", AHEAD) in told


def test_a_rollback_while_running_is_an_alarm_too(witnessing: Callable[..., Witnessing], log: Log) -> None:
    before = witnessing("w1")
    before.on_anchor(log.grow_to(500))
    before.step()
    restored = Log()
    after = witnessing("w1", of=restored)
    after.on_anchor(restored.grow_to(300))
    after.step()

    assert (AHEAD, True) == (after.status().witnesses[0].alarm, after.status().alarm)


def test_sizes_of_an_untouched_log_are_ours_and_of_an_unreachable_witness_unknown(
    witnessing: Callable[..., Witnessing], log: Log, wire: Wire
) -> None:
    one = witnessing("w1", "w2", "w3")
    note = log.grow_to(5)
    one.on_anchor(note)
    one.step()
    wire.down = {"http://w3"}

    assert {"w1": 5, "w2": 5, "w3": None} == witnessing("w1", "w2", "w3").sizes(note)
    assert not any(w.alarm for w in one.status().witnesses)


def test_without_witnesses_nothing_is_asked_and_nothing_alarms(
    witnessing: Callable[..., Witnessing], log: Log, clock: Clock
) -> None:
    one = witnessing()
    one.on_anchor(log.grow_to(5))
    clock.now += 10_000
    one.step()

    assert ((), 0.0, False) == (one.status().witnesses, one.status().waiting, one.status().alarm)


@pytest.mark.parametrize("quorum", [0, -1, 3])
def test_a_quorum_that_nobody_or_no_one_can_reach_is_refused(
    quorum: int, witnessing: Callable[..., Witnessing]
) -> None:
    with pytest.raises(ValueError, match="quorum"):
        witnessing("w1", "w2", quorum=quorum)


def test_the_thread_has_a_checkpoint_witnessed_without_being_stepped(
    witnessing: Callable[..., Witnessing], log: Log
) -> None:
    import threading

    done = threading.Event()
    one = witnessing("w1", on_cosigned=[lambda note: done.set()])
    one.start()
    one.on_anchor(log.grow_to(5))

    assert done.wait(10)
    one.close()


# --- one witness, answer by answer ---------------------------------------------------------------------------------------

KEY = Cosigner.from_seed(NAME, b"w" * 32)


def client(answer: Answer) -> WitnessClient:
    return WitnessClient("http://w", KEY.vkey, send=lambda *_, **__: answer)


def test_only_a_line_of_the_witness_own_key_counts(log: Log) -> None:
    note = log.grow_to(5)
    text = note.decode().partition("\n\n")[0] + "\n"
    good = KEY.line(text, NOW)
    other = Cosigner.from_seed("stranger.example", b"s" * 32).line(text, NOW)

    assert (good,) == client(Answer(200, "", f"{other}\n{good}\n".encode())).cosign(0, [], note)


@pytest.mark.parametrize("wound", ["none", "stranger", "another text", "no time", "namesake", "rubbish", "not text"])
def test_an_answer_without_a_good_line_is_refused(wound: str, log: Log) -> None:
    note = log.grow_to(5)
    text = note.decode().partition("\n\n")[0] + "\n"
    body = {
        "none": b"",
        "stranger": Cosigner.from_seed("stranger.example", b"s" * 32).line(text, NOW).encode() + b"\n",
        "another text": KEY.line(text.replace("\n5\n", "\n6\n"), NOW).encode() + b"\n",
        "no time": KEY.line(text, 0).encode() + b"\n",
        "namesake": Cosigner.from_seed(NAME, b"n" * 32).line(text, NOW).encode() + b"\n",
        "rubbish": "— a b\n— \n—\n".encode(),
        "not text": b"\xff\xfe",
    }[wound]

    with pytest.raises(WitnessRefused):
        client(Answer(200, "", body)).cosign(0, [], note)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Answer(409, "text/x.tlog.size", b"7\n"), WitnessConflict),
        (Answer(422, "", b""), WitnessForked),
        (Answer(404, "", b""), WitnessRefused),
        (Answer(403, "", b""), WitnessRefused),
        (Answer(302, "", b""), WitnessRefused),
        (Answer(500, "", b""), WitnessRefused),
    ],
    ids=lambda value: str(value.status) if isinstance(value, Answer) else "",
)
def test_each_status_has_its_meaning(answer: Answer, error: type[Exception], log: Log) -> None:
    with pytest.raises(error) as raised:
        client(answer).cosign(0, [], log.grow_to(5))

    assert error is raised.type


@pytest.mark.parametrize("body", [b"", b"x\n", b"07\n", b"-1\n", b"7\n8\n", b"9" * 20 + b"\n", "٧\n".encode()])
def test_a_conflict_without_a_size_is_no_conflict(body: bytes, log: Log) -> None:
    with pytest.raises(WitnessRefused) as raised:
        client(Answer(409, "text/x.tlog.size", body)).cosign(0, [], log.grow_to(5))

    assert WitnessRefused is raised.type
