"""The fault vocabulary and the board: what is refused, when a fault strikes, when it wears off."""

from __future__ import annotations

import pytest

from mock_sources.faults import KINDS, Board, Fault, UnknownFault, parse_fault, parse_scenario


def test_every_source_knows_only_kinds_of_the_vocabulary() -> None:
    assert {"rr", "ksz", "kbo", "div", "best", "dimona", "cadastre", "debts_receipts", "debts_postes", "debts_arrears", "parking", "tsa"} == set(KINDS)
    assert "wrong_signature" in KINDS["rr"]
    assert "wrong_signature" not in KINDS["kbo"]


@pytest.mark.parametrize(
    ("source", "document"),
    [
        ("div", {"kind": "meteor"}),
        ("div", {"kind": "soap_fault"}),
        ("best", {"kind": "wrong_signature"}),
        ("parking", {"kind": "delay"}),
        ("parking", {"kind": "empty", "rate": 0.5}),
        ("parking", {"kind": "empty", "variant": "garbage_line"}),
        ("div", {"kind": "delay", "variant": "garbage_line"}),
        ("div", {"kind": "delay", "rate": 1.5}),
        ("div", {"kind": "delay", "rate": True}),
        ("div", {"kind": "delay", "times": 0}),
        ("div", {"kind": "delay", "ms": -1}),
        ("div", {"kind": "delay", "ms": "50"}),
        ("div", {"kind": "delay", "minutes": 1}),
        ("kbo", {"kind": "delay", "at": "token"}),
        ("div", {}),
        ("div", ["delay"]),
    ],
    ids=str,
)
def test_a_fault_that_means_nothing_there_is_refused(source: str, document: object) -> None:
    with pytest.raises(UnknownFault):
        parse_fault(source, document)


def test_a_fault_strikes_until_it_is_cleared() -> None:
    board = Board()
    board.put("div", Fault("reset"))

    assert [Fault("reset")] * 3 == [board.draw("div") for _ in range(3)]

    board.clear("div")
    assert board.draw("div") is None


def test_a_fault_for_one_source_leaves_the_others_healthy() -> None:
    board = Board()
    board.put("div", Fault("reset"))

    assert board.draw("kbo") is None


def test_a_fault_for_two_times_wears_off_after_the_second() -> None:
    board = Board()
    board.put("div", Fault("empty", times=2))

    assert ["empty", "empty", None] == [fault and fault.kind for fault in (board.draw("div") for _ in range(3))]
    assert board.get("div") is None


def test_a_fault_with_rate_strikes_some_calls_and_the_same_ones_for_the_same_seed() -> None:
    def strikes(seed: int) -> list[bool]:
        board = Board(seed)
        board.put("div", Fault("empty", rate=0.5))
        return [board.draw("div") is not None for _ in range(200)]

    assert 60 < sum(strikes(7)) < 140
    assert strikes(7) == strikes(7)
    assert strikes(7) != strikes(8)


def test_a_fault_on_tokens_leaves_questions_alone() -> None:
    board = Board()
    board.put("div", Fault("http503", at="token"))

    assert board.draw("div") is None
    assert Fault("http503", at="token") == board.draw("div", "token")


def test_a_watcher_hears_the_fault_and_its_end() -> None:
    heard: list[Fault | None] = []
    board = Board()
    board.watch("parking", heard.append)
    board.put("parking", Fault("empty"))
    board.clear("parking")
    board.clear("parking")

    assert [Fault("empty"), None] == heard


def test_a_scenario_names_its_source() -> None:
    assert Fault("reset") == parse_scenario("div.reset", "div")
    assert parse_scenario("div.reset", "kbo") is None
    assert Fault("wrong_subject") == parse_scenario("rijksregister.wrong_subject", "rr")
    assert Fault("drip", ms=80.0) == parse_scenario("div.reset, kbo.drip;ms=80", "kbo")


@pytest.mark.parametrize("text", ["div.resett", "dib.reset", "div", "", "div.delay;ms=soon", "div.delay;color=red"])
def test_a_misspelled_scenario_is_refused_everywhere(text: str) -> None:
    with pytest.raises(UnknownFault):
        parse_scenario(text, "kbo")
