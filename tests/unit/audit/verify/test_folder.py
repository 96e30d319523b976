"""L6 by the stand-alone program: a whole published ledger, rebuilt by somebody who has nothing but the folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from audit.log import static
from audit.log.publication import Publication
from audit.tree.checkpoint import Checkpoint
from audit.tree.note import sign_note
from audit.verify import hub_audit_verify as standalone
from tests.unit.audit.verify.test_bundle import flipped, wounds
from tests.unit.audit.verify.worlds import ANCHOR, World

NOT_PUBLISHED = ("L1", "PAYLOAD_NOT_PUBLISHED")


@pytest.fixture
def world(make_world: Callable[..., World]) -> World:
    world = make_world()
    world.exchanges(140, dangling=1)
    world.publish()
    world.exchanges(3)
    world.publish()
    return world


@pytest.fixture
def folder(world: World, tmp_path: Path) -> Path:
    static.publish(world.log, Publication(tmp_path / "site"))
    assert world.authority is not None
    (tmp_path / "site" / ANCHOR / "timestamp" / "roots.pem").write_bytes(world.authority.root.read_bytes())
    return tmp_path / "site"


def judged(folder: Path) -> list[standalone.Result]:
    policy = standalone.Policy.parse((folder / "policy").read_bytes())
    return standalone.verify_folder(folder, standalone.Judge(standalone.Words("en"), policy, None))


def test_a_whole_folder_is_proven_and_says_what_it_cannot_see(folder):
    results = judged(folder)

    assert {NOT_PUBLISHED} == wounds(results)
    assert {"L1", "L3", "L4", "L5", "L6"} == {result.level for result in results}
    assert any("142 outcomes with their intent, 1 intents open" in result.found for result in results)


def test_a_byte_flipped_in_an_entry_bundle_is_found(world, folder):
    path = folder / world.shards[0] / "tile/entries/000"
    path.write_bytes(flipped(5000)(path.read_bytes()))

    assert ("L6", "ENTRY_ALTERED") in wounds(judged(folder))


@pytest.mark.parametrize("tile", ["tile/0/000", "tile/1/000.p/1"])
def test_a_byte_flipped_in_a_tile_is_found(world, folder, tile):
    path = folder / world.shards[0] / tile
    path.write_bytes(flipped(7)(path.read_bytes()))

    assert {"ENTRY_ALTERED", "TILE_ALTERED"} & {code for level, code in wounds(judged(folder)) if level == "L6"}


def test_a_bundle_that_is_missing_is_named(world, folder):
    (folder / world.shards[0] / "tile/entries/000").unlink()

    assert ("L6", "FILE_MISSING") in wounds(judged(folder))


def test_an_old_checkpoint_put_back_is_seen_by_the_anchor(make_world, tmp_path):
    world = make_world("old")
    world.exchanges(2)
    world.publish()
    old = world.publication.read(f"{world.shards[0]}/checkpoint")
    world.exchanges(2)
    world.publish()
    site = Publication(tmp_path / "old-site")
    static.publish(world.log, site)
    for path in ("checkpoint", "tile/0/000.p/4", "tile/entries/000.p/4"):
        data = old if path == "checkpoint" else world.publication.read(f"{world.shards[0]}/tile/0/000.p/8")[: 4 * 32]
        if path != "tile/entries/000.p/4":
            site.write(f"{world.shards[0]}/{path}", data)
    bundle = site.read(f"{world.shards[0]}/tile/entries/000.p/8")
    at = 0
    for _ in range(4):
        at += 2 + int.from_bytes(bundle[at : at + 2], "big")
    site.write(f"{world.shards[0]}/tile/entries/000.p/4", bundle[:at])

    assert ("L3", "CHECKPOINT_ROLLED_BACK") in wounds(judged(tmp_path / "old-site"))


def test_another_history_under_the_hubs_own_key_is_a_fork(world, folder):
    shard = world.shards[0]
    real = standalone.Checkpoint.parse(standalone.split_note((folder / shard / "checkpoint").read_bytes())[0])
    text = Checkpoint(shard, real.size, bytes(32)).text()
    (folder / shard / "checkpoint").write_bytes(sign_note(text, world.signers.signer(shard)))

    assert {("L6", "ROOT_MISMATCH"), ("L3", "FORKED")} <= wounds(judged(folder))


def test_a_back_dated_entry_is_found_in_the_published_ledger(make_world, tmp_path):
    world = make_world("late")
    world.exchanges(1)
    world.now -= 86_400_000_000
    world.exchanges(1)
    world.publish()
    static.publish(world.log, Publication(tmp_path / "late-site"))

    assert ("L6", "BACKDATED") in wounds(judged(tmp_path / "late-site"))


def test_an_empty_folder_proves_nothing(tmp_path):
    (tmp_path / "empty").mkdir()
    judge = standalone.Judge(standalone.Words("en"), None, None)

    assert 1 == standalone.ends_with(standalone.verify_folder(tmp_path / "empty", judge))
