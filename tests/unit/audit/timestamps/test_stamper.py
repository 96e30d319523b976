"""When is the anchor stamped, what is kept, when does it alarm, when must the hub stop: with a clock of our own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509

from audit.posting import Answer, Unreachable
from audit.timestamps import Stamp, Stamper, StampInvalid, Tsa, check_stamp
from audit.timestamps.stamp import ask
from mock_sources.tsa import Authority
from tests.unit.audit.timestamps.conftest import TEXT

ORIGIN = "audit.hub.example/sandbox/anchor"
MINUTE, HOUR = 60.0, 3600.0


def anchor(size: int, origin: str = ORIGIN) -> bytes:
    """An anchor checkpoint as the Publisher hands it over; nobody here looks at its signature."""
    return f"{origin}\n{size}\nK7gNU3sdo+OL0wNhqoVWhr3g6s1xYv72ol/pe/Unols=\n\n— {origin} AAAAAA==\n".encode()


class Clock:
    def __init__(self) -> None:
        self.now = 1_795_000_000.0

    def __call__(self) -> float:
        return self.now


class Stamps:
    """An authority that stamps when it is up; counts what it was asked."""

    def __init__(self, name: str, clock: Clock) -> None:
        self.name, self._clock, self.up, self.asked = name, clock, True, list[bytes]()

    def stamp(self, text: bytes) -> Stamp:
        self.asked.append(text)
        if not self.up:
            raise Unreachable("down")
        return Stamp(b"stamp of " + text, datetime.fromtimestamp(self._clock(), UTC))


class Shelf(dict[str, bytes]):
    def write(self, path: str, data: bytes) -> None:
        self[path] = data


def stamps(shelf: Shelf) -> dict[str, bytes]:
    return {path: data for path, data in shelf.items() if "/timestamp/" in path}


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
def stamper(clock: Clock, shelf: Shelf, tmp_path: Path) -> Callable[..., Stamper]:
    def make(*tsas: Stamps, **more: float) -> Stamper:
        return Stamper(tsas, shelf, tmp_path / "stamps", clock=clock, **more)

    return make


def test_every_authority_stamps_the_text_and_the_raw_answer_is_kept(
    stamper: Callable[..., Stamper], clock: Clock, shelf: Shelf
) -> None:
    a, b = Stamps("a", clock), Stamps("b", clock)
    one = stamper(a, b)
    one.on_anchor(anchor(7))
    one.step()

    text = anchor(7).partition(b"\n\n")[0] + b"\n"
    assert {f"{ORIGIN}/timestamp/7-{tsa}.tsr": b"stamp of " + text for tsa in "ab"} == stamps(shelf)
    assert anchor(7) == shelf[f"{ORIGIN}/stamped/a"]
    assert [text] == a.asked == b.asked


def test_the_size_that_is_stamped_or_being_stamped_concerns_the_stamper_and_no_other(
    stamper: Callable[..., Stamper], clock: Clock
) -> None:
    a, b = Stamps("a", clock), Stamps("b", clock)
    b.up = False
    one = stamper(a, b)
    one.on_anchor(anchor(7))
    one.step()
    clock.now += 20
    one.on_anchor(anchor(9))
    one.step()  # b tries again, a rests for a minute

    assert [7, 9] == [size for size in range(6, 11) if one.concerns(size)]


def test_a_checkpoint_is_stamped_once_and_no_more_than_one_a_minute(
    stamper: Callable[..., Stamper], clock: Clock
) -> None:
    a = Stamps("a", clock)
    one = stamper(a)
    for second in range(121):
        if second % 10 == 0:
            one.on_anchor(anchor(second + 1))
        one.step()
        clock.now += 1

    assert [1, 61, 121] == [int(text.split(b"\n")[1]) for text in a.asked]


def test_a_log_that_did_not_grow_is_not_stamped_again_and_alarms_nobody(
    stamper: Callable[..., Stamper], clock: Clock
) -> None:
    a = Stamps("a", clock)
    one = stamper(a)
    one.on_anchor(anchor(7))
    one.step()
    clock.now += 30 * HOUR
    one.on_anchor(anchor(7))
    one.step()

    assert 1 == len(a.asked)
    assert not one.status().alarm
    assert not one.overdue()
    assert 30 * HOUR == one.status().tsas[0].age


def test_an_authority_that_is_down_alarms_after_fifteen_minutes_and_no_sooner(
    stamper: Callable[..., Stamper], clock: Clock
) -> None:
    a, b = Stamps("a", clock), Stamps("b", clock)
    b.up = False
    one = stamper(a, b)
    one.on_anchor(anchor(7))
    one.step()
    clock.now += 15 * MINUTE
    quiet = one.status().alarm
    clock.now += 1

    assert (False, True) == (quiet, one.status().alarm)
    assert [("a", False, ""), ("b", True, "Unreachable")] == [(s.name, s.alarm, s.reason) for s in one.status().tsas]
    assert not one.overdue()  # the other one stamps


def test_four_hours_without_any_stamp_are_overdue_and_one_stamp_ends_it(
    stamper: Callable[..., Stamper], clock: Clock, shelf: Shelf
) -> None:
    a, b = Stamps("a", clock), Stamps("b", clock)
    a.up = b.up = False
    one = stamper(a, b)
    one.on_anchor(anchor(7))
    one.step()
    clock.now += 4 * HOUR
    before = one.overdue()
    clock.now += 1
    after = one.overdue()
    a.up = True
    one.on_anchor(anchor(9))
    one.step()

    assert (False, True, False) == (before, after, one.overdue())
    assert [f"{ORIGIN}/timestamp/9-a.tsr"] == list(stamps(shelf))  # the newest covers what was missed


def test_an_outage_ends_although_nothing_new_came_to_be_stamped(stamper: Callable[..., Stamper], clock: Clock) -> None:
    a = Stamps("a", clock)
    a.up = False
    one = stamper(a)
    one.on_anchor(anchor(7))
    one.step()
    clock.now += 5 * HOUR
    a.up = True
    one.step()

    assert (False, False, 0.0) == (one.overdue(), one.status().alarm, one.status().tsas[0].waiting)


def test_zero_hours_means_never_overdue(stamper: Callable[..., Stamper], clock: Clock) -> None:
    a = Stamps("a", clock)
    a.up = False
    one = stamper(a, stop_after=0.0)
    one.on_anchor(anchor(7))
    clock.now += 1000 * HOUR

    assert not one.overdue()
    assert one.status().alarm


def test_without_authorities_nothing_is_overdue_and_the_status_is_empty(stamper: Callable[..., Stamper]) -> None:
    one = stamper()
    one.on_anchor(anchor(7))
    one.step()

    assert ((), False, False) == (one.status().tsas, one.status().alarm, one.overdue())


def test_a_restart_does_not_set_the_clock_of_an_outage_back(stamper: Callable[..., Stamper], clock: Clock) -> None:
    a = Stamps("a", clock)
    a.up = False
    stamper(a).on_anchor(anchor(7))
    clock.now += 5 * HOUR
    again = stamper(a)
    again.on_anchor(anchor(8))

    assert again.overdue()


def test_a_restart_after_a_stamp_stamps_the_same_checkpoint_no_second_time(
    stamper: Callable[..., Stamper], clock: Clock
) -> None:
    a = Stamps("a", clock)
    one = stamper(a)
    one.on_anchor(anchor(7))
    one.step()
    again = stamper(a)
    again.on_anchor(anchor(7))
    again.step()

    assert 1 == len(a.asked)
    assert (7, clock.now) == (again.status().tsas[0].size, again.status().tsas[0].stamped_at)


def test_a_restarted_hub_with_nothing_to_be_stamped_waits_for_nothing(
    stamper: Callable[..., Stamper], clock: Clock
) -> None:
    a = Stamps("a", clock)
    a.up = False
    stamper(a).on_anchor(anchor(7))
    clock.now += 5 * HOUR
    again = stamper(a)

    assert (False, False) == (again.overdue(), again.status().alarm)  # else nothing could ever be recorded again


def test_a_process_beside_the_one_that_writes_the_anchor_knows_of_the_outage_and_of_its_end(
    stamper: Callable[..., Stamper], clock: Clock
) -> None:
    a = Stamps("a", clock)
    writes, beside = stamper(a), stamper(a)
    for one in (writes, beside):
        one.on_anchor(anchor(7))
        one.step()
    a.up = False
    writes.on_anchor(anchor(8))  # the other one hears nothing of it
    clock.now += 4 * HOUR + 1
    beside.step()
    during = beside.overdue()
    a.up = True
    writes.step()
    beside.step()

    assert (True, False, 8) == (during, beside.overdue(), beside.status().tsas[0].size)


def test_what_waited_before_a_restart_and_is_gone_since_waits_no_more(
    stamper: Callable[..., Stamper], clock: Clock
) -> None:
    a = Stamps("a", clock)
    one = stamper(a)
    one.on_anchor(anchor(7))
    one.step()
    a.up = False
    one.on_anchor(anchor(8))
    clock.now += 5 * HOUR
    again = stamper(a)
    again.on_anchor(anchor(7))

    assert not again.overdue()


def test_a_log_that_goes_on_under_another_name_is_stamped_though_it_is_smaller(
    stamper: Callable[..., Stamper], clock: Clock, shelf: Shelf
) -> None:
    a = Stamps("a", clock)
    one = stamper(a)
    one.on_anchor(anchor(700))
    one.step()
    again = stamper(a)
    again.on_anchor(anchor(2, f"{ORIGIN}-2"))
    again.step()

    assert [f"{ORIGIN}/timestamp/700-a.tsr", f"{ORIGIN}-2/timestamp/2-a.tsr"] == list(stamps(shelf))


def test_a_torn_memory_file_is_written_anew_by_the_next_stamp(
    stamper: Callable[..., Stamper], clock: Clock, tmp_path: Path
) -> None:
    (tmp_path / "stamps").mkdir()
    (tmp_path / "stamps" / "a.json").write_text('{"size": 7, "at"')
    a = Stamps("a", clock)
    one = stamper(a)
    one.on_anchor(anchor(7))
    one.step()

    assert 7 == stamper(a).status().tsas[0].size


def test_a_disk_that_refuses_the_stamp_is_a_failure_not_a_success(
    stamper: Callable[..., Stamper], clock: Clock, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: str, data: bytes) -> None:
        raise OSError("no space left on device")

    one = stamper(Stamps("a", clock))
    monkeypatch.setattr(shelf, "write", full)
    one.on_anchor(anchor(7))
    one.step()

    assert (-1, 1, "OSError") == (lambda s: (s.size, s.failures, s.reason))(one.status().tsas[0])


def test_an_authority_that_hangs_holds_up_neither_the_publisher_nor_another_one(
    stamper: Callable[..., Stamper], clock: Clock, shelf: Shelf
) -> None:
    stuck, free = threading.Event(), threading.Event()

    class Hangs(Stamps):
        def stamp(self, text: bytes) -> Stamp:
            stuck.set()
            free.wait(30)
            raise Unreachable("at last")

    stamped = threading.Event()

    class Tells(Stamps):
        def stamp(self, text: bytes) -> Stamp:
            stamped.set()
            return super().stamp(text)

    one = stamper(Hangs("a", clock), Tells("b", clock))
    one.start()
    one.on_anchor(anchor(7))

    assert stuck.wait(10)
    assert stamped.wait(10)  # while the first one still hangs
    one.on_anchor(anchor(8))  # returns at once, or this test would take half a minute
    free.set()
    one.close()


# --- over the wire's shape: what an authority may answer ---------------------------------------------------------------


def tsa(authority: Authority, answer: Callable[[bytes], Answer]) -> Tsa:
    def send(url: str, body: bytes | None, content_type: str, *, timeout: float, limit: int = 0) -> Answer:
        assert body is not None
        assert "application/timestamp-query" == content_type
        return answer(body)

    return Tsa("mock", "http://tsa.invalid", authority.root, send=send)


def test_a_good_answer_is_kept_as_it_came(authority: Authority, roots: list[x509.Certificate]) -> None:
    stamp = tsa(authority, lambda q: Answer(200, "application/timestamp-reply", authority.reply(q))).stamp(TEXT)

    assert stamp.at == check_stamp(stamp.response, TEXT, roots)


@pytest.mark.parametrize(
    ("wound", "answer"),
    [
        ("error page", lambda a, q: Answer(500, "text/html", b"<html>")),
        ("good stamp, wrong type", lambda a, q: Answer(200, "text/html", a.reply(q))),
        ("another question's", lambda a, q: Answer(200, "application/timestamp-reply", a.reply(ask(TEXT).body))),
        ("another text's", lambda a, q: Answer(200, "application/timestamp-reply", a.reply(ask(TEXT + b"x").body))),
        ("expired", lambda a, q: Answer(200, "application/timestamp-reply", a.reply(q, signer="expired"))),
        ("empty", lambda a, q: Answer(200, "application/timestamp-reply", b"")),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_answer_that_is_not_ours_is_no_stamp(
    wound: str, answer: Callable[[Authority, bytes], Answer], authority: Authority
) -> None:
    with pytest.raises(StampInvalid):
        tsa(authority, lambda query: answer(authority, query)).stamp(TEXT)


def test_a_name_that_would_leave_its_folder_is_refused(authority: Authority) -> None:
    for name in ("../x", "a/b", "", "A", "a.b"):
        with pytest.raises(ValueError, match="name"):
            Tsa(name, "http://tsa.invalid", authority.root)
