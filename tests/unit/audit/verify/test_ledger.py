"""The check of a whole ledger: what it says of sound ones, of missing witnesses and stamps, and how it is resumed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit import Ledger
from audit.keeping.maps import make_maps
from audit.log.gap import behind, resume
from audit.timestamps import load_roots
from audit.verify.alignment import align
from audit.verify.ledger import codes_of, verify_ledger
from audit.verify.marks import Mark
from audit.verify.model import Verdict
from audit.verify.outside import Rules
from tests.unit.audit.verify.worlds import SECOND, World


@pytest.fixture
def world(make_world: Callable[..., World]) -> World:
    world = make_world()
    world.exchanges(3, dangling=1)
    world.publish()
    return world


def verified(world: World, *, later: int = 10, rules: Rules | None = None, **more: Any) -> list[Verdict]:
    assert world.authority is not None
    rules = rules or Rules(roots=load_roots(world.authority.root), patience=0.0)
    now = world.now + later * SECOND
    return verify_ledger(
        world.store, world.publication, world.trust, signed=world.signed, rules=rules, clock=lambda: now, **more
    )


def by_level(verdicts: list[Verdict]) -> dict[str, Verdict]:
    return {verdict.level: verdict for verdict in verdicts}


def test_a_sound_ledger_is_proven_on_every_level(world):
    verdicts = verified(world, keyring=world.keyring)

    assert [(f"L{level}", True) for level in range(1, 7)] == [(verdict.level, verdict.ok) for verdict in verdicts]
    assert ("1 intents without outcome",) == tuple(note.partition(": ")[2] for note in by_level(verdicts)["L6"].notes)


def test_what_was_not_checked_says_why_and_is_not_ok(world):
    verdicts = by_level(verified(world, rules=Rules(stamps=False)))

    assert (False, True) == (verdicts["L1"].ok, "no keys" in verdicts["L1"].skipped)
    assert (False, True) == (verdicts["L5"].ok, "no time stamps are expected" in verdicts["L5"].skipped)


@pytest.mark.parametrize(
    ("step", "codes"), [({"stamp": False}, ["STAMP_MISSING"]), ({"witness": False}, ["WITNESS_MISSING"])]
)
def test_a_stamp_or_witness_that_never_came_is_a_finding_once_it_is_late(make_world, step, codes):
    world = make_world("alone")
    world.exchanges(1)
    world.publish(**step)

    assert [] == codes_of(verified(world))
    assert codes == codes_of(verified(world, later=3600))


@pytest.mark.parametrize(
    ("step", "codes"), [({"stamp": False}, ["STAMP_STALE"]), ({"witness": False}, ["WITNESS_STALE"])]
)
def test_a_stamp_or_witness_that_stopped_coming_is_stale(world, step, codes):
    world.exchanges(1)
    world.publish(**step)

    assert codes == codes_of(verified(world, later=3600))


def test_entries_without_checkpoint_are_young_or_a_finding(world):
    world.exchanges(1)

    assert [] == codes_of(verified(world))
    assert ["CHECKPOINT_STALE"] == codes_of(verified(world, later=3600))


def test_a_ledger_that_never_published_lacks_its_checkpoint(make_world):
    world = make_world("silent")
    world.exchanges(1)

    assert ["CHECKPOINT_MISSING"] == codes_of(verified(world, later=3600, rules=Rules(stamps=False)))


def test_a_checkpoint_that_is_deleted_is_missing(world):
    (world.publication.folder / world.shards[0] / "checkpoint").unlink()

    assert {"CHECKPOINT_MISSING"} == set(codes_of(verified(world, later=3600)))


def test_a_tile_that_is_deleted_is_missing(world):
    (world.publication.folder / world.shards[0] / "tile/0/000.p/5").unlink()

    assert ["TILE_MISSING"] == codes_of(verified(world))


def test_a_stamp_over_something_else_is_invalid(world):
    from tests.unit.audit.verify.worlds import ANCHOR, stamped

    world.publication.write(f"{ANCHOR}/timestamp/1-mock.tsr", stamped(world.authority, "another text\n"))

    assert ["STAMP_INVALID"] == codes_of(verified(world))


def test_a_row_hidden_without_an_order_is_found(world):
    world.store.set_vis(world.shards[0], 0, 1)

    assert ["VIEW_ALTERED"] == codes_of(verified(world))


def test_an_outcome_of_no_intent_is_found(world):
    world.write([world.draft("outcome", "7" * 32, intent_ref=0, status="Ok")])
    world.publish()

    assert ["PAIR_BROKEN"] == codes_of(verified(world))


def test_a_late_outcome_after_an_unknown_is_no_wound(world):
    trace = world.draft("intent", "6" * 32)
    [intent] = world.write([trace])
    for kind in ("unknown", "outcome"):
        world.write([world.draft(kind, "6" * 32, intent_ref=intent.index)])
    world.publish()

    assert [] == codes_of(verified(world))


def test_a_verification_goes_on_where_the_last_one_ended(make_world):
    world = make_world("long")
    world.exchanges(150, dangling=2)
    world.publish()
    marks: dict[str, Mark] = {}
    first = by_level(verified(world, marks=marks))["L6"].checked
    world.exchanges(20)
    world.publish()
    seen: list[tuple[int, int]] = []

    again = verified(world, since=marks, progress=lambda done, total: seen.append((done, total)))

    assert (256, []) == (marks[world.shards[0]].size, codes_of(again))
    assert first > by_level(again)["L6"].checked > 0
    assert seen


def test_a_tail_cut_behind_the_last_verification_is_found(make_world):
    world = make_world("cut")
    world.exchanges(150)
    world.publish()
    marks: dict[str, Mark] = {}
    verified(world, marks=marks)
    world.store._change(("DELETE FROM entry WHERE idx >= 100", ()))

    assert "TAIL_CUT" in codes_of(verified(world, since=marks))


def test_a_loss_that_the_hub_declared_after_a_restore_is_told_apart_from_a_cut(world):
    shard = world.shards[0]
    world.store._change(
        ("DELETE FROM entry WHERE idx >= 3 AND shard = (SELECT no FROM shard WHERE name = ?)", (shard,))
    )
    assert "TAIL_CUT" in codes_of(verified(world))
    lost = behind([shard], world.store, world.publication, world.signed, world.signers)

    successor, _ = resume(lost, shard, world.store, world.keyring, world.signers, witnessed=None, clock=world._tick)

    world.shards.append(successor)
    verdicts = verified(world)
    assert [] == codes_of(verdicts)
    assert any("2 entries were lost" in note for note in by_level(verdicts)["L6"].notes)


LEAVES = [bytes([number]) * 32 for number in range(12)]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10), st.integers(1, 11))
def test_one_difference_gives_one_name(at, other):
    alien, rest = bytes([99]) * 32, list(enumerate(LEAVES))
    inserted = [*LEAVES[:at], alien, *LEAVES[at:]]
    dropped = [*LEAVES[:at], *LEAVES[at + 1 :]]
    altered = [(index, alien if index == at else leaf) for index, leaf in rest]
    swapped = list(LEAVES)
    swapped[at], swapped[other] = swapped[other], swapped[at]

    assert [] == align(rest, LEAVES)
    assert [("ENTRY_INSERTED", at)] == [(one.code, one.place) for one in align(list(enumerate(inserted)), LEAVES)]
    assert [("ENTRY_MISSING", at)] == [(one.code, one.place) for one in align(list(enumerate(dropped)), LEAVES)]
    assert [("ENTRY_MISSING", at)] == [(one.code, one.place) for one in align([*rest[:at], *rest[at + 1 :]], LEAVES)]
    assert [("ENTRY_ALTERED", at)] == [(one.code, one.place) for one in align(altered, LEAVES)]
    assert (["ENTRY_SWAPPED"] if at != other else []) == [one.code for one in align(list(enumerate(swapped)), LEAVES)]
    assert [("TAIL_CUT", at)] == [(one.code, one.place) for one in align(rest[:at], LEAVES)]


def test_a_row_that_commits_to_nothing_needs_nothing_sealed(world):
    from audit import Draft

    world.write([Draft(type="admin", trace_id="5" * 32, span_id="1" * 16, name="admin.start", retention="Y10")])
    world.publish()

    assert [] == codes_of(verified(world))


def test_a_ledger_that_is_written_and_published_meanwhile_gives_no_alarm(make_world):
    world = make_world("alive")
    world.exchanges(50)
    world.publish()
    done = threading.Event()

    def live() -> None:
        other = World(world.folder, None, seed=2, now=world.now, shards=list(world.shards))
        while not done.is_set():
            other.exchanges(3)
            other.erase([other.store.size(other.shards[0]) - 1])
            other.publish(stamp=False)
        other.close()

    writer = threading.Thread(target=live)
    writer.start()
    try:
        codes = [codes_of(verified(world, rules=Rules(stamps=False, patience=1.0))) for _ in range(12)]
    finally:
        done.set()
        writer.join()

    assert [[]] * 12 == codes


def with_map(world: World) -> None:
    """Let the day pass, and its map be made."""
    world.now += 86_400 * SECOND
    with Ledger(world.store, world.keyring, shard=world.shards[0], clock=world._tick) as ledger:
        assert make_maps(world.store, world.keyring, ledger, world.folder / "maps")
    world.publish()


def test_the_map_of_a_day_is_rebuilt(world):
    with_map(world)

    assert [] == codes_of(verified(world, keyring=world.keyring))


def test_a_tag_taken_out_of_the_search_contradicts_the_map_of_its_day(world):
    with_map(world)
    world.store._change(("UPDATE side SET tag = ? WHERE idx = 0 AND part = 0", (bytes(16),)))

    assert ["MAP_ALTERED"] == codes_of(verified(world, keyring=world.keyring))


def test_a_map_whose_day_was_erased_in_part_is_noted_not_judged(world):
    with_map(world)
    world.erase([0])
    world.publish()

    verdicts = verified(world, keyring=world.keyring)

    assert [] == codes_of(verdicts)
    assert any("cannot be rebuilt" in note for note in by_level(verdicts)["L6"].notes)
