"""For application vendors: ask the hub from Python in three lines. Needs `httpx` and `pyjwt` with `cryptography`; nothing of the hub.

from connectors.client import Hub

hub = Hub.from_key("my-app.jwk", purpose="resident_permit")
answer = hub.ask("parking.residentPermit.checkEligibility", ssin=…, plateNumber=…, address=…, dossierReference="2026-17")
if answer["eligible"] == "unknown":
    retry_later(answer.retry_after)          # three states on purpose
"""

from __future__ import annotations

from connectors.client.enrolment import request as ask_enrolment
from connectors.client.enrolment import status as enrolment_status
from connectors.client.hub import Hub
from connectors.client.receipts import Receipt, ReceiptInvalid
from connectors.client.replies import Answer, HubUnreachable, Problem
from connectors.client.webhooks import Webhook, WebhookInvalid

__all__ = [
    "Answer", "Hub", "HubUnreachable", "Problem", "Receipt", "ReceiptInvalid", "Webhook", "WebhookInvalid", "ask_enrolment",
    "enrolment_status",
]  # fmt: skip
