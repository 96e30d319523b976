"""Who vouches for agents: issuers of OpenID Connect that the settings name, with their keys, and what they call things.

Keys come from the address in the settings, never from a token. They are fetched when first needed and used for ten
minutes; an unknown key id asks again, once a minute at most; when the issuer is down or slow, the keys last seen serve for
a day. However many wait, an issuer is asked once.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import aiohttp
import jwt

from integrator.errors import ConfigurationError, HubError
from integrator.logs import log

LEVELS = ("low", "substantial", "high")
MATCHES = ("userName", "externalId", "nationalNumber")
KEPT = 600.0  # seconds that keys are used without asking again
AGAIN = 60.0  # seconds between two questions for a key that is not there
RESTING = 5.0  # seconds that an issuer who did not answer is left alone
BRIEFLY = 1.0  # seconds that somebody waits for new keys where the old ones serve
LONGEST_OUTAGE = 86_400.0  # seconds that keys last seen serve while the issuer does not answer
_LARGEST = 262_144
_KBO = re.compile(r"[01]\d{9}", re.ASCII).fullmatch
_PATIENCE = aiohttp.ClientTimeout(total=5)
_KINDS = {"ES256": ("EC", "P-256"), "ES384": ("EC", "P-384"), "RS256": ("RSA", None), "PS256": ("RSA", None), "EdDSA": ("OKP", "Ed25519")}  # fmt: skip

Fetch = Callable[[str], Any]  # address -> awaitable of the JSON there; raises IssuerSilent


class IssuerSilent(HubError):
    """The issuer's keys cannot be had, so nobody it vouches for can be believed now."""

    code, where, retryable = "ISSUER_SILENT", "A1", True
    advice = "The issuer of the agent's identity does not answer. Ask again after Retry-After."
    retry_after: int = 10


@dataclass(frozen=True, slots=True)
class Trusted:
    """One issuer as the settings have it."""

    name: str
    issuer: str
    jwks: str
    audiences: frozenset[str]
    assurance_claim: str
    levels: Mapping[str, str]  # value of that claim -> low | substantial | high
    claim: str  # which claim says who it is …
    matches: str  # … and to which attribute of a user that compares
    organisations: frozenset[str] | None  # KBO numbers of those whose agents it may vouch for; None = everybody's

    def vouches_for(self, organisation: str) -> bool:
        """Whether agents of this organisation may be believed from here."""
        return self.organisations is None or organisation in self.organisations


@dataclass(slots=True)
class _Keys:
    known: Sequence[Mapping[str, Any]] = ()
    fetched: float = float("-inf")  # when the issuer last told them
    failed: float = float("-inf")  # when it last did not
    asking: asyncio.Task[None] | None = None  # one question at a time, whoever waits for it


class Issuers:
    """All of them, by their exact name. `now()` in epoch seconds."""

    def __init__(self, trusted: Sequence[Trusted], fetch: Fetch, now: Callable[[], float]) -> None:
        self._by_name = {one.issuer: one for one in trusted}
        self._keys = {one.issuer: _Keys() for one in trusted}
        self._fetch, self._now = fetch, now

    def get(self, issuer: Any) -> Trusted | None:
        return self._by_name.get(issuer) if isinstance(issuer, str) else None

    async def key(self, issuer: Trusted, kid: Any, algorithm: Any) -> Any:
        """The public key, when the issuer has one of this id for this algorithm; None when it told that it has not.

        Raises `IssuerSilent`: nobody knows, so it is no refusal.
        """
        if algorithm not in _KINDS or not isinstance(kid, str):
            return None
        keys = self._keys[issuer.issuer]
        if self._age(keys) > KEPT:
            await self._refreshed(issuer, keys)
        found = _choose(keys.known, kid, algorithm)
        if found is None and self._age(keys) > AGAIN:  # a new key, or an invented one
            await self._refreshed(issuer, keys)
            found = _choose(keys.known, kid, algorithm)
            if found is None and self._age(keys) > AGAIN:
                raise IssuerSilent("the issuer's keys could not be asked for a new one")
        return found

    def _age(self, keys: _Keys) -> float:
        return self._now() - keys.fetched

    async def _refreshed(self, issuer: Trusted, keys: _Keys) -> None:
        """Ask, or wait with those who asked: briefly where there are keys to go on with. Raises `IssuerSilent`: there are none."""
        if keys.asking is None and not 0 <= self._now() - keys.failed < RESTING:
            keys.asking = asyncio.create_task(self._ask(issuer, keys))
        if keys.asking is not None:
            await asyncio.wait({keys.asking}, timeout=BRIEFLY if self._age(keys) <= LONGEST_OUTAGE else None)
        if self._age(keys) > LONGEST_OUTAGE:
            keys.known = ()
            raise IssuerSilent("the issuer's keys cannot be had")

    async def _ask(self, issuer: Trusted, keys: _Keys) -> None:
        try:
            keys.known = _read(await self._fetch(issuer.jwks))
            keys.fetched = self._now()
        except IssuerSilent:
            keys.failed = self._now()
            log.warning("issuer_silent", issuer=issuer.name)
        finally:
            keys.asking = None


def _read(answer: Any) -> list[Mapping[str, Any]]:
    found = answer.get("keys") if isinstance(answer, Mapping) else None
    if not isinstance(found, list) or not found:
        raise IssuerSilent("no key set at the issuer's address")
    return [one for one in found if isinstance(one, Mapping)]


def _choose(known: Sequence[Mapping[str, Any]], kid: str, algorithm: str) -> Any:
    """The key's own kind decides what it may verify, not the token (RFC 8725 §3.1)."""
    kind, curve = _KINDS[algorithm]
    for one in known:
        if one.get("kid") != kid or one.get("kty") != kind or one.get("use", "sig") != "sig" or "d" in one:
            continue
        if one.get("alg", algorithm) != algorithm or (curve is not None and one.get("crv") != curve):
            continue
        if "verify" not in one.get("key_ops", ["verify"]):
            continue
        try:
            key = jwt.PyJWK(dict(one), algorithm=algorithm).key
        except (jwt.PyJWTError, ValueError, TypeError):
            return None
        return None if kind == "RSA" and key.key_size < 2048 else key
    return None


def read_issuers(settings: Sequence[Mapping[str, Any]], *, sandbox: bool) -> list[Trusted]:
    """The setting `agents.issuers`. Raises `ConfigurationError`: two of one name, or keys over a road anybody may walk."""
    found = [_trusted(one) for one in settings]
    for one in found:
        if not sandbox and not (one.issuer.startswith("https:") and one.jwks.startswith("https:")):
            raise ConfigurationError(f"agents.issuers: {one.name} must be reached by https in production")
    if len({one.issuer for one in found}) != len(found):
        raise ConfigurationError("agents.issuers: two entries for one issuer")
    return found


def _trusted(told: Mapping[str, Any]) -> Trusted:
    try:
        audience, assurance, identifier = told["audience"], told["assurance"], told["identifier"]
        levels = {str(value): str(level) for value, level in assurance["map"].items()}
        one = Trusted(
            str(told["name"]), str(told["issuer"]), str(told["jwks"]),
            frozenset([audience] if isinstance(audience, str) else audience),
            str(assurance["claim"]), levels, str(identifier["claim"]), str(identifier["matches"]), _for_whom(told),
        )  # fmt: skip
    except (KeyError, TypeError, AttributeError) as error:
        raise ConfigurationError(f"agents.issuers: an entry lacks {error}") from error
    if set(levels.values()) - set(LEVELS) or not levels or one.matches not in MATCHES or not one.audiences:
        raise ConfigurationError(f"agents.issuers: {one.name}: levels are {LEVELS}, identifiers match {MATCHES}")
    if not re.match(r"https?://", one.issuer) or not re.match(r"https?://", one.jwks):
        raise ConfigurationError(f"agents.issuers: {one.name}: issuer and jwks are addresses")
    return one


def _for_whom(told: Mapping[str, Any]) -> frozenset[str] | None:
    """A name is one's own only within an organisation: who compares names says whose, or `all`. Raises `ConfigurationError`."""
    matches = told["identifier"]["matches"]
    said = told.get("organisations", "all" if matches == "nationalNumber" else None)
    if said == "all":
        return None
    if not isinstance(said, list) or not said or not all(isinstance(one, str) and _KBO(one) for one in said):
        raise ConfigurationError(
            f"agents.issuers: {told['name']}: say for whose agents it vouches",
            advice=f"`organisations`: a list of enterprise numbers, in quotes; or `all`, when no two people of any two"
            f" organisations have the same {matches} there.",
        )
    return frozenset(said)


def fetcher(session: aiohttp.ClientSession) -> Fetch:
    """By the hub's own session: no redirects, bounded in bytes and seconds."""

    async def fetch(address: str) -> Any:
        try:
            async with session.get(address, allow_redirects=False, timeout=_PATIENCE) as answer:
                if answer.status != 200:
                    raise IssuerSilent(f"the issuer's keys: HTTP {answer.status}")
                data = await answer.content.read(_LARGEST + 1)
                while chunk := await answer.content.read(_LARGEST + 1):
                    data += chunk
                    if len(data) > _LARGEST:
                        break
                if len(data) > _LARGEST:
                    raise IssuerSilent("the issuer's keys: too large")
                import orjson

                return orjson.loads(data)
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise IssuerSilent(f"the issuer's keys: {type(error).__name__}") from error

    return fetch
