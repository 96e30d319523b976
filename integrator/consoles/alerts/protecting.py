"""The list of protected people: a number is typed once to put somebody on it or take them off; two people read it together."""

from __future__ import annotations

import asyncio

from sqlalchemy import BigInteger, Column, String, Table, Text, delete, insert, select
from starlette.responses import Response

from audit import Subject
from audit.errors import EntryRefused, LedgerError
from integrator.consoles.alerts.room import alerting_of, room
from integrator.consoles.database import metadata
from integrator.consoles.looking import REASON
from integrator.consoles.visit import Visit
from integrator.consoles.web import PageRefused
from integrator.errors import LedgerUnwritable
from integrator.ids import new_id

KEEPERS = frozenset({"hub_dpo"})
_WAITS = 86_400  # seconds that a wish to read waits for its second person
_SHOWN = 500

wish_table = Table(
    "console_protected_wish",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("asker", String(64), nullable=False),
    Column("asker_name", Text, nullable=False),
    Column("reason", Text, nullable=False),  # sealed
    Column("asked", BigInteger, nullable=False),
)


@room.get("/protected", menu="alerts.protected", roles=KEEPERS)
async def protected(visit: Visit) -> Response:
    alerting_of(visit)
    wishes = await _wishes(visit)
    return visit.page("alerts/protected.html", wishes=wishes, read=visit.data.pop("protected", None))


@room.post("/protected", roles=KEEPERS)
async def change(visit: Visit) -> Response:
    """Put somebody on the list, or take them off. Nobody is told whether they were on it."""
    listed, act = alerting_of(visit).protected, visit.form["act"]
    number = visit.form["number"].replace(".", "").replace("-", "").replace(" ", "")
    words = " ".join(visit.form["reason"].split())
    whole = act in ("add", "remove") and number.isascii() and number.isdigit() and len(number) == 11
    if not whole or not REASON[0] <= len(words) <= REASON[1]:
        visit.say("alerts.protected_wrong")
        return visit.go("/alerts/protected")
    try:
        await asyncio.to_thread(getattr(listed, act), Subject("nrn", number), visit.person.id, words)
        visit.say(f"alerts.said_{act}")
    except EntryRefused:
        visit.say("alerts.protected_wrong")
    except LedgerError as error:
        raise LedgerUnwritable("this could not be written in the ledger, so the list is as it was") from error
    return visit.go("/alerts/protected")


@room.post("/protected/ask", roles=KEEPERS)
async def ask(visit: Visit) -> Response:
    words = " ".join(visit.form["reason"].split())
    if not REASON[0] <= len(words) <= REASON[1]:
        visit.say("shell.why_short")
        return visit.go("/alerts/protected")
    row = {
        "id": new_id(8), "asker": visit.person.id, "asker_name": visit.person.name,
        "reason": visit.consoles.vault.seal("protected wish", words), "asked": int(visit.consoles.now()),
    }  # fmt: skip
    await visit.consoles.database.run(lambda connection: connection.execute(insert(wish_table).values(row)))
    visit.say("alerts.said_wish")
    return visit.go("/alerts/protected")


@room.post("/protected/read", roles=KEEPERS)
async def read(visit: Visit) -> Response:
    """The second person reads the list; both readings are entries first. What is shown names nobody: blind tags."""
    wish = next((one for one in await _wishes(visit) if one["id"] == visit.form["id"]), None)
    if wish is None:
        raise PageRefused("not_there", 404)
    if wish["asker"].casefold() == visit.person.id.casefold():
        visit.say("alerts.read_alone")
        return visit.go("/alerts/protected")
    gone = delete(wish_table).where(wish_table.c.id == wish["id"])
    if not await visit.consoles.database.run(lambda connection: connection.execute(gone).rowcount):
        raise PageRefused("not_there", 404)
    listed = alerting_of(visit).protected
    try:
        tags = await asyncio.to_thread(listed.read, wish["asker"], visit.person.id, wish["reason"])
    except LedgerError as error:
        raise LedgerUnwritable("this could not be written in the ledger, so nothing was read") from error
    visit.data["protected"] = {"n": len(tags), "tags": list(tags)[:_SHOWN]}
    return visit.go("/alerts/protected")


async def _wishes(visit: Visit) -> list[dict[str, str]]:
    since = int(visit.consoles.now()) - _WAITS
    query = select(wish_table).where(wish_table.c.asked > since).order_by(wish_table.c.asked)
    rows = await visit.consoles.database.run(lambda connection: list(connection.execute(query)))
    opened = visit.consoles.vault.open
    return [
        {"id": row.id, "asker": row.asker, "name": row.asker_name, "reason": opened("protected wish", row.reason)} for row in rows
    ]  # fmt: skip
