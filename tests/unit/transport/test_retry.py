"""Second attempts: when, how often, how long after."""

from __future__ import annotations

import pytest

from integrator.transport.retry import NoAnswer, RetryBudget, RetryPlan


class Source:
    """Fails as told, then answers; `now` moves when somebody sleeps on it."""

    def __init__(self, *failures: NoAnswer) -> None:
        self.failures, self.asked, self.now = list(failures), 0, 0.0

    async def __call__(self) -> str:
        self.asked += 1
        if self.failures:
            raise self.failures.pop(0)
        return "answer"


def gone() -> NoAnswer:
    return NoAnswer("gone", again=True)


async def retry(source: Source, plan: RetryPlan, *, until: float = 60.0, budget: RetryBudget | None = None) -> str:
    return await plan.again(gone(), source, until=until, budget=budget or RetryBudget(), clock=lambda: source.now)


def quick(attempts: int) -> RetryPlan:
    return RetryPlan(attempts, wait_first=0.0, wait_max=0.0)


async def test_second_attempt_brings_the_answer():
    assert "answer" == await retry(Source(), quick(2))


async def test_attempts_count_the_first_one_too():
    source = Source(gone(), gone(), gone())

    with pytest.raises(NoAnswer):
        await retry(source, quick(3))

    assert 2 == source.asked


async def test_failure_that_would_only_come_again_is_not_tried_again():
    source = Source(NoAnswer("open", again=False), gone())

    with pytest.raises(NoAnswer, match="open"):
        await retry(source, quick(5))

    assert 1 == source.asked


async def test_fault_of_another_kind_comes_out_as_it_is():
    class Broken(Exception):
        pass

    async def attempt() -> str:
        raise Broken

    with pytest.raises(Broken):
        await quick(5).again(gone(), attempt, until=60.0, budget=RetryBudget(), clock=lambda: 0.0)


async def test_no_attempt_begins_after_the_deadline():
    source = Source()
    source.now = 61.0

    with pytest.raises(NoAnswer):
        await retry(source, quick(5))

    assert 0 == source.asked


async def test_source_that_asks_for_more_time_than_there_is_is_left_alone():
    source = Source()
    failure = NoAnswer("HTTP 503", again=True, retry_after=30)

    with pytest.raises(NoAnswer):
        await quick(5).again(failure, source, until=10.0, budget=RetryBudget(), clock=lambda: 0.0)

    assert 0 == source.asked


async def test_empty_budget_means_no_retry():
    source, budget = Source(), RetryBudget(reserve=0.5)

    with pytest.raises(NoAnswer):
        await retry(source, quick(5), budget=budget)

    assert 0 == source.asked


def test_a_tenth_of_the_calls_may_be_retried_in_the_long_run():
    budget = RetryBudget(share=0.1, reserve=10)
    while budget.take():
        pass

    retried = 0
    for _ in range(1000):
        budget.earn()
        retried += budget.take()

    assert 99 <= retried <= 100


def test_silence_does_not_save_up_an_unbounded_storm():
    budget = RetryBudget(share=0.1, reserve=10)
    for _ in range(100_000):
        budget.earn()

    assert 10 == sum(budget.take() for _ in range(100))
