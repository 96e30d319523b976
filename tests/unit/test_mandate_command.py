"""Mandates at the command line: the same rights as at the page, numbers by a pipe, every step an entry."""

from __future__ import annotations

import dataclasses
import io
from pathlib import Path
from typing import Any

import orjson
import pytest

from integrator import settings as settings_module
from integrator.cli import main
from integrator.publishing import open_logbook
from tests.unit.consoles.desk import ANNA, BERT

PROOF = "judgment of the justice of the peace, 2026-03-02"
IXELLES = ("--as", "dpo-1", "--role", "dpo", "--organisation", "ixelles")
BRUSSELS = ("--as", "dpo-2", "--role", "dpo", "--organisation", "brussels")
HUB = ("--as", "hub-1", "--role", "hub_dpo")
GIVEN = ("--kind", "guardian", "--scope", "look", "evidence", "--ends", "2031-01-01", "--reason", PROOF)
TYPED = f"{ANNA.id}\n{BERT.id}\n"


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    monkeypatch.setenv("INTEGRATOR_STATE", str(tmp_path / "state"))
    monkeypatch.setattr("integrator.clock.system", lambda: 1_795_440_600.0)

    def run_(*words: str, typed: str = "") -> tuple[int, str, str]:
        monkeypatch.setattr("sys.stdin", io.StringIO(typed))
        code = main(["mandate", *words])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run_


def entries() -> list[str]:
    book = open_logbook(settings_module.load())
    found = [orjson.loads(one.body)["name"] for one in book.store.rare(["annotate"], 0, 2**52)]
    book.store.close()
    return found[::-1]


def test_a_mandate_is_given_listed_and_ended_by_officers_of_its_organisation(run: Any) -> None:
    given = run("give", *IXELLES, *GIVEN, typed=TYPED)
    id_ = given[1].split()[0]
    lists = [run("list", *who)[1] for who in (IXELLES, HUB, BRUSSELS)]
    ended = run("end", *IXELLES, id_)

    assert (0, f"{id_}  guardian  evidence,look  until 2031-01-01  holds  1992100975\n", "") == given
    assert [given[1], given[1], ""] == lists
    assert (0, True) == (ended[0], "ended 2026-11-23" in ended[1])
    assert ["mandate.given", "mandate.ended"] == entries()
    assert not any(who.id in said for said in (*given[1:], *lists, *ended[1:]) for who in (ANNA, BERT))


def test_somebody_else_s_mandate_is_not_ended(run: Any) -> None:
    id_ = run("give", *IXELLES, *GIVEN, typed=TYPED)[1].split()[0]
    code, out, err = run("end", *BRUSSELS, id_)

    assert (1, "", True) == (code, out, "no such mandate of yours" in err)
    assert "holds" in run("list", *IXELLES)[1]


def test_in_production_a_name_that_is_only_said_gives_no_mandate(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    real = settings_module.load()
    production = lambda *_: dataclasses.replace(real, mode="production")
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr(settings_module, "load", production)
        code, out, err = run("give", *IXELLES, *GIVEN, typed=TYPED)

    assert (1, "", True) == (code, out, "/console/mandates/" in err)
    assert [] == entries()


@pytest.mark.parametrize(
    ("words", "typed"),
    [
        (("give", *IXELLES, *GIVEN), f"{ANNA.id}\n{ANNA.id}\n"),
        (("give", *IXELLES, *GIVEN), f"{ANNA.id}\n85.61.01\n"),
        (("give", *IXELLES, *GIVEN[:-1], "trust me"), TYPED),
        (("give", "--as", "dpo-1", "--role", "dpo", *GIVEN), TYPED),
        (("give", *HUB, "--organisation", "ixelles", *GIVEN), TYPED),
        (("give", "--as", ANNA.id, "--role", "hub_dpo", *GIVEN), TYPED),
    ],
    ids=["one person", "half a number", "no proof", "no organisation", "the hub's for one", "a number as account"],
)
def test_what_is_wrong_is_said_with_advice_and_gives_nothing(run: Any, words: tuple[str, ...], typed: str) -> None:
    code, out, err = run(*words, typed=typed)

    assert (1, "", True) == (code, out, "→" in err)
    assert ANNA.id not in err
    assert ("", []) == (run("list", *HUB)[1], entries())
