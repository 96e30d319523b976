"""A package's folder is behind SFTP: what stood still comes over once, and no server leads us anywhere or holds us up."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import asyncssh
import pytest

from integrator.adapters.drops import Drop
from integrator.adapters.intake import Intake, Taken
from integrator.adapters.posts import Post
from integrator.adapters.serving import Serving, delivery
from integrator.adapters.ways.failing import WayFailed
from integrator.adapters.ways.opening import open_shelf, open_way
from integrator.adapters.ways.ssh import open_server
from integrator.database import Database
from integrator.errors import ConfigurationError
from tests.unit.adapters import kit, servers
from tests.unit.adapters.servers import Running
from tests.unit.adapters.test_serving import DATA as OUT
from tests.unit.adapters.test_serving import Feed, event

DATA: dict[str, Any] = {
    **kit.DELIMITED,
    "sftp": {"folder": "/export", "pattern": "inv*.csv", "settleSeconds": 0, "seconds": 2},
}
CSV = f"Facture;NISS;Montant;Remarque\r\nF0001;{kit.PEOPLE[0]};12,50;\r\nF0002;{kit.PEOPLE[1]};3,00;\r\n".encode()


class Desk:
    """The hub's side."""

    def __init__(self, there: Running, folder: Path, **access: Any) -> None:
        self.there, self.export = there, there.root / "export"
        self.export.mkdir(exist_ok=True)
        self.effects: list[str] = []
        self.told: list[str] = []
        self.time = 0.0
        self.file = folder / "access.yaml"
        self.file.write_text(json.dumps(there.access(**access)))
        self.file.chmod(0o600)
        self.database = Database(f"sqlite:///{folder}/adapters.db", "adapters")
        layout = kit.layout({**DATA, "limits": {"bytes": 100_000}})
        self.drop = Drop(folder / "drop", "inv*.csv", 0, "", layout.max_bytes, lambda: self.time)
        plain = lambda use, text: text
        intake = Intake(layout, self.database, self._effect, seal=plain, unseal=plain, now=time.time)
        way = open_way(layout, self.file, self.database, self.drop, time.time, self._tell)
        self.post = Post("resthome", self.drop, intake, self.database, time.time, self._tell, way)

    async def _effect(self, rows: Sequence[Taken]) -> None:
        self.effects += [one.values["invoice"] for one in rows]

    def _tell(self, event: str, **words: Any) -> None:
        if event == "adapter_way":
            self.told.append(words["reason"])

    async def turns(self, count: int = 2) -> list[str]:
        """Invoices of so many looks, a second apart by the clock of the drop."""
        before = len(self.effects)
        for _ in range(count):
            self.time += 1
            await self.post.turn()
        return self.effects[before:]

    def names(self) -> list[str]:
        return sorted(path.name for path in self.export.iterdir())

    async def close(self) -> None:
        await self.post.way.close()
        self.database.close()


@pytest.fixture
async def there(tmp_path: Path) -> AsyncIterator[Running]:
    async with servers.serving(tmp_path / "server") as running:
        yield running


@pytest.fixture
async def desk(there: Running, tmp_path: Path) -> AsyncIterator[Desk]:
    opened = Desk(there, tmp_path)
    yield opened
    await opened.close()


async def test_a_file_that_stood_still_is_taken_and_gone_there(desk: Desk) -> None:
    (desk.export / "invoices.csv").write_bytes(CSV)

    assert ["F0001", "F0002"] == await desk.turns()
    assert ([], [], ["OK"] * 0) == (desk.names(), await desk.turns(), desk.told)


async def test_the_same_file_twice_has_no_second_effect(desk: Desk) -> None:
    for name in ("inv-1.csv", "inv-2.csv"):
        (desk.export / name).write_bytes(CSV)
        await desk.turns()

    assert (["F0001", "F0002"], []) == (desk.effects, desk.names())


async def test_a_file_that_is_still_written_waits_until_it_stands(desk: Desk) -> None:
    file = desk.export / "inv.csv"
    file.write_bytes(CSV[:50])
    await desk.turns(1)
    file.write_bytes(CSV)

    assert [] == await desk.turns(1)
    assert ["F0001", "F0002"] == await desk.turns(1)


async def test_somebody_who_writes_on_in_a_file_that_was_renamed_does_not_get_half_of_it_in(desk: Desk) -> None:
    (desk.export / "inv.csv").write_bytes(CSV)
    desk.there.manners.grows = True

    assert [] == await desk.turns()
    assert [".taken-"] == [name[:7] for name in desk.names()]


async def test_names_that_are_unfinished_or_others_are_left(desk: Desk) -> None:
    names = [".inv.csv", "inv.csv.part", "other.csv", "inv.csv.tmp"]
    for name in names:
        (desk.export / name).write_bytes(CSV)

    assert ([], sorted(names)) == (await desk.turns(), desk.names())


async def test_links_and_folders_are_no_files(desk: Desk, tmp_path: Path) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_bytes(CSV)
    (desk.export / "inv-link.csv").symlink_to(secret)
    (desk.export / "inv-folder.csv").mkdir()

    assert [] == await desk.turns()
    assert ["inv-folder.csv", "inv-link.csv"] == desk.names()


@pytest.mark.parametrize(
    "name",
    [b"../inv.csv", b"/etc/inv.csv", b"inv\0.csv", b"a/inv.csv", b"..", b"inv\\..\\x.csv", b".taken-/../inv.csv"],
)
async def test_a_name_that_leads_out_of_the_folder_is_told_and_not_touched(desk: Desk, name: bytes) -> None:
    (desk.there.root / "inv.csv").write_bytes(CSV)
    desk.there.manners.lists = [name]

    assert [] == await desk.turns()
    assert (desk.there.root / "inv.csv").exists()
    assert (["STRANGE_NAMES"] if name != b".." else []) == desk.told


async def test_a_connection_that_vanishes_in_the_middle_of_a_file_loses_nothing(desk: Desk) -> None:
    (desk.export / "inv.csv").write_bytes(CSV)
    desk.there.manners.cuts_after = 40

    cut = await desk.turns()
    halves = list((desk.drop.root / "work").glob(".copy-*"))
    desk.there.manners.cuts_after = None

    assert ([], ["WAY_CLOSED"], []) == (cut, desk.told, halves)
    assert ["F0001", "F0002"] == await desk.turns()
    assert ["WAY_CLOSED", "OK"] == desk.told


async def test_a_server_that_hangs_is_left_at_the_deadline(desk: Desk) -> None:
    (desk.export / "inv.csv").write_bytes(CSV)
    desk.there.manners.hangs = True
    begun = time.monotonic()

    assert [] == await desk.turns()
    assert "WAY_SLOW" == desk.told[-1]
    assert time.monotonic() - begun < 10


@pytest.mark.parametrize("endless", [False, True], ids=["a large one", "one that says it is small and does not end"])
async def test_a_file_larger_than_the_limit_is_put_by_and_the_others_go_on(desk: Desk, endless: bool) -> None:
    (desk.export / "inv-1.csv").write_bytes(b"x" * 3 if endless else b"x" * 200_000)
    desk.there.manners.endless = endless
    await desk.turns()
    desk.there.manners.endless = False
    (desk.export / "inv-2.csv").write_bytes(CSV)

    assert ["F0001", "F0002"] == await desk.turns()
    assert ["TOO_LARGE"] == desk.told[:1]
    assert [".refused-"] == [name[:9] for name in desk.names()]


@pytest.mark.parametrize("pinned", ["line", "fingerprint"])
async def test_another_host_key_is_refused_and_no_password_is_sent(there: Running, tmp_path: Path, pinned: str) -> None:
    other = asyncssh.generate_private_key("ssh-ed25519")
    said = other.export_public_key().decode() if pinned == "line" else other.get_fingerprint("sha256")
    desk = Desk(there, tmp_path, hostKey=said)
    (desk.export / "inv.csv").write_bytes(CSV)

    assert [] == await desk.turns()
    assert (["HOST_KEY"], ["inv.csv"]) == (desk.told, desk.names())
    await desk.close()


@pytest.mark.parametrize("form", ["line", "known_hosts", "fingerprint"])
async def test_a_pinned_key_is_a_line_or_a_fingerprint(there: Running, tmp_path: Path, form: str) -> None:
    said = {
        "line": there.line,
        "known_hosts": f"[a.host]:22 {there.line}",
        "fingerprint": there.key.get_fingerprint("sha256"),
    }
    desk = Desk(there, tmp_path, hostKey=said[form])
    (desk.export / "inv.csv").write_bytes(CSV)

    assert 2 == len(await desk.turns())
    await desk.close()


async def test_without_a_pinned_key_nothing_is_opened(there: Running, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="hostKey is missing"):
        Desk(there, tmp_path, hostKey=None)


async def test_a_wrong_password_is_told(there: Running, tmp_path: Path) -> None:
    desk = Desk(there, tmp_path, password="another one")

    assert ([], ["WAY_DENIED"]) == (await desk.turns(), desk.told)
    await desk.close()


def test_an_access_file_that_others_may_read_is_not_used(tmp_path: Path) -> None:
    file = tmp_path / "access.yaml"
    file.write_text("{host: a, user: b, hostKey: 'SHA256:x', password: c}")
    file.chmod(0o640)

    with pytest.raises(ConfigurationError, match="can be read by others"):
        open_server(file)


async def test_a_server_that_is_not_there_is_told_once_and_tried_again(tmp_path: Path) -> None:
    async with servers.serving(tmp_path / "server") as first:
        desk = Desk(first, tmp_path)
        port, key = first.port, first.key
    (desk.export / "inv.csv").write_bytes(CSV)

    assert ([], ["WAY_CLOSED"]) == (await desk.turns(), desk.told)
    again = await asyncssh.listen(
        "127.0.0.1", port, server_factory=servers.Door, server_host_keys=[key],
        sftp_factory=type("Mine", (servers.Folder,), {"root": first.root, "manners": servers.Manners()}),
    )  # fmt: skip
    assert 2 == len(await desk.turns())
    await desk.close()
    again.close()
    with suppress(TimeoutError):
        await asyncio.wait_for(again.wait_closed(), 2)


async def test_a_killed_process_s_claim_is_fetched_by_the_next_one(desk: Desk) -> None:
    (desk.export / f".taken-{1:020d}-{os.urandom(4).hex()}").write_bytes(CSV)

    assert ["F0001", "F0002"] == await desk.turns(1)
    assert [] == desk.names()


# --- the other direction ----------------------------------------------------------------------------------------------


def serving(there: Running, database: Database, feed: Feed, receipt: str = "") -> Serving:
    (there.root / "import").mkdir(exist_ok=True)
    file = there.root / "../out.yaml"
    file.write_text(json.dumps(there.access()))
    file.chmod(0o600)
    layout = kit.layout(
        {**OUT, "sftp": {"folder": "/import", "seconds": 2}, "deliver": {**OUT["deliver"], "receipt": receipt}}
    )
    part, shelf = delivery(layout), open_shelf(layout, file)
    assert part is not None
    assert shelf is not None
    return Serving(layout, part, shelf, database, feed, lambda use, text: text[::-1], lambda: 1.0)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database(f"sqlite:///{tmp_path}/out.db", "adapters")
    yield opened
    opened.close()


async def test_what_is_delivered_is_put_there_whole_and_waits_for_the_receipt(
    there: Running, database: Database
) -> None:
    feed, inbox = Feed([event(1), event(2)], [event(3)]), there.root / "import"
    post = serving(there, database, feed, ".ack")

    first = await post.turn(), await post.turn(), [path.name for path in inbox.iterdir()]
    (inbox / "population-000001.csv.ack").touch()
    await post.turn()

    assert (2, 0, ["population-000001.csv"]) == first
    assert [b"Note;NISS;Constat", b"FIN;2"] == (inbox / "population-000001.csv").read_bytes().splitlines()[::3]
    assert (inbox / "population-000002.csv").exists()
    await post.shelf.close()


@pytest.mark.parametrize("step", ["aside", "place"])
async def test_a_connection_that_vanishes_while_we_write_leaves_no_half_file_and_repeats_none(
    there: Running, database: Database, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed, inbox = Feed([event(1)], [event(2)]), there.root / "import"
    post = serving(there, database, feed)
    with monkeypatch.context() as patch:
        name = "fsync" if step == "aside" else "rename"
        patch.setattr(asyncssh.SFTPClientFile if step == "aside" else asyncssh.SFTPClient, name, _gone)
        with pytest.raises(WayFailed):
            await post.turn()
    half = [path.name for path in inbox.iterdir()]
    while await post.turn():
        pass

    assert [".population-000001.csv.part"] == half
    assert ["population-000001.csv", "population-000002.csv"] == sorted(path.name for path in inbox.iterdir())
    assert ["m1", "m2"] == feed.acknowledged
    await post.shelf.close()


async def _gone(*_: Any) -> None:
    raise asyncssh.SFTPConnectionLost("gone")
