"""The map of what people were shown: it proves to each of them their own list, and tells nobody that there is more."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable
from datetime import date
from pathlib import Path

import orjson
import pytest

from audit import FileKeyRing, Ledger, Store, Subject
from audit.errors import ProofInvalid
from audit.keeping import erase_one, release, restrict
from audit.keeping.completeness import check_day
from audit.keeping.erased import MOST
from audit.keeping.maps import DayEvidence, forget_maps, make_maps
from audit.keeping.shown import NAME, make_shown, prove_shown
from tests.unit.audit.keeping.conftest import COURT, DPO, both
from tests.unit.audit.kit import SHARD, Clock

DAY = date(2026, 11, 23)
A_DAY = 86_400_000_000
ME, HIDDEN, STRANGER = (Subject("nrn", number) for number in ("85610100147", "85610100246", "85610100345"))

Exchange = Callable[..., list[int]]


class Town:
    """A ledger of one day; `kept` are entries that purposes keep from their subjects, until a moment."""

    def __init__(self, store: Store, keyring: FileKeyRing, ledger: Ledger, clock: Clock, folder: Path) -> None:
        self.store, self.keyring, self.ledger, self.clock, self.folder = store, keyring, ledger, clock, folder
        self.kept: dict[int, int] = {}

    def shows_at(self, ts: int) -> Callable[[bytes, str, int], bool]:
        return lambda tag, shard, index: ts >= self.kept.get(index, 0)

    def night(self) -> int:
        """The next night comes; how many maps of what was shown were made."""
        self.clock.now += A_DAY
        make_maps(self.store, self.keyring, self.ledger, self.folder)
        return len(make_shown(self.store, self.keyring, self.ledger, self.folder, self.shows_at))

    def prove(self, who: Subject = ME, day: date = DAY) -> list[DayEvidence]:
        return prove_shown(self.store, self.keyring, self.folder, who, day, self.shows_at)

    def checked(self, who: Subject = ME) -> list[int]:
        """The lines that are proved, by index."""
        [one] = self.prove(who)
        [stored] = self.store.read(one.shard, one.index, one.index + 1)
        entry = orjson.loads(stored.body)
        check_day(one.proof, b64decode(entry["root"]), entry["size"], one.key, one.salt, one.places)
        return [index for _, index in one.places]

    def sizes(self) -> dict[str, int]:
        entries = [orjson.loads(one.body) for one in self.store.read(SHARD)]
        return {entry["name"]: entry["size"] for entry in entries if entry["type"] == "index"}


@pytest.fixture
def town(store: Store, keyring: FileKeyRing, ledger: Ledger, clock: Clock, tmp_path: Path) -> Town:
    return Town(store, keyring, ledger, clock, tmp_path / "maps")


@both
def test_the_lines_that_were_shown_are_proved_and_the_others_are_not_in_it(town: Town, exchange: Exchange) -> None:
    lines = exchange()
    later = exchange()
    town.kept = dict.fromkeys(later, 2**62)
    assert 1 == town.night()

    assert lines == town.checked()
    assert lines == town.checked()  # whenever one asks


@both
def test_who_has_only_hidden_lines_is_told_the_same_as_a_stranger(town: Town, exchange: Exchange) -> None:
    exchange()
    town.kept = dict.fromkeys(exchange(subjects=[("nrn", HIDDEN.id)]), 2**62)
    town.night()

    assert [] == town.checked(HIDDEN) == town.checked(STRANGER)
    assert {1: 1, 2: 1}.keys() >= {len(town.prove(who)[0].proof.leaves) for who in (HIDDEN, STRANGER)}


def test_the_size_does_not_tell_how_many_have_hidden_lines(town: Town, exchange: Exchange) -> None:
    exchange()
    town.kept = dict.fromkeys(exchange(subjects=[("nrn", HIDDEN.id)]), 2**62)
    town.night()

    sizes = town.sizes()
    assert sizes["keeping.index"] == sizes[NAME] == 2


def test_a_line_that_is_shown_later_was_not_shown_then(town: Town, exchange: Exchange) -> None:
    lines, delayed = exchange(), exchange()
    town.kept = dict.fromkeys(delayed, town.clock.now + 9 * A_DAY)
    town.night()
    town.clock.now += 30 * A_DAY

    assert lines == town.checked()


def test_a_line_taken_away_afterwards_is_noticed(town: Town, exchange: Exchange) -> None:
    lines = exchange()
    town.night()
    [one] = town.prove()
    [stored] = town.store.read(one.shard, one.index, one.index + 1)
    entry = orjson.loads(stored.body)

    for told in (one.places[:1], ()):
        with pytest.raises(ProofInvalid):
            check_day(one.proof, b64decode(entry["root"]), entry["size"], one.key, one.salt, told)
    assert lines == [index for _, index in one.places]


def test_after_an_order_there_is_no_proof_rather_than_a_wrong_one(town: Town, exchange: Exchange) -> None:
    line = exchange()[1]
    town.night()
    restrict(town.store, town.ledger, SHARD, [line], DPO, review=date(2027, 6, 1))
    assert [] == town.prove()

    release(town.store, town.ledger, SHARD, [line], DPO)
    assert town.prove()


@both
def test_an_erased_line_is_proved_as_erased_by_the_entry_that_says_so(town: Town, exchange: Exchange) -> None:
    lines, others = exchange(), exchange(subjects=[("nrn", STRANGER.id)])
    town.night()
    [order] = erase_one(town.store, town.ledger, SHARD, [lines[1]], COURT)
    erase_one(town.store, town.ledger, SHARD, others, COURT)

    assert lines == town.checked()
    [one] = town.prove()
    assert (((SHARD, lines[1]), (SHARD, order.index)),) == one.erased
    assert () == town.prove(HIDDEN)[0].erased  # who had no line is told of none


def test_of_many_erased_lines_one_s_own_are_found_when_they_are_all(town: Town, exchange: Exchange) -> None:
    lines = [index for _ in range(MOST) for index in exchange()]
    town.night()
    erase_one(town.store, town.ledger, SHARD, lines, COURT)
    assert lines == town.checked()

    [one] = town.prove()
    assert lines == [index for (_, index), _ in one.erased]


def test_of_too_many_erased_lines_none_is_guessed(town: Town, exchange: Exchange) -> None:
    mine = exchange()
    theirs = [index for _ in range(MOST) for index in exchange(subjects=[("nrn", STRANGER.id)])]
    town.night()
    erase_one(town.store, town.ledger, SHARD, [*mine, *theirs], COURT)

    assert [] == town.prove()


def test_a_line_that_was_never_shown_is_not_named_when_it_is_erased(town: Town, exchange: Exchange) -> None:
    lines, hidden = exchange(), exchange()
    town.kept = dict.fromkeys(hidden, 2**62)
    town.night()
    erase_one(town.store, town.ledger, SHARD, hidden, COURT)

    assert lines == town.checked()
    assert () == town.prove()[0].erased


def test_a_day_gets_one_map_and_a_hub_that_begins_late_does_not_go_back(town: Town, exchange: Exchange) -> None:
    exchange()
    town.clock.now += A_DAY
    make_maps(town.store, town.keyring, town.ledger, town.folder)
    exchange()
    assert 1 == town.night()  # both days have a whole map; what the first one's night showed nobody knows now
    assert ([], [[]]) == (town.prove(), [list(one.places) for one in town.prove(STRANGER, date(2026, 11, 24))])
    assert 0 == len(make_shown(town.store, town.keyring, town.ledger, town.folder, town.shows_at))
    assert 1 == town.night()


def test_today_and_a_day_without_map_have_no_proof(town: Town, exchange: Exchange) -> None:
    exchange()
    town.night()

    assert [[], []] == [town.prove(day=day) for day in (date(2026, 11, 24), date(2020, 1, 1))]


def test_a_damaged_map_proves_nothing(town: Town, exchange: Exchange) -> None:
    exchange()
    town.night()
    [path] = town.folder.glob("*.shown.map")
    path.write_bytes(path.read_bytes()[:-1] + b"x")

    assert [] == town.prove()


def test_both_maps_go_when_their_month_does(town: Town, exchange: Exchange) -> None:
    exchange()
    town.night()
    town.store.months = list  # type: ignore[method-assign] - nothing is kept any more

    assert 2 == forget_maps(town.store, town.folder)
