"""Once a night: whoever asked for it and has something new in their list is told so, at most once until they look.

Several hubs may share the table. Who is to be told is claimed in it first, so one hub sends; what cannot leave is given back.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, select, update

from audit import LedgerError, Subject
from integrator.consoles.citizen.notice import notice_table
from integrator.consoles.citizen.outbox import Notice, Outbox
from integrator.consoles.rendering import Speech
from integrator.consoles.vault import SealBroken
from integrator.consoles.web import Consoles
from integrator.logs import log

_UNTOLD = notice_table.c.told.is_(None) | (notice_table.c.told <= notice_table.c.seen)  # since they were here last


async def tell_everyone(consoles: Consoles, outbox: Outbox, address: str) -> int:
    """How many were told. `address`: of the consoles. What fails is logged without saying whose it is, and tried again."""
    query = select(notice_table).where(notice_table.c.sealed.is_not(None), _UNTOLD)
    told = 0
    for row in await consoles.database.run(lambda connection: connection.execute(query).all()):
        try:
            told += await _tell(consoles, outbox, row, address)
        except (SealBroken, LedgerError, OSError) as error:
            log.warning("notice_not_sent", error=type(error).__name__)
    return told


async def _tell(consoles: Consoles, outbox: Outbox, row: Row[Any], address: str) -> bool:
    """Whether this hub told this person."""
    now = int(consoles.now() * 1_000_000)
    wish = json.loads(consoles.vault.open("notice", row.sealed))
    if not await asyncio.to_thread(consoles.desk.news, Subject(*wish["subject"]), row.seen):
        return False
    this = (notice_table.c.tag == row.tag) & (notice_table.c.sealed == row.sealed)
    if not await consoles.database.run(_marking(this & _UNTOLD, now)):
        return False  # another hub tells them, or they want something else meanwhile
    try:
        await asyncio.to_thread(outbox.send, _notice(wish, address))
    except Exception:
        await consoles.database.run(_marking(this & (notice_table.c.told == now), row.told))
        raise
    return True


def _marking(where: ColumnElement[bool], told: int | None) -> Callable[[Connection], int]:
    return lambda connection: connection.execute(update(notice_table).where(where).values(told=told)).rowcount


def _notice(wish: dict[str, Any], address: str) -> Notice:
    t = Speech(wish["language"])
    return Notice(
        wish["channel"], wish["address"], wish["language"], str(t("me.notice_subject")),
        str(t("me.notice_text", address=address)) + "\n",
    )  # fmt: skip
