"""Once a night: whoever asked for it and has something new in their list is told so, at most once until they look."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from sqlalchemy import select, update

from audit import LedgerError, Subject
from integrator.consoles.citizen.notice import notice_table
from integrator.consoles.citizen.outbox import Notice, Outbox
from integrator.consoles.rendering import Speech
from integrator.consoles.vault import SealBroken
from integrator.consoles.web import Consoles
from integrator.logs import log


async def tell_everyone(consoles: Consoles, outbox: Outbox, address: str) -> int:
    """How many were told. `address`: of the consoles. What fails is logged without saying whose it is, and tried again."""
    table = notice_table.c
    query = select(notice_table).where(table.sealed.is_not(None))
    told = 0
    for row in await consoles.database.run(lambda connection: connection.execute(query).all()):
        if row.told is not None and row.told > row.seen:
            continue  # told already, and not been here since
        now = int(consoles.now() * 1_000_000)
        try:
            wish = json.loads(consoles.vault.open("notice", row.sealed))
            if not await asyncio.to_thread(consoles.desk.news, Subject(*wish["subject"]), row.seen):
                continue
            await asyncio.to_thread(outbox.send, _notice(wish, address))
        except (SealBroken, LedgerError, OSError) as error:
            log.warning("notice_not_sent", error=type(error).__name__)
            continue
        await consoles.database.run(_told(row.tag, now))
        told += 1
    return told


def _told(tag: str, now: int) -> Any:
    return lambda connection: connection.execute(update(notice_table).where(notice_table.c.tag == tag).values(told=now))


def _notice(wish: dict[str, Any], address: str) -> Notice:
    t = Speech(wish["language"])
    return Notice(
        wish["channel"], wish["address"], wish["language"], str(t("me.notice_subject")),
        str(t("me.notice_text", address=address)) + "\n",
    )  # fmt: skip
