"""A whole file at the command line: what was done is known of one hub and one application only."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from integrator.commands.directory import load
from tests.unit.directory.kit import ANN, BEA, CAS, PURPOSE


class Hub:
    """Takes everything."""

    def __init__(self, url: str, client_id: str) -> None:
        self.url, self.client_id = url, client_id
        self.rows: list[Any] = []

    def call(self, method: str, path: str, body: Any) -> dict[str, Any]:
        self.rows += body["registrations"]
        return {"items": [{"result": "registered"} for _ in body["registrations"]]}


@pytest.mark.parametrize(
    ("url", "client_id", "rows"),
    [("https://hub.example", "centre", 0), ("https://other.example", "centre", 3), ("https://hub.example", "jette", 3)],
    ids=["the same", "another hub", "another application"],
)
def test_a_file_that_was_done_at_one_hub_is_done_from_the_first_row_at_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str, client_id: str, rows: int
) -> None:
    file = tmp_path / "people.csv"
    file.write_text("ssin;quality\n" + "".join(f"{ssin};2\n" for ssin in (ANN, BEA, CAS)))
    chosen = argparse.Namespace(file=file, unregister=False, atomic=False, again=False, purpose=PURPOSE)
    hubs = [Hub("https://hub.example", "centre"), Hub(url, client_id)]
    waiting = iter(hubs)

    @contextmanager
    def opened(_: argparse.Namespace) -> Iterator[Hub]:
        yield next(waiting)

    monkeypatch.setattr(load, "hub", opened)

    assert [0, 0] == [load.run(chosen) for _ in hubs]
    assert [3, rows] == [len(each.rows) for each in hubs]
