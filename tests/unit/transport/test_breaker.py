"""The breaker, by a clock that stands still until it is told to move."""

from __future__ import annotations

import pytest

from integrator.transport.breaker import Breaker


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> Breaker:
    return Breaker(clock=clock, share=0.5, of=20, open_seconds=5.0, window=20.0)


def went(breaker: Breaker, *outcomes: bool | None) -> None:
    for well in outcomes:
        breaker.leave(breaker.enter(), well)


def test_half_of_twenty_calls_failed_opens_it(breaker):
    went(breaker, *[True] * 10, *[False] * 10)

    assert "open" == breaker.state


def test_nineteen_failures_are_too_few_to_judge(breaker):
    went(breaker, *[False] * 19)

    assert "closed" == breaker.state


def test_fewer_than_half_failed_keeps_it_closed(breaker):
    went(breaker, *[True, True, False] * 20)

    assert "closed" == breaker.state


def test_calls_that_say_nothing_are_not_counted(breaker):
    went(breaker, *[False] * 19, *[None] * 50)

    assert "closed" == breaker.state


def test_failures_of_an_hour_ago_are_forgotten(breaker, clock):
    went(breaker, *[False] * 19)
    clock.now += 3600
    went(breaker, False)

    assert "closed" == breaker.state


def test_failures_of_the_half_window_before_still_count(breaker, clock):
    went(breaker, *[False] * 19)
    clock.now += 11
    went(breaker, False)

    assert "open" == breaker.state


def test_open_says_how_long_to_wait(breaker, clock):
    went(breaker, *[False] * 20)
    clock.now += 2

    assert 3.0 == breaker.wait()


def test_after_the_wait_one_probe_goes_in_and_others_wait(breaker, clock):
    went(breaker, *[False] * 20)
    clock.now += 5
    probe = breaker.enter()

    assert probe
    assert breaker.wait() > 0


def test_probe_that_went_well_closes_it(breaker, clock):
    went(breaker, *[False] * 20)
    clock.now += 5
    went(breaker, True)

    assert "closed" == breaker.state


def test_closing_forgets_the_old_failures(breaker, clock):
    went(breaker, *[False] * 20)
    clock.now += 5
    went(breaker, True, *[False] * 19)

    assert "closed" == breaker.state


def test_probe_that_failed_opens_it_again_for_the_whole_time(breaker, clock):
    went(breaker, *[False] * 20)
    clock.now += 5
    went(breaker, False)

    assert 5.0 == breaker.wait()


def test_probe_given_up_by_its_caller_makes_room_for_another(breaker, clock):
    went(breaker, *[False] * 20)
    clock.now += 5
    went(breaker, None)

    assert 0.0 == breaker.wait()


def test_straggler_from_before_the_opening_does_not_close_it(breaker, clock):
    straggler = breaker.enter()
    went(breaker, *[False] * 20)
    breaker.leave(straggler, True)

    assert "open" == breaker.state


def test_straggler_that_failed_does_not_prolong_it(breaker, clock):
    straggler = breaker.enter()
    went(breaker, *[False] * 20)
    clock.now += 4
    breaker.leave(straggler, False)

    assert 1.0 == breaker.wait()
