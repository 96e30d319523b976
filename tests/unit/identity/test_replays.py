"""The register of used assertions, over both engines: the first use wins, whatever happens around it."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from integrator.errors import LedgerUnwritable
from integrator.identity.replays import Replays
from tests.unit.audit.kit import ENGINES, engine_url

NOW = 1_795_000_000.0


@pytest.fixture(params=ENGINES)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    with engine_url(request.param, tmp_path) as place:
        yield place


@pytest.fixture
def replays(url: str) -> Iterator[Replays]:
    opened = Replays(url)
    yield opened
    opened.close()


def use(replays: Replays, client: str = "my-app", jti: str = "once-only", *, now: float = NOW) -> bool:
    return replays.first_use(client, jti, expires=now + 300, now=now)


def test_second_use_is_known(replays: Replays) -> None:
    assert (True, False) == (use(replays), use(replays))


def test_use_is_known_to_another_process_and_after_a_restart(replays: Replays, url: str) -> None:
    use(replays)
    other = Replays(url)
    again = use(other)
    other.close()

    assert again is False


def test_name_is_each_clients_own(replays: Replays) -> None:
    assert (True, True) == (use(replays, "my-app"), use(replays, "other-app"))


def test_client_and_name_do_not_run_into_each_other(replays: Replays) -> None:
    assert (True, True) == (use(replays, "ab", "cdefghij"), use(replays, "a", "bcdefghij"))


def test_one_winner_among_many(replays: Replays) -> None:
    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(lambda _: use(replays), range(8)))

    assert 1 == sum(won)


def test_what_can_no_longer_be_valid_is_forgotten(replays: Replays) -> None:
    use(replays)

    assert use(replays, jti="later", now=NOW + 400)
    assert use(replays, now=NOW + 401)


def test_register_out_of_reach_is_refused_with_a_reason_to_retry(replays: Replays, url: str) -> None:
    from sqlalchemy import text

    with replays._engine.begin() as connection:
        connection.execute(text("drop table used_assertions"))
    with pytest.raises(LedgerUnwritable):
        use(replays)
