"""`integrator audit keep`: orders of people beside a hub that runs, each recorded in a published shard of its own."""

from __future__ import annotations

import pytest

from audit import Draft, FileKeyRing, Ledger, Subject, find_by_subject, open_store
from integrator.cli import main

NUMBER = "85610100147"
SHARD = "audit.integrator.example/sandbox/hub-1/2026"
BY = ("--by", "dpo-1", "--basis", "eu-gdpr:A23-1-d", "--reason", "an inquiry")
LONG_AGO = 1_005_782_400_000_000  # µs, 15 November 2001


@pytest.fixture
def ledger(tmp_path, monkeypatch):
    """What a running hub holds: its shard, with an exchange of two entries from 2001."""
    monkeypatch.setenv("INTEGRATOR_STATE", str(tmp_path))
    store, keyring = open_store(f"sqlite:///{tmp_path}/ledger.db"), FileKeyRing(tmp_path / "ledger-keys")
    with Ledger(store, keyring, shard=SHARD, clock=lambda: LONG_AGO) as ledger:
        for kind, clear in (("intent", {}), ("outcome", {"intent_ref": 0})):
            ledger.append_blocking(
                [Draft(kind, "1" * 32, "2" * 16, "person.get", "Y10", clear, subjects=[("nrn", NUMBER)])]
            )
        yield ledger
    store.close()


def found(ledger):
    hits = find_by_subject(
        ledger.store, FileKeyRing(ledger.store.path.parent / "ledger-keys"), Subject("nrn", NUMBER), 0, 2**52
    )
    return [(hit.index, hit.vis) for hit in sorted(hits, key=lambda hit: hit.index)]


def keep(*words):
    return main(["audit", "keep", *words])


def test_the_calendar_shows_what_is_due_held_and_restricted(ledger, capsys):
    assert 0 == keep("hold", *BY, "--month", "2001-11", "--review", "2099-01-01")
    assert 0 == keep("restrict", f"{SHARD}/0", *BY, "--review", "2099-02-01")
    capsys.readouterr()
    assert 0 == keep("calendar", "--count")
    said = capsys.readouterr().out

    assert "2001-11  Y10   due 2011-12-01  held" in said
    assert "2 entries  until 2099-01-01 at least" in said
    assert f"restricted  {SHARD}/1  look again on 2099-02-01" in said


def test_what_is_due_is_erased_now_in_the_name_of_who_asked(ledger, capsys):
    assert 0 == keep("expire", *BY)
    assert "2001-11  Y10  erased (2 rows)" in capsys.readouterr().out

    assert [] == found(ledger)
    assert ["erasure"] == [stored.kind for stored in ledger.store.rare(["erasure"], 0, 2**52)]


def test_naming_one_entry_restricts_and_releases_the_whole_exchange(ledger):
    keep("restrict", f"{SHARD}/1", *BY, "--review", "2099-01-01")
    assert [(0, 1), (1, 1)] == found(ledger)
    keep("release", f"{SHARD}/0,1", *BY)

    assert [(0, 0), (1, 0)] == found(ledger)


def test_an_order_is_recorded_where_strangers_can_verify_it(ledger, tmp_path, capsys):
    keep("erase", f"{SHARD}/0,1", *BY, "--second", "head-2", "--authority", "dpa", "--reference", "2026/9")
    shard = capsys.readouterr().out.strip().rpartition("/")[0]

    assert ([], 2) == (found(ledger), ledger.store.size(shard))
    assert f"{shard}\n2\n" in (tmp_path / "log" / shard / "checkpoint").read_text()


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("erase", f"{SHARD}/0", *BY, "--second", "dpo-1", "--authority", "dpa", "--reference", "2026/9"), "a second person"),
        (("erase", f"{SHARD}/0", *BY, "--second", "head-2"), "only a court or a data protection authority"),
        (("restrict", f"{SHARD}/7", *BY, "--review", "2099-01-01"), "no entry 7"),
        (("release", f"{SHARD}/0", *BY), "is not restricted"),
        (("unhold", *BY), "no hold of exactly this"),
        (("restrict", "0", *BY, "--review", "2099-01-01"), "SHARD/INDEX"),
    ],
    ids=["one_person", "nobody_outside", "no_such_entry", "not_restricted", "not_held", "no_shard"],
)  # fmt: skip
def test_an_order_that_is_not_whole_says_why_and_changes_nothing(ledger, capsys, words, why):
    assert 0 != keep(*words)
    assert why in capsys.readouterr().err
    assert [(0, 0), (1, 0)] == found(ledger)


def test_a_month_is_written_with_its_year(ledger, capsys):
    with pytest.raises(SystemExit):
        keep("hold", *BY, "--month", "2016-13", "--review", "2099-01-01")

    assert "a month is written 2026-11" in capsys.readouterr().err
