"""Tell me when somebody looked: a sentence at the next sign-in, for whoever asked for it. No mail, nothing of oneself.

Kept are a blind tag of the person and when they were here last, and only while they want it.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Column, Connection, String, Table, delete, insert, select, update
from starlette.responses import Response

from integrator.consoles.citizen.room import room
from integrator.consoles.database import metadata
from integrator.consoles.visit import Visit

notice_table = Table(
    "citizen_notice",
    metadata,
    Column("tag", String(43), primary_key=True),  # blind, of the person
    Column("seen", BigInteger, nullable=False),  # µs
)


@room.get("/notice", menu="me.notice")
async def setting(visit: Visit) -> Response:
    return visit.page("me/notice.html", on=await _seen(visit) is not None)


@room.post("/notice")
async def choose(visit: Visit) -> Response:
    tag, on, now = tag_of(visit), visit.form["on"] == "1", int(visit.consoles.now() * 1_000_000)

    def write(connection: Connection) -> None:
        connection.execute(delete(notice_table).where(notice_table.c.tag == tag))
        if on:
            connection.execute(insert(notice_table).values(tag=tag, seen=now))

    await visit.consoles.database.run(write)
    visit.data.pop("me_since", None)
    visit.say("me.notice_on" if on else "me.notice_off")
    return visit.go("/me/notice")


async def since_last_time(visit: Visit) -> int | None:
    """When this person was here before this session, for who wants to know what is new; the same during a session."""
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


def tag_of(visit: Visit) -> str:
    """A citizen in the consoles' own tables: nothing without the key."""
    subject = visit.person.subject
    return visit.consoles.vault.tag("citizen", f"{subject.type}|{subject.id}" if subject else visit.person.id)


async def _seen(visit: Visit) -> int | None:
    query = select(notice_table.c.seen).where(notice_table.c.tag == tag_of(visit))
    found: Any = await visit.consoles.database.run(lambda connection: connection.execute(query).scalar())
    return None if found is None else int(found)
