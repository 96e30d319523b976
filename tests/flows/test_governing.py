"""A text's life at real hubs: two people approve, and what hubs answer turns round within seconds, without a restart."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from audit import open_store
from integrator.cli import main
from integrator.commands.policy.house import in_force
from integrator.governing.looking_back import replay_of
from integrator.governing.texts import read_texts
from tests.flows.questions import one_each
from tests.flows.sandboxes import Beside, Callers, beside, callers
from tests.unit.audit.kit import ENGINES, engine_url

SCHOOL = "school_enrolment"
FILE = Path(__file__).resolve().parents[2] / "policies" / f"{SCHOOL}.yaml"
BASE = read_texts(FILE)[SCHOOL]
WHY = "the school needs it no longer"
PATIENCE = 30.0  # seconds; a hub that is left alone takes two, on a machine that does other things it takes longer


@pytest.fixture(params=ENGINES)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    with engine_url(request.param, tmp_path) as place:
        yield place


@pytest.fixture
def enrolled(tmp_path: Path) -> Iterator[Callable[[Beside], Callers]]:
    """Applications at a hub."""
    made: list[Callers] = []

    def at(one: Beside) -> Callers:
        made.append(callers(one.running, one.settings, tmp_path / f"keys-{len(made)}"))
        return made[-1]

    yield at
    for each in made:
        each.close()


def draft(folder: Path, name: str, *cuts: tuple[bytes, bytes]) -> Path:
    """The school's text with something cut out, in a file of its own name."""
    text = BASE
    for old, new in cuts:
        assert old in text
        text = text.replace(old, new)
    path = folder / name / f"{SCHOOL}.yaml"
    path.parent.mkdir(parents=True)
    path.write_bytes(text)
    return path


LANGUAGE = (b"address, language, parents", b"address, parents")
GENDER = (b"birthDate, gender, address", b"birthDate, address")


def policy(one: Beside, *words: str, expected: int = 0) -> None:
    assert expected == main(["policy", *words, "--settings", str(one.file)])


def propose(one: Beside, path: Path, capsys: Any, *more: str, base: Path = FILE) -> str:
    policy(one, "propose", str(path), "--from", str(base), "--reason", WHY, "--by", "steward-1", *more)
    return str(capsys.readouterr().out).split()[0]


def approve(one: Beside, id_: str) -> None:
    policy(one, "approve", id_, "--by", "steward-2")
    policy(one, "approve", id_, "--by", "officer", "--role", "hub_dpo")


def fields(caller: Callers) -> set[str]:
    """What the school is given of a child."""
    one = next(one for one in one_each() if one.service.name == "person.get")
    answer = caller.ask("person.get", {**one.question, "dossierReference": "case/1"}, purpose=SCHOOL)
    assert 200 == answer.status, answer.payload
    return set(answer.body) | {item["field"] for item in answer.body.get("withheld", ())}


def status(caller: Callers) -> int:
    one = next(one for one in one_each() if one.service.name == "person.get")
    return caller.ask("person.get", {**one.question, "dossierReference": "case/1"}, purpose=SCHOOL).status


def within(seconds: float, fact: Callable[[], bool]) -> bool:
    end = time.monotonic() + seconds
    while not fact():
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True


def node(one: Beside) -> dict[str, Any]:
    """How a hub says it stands with its texts."""
    told: dict[str, Any] = httpx.get(f"{one.hub}/health", trust_env=False, timeout=30.0).json()["policies"]
    return told


def test_two_hubs_at_one_database_turn_round_without_a_restart_and_back_on_a_suspension(
    hub: Any, url: str, tmp_path: Path, enrolled: Any, capsys: Any
) -> None:
    shared = {"governing": {"database": url}}
    with beside(hub, tmp_path / "a", **shared) as one, beside(hub, tmp_path / "b", **shared) as two:
        callers_of = [enrolled(each) for each in (one, two)]

        assert all("language" in fields(each) for each in callers_of)

        id_ = propose(one, draft(tmp_path, "narrow", LANGUAGE), capsys)
        approve(one, id_)

        assert within(PATIENCE, lambda: not any("language" in fields(each) for each in callers_of))
        assert node(one) == node(two)

        policy(two, "suspend", f"{SCHOOL}@2026-1", "--reason", WHY, "--by", "officer", "--role", "hub_dpo")

        assert within(PATIENCE, lambda: [403, 403] == [status(each) for each in callers_of])
        assert ["propose", "approve", "approve", "activate", "suspend"] == steps(one, two)


def steps(*hubs: Beside) -> list[str]:
    """Steps about texts over the ledgers of hubs, by time."""
    found = []
    for one in hubs:
        store = open_store(one.settings.ledger)
        for shard in store.shards():
            found += [(entry.ts, entry.body) for entry in store.read(shard) if entry.kind == "policy"]
        store.close()
    return [orjson.loads(body)["name"].removeprefix("policy.") for _, body in sorted(found)]


def test_a_hub_killed_between_approval_and_its_day_brings_the_text_into_force_after_its_restart(
    hub: Any, tmp_path: Path, enrolled: Any, capsys: Any
) -> None:
    with beside(hub, tmp_path / "a") as one:
        known = enrolled(one)

        assert "language" in fields(known)

        soon = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time.time() + 6))
        id_ = propose(one, draft(tmp_path, "narrow", LANGUAGE), capsys, "--effective", soon)
        approve(one, id_)
        one.kill()
        one.start()

        assert within(PATIENCE + 6, lambda: "language" not in fields(known))
        assert ["propose", "approve", "approve", "activate"] == steps(one)

        one.end()
        one.start()

        assert "language" not in fields(known)  # also after the next restart: the file is not what decides


def test_of_two_conflicting_proposals_the_second_is_refused_with_advice_and_goes_through_once_rebased(
    hub: Any, tmp_path: Path, enrolled: Any, capsys: Any
) -> None:
    with beside(hub, tmp_path / "a") as one:
        known = enrolled(one)
        first = propose(one, draft(tmp_path, "first", LANGUAGE), capsys)
        second = propose(one, draft(tmp_path, "second", GENDER), capsys)
        approve(one, first)
        policy(one, "propose", str(draft(tmp_path, "late", GENDER)), "--from", str(FILE), "--reason", WHY, expected=1)

        assert "newest text of its purpose" in capsys.readouterr().err

        policy(one, "approve", second, "--by", "officer", "--role", "hub_dpo", expected=1)

        assert "change that, and propose it" in capsys.readouterr().err

        rebased = draft(tmp_path, "rebased", LANGUAGE, GENDER)
        approve(one, propose(one, rebased, capsys, base=tmp_path / "first" / f"{SCHOOL}.yaml"))

        assert within(PATIENCE, lambda: not {"language", "gender"} & fields(known))

        capsys.readouterr()
        policy(one, "history", SCHOOL)

        assert ["active", "proposed", "superseded"] == sorted(
            line.split()[1] for line in capsys.readouterr().out.splitlines() if not line.startswith(" ")
        )


def test_a_text_with_a_hole_is_not_proposed_and_says_where(hub: Any, tmp_path: Path, capsys: Any) -> None:
    with beside(hub, tmp_path / "a", start=False) as one:
        path = draft(tmp_path, "wide", (b"address, language, parents", b"address, language, nationalities, parents"))
        policy(one, "propose", str(path), "--from", str(FILE), "--reason", WHY, expected=1)

        assert "error: case expects" in capsys.readouterr().err


def test_a_replay_over_a_real_hubs_ledger_names_who_would_lose_what(
    hub: Any, tmp_path: Path, enrolled: Any, capsys: Any
) -> None:
    with beside(hub, tmp_path / "a") as one:
        known = enrolled(one)
        for _ in range(3):
            fields(known)
        nobody = draft(tmp_path, "nobody", (b"[group:municipalities]", b"[uccle]"))
        texts, _ = in_force(one.settings)
        now = time.time()
        fewer = replay_of(one.settings.ledger, texts, read_texts(draft(tmp_path, "fewer", LANGUAGE)), frozenset(), now - 60, now + 60, now)  # fmt: skip
        none = replay_of(one.settings.ledger, texts, read_texts(nobody), frozenset(), now - 60, now + 60, now)

        assert (3, 0, [{"language": 3}]) == (fewer.calls, fewer.untouched, [each.lost for each in fewer.changes])
        assert [("test-ixelles", {"NO_AUTHORISATION": 3})] == [(each.app, each.refused) for each in none.changes]

        policy(one, "replay", "--with", str(nobody))

        assert "3 refused" in capsys.readouterr().out
