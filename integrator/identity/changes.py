"""Changing the keys of an application: each change whole or not at all, one writer at a time, and never back.

Nothing here writes in the ledger: who orders a change records it first (enrolment/office.py).
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from integrator.errors import ConfigurationError, RequestRefused
from integrator.identity import keys
from integrator.identity.applications import Application, alone, read, write
from integrator.identity.lives import ENDLESS, Life

MOST = 5  # keys that live at the same time: one in use, its successor, and some that end soon
_FORGOTTEN = 90 * 86_400  # seconds after its end in which an ended key still stands in the file


class KeyRefused(RequestRefused):
    """This key cannot be added, or is none of the application's; nothing was changed."""

    code, where = "KEY_REFUSED", "A1"

    def __init__(self, reason: str, advice: str) -> None:
        super().__init__(reason, advice=advice)
        self.reason = reason  # KEY_NAME | KEY_IN_USE | KEY_REVOKED | TOO_MANY_KEYS | NO_SUCH_KEY | KEY_ENDED


def add_key(
    folder: Path, name: str, jwk: Mapping[str, Any], world: str, now: float, *,
    ends: float | None, old: str, old_ends: float,
) -> Application:  # fmt: skip
    """A new key beside the old one, which ends at `old_ends` at the latest.

    Raises `KeyRefused`, `ConfigurationError` (not a key of this world), `FileNotFoundError` (no such application).
    """
    pinned = keys.read_public(jwk, world)
    with alone(folder):
        _refuse_used(folder, name, pinned, world)
        path = folder / f"{name}.json"
        application = read(path, world)
        known = dict(application.lives)
        if pinned.kid in known and known[pinned.kid].revoked is not None:
            raise KeyRefused("KEY_REVOKED", "This key was revoked and never comes back: make a new one.")
        if application.key(old, now) is None:  # it was revoked, or replaced, a moment ago
            raise KeyRefused("KEY_ENDED", "The key that signed this has ended: use the newest one.")
        if sum(application.life(kid).alive(now) for kid in application.keys) >= MOST:
            raise KeyRefused("TOO_MANY_KEYS", f"At most {MOST} keys live at a time: revoke one, or wait for its end.")
        was = known.get(old, ENDLESS)
        known[old] = Life(was.added, old_ends if was.ends is None else min(was.ends, old_ends))
        known[pinned.kid] = Life(now, ends)
        return _kept(path, world, known, [*application.keys.values(), pinned], now)


def revoke_key(folder: Path, name: str, kid: str, world: str, now: float, *, by: str) -> Application:
    """Never again, from now on: neither the key nor what was given for it. Doing it twice changes nothing.

    Raises `KeyRefused` (no such key), `FileNotFoundError`.
    """
    with alone(folder):
        path = folder / f"{name}.json"
        application = read(path, world)
        if application.life(kid).revoked is not None:
            return application
        if kid not in application.keys:
            raise KeyRefused("NO_SUCH_KEY", "This application has no such key; its list names those it has.")
        was = application.life(kid)
        known = {**application.lives, kid: Life(was.added, was.ends, now, by)}
        return _kept(path, world, known, application.keys.values(), now)


def add_certificate(folder: Path, name: str, thumbprint: str, world: str) -> Application:
    """From now on this certificate speaks for the application, over SOAP. Adding it twice changes nothing.

    Raises `KeyRefused` (another application's, or too many), `FileNotFoundError` (no such application).
    """
    with alone(folder):
        path = folder / f"{name}.json"
        application = read(path, world)
        if thumbprint in application.certificates:
            return application
        if any(thumbprint in other.certificates for other in _others(folder, world)):
            raise KeyRefused("KEY_IN_USE", "This certificate speaks for another application already.")
        if len(application.certificates) >= MOST:
            raise KeyRefused("TOO_MANY_KEYS", f"At most {MOST} certificates speak for an application: take one away.")
        data = json.loads(path.read_text(encoding="utf-8"))
        write(path, {**data, "certificates": sorted({*application.certificates, thumbprint})})
    return read(path, world)


def _kept(path: Path, world: str, known: Mapping[str, Life], pinned: Any, now: float) -> Application:
    """Write lives and keys back; an ended key goes when nobody asks after it any more."""
    data = json.loads(path.read_text(encoding="utf-8"))
    gone = {kid for kid, life in known.items() if life.ends is not None and life.ends + _FORGOTTEN < now}
    revoked = [jwk for jwk in data["keys"] if known.get(jwk.get("kid"), ENDLESS).revoked is not None]
    kept = {key.kid: dict(key.jwk) for key in pinned if key.kid not in gone}
    data["keys"] = list({**{jwk["kid"]: jwk for jwk in revoked}, **kept}.values())
    data["keyLives"] = {
        kid: life.json() for kid, life in known.items() if life.revoked is not None or kid not in gone
    }  # fmt: skip
    write(path, data)
    return read(path, world)


def refuse_used(folder: Path, jwk: Mapping[str, Any], world: str) -> None:
    """Raises `KeyRefused` when any application has this key, or had it."""
    _refuse_used(folder, "", keys.read_public(jwk, world), world)


def _refuse_used(folder: Path, name: str, pinned: keys.PublicKey, world: str) -> None:
    """A key is named by its thumbprint here, so another name can never bring back what was revoked."""
    print_ = keys.thumbprint(pinned.jwk)
    if pinned.kid != f"{world}.{print_[:22]}":
        raise KeyRefused(
            "KEY_NAME", f"Name the key (`kid`) {world}. and the first 22 characters of its RFC 7638 thumbprint."
        )
    for other in _others(folder, world):
        same = any(keys.thumbprint(key.jwk) == print_ for key in other.keys.values())
        if same or (other.id != name and pinned.kid in other.lives):
            raise KeyRefused("KEY_IN_USE", "This key is, or was, in use already: make a new one.")


def _others(folder: Path, world: str) -> Iterator[Application]:
    """Every application that can be read."""
    for path in sorted(folder.glob("[a-z]*.json")):
        with contextlib.suppress(ConfigurationError, FileNotFoundError):
            yield read(path, world)
