"""Two hundred ledgers damaged, each wound found and named rightly; two hundred undamaged, and no false alarm.

Eleven wounds (damage.py) in every variant, at places, sizes and in shapes of chance, on both engines. A sample runs always;
all four hundred under `make soak`, which prints the figure. What is drawn depends on the number of the case alone.
"""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from audit.timestamps import load_roots
from audit.verify.ledger import codes_of, verify_ledger
from audit.verify.model import Verdict
from audit.verify.outside import Rules
from mock_sources.tsa import Authority
from tests.flows.audit.damage import WOUNDS
from tests.unit.audit.kit import engine_url
from tests.unit.audit.verify.worlds import SECOND, World

ALL = 200
SIZES = (3, 12, 40, 127, 128, 129, 260)  # exchanges: twice as many entries, around the width of a tile
CASES = [(wound, number) for number in range(-(-ALL // len(WOUNDS))) for wound in WOUNDS][:ALL]


def on_postgres(number: int) -> bool:
    return number % 6 == 5


@contextmanager
def a_world(folder: Path, authority: Authority, number: int) -> Iterator[World]:
    with ExitStack() as stack:
        engine = stack.enter_context(engine_url("postgres", folder)) if on_postgres(number) else ""
        world = World(folder, authority, seed=number, engine=engine)
        stack.callback(world.close)
        yield world


def healthy(world: World, chance: random.Random) -> None:
    """A ledger of some shape: shards, erasures, restrictions, months that are over, intents without outcome."""
    size = chance.choice(SIZES)
    world.exchanges(size, dangling=chance.choice((0, 0, 1, 2)))
    world.publish(stamp=chance.random() < 0.5)
    if chance.random() < 0.3:
        world.exchanges(chance.randrange(1, 20), shard=world.shard("hub-2"))
    if chance.random() < 0.3:
        world.exchanges(chance.randrange(1, 10), retention="M1")
        world.publish()
        world.expire()
    if chance.random() < 0.4:
        world.erase(chance.sample(range(size), 2))
    if chance.random() < 0.4:
        world.restrict(chance.sample(range(size), 2))
    if chance.random() < 0.2:
        world.many_subjects(70)
    world.exchanges(chance.randrange(1, 5))
    world.publish()


def verified(world: World) -> list[Verdict]:
    assert world.authority is not None
    rules = Rules(roots=load_roots(world.authority.root), patience=0.0)
    return verify_ledger(
        world.store, world.publication, world.trust, signed=world.signed, keyring=world.keyring, rules=rules,
        clock=lambda: world.now + 10 * SECOND,
    )  # fmt: skip


def damaged(folder: Path, authority: Authority, wound: str, number: int) -> tuple[set[str], list[Verdict]]:
    """(names expected, verdicts) of one case. Shapes without keeping: a wound may not hit what was erased rightly."""
    chance = random.Random(f"{wound} {number}")
    with a_world(folder, authority, number) as world:
        world.exchanges(chance.choice(SIZES), dangling=chance.choice((0, 1)))
        world.publish()
        world.exchanges(chance.randrange(2, 9))
        world.publish()
        variants = WOUNDS[wound]
        expected = variants[number % len(variants)](world, chance)
        return expected, verified(world)


def unharmed(folder: Path, authority: Authority, number: int) -> list[Verdict]:
    chance = random.Random(f"unharmed {number}")
    with a_world(folder, authority, number) as world:
        healthy(world, chance)
        return verified(world)


def told(verdicts: list[Verdict]) -> str:
    return "\n".join(str(finding) for verdict in verdicts for finding in verdict.findings)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


SAMPLE = [(wound, number) for wound, variants in WOUNDS.items() for number in range(len(variants))]


def _marked(wound: str, number: int) -> object:
    marks = [pytest.mark.postgres] if on_postgres(number) else []
    return pytest.param(
        wound, number, id=f"{wound}-{WOUNDS[wound][number % len(WOUNDS[wound])].__name__}-{number}", marks=marks
    )


@pytest.mark.parametrize(("wound", "number"), [_marked(*case) for case in SAMPLE])
def test_a_damaged_ledger_is_found_and_its_wound_named_rightly(tmp_path, authority, wound, number):
    expected, verdicts = damaged(tmp_path, authority, wound, number)

    assert expected == set(codes_of(verdicts)), told(verdicts)


@pytest.mark.postgres
@pytest.mark.parametrize("wound", ["entry_edited", "entry_dropped", "payload_missing"])
def test_a_wound_in_postgresql_has_the_same_name(tmp_path, authority, wound):
    expected, verdicts = damaged(tmp_path, authority, wound, 5)

    assert expected == set(codes_of(verdicts)), told(verdicts)


@pytest.mark.parametrize("number", [0, 1, 2, 3, 4, 6, 7, 8, pytest.param(5, marks=pytest.mark.postgres)])
def test_an_undamaged_ledger_gives_no_alarm(tmp_path, authority, number):
    verdicts = unharmed(tmp_path, authority, number)

    assert "" == told(verdicts)
    assert all(verdict.ok for verdict in verdicts)


@pytest.mark.soak
@pytest.mark.postgres
def test_two_hundred_damaged_ledgers_are_all_named_and_two_hundred_others_give_no_alarm(tmp_path, authority, capsys):
    wrong: list[str] = []
    for wound, number in CASES:
        folder = tmp_path / f"{wound}-{number}"
        expected, verdicts = damaged(folder, authority, wound, number)
        if expected != set(codes_of(verdicts)):
            wrong.append(f"{wound} {number}: {sorted(expected)} but {codes_of(verdicts)}\n{told(verdicts)[:2000]}")
        shutil.rmtree(folder, ignore_errors=True)
    alarms: list[str] = []
    for number in range(ALL):
        folder = tmp_path / f"unharmed-{number}"
        if said := told(unharmed(folder, authority, number)):
            alarms.append(f"{number}: {said[:2000]}")
        shutil.rmtree(folder, ignore_errors=True)
    with capsys.disabled():
        print(
            f"\ndamaged ledgers named rightly: {len(CASES) - len(wrong)} of {len(CASES)}; false alarms: {len(alarms)} of {ALL}"
        )
    if path := os.environ.get("INTEGRATOR_DAMAGE_REPORT"):
        Path(path).write_text("\n\n".join([*wrong, *alarms]))

    assert ([], []) == (wrong, alarms)
