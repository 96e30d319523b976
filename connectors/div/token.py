"""The bearer token of DIV: bought once for everybody, renewed ahead of time, one renewal at a time.

get ─┬─ young: the token                      a question that comes while it is renewed ahead gets the old one;
     ├─ ageing: the token, and renew beside   one that comes when there is none waits for the same renewal
     └─ none or dead: wait for the renewal
"""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote_plus, urlencode

from integrator.contract import Send
from integrator.errors import ConfigurationError, SourceUnavailable
from integrator.transport.bearer import bought

PATIENCE: Final = 5.0  # seconds for one renewal; those who wait for it keep their own deadlines
AHEAD: Final = 0.8  # of its life: from then on it is renewed beside the questions
SPARE: Final = 5.0  # seconds before its end from which it is no longer used: clocks differ
AGAIN: Final = 5.0  # seconds between two renewals ahead of time when the first one failed


@dataclass(frozen=True, slots=True)
class Secret:
    """The identity that the source issued to the hub. Never shown: its text says nothing."""

    client_id: str
    client_secret: str

    def __repr__(self) -> str:
        return "Secret(…)"

    @property
    def basic(self) -> str:
        """The Authorization header of RFC 6749 §2.3.1."""
        pair = f"{quote_plus(self.client_id)}:{quote_plus(self.client_secret)}"
        return "Basic " + base64.b64encode(pair.encode()).decode()


def read_secret(settings: Mapping[str, Any]) -> Secret:
    """From the file that `sources.div.credentials` names: {"clientId", "clientSecret"}."""
    try:
        kit = json.loads(Path(settings["credentials"]).read_text(encoding="utf-8"))
        return Secret(str(kit["clientId"]), str(kit["clientSecret"]))
    except (KeyError, TypeError, OSError, ValueError) as error:
        raise ConfigurationError(
            f"sources.div.credentials: {type(error).__name__}; clientId and clientSecret"
        ) from None


@dataclass(frozen=True, slots=True)
class Token:
    """A bearer token as it goes into the header, and when it ages and dies (epoch seconds)."""

    header: str
    ageing: float
    dead: float


class Tokens:
    """Gives the current token. Raises what a question would raise when there is none to be had."""

    def __init__(self, send: Send, secret: Secret, settings: Mapping[str, Any], now: Callable[[], float]) -> None:
        self._send, self._secret, self._now = send, secret, now
        self._path = str(settings.get("tokenPath", "/oauth/token"))
        form = {"grant_type": "client_credentials"}
        if settings.get("scope"):
            form["scope"] = str(settings["scope"])
        self._form = urlencode(form).encode()
        self._token: Token | None = None
        self._renewal: asyncio.Task[Token] | None = None
        self._not_before = 0.0  # no renewal ahead of time earlier than this

    async def get(self, deadline: float) -> str:
        """The Authorization header; waits at most until `deadline` (monotonic)."""
        token, now = self._token, self._now()
        if token is None or now >= token.dead:
            return (await self._renewed(deadline)).header
        if now >= token.ageing and now >= self._not_before:
            self._not_before = now + AGAIN
            self._renew()
        return token.header

    def refused(self, header: str) -> None:
        """The source does not accept this token any more; another one that was bought meanwhile stays."""
        if self._token is not None and self._token.header == header:
            self._token = None

    async def _renewed(self, deadline: float) -> Token:
        renewal = self._renew()
        # Not awaited directly: a caller who gives up must not cancel what others wait for.
        await asyncio.wait({renewal}, timeout=max(0.0, deadline - time.monotonic()))
        if not renewal.done():
            raise SourceUnavailable("div", "no token within the time given")
        return renewal.result()

    def _renew(self) -> asyncio.Task[Token]:
        if self._renewal is None:
            self._renewal = asyncio.create_task(self._buy(), name="div token")
            self._renewal.add_done_callback(self._renewal_ended)
        return self._renewal

    def _renewal_ended(self, renewal: asyncio.Task[Token]) -> None:
        self._renewal = None
        if not renewal.cancelled() and renewal.exception() is None:  # asked, so that asyncio does not warn about it
            self._token = renewal.result()

    async def _buy(self) -> Token:
        started = self._now()
        answer = await self._send(
            "POST",
            self._path,
            body=self._form,
            headers={
                "Authorization": self._secret.basic,
                "Content-Type": "application/x-www-form-urlencoded",
                "Accept": "application/json",
            },
            deadline=time.monotonic() + PATIENCE,
        )
        header, life = bought("div", answer)
        return Token(header, started + life * AHEAD, started + max(life - SPARE, life / 2))
