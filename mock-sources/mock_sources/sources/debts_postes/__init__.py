"""An accounting package of an OCMW/CPAS: French words, a comma before the cents. Who owes nothing has an empty list."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from mock_sources.asgi import App, Receive, Scope, Send, respond_json
from mock_sources.clock import Clock
from mock_sources.credentials import Credentials
from mock_sources.sources import tills
from mock_sources.world import World

_SOMEBODY = "71632295922"  # trage-schildpad


def build(world: World, credentials: Credentials, clock: Clock) -> App:
    """Open the package on its own ledger."""
    del world, clock
    return Postes(
        yaml.safe_load((Path(__file__).parent / "ledger.yaml").read_text("utf-8")), credentials.tokens["debts_postes"]
    )


class Postes:
    """ASGI callable. `ledger`: items by national number."""

    def __init__(self, ledger: dict[str, list[dict[str, Any]]], token: str) -> None:
        self._ledger, self._token = ledger, token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            body = await tills.asked(
                scope, receive, token=self._token, door="/api/debiteurs/recherche", members={"niss": str}
            )
            debtor = tills.number(body["niss"])
        except tills.Refused as refused:
            await tills.refuse(send, refused)
            return
        items = self._ledger.get(debtor, [])
        said: dict[str, Any] = {"niss": _SOMEBODY if scope.get("mock.fault") == "wrong_subject" else debtor}
        if scope.get("mock.fault") == "over_delivery":
            said |= {"nom": "Van den Voorbeeld", "chambre": "12", "assistantSocial": "A. Exemple"}
            items = [{**item, "remarque": "appeler la famille"} for item in items]
        await respond_json(send, 200, {"debiteur": said, "postes": items})
