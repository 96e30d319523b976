"""Whoever has nothing but access to a package gets a layout that reads it, and sees what is wrong before anything is loaded."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiohttp import web

from integrator.checks import check as check_collection
from integrator.cli import main
from tests.unit.adapters import kit, servers
from tests.unit.adapters.databases import package

CSV = f"Facture;NISS;Montant\r\nF0001;{kit.PEOPLE[0]};12,50\r\nF0002;{kit.PEOPLE[1]};3,00\r\n".encode()


@contextmanager
def behind(opened: Callable[[], AbstractAsyncContextManager[Any]]) -> Iterator[Any]:
    """A server in a thread with a loop of its own: commands have theirs."""
    ready, over, found = threading.Event(), asyncio.Event(), list[Any]()

    async def serve() -> None:
        async with opened() as running:
            found.extend((running, asyncio.get_running_loop()))
            ready.set()
            await over.wait()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    assert ready.wait(10)
    try:
        yield found[0]
    finally:
        found[1].call_soon_threadsafe(over.set)
        thread.join(10)


def access(folder: Path, said: dict[str, Any]) -> str:
    file = folder / "access.yaml"
    file.write_text(json.dumps(said))
    file.chmod(0o600)
    return str(file)


def proposed(home: Path) -> dict[str, Any]:
    assert [] == [one for one in check_collection(home, date(2026, 11, 23)) if "newcomer" in one.file]
    return dict(yaml.safe_load((home / "connectors/newcomer/adapter.yaml").read_text()))


def test_a_view_is_proposed_and_checked_row_by_row(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with package("sqlite", tmp_path) as there:
        there.enters(1, "2026-11-20 10:00:00", kit.PEOPLE[0])
        there.enters(2, "2026-11-20 10:05:00", kit.PEOPLE[1])
        file = access(tmp_path, {"database": there.url})

        assert 0 == main(["adapter", "init", "newcomer", "--from", "view", "--view", "v_changes", "--access", file])
        there.enters(3, "2026-11-20 10:06:00", "84651797655")
        capsys.readouterr()
        assert 1 == main(["adapter", "check", "newcomer", "--access", file, "--json"])

    told, said = json.loads(capsys.readouterr().out), proposed(home)
    assert {"name": "v_changes", "position": ["changed_at", "change_id"], "overlap": 600} == said["view"]
    assert ["integer", "text", "ssin", "text", "date", "decimal", "text", "text"] == [
        one["type"] for one in said["fields"].values()
    ]
    assert (3, 2, ["CHECK_DIGITS"]) == (told["rows"], told["good"], [one["reason"] for one in told["findings"]])
    assert "84651797655" not in json.dumps(told)


def test_a_folder_behind_sftp_is_proposed_and_left_as_it_is(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    export = tmp_path / "server" / "export"
    export.mkdir(parents=True)
    (export / "inv.csv").write_bytes(CSV)
    with behind(lambda: servers.serving(tmp_path / "server")) as there:
        file = access(tmp_path, there.access())
        words = ["--from", "sftp", "--folder", "/export", "--pattern", "inv*.csv", "--access", file]

        assert 0 == main(["adapter", "init", "newcomer", *words])
        assert 0 == main(["adapter", "check", "newcomer", "--access", file])

    assert {"folder": "/export", "pattern": "inv*.csv"} == proposed(home)["sftp"]
    assert ["inv.csv"] == [path.name for path in export.iterdir()]
    assert "2 rows: 2 good" in capsys.readouterr().out


def test_answers_are_proposed_with_the_place_of_their_rows(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    items = [{"id": f"Q{at}", "person": {"ssin": one}, "paid": True} for at, one in enumerate(kit.PEOPLE)]

    class Server:
        async def __aenter__(self) -> int:
            app = web.Application()
            app.router.add_get("/api/questions", self.answer)
            self.runner = web.AppRunner(app)
            await self.runner.setup()
            await web.TCPSite(self.runner, "127.0.0.1", 0).start()
            return int(self.runner.addresses[0][1])

        async def answer(self, request: web.Request) -> web.Response:
            return web.json_response({"count": 3, "questions": items})

        async def __aexit__(self, *_: object) -> None:
            await self.runner.cleanup()

    with behind(Server) as port:
        file = access(tmp_path, {"url": f"http://127.0.0.1:{port}/api"})

        assert 0 == main(["adapter", "init", "newcomer", "--from", "rest", "--path", "/questions", "--access", file])
        assert 0 == main(["adapter", "check", "newcomer", "--access", file])

    said = proposed(home)
    assert ({"path": "/questions", "items": "questions"}, ["id"]) == (said["rest"], said["key"])
    assert {"path": "person.ssin", "type": "ssin", "required": True} == said["fields"]["personSsin"]
    assert "3 rows: 3 good" in capsys.readouterr().out


def test_every_way_is_listed_with_what_is_wrong_there(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = tmp_path / "own.yaml"
    own.write_text(f"state: {tmp_path}/state\n")

    assert 0 == main(["adapter", "list", "--settings", str(own)])

    ways = {line.split()[0]: line.split()[1:5] for line in capsys.readouterr().out.splitlines() if line.strip()}
    assert ["view", "records", "never", "0"] == ways["population_view"]
    assert ["sftp", "fixed", "never", "0"] == ways["parking_register"]
    assert ["rest", "records", "never", "0"] == ways["irisbox"]
    assert ["folder", "delimited", "never", "0"] == ways["counter_notes"]
