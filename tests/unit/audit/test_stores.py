"""The contract of audit.store, sentence by sentence, over both engines."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from audit import FileKeyRing, HeadMoved, ShardTaken, Store, StoreFailed, UnsafeStore, open_store
from audit.entry import Prepared, prepare
from audit.seal import Sealer
from audit.store import Writer
from tests.unit.audit.kit import NOON, SHARD, a_draft, a_full_draft

MINUTE = 60_000_000
MONTH = 31 * 24 * 60 * MINUTE


@pytest.fixture
def sealer(keyring: FileKeyRing) -> Sealer:
    return Sealer(keyring)


@pytest.fixture
def writer(store: Store) -> Iterator[Writer]:
    opened = store.writer(SHARD)
    yield opened
    opened.close()


def entries(sealer: Sealer, count: int, ts: int = NOON) -> list[Prepared]:
    return [prepare(a_full_draft(), sealer, ts) for _ in range(count)]


def test_a_new_shard_is_empty(writer: Writer) -> None:
    assert 0 == writer.size()


def test_a_shard_nobody_made_is_empty(store: Store) -> None:
    assert (0, [], [], []) == (store.size("x"), list(store.read("x")), store.sealed("x", 0), store.dangling("x", NOON))


def test_indices_follow_each_other_across_batches(store: Store, writer: Writer, sealer: Sealer) -> None:
    writer.append(entries(sealer, 3), 0)
    writer.append(entries(sealer, 2), 3)

    assert [0, 1, 2, 3, 4] == [stored.index for stored in store.read(SHARD)]


def test_what_is_read_is_what_was_written(store: Store, writer: Writer, sealer: Sealer) -> None:
    entry = prepare(a_draft("outcome", clear={"intent_ref": 4}), sealer, NOON)
    writer.append([entry], 0)
    [stored] = store.read(SHARD)

    assert (SHARD, NOON, "outcome", 4, entry.leaf, entry.body) == (
        stored.shard, stored.ts, stored.kind, stored.ref, stored.leaf, stored.body,
    )  # fmt: skip


def test_sealed_parts_come_back_as_they_were(store: Store, writer: Writer, sealer: Sealer) -> None:
    entry = prepare(a_full_draft(subjects=[("vin", "1"), ("vin", "2")]), sealer, NOON)
    writer.append([prepare(a_draft(), sealer, NOON), entry], 0)

    assert entry.parts == tuple(store.sealed(SHARD, 1))


def test_an_entry_without_values_has_a_row_without_keys(store: Store, writer: Writer, sealer: Sealer) -> None:
    writer.append([prepare(a_draft(), sealer, NOON)], 0)

    assert [(0, None, (None, None, None), (None, None, None))] == store.sealed(SHARD, 0)


def test_a_range_is_read_in_order(store: Store, writer: Writer, sealer: Sealer) -> None:
    writer.append(entries(sealer, 9), 0)

    assert [3, 4, 5] == [stored.index for stored in store.read(SHARD, 3, 6)]


def test_a_long_shard_is_read_whole(store: Store, writer: Writer, sealer: Sealer) -> None:
    entry = prepare(a_draft(), sealer, NOON)
    for start in range(0, 1200, 400):
        writer.append([entry] * 400, start)

    assert list(range(1200)) == [stored.index for stored in store.read(SHARD)]


@pytest.mark.parametrize(("start", "stop"), [(0, 0), (0, 1), (0, 600), (255, 257), (256, 512), (599, 700), (600, 900)])
def test_who_follows_the_ledger_gets_what_was_written_in_its_order(
    store: Store, writer: Writer, sealer: Sealer, start: int, stop: int
) -> None:
    written = entries(sealer, 600)
    writer.append(written, 0)
    expected = [(index, one.leaf, one.body) for index, one in enumerate(written)][start:stop]

    assert expected == list(store.bodies(SHARD, start, stop))
    assert [leaf for _, leaf, _ in expected] == store.leaves(SHARD, start, stop)


def test_nobody_is_followed_in_a_shard_that_nobody_made(store: Store) -> None:
    assert ([], []) == (list(store.bodies("x", 0, 9)), store.leaves("x", 0, 9))


@pytest.mark.parametrize("expect", [0, 2, 4, 99])
def test_a_writer_that_is_wrong_about_the_head_stores_nothing(
    store: Store, writer: Writer, sealer: Sealer, expect: int
) -> None:
    writer.append(entries(sealer, 3), 0)
    with pytest.raises(HeadMoved):
        writer.append(entries(sealer, 2), expect)

    assert (3, [], None) == (store.size(SHARD), store.sealed(SHARD, 3), next(store.read(SHARD, 3), None))


def test_a_writer_goes_on_after_reopening(store: Store, writer: Writer, sealer: Sealer) -> None:
    with pytest.raises(HeadMoved):
        writer.append(entries(sealer, 1), 5)
    writer.append(entries(sealer, 1), writer.reopen())

    assert 1 == store.size(SHARD)


def test_a_failed_batch_leaves_nothing_behind(store: Store, writer: Writer, sealer: Sealer) -> None:
    good = prepare(a_full_draft(), sealer, NOON)
    twice_the_same_part = good._replace(parts=good.parts * 2)
    with pytest.raises(StoreFailed):
        writer.append([good, twice_the_same_part], 0)

    assert (0, [], []) == (store.size(SHARD), store.sealed(SHARD, 0), store.months())


def test_a_large_batch_that_fails_at_its_end_leaves_nothing_behind(
    store: Store, writer: Writer, sealer: Sealer
) -> None:
    good = prepare(a_full_draft(), sealer, NOON)
    with pytest.raises(StoreFailed):
        writer.append([good] * 1_500 + [good._replace(parts=good.parts * 2)], 0)

    assert (0, [], []) == (store.size(SHARD), store.sealed(SHARD, 0), store.months())


def test_a_large_batch_is_stored_whole(store: Store, writer: Writer, sealer: Sealer) -> None:
    writer.append([prepare(a_draft(), sealer, NOON)] * 2_500, 0)

    assert list(range(2_500)) == [stored.index for stored in store.read(SHARD)]


def test_a_large_batch_at_the_wrong_head_stores_nothing(store: Store, writer: Writer, sealer: Sealer) -> None:
    with pytest.raises(HeadMoved):
        writer.append([prepare(a_draft(), sealer, NOON)] * 1_500, 7)

    assert 0 == store.size(SHARD)


def test_a_failed_writer_refuses_until_reopened(writer: Writer, sealer: Sealer) -> None:
    good = prepare(a_full_draft(), sealer, NOON)
    with pytest.raises(StoreFailed):
        writer.append([good._replace(parts=good.parts * 2)], 0)

    with pytest.raises(StoreFailed):
        writer.append([good], 0)


def test_a_second_writer_of_the_same_shard_is_refused(url: str, writer: Writer) -> None:
    other = open_store(url)
    with pytest.raises(ShardTaken):
        other.writer(SHARD, wait=0.1)
    other.close()


def test_the_lease_is_free_once_the_writer_is_closed(store: Store, writer: Writer, sealer: Sealer) -> None:
    writer.append(entries(sealer, 2), 0)
    writer.close()
    successor = store.writer(SHARD, wait=1)
    size = successor.size()
    successor.close()

    assert 2 == size


def test_two_shards_have_a_writer_each_and_indices_of_their_own(store: Store, writer: Writer, sealer: Sealer) -> None:
    other = store.writer("other")
    writer.append(entries(sealer, 2), 0)
    other.append(entries(sealer, 3), 0)
    other.close()

    assert ([SHARD, "other"], 2, 3) == (store.shards(), store.size(SHARD), store.size("other"))


def test_what_is_stored_outlives_the_store(url: str, store: Store, writer: Writer, sealer: Sealer) -> None:
    batch = entries(sealer, 2)
    writer.append(batch, 0)
    again = open_store(url)
    leaves = [stored.leaf for stored in again.read(SHARD)]
    again.close()

    assert [entry.leaf for entry in batch] == leaves


def test_hits_are_newest_first(store: Store, writer: Writer, sealer: Sealer) -> None:
    batch = [prepare(a_full_draft(), sealer, NOON + shift) for shift in (0, 2, 1)]
    writer.append(batch, 0)
    hits = store.find([batch[0].parts[0].tag or b""], NOON, NOON + 3)

    assert [1, 2, 0] == [hit.index for hit in hits]


def test_a_hit_carries_what_the_consoles_show(store: Store, writer: Writer, sealer: Sealer) -> None:
    entry = prepare(a_full_draft(), sealer, NOON)
    writer.append([entry], 0)
    [hit] = store.find([entry.parts[0].tag or b""], NOON, NOON + 1)

    assert (SHARD, 0, 0, NOON, entry.agent_tag, "0207446759", "https://ropa.example.brussels/a/7f1c/v3", 0) == (
        hit.shard, hit.index, hit.part, hit.ts, hit.agent_tag, hit.org, hit.activity, hit.vis,
    )  # fmt: skip


def test_the_period_includes_its_start_and_not_its_end(store: Store, writer: Writer, sealer: Sealer) -> None:
    batch = [prepare(a_full_draft(), sealer, NOON + shift) for shift in range(4)]
    writer.append(batch, 0)
    hits = store.find([batch[0].parts[0].tag or b""], NOON + 1, NOON + 3)

    assert [2, 1] == [hit.index for hit in hits]


def test_a_strangers_tag_finds_nothing(store: Store, writer: Writer, sealer: Sealer) -> None:
    writer.append(entries(sealer, 1), 0)

    assert [] == store.find([bytes(16)], 0, NOON + 1)


def test_an_agent_is_found_by_the_tag_of_agents(store: Store, writer: Writer, sealer: Sealer) -> None:
    entry = prepare(a_full_draft(), sealer, NOON)
    writer.append([entry], 0)

    assert [0] == [hit.index for hit in store.find([entry.agent_tag or b""], 0, NOON + 1, by="agent")]


def test_pages_neither_skip_nor_repeat_while_the_list_grows(store: Store, writer: Writer, sealer: Sealer) -> None:
    batch = [prepare(a_full_draft(), sealer, NOON + n // 3) for n in range(10)]  # times repeat: three at each µs
    writer.append(batch, 0)
    tags = [batch[0].parts[0].tag or b""]
    seen = hits = store.find(tags, 0, NOON + MINUTE, limit=4)
    while hits:
        writer.append([prepare(a_full_draft(), sealer, NOON + 50)], store.size(SHARD))
        last = hits[-1]
        hits = store.find(tags, 0, NOON + MINUTE, limit=4, before=(last.ts, last.shard, last.index, last.part))
        seen = seen + hits

    assert list(range(9, -1, -1)) == [hit.index for hit in seen]


def test_months_are_those_that_have_rows(store: Store, writer: Writer, sealer: Sealer) -> None:
    batch = [prepare(a_draft(), sealer, NOON + shift * MONTH) for shift in (0, 2, 0, 3)]
    writer.append(batch, 0)

    assert [202611, 202701, 202702] == store.months()


def test_a_batch_across_midnight_of_the_month_is_one_batch(store: Store, writer: Writer, sealer: Sealer) -> None:
    batch = [prepare(a_full_draft(), sealer, NOON + shift * MONTH) for shift in (0, 1)]
    writer.append(batch, 0)

    assert [entry.parts for entry in batch] == [tuple(store.sealed(SHARD, index)) for index in (0, 1)]


def test_an_intent_without_outcome_dangles(store: Store, writer: Writer, sealer: Sealer) -> None:
    kinds = [("intent", None), ("intent", None), ("outcome", 0), ("denied", None), ("intent", None), ("unknown", 4)]
    writer.append([_entry(sealer, kind, ref) for kind, ref in kinds], 0)

    assert [1] == [stored.index for stored in store.dangling(SHARD, NOON + 1)]


def test_a_denial_after_the_intent_settles_it(store: Store, writer: Writer, sealer: Sealer) -> None:
    writer.append([_entry(sealer, "intent", None), _entry(sealer, "denied", 0)], 0)

    assert [] == store.dangling(SHARD, NOON + 1)


def test_a_young_intent_does_not_dangle_yet(store: Store, writer: Writer, sealer: Sealer) -> None:
    writer.append([_entry(sealer, "intent", None)], 0)

    assert [] == store.dangling(SHARD, NOON)


def test_a_young_intent_dangles_once_it_is_old(store: Store, writer: Writer, sealer: Sealer) -> None:
    writer.append([_entry(sealer, "intent", None)], 0)
    store.dangling(SHARD, NOON)

    assert [0] == [stored.index for stored in store.dangling(SHARD, NOON + 1)]


def test_an_intent_settled_late_stops_dangling(store: Store, writer: Writer, sealer: Sealer) -> None:
    writer.append([_entry(sealer, "intent", None)] * 3, 0)
    before = [stored.index for stored in store.dangling(SHARD, NOON + 1)]
    writer.append([_entry(sealer, "unknown", 0), _entry(sealer, "unknown", 2)], 3)
    after = [stored.index for stored in store.dangling(SHARD, NOON + 1)]

    assert ([0, 1, 2], [1]) == (before, after)


def test_an_intent_after_everything_was_settled_is_seen(store: Store, writer: Writer, sealer: Sealer) -> None:
    writer.append([_entry(sealer, "intent", None), _entry(sealer, "outcome", 0)], 0)
    store.dangling(SHARD, NOON + 1)
    writer.append([_entry(sealer, "intent", None)], 2)

    assert [2] == [stored.index for stored in store.dangling(SHARD, NOON + 1)]


def test_a_schema_of_another_version_is_refused(url: str, store: Store) -> None:
    store.close()
    if url.startswith("sqlite"):
        connection = sqlite3.connect(url.removeprefix("sqlite:///"))
        connection.execute("PRAGMA user_version = 99")
        connection.close()
    else:
        with psycopg.connect(url) as administrator:
            administrator.execute("UPDATE ledger SET version = 99")

    with pytest.raises(UnsafeStore, match="99"):
        open_store(url)


def _entry(sealer: Sealer, kind: str, ref: int | None) -> Prepared:
    draft = a_draft(kind) if ref is None else replace(a_draft(kind, clear={"intent_ref": ref}))
    return prepare(draft, sealer, NOON)


def test_sqlite_is_opened_with_full_synchronous_wal(tmp_path: Path) -> None:
    from audit.sqlite_writer import connect

    connection = connect(str(tmp_path / "x.db"))
    modes = [connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous")]
    connection.close()

    assert ["wal", 2] == modes


def test_the_sqlite_file_is_private(tmp_path: Path) -> None:
    open_store(f"sqlite:///{tmp_path}/ledger.db").close()

    assert 0o600 == (tmp_path / "ledger.db").stat().st_mode & 0o777


@pytest.mark.parametrize("url", ["sqlite:///:memory:", "sqlite:///"])
def test_a_ledger_in_memory_is_refused(url: str) -> None:
    with pytest.raises(UnsafeStore):
        open_store(url)


@pytest.mark.parametrize("url", ["mysql://x/y", "ledger.db", "sqlite:ledger.db", ""])
def test_a_url_of_no_engine_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="sqlite:///"):
        open_store(url)


def test_a_database_that_does_not_answer_is_named_as_such() -> None:
    with pytest.raises(StoreFailed):
        open_store("postgresql://127.0.0.1:1/nowhere")
