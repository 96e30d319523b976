"""For receivers: is this push really the hub's, fresh, for us, and not yet done? Needs `cryptography`; nothing of the hub.

    hook = Webhook([key], subscription="…")                     # keys: GET /events/v1/keys of the hub
    event = hook.verify(request.headers, request.body)          # or WebhookInvalid: answer 400
    with database.begin() as work:                              # your own transaction
        if work.remember(event["id"]):                          # False: seen before, its effect is there
            do_it(event["data"], work)
    answer 204                                                  # only now: what is not acknowledged comes again

An event may come twice, and after a failure late. It never comes before an earlier one about the same person.
"""

from __future__ import annotations

import base64
import binascii
import json
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

TOLERANCE = 300  # seconds a push may be old, or ahead of our clock


class WebhookInvalid(Exception):
    """Not the hub's, not fresh, or not for us: answer 400 and do nothing. The text never repeats what was sent."""


class Webhook:
    """Verifies pushes of one subscription. `keys`: whpk_… of the hub; two of them while it changes its key."""

    def __init__(
        self,
        keys: Iterable[str],
        *,
        subscription: str | None = None,
        tolerance: int = TOLERANCE,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._keys = [_key(one) for one in keys]
        if not self._keys:
            raise ValueError("without a key nothing can be verified")
        self._subscription, self._tolerance, self._now = subscription, tolerance, now

    def verify(self, headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
        """The CloudEvent. Raises `WebhookInvalid`."""
        found = {name.lower(): value for name, value in headers.items()}
        try:
            message, moment = found["webhook-id"], found["webhook-timestamp"]
            signatures, stamp = found["webhook-signature"].split(" "), int(moment)
        except (KeyError, ValueError):
            raise WebhookInvalid("the headers of a webhook are missing") from None
        if abs(self._now() - stamp) > self._tolerance:
            raise WebhookInvalid("too old, or from the future: look at both clocks")
        signed = f"{message}.{moment}.".encode() + body
        if not any(self._signed(one, signed) for one in signatures):
            raise WebhookInvalid("none of the keys signed this")
        try:
            event = json.loads(body)
        except ValueError:
            raise WebhookInvalid("signed, but not JSON") from None
        if not isinstance(event, dict) or event.get("id") != message:
            raise WebhookInvalid("signed, but not an event of this id")
        if self._subscription is not None and event.get("recipient") != self._subscription:
            raise WebhookInvalid("meant for another subscription")
        return event

    def _signed(self, signature: str, signed: bytes) -> bool:
        version, _, encoded = signature.partition(",")
        if version != "v1a":
            return False
        try:
            value = base64.b64decode(encoded, validate=True)
        except binascii.Error:
            return False
        for key in self._keys:
            try:
                key.verify(value, signed)
            except InvalidSignature:
                continue
            return True
        return False


def _key(text: str) -> Ed25519PublicKey:
    if not text.startswith("whpk_"):
        raise ValueError("a public key begins with whpk_")
    return Ed25519PublicKey.from_public_bytes(base64.b64decode(text.removeprefix("whpk_"), validate=True))
