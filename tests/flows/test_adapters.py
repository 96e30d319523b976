"""A closed package takes part by the files it writes: each row once, wherever the hub is killed, and what is wrong waits.

The hub of these flows watches the folder itself; another one is told by a machine beside the package.
"""

from __future__ import annotations

import io
import random
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from audit import FileKeyRing
from connectors.client import Hub
from integrator import clock
from integrator.adapters.book import Book, FileState
from integrator.cli import main
from integrator.commands import apps
from integrator.commands.sandbox import Sandbox
from integrator.database import Database
from integrator.delivery.outbox import Outbox
from integrator.delivery.sealing import Sealing
from integrator.delivery.tables import MESSAGE
from tests.flows.sandboxes import Beside, Callers, beside, callers
from tests.flows.test_durability import engine
from tests.unit.audit.kit import ENGINES

PEOPLE = ("84651797654", "94641897237", "62720696678")
SOON = (datetime.now(UTC).date() + timedelta(days=30)).isoformat()
ROWS, KILLS = 700, 4  # more rows than one batch
HEAD = "Note;Dossier;NISS;Donnée;Constat;Utilisateur"


def notes(rows: list[str]) -> bytes:
    return "\r\n".join([HEAD, *rows, f"FIN;{len(rows)}", ""]).encode("cp1252")


def note(number: int, what: str = "ADR", file: str | None = None) -> str:
    return f"N{number:06};{file or f'IX-{number}'};{PEOPLE[number % 3]};{what};seen {number};clerk"


def put(hub: Beside, content: bytes, name: str = "notes.csv") -> None:
    """As a careful package does: whole under another name, then renamed."""
    folder = hub.state / "adapters" / "counter_notes" / "in"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.part").write_bytes(content)
    (folder / f"{name}.part").rename(folder / name)


def files(hub: Beside) -> list[FileState]:
    database = Database(hub.settings.adapters["database"], "adapters")
    try:
        return database.now(lambda connection: Book(connection).files("counter_notes"))
    finally:
        database.close()


def until(what: Any, seconds: float = 60.0) -> Any:
    """Wait for something to be true; fails with what was there instead."""
    deadline = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.1)
    return found


def states(hub: Beside) -> list[str]:
    """How it stands with each message of the outbox."""
    database = Database(hub.settings.ledger, "delivery")
    try:
        return database.now(lambda c: [row["state"] for row in c.execute(MESSAGE.select()).mappings()])
    finally:
        database.close()


def deposited(hub: Beside) -> list[tuple[int, str]]:
    """(order of acceptance, what was seen) of everything in the outbox."""
    database = Database(hub.settings.ledger, "delivery")
    try:
        outbox = Outbox(database, Sealing(FileKeyRing(hub.state / "ledger-keys")), clock.system)
        rows = database.now(lambda c: c.execute(MESSAGE.select().order_by(MESSAGE.c.id)).mappings().all())
        return [(row["id"], outbox.held(row, "").content["observed"]) for row in rows if row["sealed"]]
    finally:
        database.close()


def enrol(hub: Beside, folder: Path, purposes: tuple[str, ...] = ("file_update",)) -> Path:
    key = folder / "social-package.jwk"
    apps.create(hub.settings, "social-package", "cpas-ixelles", list(purposes), key)
    return key


def follow(hub: Beside, folder: Path) -> Callers:
    """The municipality receives the reports."""
    who = callers(hub.running, hub.settings, folder / "keys")
    body = {"service": "person.reportDifference", "mode": "pull", "endDate": SOON}
    made = who.send(
        "POST", "/events/v1/subscriptions/create", orjson.dumps(body), purpose="file_update",
        headers={"Idempotency-Key": str(uuid.uuid4())},
    )  # fmt: skip
    assert 201 == made.status, made.payload
    return who


@pytest.fixture(params=ENGINES)
def watching(request: pytest.FixtureRequest, hub: Sandbox, tmp_path: Path) -> Iterator[Beside]:
    """A hub that watches the folder of counter_notes, on either engine; its package is enrolled, its messages are received."""
    with engine(request.param) as ledger:
        chosen: dict[str, Any] = {"adapters": {"run": ["counter_notes"], "pauseSeconds": 0.2}}
        chosen |= {"ledger": ledger, "adapters": chosen["adapters"] | {"database": ledger}} if ledger else {}
        with beside(hub, tmp_path / "state", **chosen) as running:
            enrol(running, tmp_path)
            who = follow(running, tmp_path)
            yield running
            who.close()


def test_each_row_has_its_effect_once_wherever_the_hub_is_killed(watching: Beside) -> None:
    chance = random.Random(7)
    put(watching, notes([note(number) for number in range(1, ROWS + 1)]))
    for _ in range(KILLS):
        reached = len(deposited(watching)) + chance.randrange(1, ROWS // KILLS)
        until(lambda reached=reached: len(deposited(watching)) >= min(reached, ROWS))
        watching.kill()
        watching.start()
    until(lambda: (found := files(watching)) and found[0].state == "done")

    seen = [what for _, what in deposited(watching)]
    [file] = files(watching)
    assert (ROWS, 0) == (file.good, file.bad)
    assert sorted(f"seen {number}" for number in range(1, ROWS + 1)) == sorted(seen)
    for person in range(3):  # what is about one person keeps the order of the file
        theirs = [int(what.split()[1]) for what in seen if int(what.split()[1]) % 3 == person]
        assert sorted(theirs) == theirs
    assert [] == list((watching.state / "adapters/counter_notes/work").glob("[!.]*"))


def test_bad_rows_wait_and_a_mended_one_goes_the_same_way(
    watching: Beside, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    put(watching, notes([note(1), note(2, what="XXX"), note(3)]))
    until(lambda: (found := files(watching)) and found[0].state == "done")
    own = ["--settings", str(watching.file)]
    capsys.readouterr()

    main(["adapter", "waiting", "counter_notes", *own])
    listed = capsys.readouterr().out
    [row] = [line.split()[0] for line in listed.splitlines() if "NOT_IN_LIST" in line and "/" in line.split()[0]]
    main(["adapter", "show", "counter_notes", row, *own])
    shown = capsys.readouterr().out
    monkeypatch.setattr("sys.stdin", io.StringIO(note(2) + "\n"))
    main(["adapter", "mend", "counter_notes", row, *own])

    assert not any(number in listed for number in PEOPLE)
    assert [HEAD, note(2, what="XXX")] == shown.splitlines()
    until(lambda: 3 == len(deposited(watching)))
    assert ["seen 1", "seen 2", "seen 3"] == sorted(what for _, what in deposited(watching))


def test_a_package_that_is_enrolled_no_more_hands_nothing_in_and_loses_nothing(hub: Sandbox, tmp_path: Path) -> None:
    with beside(hub, tmp_path / "state", adapters={"run": ["counter_notes"], "pauseSeconds": 0.2}) as stranger:
        follow(stranger, tmp_path).close()
        put(stranger, notes([note(1)]))
        until(lambda: [file.state for file in files(stranger)] == ["taking"])

        before = deposited(stranger)
        enrol(stranger, tmp_path)
        until(lambda: files(stranger)[0].state == "done")

        assert ([], ["seen 1"]) == (before, [what for _, what in deposited(stranger)])


def test_a_machine_beside_the_package_hands_in_over_the_api_and_a_refused_row_waits(
    hub: Sandbox, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with beside(hub, tmp_path / "state") as there:
        key = enrol(there, tmp_path)
        own = tmp_path / "own.yaml"
        own.write_text(f"state: {tmp_path}/beside\n")
        there_in = tmp_path / "beside/adapters/counter_notes/in"
        there_in.mkdir(parents=True)
        (there_in / "notes.csv").write_bytes(notes([note(1), note(2)]))
        words = [
            "adapter",
            "run",
            "counter_notes",
            "--key",
            str(key),
            "--hub",
            there.hub,
            "--once",
            "--settings",
            str(own),
        ]
        until(lambda: main(words) == 0)  # nobody receives them yet: refused, row by row
        told = capsys.readouterr().out
        follow(there, tmp_path).close()
        main(["adapter", "redrive", "counter_notes", "--settings", str(own)])
        main(words)

        assert "0 handed in, 2 wait" in told
        assert ["seen 1", "seen 2"] == sorted(what for _, what in deposited(there))


def test_what_was_handed_in_by_a_file_reaches_the_other_package_as_a_file(hub: Sandbox, tmp_path: Path) -> None:
    chosen = {"run": ["counter_notes", "population_reports"], "pauseSeconds": 0.2}
    with beside(hub, tmp_path / "state", adapters=chosen) as both:
        enrol(both, tmp_path)
        apps.create(both.settings, "population-package", "ixelles", ["file_update"], tmp_path / "population.jwk")
        with Hub.from_key(tmp_path / "population.jwk", purpose="file_update", url=both.hub) as population:
            wish = {"service": "person.reportDifference", "mode": "pull", "endDate": SOON}
            until(lambda: population.call("POST", "/events/v1/subscriptions/create", wish, str(uuid.uuid4())))
        put(both, notes([note(1), note(2), note(3, what="DEC")]))

        out = both.state / "adapters/population_reports/out"
        read = lambda: [line for path in sorted(out.glob("*.txt")) for line in path.read_bytes().splitlines()]
        until(lambda: 3 == sum(line.startswith(b"D") for line in read()))
        until(lambda: ["delivered"] * 3 == states(both))  # acknowledged

        rows = sorted((line[33:44].decode(), line[54:57].decode()) for line in read() if line.startswith(b"D"))
        assert sorted([(PEOPLE[1], "ADR"), (PEOPLE[2], "ADR"), (PEOPLE[0], "DEC")]) == rows
