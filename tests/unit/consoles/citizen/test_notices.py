"""Somebody who asked for it is told that there is something new; the message says nothing else, to nobody else."""

from __future__ import annotations

import asyncio
import json
from email import message_from_bytes
from email.policy import SMTP
from pathlib import Path
from typing import Any

import pytest

from integrator.consoles.citizen.notifying import tell_everyone
from integrator.consoles.citizen.outbox import FileOutbox, Notice
from tests.unit.consoles.citizen.rig import MARRIAGE, House, text_of
from tests.unit.consoles.desk import ANNA, BERT

ADDRESS = "https://hub.example/console/"
MAIL = "anna@mail.example"


class Outbox:
    """Keeps what would leave, or is full."""

    def __init__(self, *, full: bool = False) -> None:
        self.sent: list[Notice] = []
        self.full = full

    def send(self, notice: Notice) -> None:
        if self.full:
            raise OSError("no space left")
        self.sent.append(notice)


async def wants(home: House, channel: str = "email", address: str = MAIL) -> None:
    browser = await home.citizen()
    await browser.get("/console/me/notice")
    await browser.post("/console/me/notice", on="1", channel=channel, address=address)


async def test_one_message_until_they_look(home: House) -> None:
    await wants(home)
    outbox = Outbox()
    assert 0 == await tell_everyone(home.consoles, outbox, ADDRESS)  # nothing happened yet

    home.exchange()
    assert [1, 0] == [await tell_everyone(home.consoles, outbox, ADDRESS) for _ in range(2)]
    home.exchange()
    assert 0 == await tell_everyone(home.consoles, outbox, ADDRESS)

    home.clock.now += 1_000_000
    await text_of(await home.citizen(), "/console/me/")
    home.exchange()
    assert 1 == await tell_everyone(home.consoles, outbox, ADDRESS)


async def test_the_message_says_that_there_is_something_and_not_what(home: House) -> None:
    await wants(home)
    home.exchange(case="2026/117")
    outbox = Outbox()
    await tell_everyone(home.consoles, outbox, ADDRESS)

    [notice] = outbox.sent
    assert ("email", MAIL, "There is something new to read") == (notice.channel, notice.address, notice.subject)
    assert not any(word in notice.subject + notice.text for word in (ANNA.id, "Anna", "Ixelles", "permit", "2026/117"))


async def test_what_one_did_oneself_and_what_may_not_be_seen_is_no_news(home: House) -> None:
    await wants(home)
    home.exchange(BERT)
    home.exchange(BERT, ANNA, purpose=MARRIAGE)  # somebody else's marriage
    await text_of(await home.citizen(), "/console/me/complete")
    outbox = Outbox()

    assert (0, []) == (await tell_everyone(home.consoles, outbox, ADDRESS), outbox.sent)


async def test_who_did_not_ask_or_asked_for_the_page_only_gets_no_message(home: House) -> None:
    await wants(home, channel="")
    home.exchange()

    assert 0 == await tell_everyone(home.consoles, Outbox(), ADDRESS)


async def test_what_could_not_leave_leaves_the_next_night(home: House) -> None:
    await wants(home)
    home.exchange()

    assert 0 == await tell_everyone(home.consoles, Outbox(full=True), ADDRESS)
    assert 1 == await tell_everyone(home.consoles, Outbox(), ADDRESS)


async def test_of_two_hubs_that_look_at_the_same_time_one_tells(home: House, monkeypatch: pytest.MonkeyPatch) -> None:
    await wants(home)
    home.exchange()
    outbox, news = Outbox(), home.consoles.desk.news

    def meanwhile(*asked: Any) -> bool:
        """The other hub comes by while this one looks whether there is news."""
        with monkeypatch.context() as other:
            other.setattr(home.consoles.desk, "news", news)
            assert 1 == asyncio.run(tell_everyone(home.consoles, outbox, ADDRESS))
        return news(*asked)

    monkeypatch.setattr(home.consoles.desk, "news", meanwhile)
    assert 0 == await tell_everyone(home.consoles, outbox, ADDRESS)
    assert 1 == len(outbox.sent)


async def test_who_changed_their_mind_meanwhile_is_not_told_at_the_old_address(
    home: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    await wants(home)
    home.exchange()
    outbox, news = Outbox(), home.consoles.desk.news

    def meanwhile(*asked: Any) -> bool:
        asyncio.run(wants(home, channel="ebox", address=""))
        return news(*asked)

    monkeypatch.setattr(home.consoles.desk, "news", meanwhile)

    assert (0, []) == (await tell_everyone(home.consoles, outbox, ADDRESS), outbox.sent)


async def test_an_ebox_is_found_by_its_number_which_is_kept_sealed(home: House) -> None:
    await wants(home, channel="ebox", address="")
    home.exchange()
    outbox = Outbox()
    await tell_everyone(home.consoles, outbox, ADDRESS)

    assert [("ebox", ANNA.id)] == [(one.channel, one.address) for one in outbox.sent]
    kept = b"".join(
        path.read_bytes() for path in Path(str(home.consoles.database._engine.url.database)).parent.glob("consoles.db*")
    )
    assert ANNA.id.encode() not in kept


@pytest.mark.parametrize("address", ["", "anna", "anna@x", "a b@mail.example", "a@mail.example\nBcc: b@mail.example"])
async def test_what_is_no_address_changes_nothing(home: House, address: str) -> None:
    await wants(home, address=address)

    assert "This is off." in await text_of(await home.citizen(), "/console/me/notice")


def test_a_mail_is_a_file_that_only_we_and_the_mail_server_read(tmp_path: Path) -> None:
    outbox = FileOutbox(tmp_path / "out", "no-reply@hub.example")
    outbox.send(Notice("email", MAIL, "fr", "Il y a du nouveau à lire", "Il y a du nouveau.\n"))
    outbox.send(Notice("ebox", ANNA.id, "nl", "Er is iets nieuws te lezen", "Er is iets nieuws.\n"))

    [mail], [ebox] = (list((tmp_path / "out").glob(f"*.{kind}")) for kind in ("eml", "json"))
    read = message_from_bytes(mail.read_bytes(), policy=SMTP)
    assert ("no-reply@hub.example", MAIL, "Il y a du nouveau à lire") == (read["From"], read["To"], read["Subject"])
    assert ANNA.id == json.loads(ebox.read_text())["recipient"]
    assert {0o600} == {path.stat().st_mode & 0o777 for path in (mail, ebox)}
    assert ANNA.id not in ebox.name
