"""The applications that may ask: one readable JSON file each, re-read when it changes.

    {"application": "ixelles-parking", "organisation": "0207373429", "name": "…", "purposes": ["resident_permit"],
     "keys": [public JWKs], "created": "2026-11-23",
     optional: "disabled": true, "certificateBound": true, "keyLives": {kid: …, see lives.py},
     "certificates": [thumbprints of those that sign its SOAP messages]}

Taking the file away, or `"disabled": true`, ends what its tokens may do within a second, in every process.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from integrator.errors import ConfigurationError
from integrator.identity import keys, lives
from integrator.identity.certificates import read_thumbprint
from integrator.identity.keys import PublicKey
from integrator.identity.lives import ENDLESS, Life
from integrator.logs import log

Stamp = tuple[int, int, int]

NAME = re.compile(r"[a-z][a-z0-9-]{1,62}[a-z0-9]")
_FILE_KEYS = frozenset({
    "application", "organisation", "name", "purposes", "keys", "created", "disabled", "certificateBound", "keyLives",
    "certificates",
})  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)  # compared by identity: another object = the file changed
class Application:
    """A vendor's program acting for one organisation."""

    id: str
    organisation: str  # KBO number
    name: str
    purposes: frozenset[str]
    keys: Mapping[str, PublicKey]  # by kid; without those that were revoked
    created: str
    disabled: bool
    certificate_bound: bool = False  # its tokens are given and believed over mutual TLS only (RFC 8705)
    lives: Mapping[str, Life] = field(default_factory=dict)  # by kid, revoked ones too
    certificates: frozenset[str] = frozenset()  # thumbprints of certificates that speak for it without a token (SOAP)

    def key(self, kid: Any, now: float) -> PublicKey | None:
        """A key that may sign now."""
        pinned = self.keys.get(kid) if isinstance(kid, str) else None
        return pinned if pinned is not None and self.life(pinned.kid).alive(now) else None

    def life(self, kid: str) -> Life:
        return self.lives.get(kid, ENDLESS)


class Applications:
    """The folder of applications, looked at again twice a second at most: what changes there counts within a second."""

    def __init__(self, folder: Path, world: str, now: Callable[[], float], *, fresh: float = 0.5) -> None:
        self._folder, self._world, self._now, self._fresh = folder, world, now, fresh
        self._looked = float("-inf")
        self._stamps: dict[str, Stamp] = {}
        self._known: dict[str, Application] = {}
        self._bearers: dict[str, frozenset[str]] = {}  # thumbprint -> names of applications
        self._reading = threading.Lock()
        self.broken: dict[str, str] = {}  # file name -> why it is not read; for `check` and the logs
        folder.mkdir(parents=True, exist_ok=True)

    def get(self, name: str) -> Application | None:
        """The application, when it exists and is not disabled."""
        if not 0 <= self._now() - self._looked < self._fresh or self._is_new(name):
            self.reload()
        application = self._known.get(name)
        return None if application is None or application.disabled else application

    def bearing(self, thumbprint: str) -> Application | None:
        """The one application that a certificate speaks for, when it is not disabled. One that two name speaks for neither."""
        if not 0 <= self._now() - self._looked < self._fresh:
            self.reload()
        names = self._bearers.get(thumbprint, ())
        return self.get(next(iter(names))) if len(names) == 1 else None

    def _is_new(self, name: str) -> bool:
        """Whether somebody was enrolled since we looked: who was just given a key may use it at once."""
        file = f"{name}.json"
        return file not in self._stamps and bool(NAME.fullmatch(name)) and (self._folder / file).exists()

    def all(self) -> list[Application]:
        """Every one that can be read, switched off or not. May be called in a thread beside the others."""
        self.reload()
        known = self._known
        return [known[name] for name in sorted(known)]

    def reload(self) -> None:
        """Read what changed. A file that cannot be read is an application that does not exist (`broken` says why).

        Whoever asks meanwhile gets what was known before: what is read is put in its place whole.
        """
        with self._reading:
            self._looked = self._now()
            with os.scandir(self._folder) as entries:
                found = {
                    entry.name: _stamp(entry) for entry in entries if NAME.fullmatch(entry.name.removesuffix(".json"))
                }
            same = {file for file, stamp in found.items() if self._stamps.get(file) == stamp}
            stamps = {file: found[file] for file in same}
            known = {name: one for name, one in self._known.items() if f"{name}.json" in same}
            broken = {file: why for file, why in self.broken.items() if file in same}
            for file in found.keys() - same:
                try:
                    application = read(self._folder / file, self._world)
                except FileNotFoundError:
                    continue  # gone between looking and reading
                except ConfigurationError as error:
                    broken[file] = str(error)
                    log.warning("application_file_not_read", file=file)
                else:
                    known[application.id] = application
                stamps[file] = found[file]
            self._stamps, self._known, self.broken, self._bearers = stamps, known, broken, _bearers(known)


def _bearers(known: Mapping[str, Application]) -> dict[str, frozenset[str]]:
    """Names of applications by the thumbprint of each certificate that is registered for them."""
    named: dict[str, frozenset[str]] = {}
    for name, one in known.items():
        for thumbprint in one.certificates:
            named[thumbprint] = named.get(thumbprint, frozenset()) | {name}
    return named


def _stamp(entry: os.DirEntry[str]) -> Stamp:
    try:
        status = entry.stat(follow_symlinks=False)
    except FileNotFoundError:
        return (0, 0, 0)
    return (status.st_ino, status.st_mtime_ns, status.st_size)


def read(path: Path, world: str) -> Application:
    """One file. Raises `ConfigurationError` saying what is wrong, `FileNotFoundError`."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        unknown = set(data) - _FILE_KEYS
        if unknown:
            raise ConfigurationError(f"{path.name}: unknown {', '.join(sorted(unknown))}")
        pinned = [keys.read_public(jwk, world) for jwk in data["keys"]]
        known = lives.read(data.get("keyLives", {}))
        application = Application(
            data["application"], data["organisation"], data["name"], frozenset(data["purposes"]),
            {key.kid: key for key in pinned if known.get(key.kid, ENDLESS).revoked is None}, data["created"],
            data.get("disabled", False) is not False, data.get("certificateBound", False) is not False, known,
            frozenset(map(read_thumbprint, data.get("certificates", ()))),
        )  # fmt: skip
    except FileNotFoundError:
        raise
    except ConfigurationError as error:
        raise ConfigurationError(f"{path.name}: {error}") from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigurationError(f"{path.name}: not an application file: {type(error).__name__}") from error
    if f"{application.id}.json" != path.name:
        raise ConfigurationError(f"{path.name}: `application:` says another name than the file's")
    _check(application.id, application.organisation, application.purposes)
    if not pinned:
        raise ConfigurationError(f"{path.name}: an application without keys cannot ask anything")
    return application


def _check(name: str, organisation: Any, purposes: Iterable[str]) -> None:
    if not NAME.fullmatch(name):
        raise ConfigurationError("an application is named by 3 to 64 lower case letters, digits and -, a letter first")
    if not isinstance(organisation, str) or not re.fullmatch(r"[01]\d{9}", organisation):
        raise ConfigurationError("an organisation is the ten digits of its enterprise number")
    if not purposes or not all(
        isinstance(code, str) and re.fullmatch(r"[a-z][a-z0-9_]{1,63}", code) for code in purposes
    ):
        raise ConfigurationError("an application is enrolled for at least one purpose, named as its file in policies/")


def create_application(
    folder: Path,
    name: str,
    *,
    organisation: str,
    purposes: Iterable[str],
    world: str,
    now: float,
    title: str | None = None,
    algorithm: str = "ES256",
    key_file: Path | None = None,
    jwk: Mapping[str, Any] | None = None,
    key_ends: float | None = None,
    certificate_bound: bool = False,
) -> Application:
    """Enrol an application. With `jwk`, the vendor keeps its own private key; else one is made and written to `key_file`.

    `key_ends`: epoch seconds at which the key must have been replaced by another; None = never.

    Raises `ConfigurationError` (name, organisation, purposes, key), `FileExistsError` (the application or the key file exists).
    """
    chosen = sorted(set(purposes))
    _check(name, organisation, chosen)
    path = folder / f"{name}.json"
    if path.exists():
        raise FileExistsError(path)
    if jwk is None:
        if key_file is None:
            raise ConfigurationError("say where the private key must be written, or give the public key")
        private = keys.new_key(world, algorithm)
        keys.write_private(key_file, private)
        jwk = keys.public(private)
    pinned = keys.read_public(jwk, world)
    life = {} if key_ends is None else {"keyLives": {pinned.kid: Life(now, key_ends).json()}}
    with alone(folder):
        if path.exists():
            raise FileExistsError(path)
        write(path, {
            "application": name, "organisation": organisation, "name": title or name, "purposes": chosen,
            "keys": [pinned.jwk], "created": datetime.fromtimestamp(now, UTC).date().isoformat(),
            **life, **({"certificateBound": True} if certificate_bound else {}),
        })  # fmt: skip
    return read(path, world)


def set_disabled(folder: Path, name: str, disabled: bool, world: str) -> Application:
    """Switch an application off or on again. Raises `FileNotFoundError`."""
    path = folder / f"{name}.json"
    with alone(folder):
        data = json.loads(path.read_text(encoding="utf-8"))
        data["disabled"] = disabled
        write(path, data)
    return read(path, world)


@contextlib.contextmanager
def alone(folder: Path) -> Iterator[None]:
    """One writer of this folder at a time, in whichever process. Blocks."""
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def write(path: Path, data: Mapping[str, Any]) -> None:
    """Whole or not at all: a reader never sees half a file, a power cut leaves the old one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    with aside.open("w", encoding="utf-8") as file:
        json.dump(data, file, indent=2, ensure_ascii=False)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())
    aside.replace(path)
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
