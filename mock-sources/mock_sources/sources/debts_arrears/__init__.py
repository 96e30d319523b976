"""A tenants' ledger of a housing company: two rows on a page. Who owes nothing has one page without rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from mock_sources.asgi import App, Receive, Scope, Send, respond_json
from mock_sources.clock import Clock
from mock_sources.credentials import Credentials
from mock_sources.sources import tills
from mock_sources.world import World

PAGE = 2  # rows
_SOMEBODY = "71632295922"  # trage-schildpad


def build(world: World, credentials: Credentials, clock: Clock) -> App:
    """Open the package on its own ledger."""
    del world, clock
    return Arrears(
        yaml.safe_load((Path(__file__).parent / "ledger.yaml").read_text("utf-8")), credentials.tokens["debts_arrears"]
    )


class Arrears:
    """ASGI callable. `ledger`: rows by national number of the tenant."""

    def __init__(self, ledger: dict[str, list[dict[str, Any]]], token: str) -> None:
        self._ledger, self._token = ledger, token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            body = await tills.asked(
                scope, receive, token=self._token, door="/rental/arrears", members={"tenant": str, "page": int}
            )
            tenant, page = tills.number(body["tenant"]), body["page"]
            rows = self._ledger.get(tenant, [])
            pages = max(1, -(-len(rows) // PAGE))
            if not 1 <= page <= pages:
                raise tills.Refused(400, "badRequest", "no such page")
        except tills.Refused as refused:
            await tills.refuse(send, refused)
            return
        shown = rows[(page - 1) * PAGE : page * PAGE]
        if scope.get("mock.fault") == "over_delivery":
            shown = [{**row, "dwelling": "Voorbeeldstraat 12", "bailiff": True} for row in shown]
        said = _SOMEBODY if scope.get("mock.fault") == "wrong_subject" else tenant
        more = (
            {"guarantor": "Van den Voorbeeld, Voorbeeldstraat 14"} if scope.get("mock.fault") == "over_delivery" else {}
        )
        await respond_json(
            send, 200, {"tenant": said, "page": page, "pages": pages, "total": len(rows), "rows": shown, **more}
        )
