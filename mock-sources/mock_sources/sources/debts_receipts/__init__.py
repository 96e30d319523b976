"""A receipts package of a municipality: what is open, in cents. Who owes nothing is nobody here: 404 debtorUnknown."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import yaml

from mock_sources.asgi import PROBLEM, App, Receive, Scope, Send, respond, respond_json
from mock_sources.clock import Clock
from mock_sources.credentials import Credentials
from mock_sources.sources import tills
from mock_sources.world import World

_SOMEBODY = "71632295922"  # trage-schildpad
_UNKNOWN = {"type": "urn:problem-type:receipts:debtorUnknown", "title": "Debtor unknown", "status": 404}


def build(world: World, credentials: Credentials, clock: Clock) -> App:
    """Open the package on its own ledger."""
    del world, clock
    return Receipts(
        yaml.safe_load((Path(__file__).parent / "ledger.yaml").read_text("utf-8")), credentials.tokens["debts_receipts"]
    )


class Receipts:
    """ASGI callable. `ledger`: open items by national number."""

    def __init__(self, ledger: dict[str, list[dict[str, Any]]], token: str) -> None:
        self._ledger, self._token = ledger, token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            body = await tills.asked(
                scope, receive, token=self._token, door="/v1/openItems/search", members={"person": str}
            )
            person = tills.number(body["person"])
        except tills.Refused as refused:
            await tills.refuse(send, refused)
            return
        items = self._ledger.get(person)
        if items is None:
            await respond(send, 404, orjson.dumps(_UNKNOWN), PROBLEM)
            return
        if scope.get("mock.fault") == "over_delivery":
            items = [
                {**item, "debtorName": "Van den Voorbeeld", "plate": "1ABC123", "officerNote": "twice warned"}
                for item in items
            ]
        said = _SOMEBODY if scope.get("mock.fault") == "wrong_subject" else person
        await respond_json(send, 200, {"person": said, "openItems": items})
