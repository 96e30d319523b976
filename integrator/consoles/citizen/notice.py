"""Tell me when somebody looked: a sentence at the next sign-in, and a message if one wants that, for whoever asked for it.

Kept are a blind tag of the person and when they were here last; for a message also where to send it, sealed. All of it
only while they want it. The message itself says nothing but that there is something new (outbox.py, notifying.py).
"""

from __future__ import annotations

import json
import re
from typing import Any

from sqlalchemy import BigInteger, Column, Connection, String, Table, Text, delete, insert, select, update
from starlette.responses import Response

from integrator.consoles.citizen.outbox import CHANNELS
from integrator.consoles.citizen.room import room
from integrator.consoles.database import metadata
from integrator.consoles.visit import Visit

notice_table = Table(
    "citizen_notice",
    metadata,
    Column("tag", String(43), primary_key=True),  # blind, of the person
    Column("seen", BigInteger, nullable=False),  # µs
    Column("sealed", Text),  # where to send what, for whom; none = on the page only
    Column("told", BigInteger),  # µs, of the last message
)
_MAIL = re.compile(r"[^@\s<>,;:\"]{1,64}@[A-Za-z0-9.-]{1,190}\.[A-Za-z]{2,24}", re.ASCII).fullmatch


@room.get("/notice", menu="me.notice")
async def setting(visit: Visit) -> Response:
    return visit.page("me/notice.html", on=await _seen(visit) is not None, channels=CHANNELS)


@room.post("/notice")
async def choose(visit: Visit) -> Response:
    if visit.person.acting is not None:  # whoever it is about chooses this, nobody for them
        visit.say("me.for_not")
        return visit.go("/me/notice")
    tag, on, now = tag_of(visit), visit.form["on"] == "1", int(visit.consoles.now() * 1_000_000)
    sealed = _wish(visit) if on else None
    if on and visit.form["channel"] in CHANNELS and sealed is None:
        visit.say("me.notice_wrong")
        return visit.go("/me/notice")

    def write(connection: Connection) -> None:
        connection.execute(delete(notice_table).where(notice_table.c.tag == tag))
        if on:
            connection.execute(insert(notice_table).values(tag=tag, seen=now, sealed=sealed))

    await visit.consoles.database.run(write)
    visit.data.pop("me_since", None)
    visit.say("me.notice_on" if on else "me.notice_off")
    return visit.go("/me/notice")


async def since_last_time(visit: Visit) -> int | None:
    """When this person was here before this session, for who wants to know what is new; the same during a session."""
    if visit.person.acting is not None:
        return None
    if "me_since" in visit.data:
        kept: int | None = visit.data["me_since"]
        return kept
    seen, now = await _seen(visit), int(visit.consoles.now() * 1_000_000)
    if seen is not None:
        where = notice_table.c.tag == tag_of(visit)
        await visit.consoles.database.run(
            lambda connection: connection.execute(update(notice_table).where(where).values(seen=now))
        )
        visit.data["me_since"] = seen
    return seen


def _wish(visit: Visit) -> str | None:
    """Where a message goes, sealed; None for the page only, and for what is no address."""
    subject, channel, typed = visit.person.subject, visit.form["channel"], visit.form["address"]
    if subject is None or channel not in CHANNELS or (channel == "email" and not _MAIL(typed)):
        return None
    address = typed if channel == "email" else subject.id
    wish = {"channel": channel, "address": address, "language": visit.language, "subject": [subject.type, subject.id]}
    return visit.consoles.vault.seal("notice", json.dumps(wish))


def tag_of(visit: Visit) -> str:
    """A citizen in the consoles' own tables: nothing without the key."""
    subject = visit.person.subject
    return visit.consoles.vault.tag("citizen", f"{subject.type}|{subject.id}" if subject else visit.person.id)


async def _seen(visit: Visit) -> int | None:
    query = select(notice_table.c.seen).where(notice_table.c.tag == tag_of(visit))
    found: Any = await visit.consoles.database.run(lambda connection: connection.execute(query).scalar())
    return None if found is None else int(found)
