"""Answers, views and listings mutated at random: no crash, no hang, and no row is taken in that the check would refuse."""

from __future__ import annotations

import asyncio
import json
import random
import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import asyncssh
import pytest

from integrator.adapters.checking import check
from integrator.adapters.drops import Drop
from integrator.adapters.intake import Intake, Taken
from integrator.adapters.layout import Layout
from integrator.adapters.posts import Post
from integrator.adapters.ways.failing import WayFailed
from integrator.adapters.ways.looks import Looks
from integrator.adapters.ways.opening import open_way
from integrator.adapters.ways.paging import rest_part
from integrator.adapters.ways.polling import Polled, line_of
from integrator.adapters.ways.rest import Rest
from integrator.adapters.ways.sftp import SftpFolder
from integrator.contract import HttpAnswer
from integrator.database import Database
from tests.unit.adapters import kit
from tests.unit.adapters.test_fuzz import LONGEST, MUTATED, mutated

REST = {
    **kit.RECORDS,
    "rest": {"path": "/q", "items": "q", "next": {"cursor": "next", "as": "after"}, "everySeconds": 0},
}
VIEW = {**kit.RECORDS, "view": {"name": "v", "position": ["at", "id"], "overlap": 600, "page": 50}}
VIEW["fields"] = {name: {**one, "column": name} for name, one in kit.RECORDS["fields"].items() if name != "paid"}
for one in VIEW["fields"].values():
    one.pop("path", None)
_PAGE = {"q": kit.records(), "next": "c1"}
_TYPES = ("application/json", "application/json", "application/json", "text/html", "application/problem+json", "")
_LINKS = (None, "c1", "", 7, [], {}, True, "\ud800", "x" * 9_000, "http://[", "../..")


class House:
    """A post over a way, and what it took in."""

    def __init__(self, folder: Path, data: dict[str, Any]) -> None:
        self.layout: Layout = kit.layout(data)
        self.taken: list[dict[str, Any]] = []
        self.time = 1_795_200_000.0
        self.database = Database(f"sqlite:///{folder}/adapters.db", "adapters")
        self.drop = Drop(folder / "drop", clock=lambda: self.time)
        plain = lambda use, text: text
        self.intake = Intake(
            self.layout, self.database, self.effect, seal=plain, unseal=plain, now=lambda: self.time
        )  # fmt: skip

    async def effect(self, rows: Sequence[Taken]) -> None:
        self.taken += [one.values for one in rows]

    def post(self, way: Any) -> Post:
        return Post(self.layout.adapter, self.drop, self.intake, self.database, lambda: self.time, self.tell, way)

    def tell(self, event: str, **words: Any) -> None:
        del event, words

    def good(self, rows: Sequence[Any], folder: Path) -> int:
        """How many of these rows the check lets through, each by itself."""
        good = 0
        for row in rows:
            (folder / "one").write_bytes(line_of(row))
            good += check(self.layout, folder / "one").good
        return good


@pytest.mark.soak
async def test_no_mutated_answer_crashes_hangs_or_smuggles_a_row_in(tmp_path: Path) -> None:
    house, chance = House(tmp_path, REST), random.Random(20261129)
    rest = Rest(rest_part(house.layout), {"url": "http://127.0.0.1:9"}, lambda: house.time)
    given: list[Any] = []

    async def channel(*_: Any, **__: Any) -> HttpAnswer:
        page = {**_PAGE, "next": chance.choice(_LINKS)}
        body = mutated(json.dumps(page).encode(), chance) if chance.random() < 0.9 else json.dumps(page).encode()
        status = chance.choice((200,) * 20 + (304, 404, 500, 401, 206))
        return HttpAnswer(status, chance.choice(_TYPES), body, {"ETag": '"1"'})

    rest._channel = channel  # type: ignore[assignment]

    async def noted(position: Any) -> Any:
        page = await rest.fetch(position)
        given.extend(page.rows)
        return page

    pages: Any = SimpleNamespace(fetch=noted, again=rest.again, close=rest.close, place=rest.place)
    post = house.post(Polled("desk", pages, house.database, house.drop, lambda: house.time, house.tell))
    for number in range(MUTATED):
        begun = time.monotonic()
        given.clear()
        house.taken.clear()
        house.time += 10_000.0
        await post.turn()
        assert len(house.taken) <= house.good(given, tmp_path), number
        assert time.monotonic() - begun < LONGEST, number
    house.database.close()


_VALUES = (
    None, 0, -1, 2**62, 1.5, float("inf"), float("nan"), "", " ", "2026-11-20 10:00:00", "9999-12-31", "12,5", b"\xff\x00",
    "a\0b", kit.PEOPLE[0], kit.PEOPLE[1], "x" * 5_000, "é€🦔", b"\xc3\x28", "0000-00-00", "2026-11-20", "NaN", "1e400",
)  # fmt: skip


@pytest.mark.soak
async def test_no_value_of_a_view_crashes_hangs_or_smuggles_a_row_in(tmp_path: Path) -> None:
    house, chance, file = House(tmp_path, VIEW), random.Random(20261130), tmp_path / "package.db"
    package = sqlite3.connect(file)
    package.execute("CREATE TABLE v (at, id, resident, fee, day)")
    access = tmp_path / "access.yaml"
    access.write_text(f"database: 'sqlite:///{file}'\n")
    access.chmod(0o600)
    post = house.post(open_way(house.layout, access, house.database, house.drop, lambda: house.time, house.tell))
    for number in range(MUTATED // 10):  # ten rows each
        row = ["2026-11-20 10:00:00", number, kit.PEOPLE[0], "12.50", "2026-11-20"]
        for _ in range(10):
            bent = [chance.choice(_VALUES) if chance.random() < 0.3 else value for value in row]
            raw = [
                value.decode("latin-1") if isinstance(value, bytes) and chance.random() < 0.5 else value
                for value in bent
            ]
            package.execute("INSERT INTO v VALUES (CAST(? AS TEXT), ?, CAST(? AS TEXT), ?, ?)", raw)
        package.commit()
        begun = time.monotonic()
        await post.turn()
        assert time.monotonic() - begun < LONGEST, number
        if number % 20 == 19:
            package.execute("DELETE FROM v")
    assert house.taken
    assert all(kit.PEOPLE[0] == one["resident"] or kit.PEOPLE[1] == one["resident"] for one in house.taken)
    house.database.close()
    package.close()


class Liar:
    """An SFTP client whose server says anything."""

    def __init__(self, chance: random.Random) -> None:
        self.chance, self.touched = chance, list[bytes]()

    async def scandir(self, folder: bytes) -> Any:
        for _ in range(self.chance.randrange(4)):
            name = mutated(
                self.chance.choice((b"inv.csv", b".taken-00000000000000000001-0123abcd", b"../inv.csv", b"inv-2.csv")),
                self.chance,
            )
            yield SimpleNamespace(filename=name, attrs=self.attrs())

    def attrs(self) -> asyncssh.SFTPAttrs:
        mode = self.chance.choice((0o100644, 0o100644, 0o040755, 0o120777, None, 0))
        size = self.chance.choice((3, 0, 2**60, None, -1))
        return asyncssh.SFTPAttrs(size=size, permissions=mode, mtime=self.chance.choice((1, None, 2**31)))

    async def lstat(self, path: bytes) -> asyncssh.SFTPAttrs:
        self.touched.append(path)
        return self.attrs()

    async def rename(self, path: bytes, to: bytes) -> None:
        self.touched += [path, to]
        self._fails()

    async def remove(self, path: bytes) -> None:
        self.touched.append(path)
        self._fails()

    async def open(self, path: bytes, *_: Any, **__: Any) -> Any:
        self.touched.append(path)
        self._fails()
        pieces = [mutated(b"Facture;NISS;Montant;Remarque\r\n", self.chance), b""]

        async def read(size: int, offset: int) -> bytes:
            return pieces.pop(0)

        async def close() -> None: ...

        return SimpleNamespace(read=read, close=close)

    def _fails(self) -> None:
        if self.chance.random() < 0.1:
            raise self.chance.choice((asyncssh.SFTPNoSuchFile, asyncssh.SFTPFailure, asyncssh.SFTPConnectionLost))("no")


@pytest.mark.soak
async def test_no_listing_leads_out_of_the_folder_crashes_or_hangs(tmp_path: Path) -> None:
    from contextlib import asynccontextmanager

    house, chance = House(tmp_path, kit.DELIMITED), random.Random(20261131)
    liar = Liar(chance)

    @asynccontextmanager
    async def sftp() -> Any:
        try:
            yield liar
        except (asyncssh.Error, OSError) as error:
            raise WayFailed("WAY_CLOSED") from error

    async def close() -> None: ...

    server: Any = SimpleNamespace(sftp=sftp, close=close, seconds=5.0)
    house.drop.pattern, house.drop.settle = "inv*", 0
    looks = Looks("resthome", house.database, lambda: house.time, house.tell)
    post = house.post(SftpFolder(server, b"/export", house.drop, looks))
    for number in range(MUTATED):
        house.time += 1.0
        begun = time.monotonic()
        await post.turn()
        assert time.monotonic() - begun < LONGEST, number
    led = [path for path in liar.touched if not path.startswith(b"/export/") or b"/" in path[8:] or b"\0" in path]
    assert ([], True) == (led, bool(liar.touched))
    house.database.close()
    await asyncio.sleep(0)
