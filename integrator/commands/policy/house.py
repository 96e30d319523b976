"""What the verbs about the life of a text need: the texts in force, and an office that writes beside a hub that runs."""

from __future__ import annotations

import argparse
import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy.engine import make_url

from audit import LedgerError
from integrator import clock, places
from integrator import settings as settings_module
from integrator.database import Database
from integrator.errors import ConfigurationError, MalformedRequest
from integrator.governing.opening import Governing, open_governing
from integrator.governing.proving import load_all_services
from integrator.governing.store import ROOM, Store
from integrator.governing.texts import Suspended, Texts, read_texts
from integrator.publishing import open_publishing
from integrator.settings import Settings

ROLES = ("steward", "dpo", "hub_dpo")


@dataclass(frozen=True, slots=True)
class Teller:
    """Who takes a step at the command line, as he says; entries show that it was there."""

    id: str
    name: str
    roles: frozenset[str]
    org: str | None = None


def add_teller(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--by", default=getpass.getuser(), help="who you are, e.g. steward-1; never a national number")
    parser.add_argument("--role", choices=ROLES, default="steward")
    parser.add_argument("--org", help="of a dpo: KBO number or short name")
    parser.add_argument("--settings", type=Path)


def only_said(chosen: argparse.Namespace, step: str) -> None:
    """For a step that counts one of several people: a name said here is no proof. Raises `ConfigurationError` in production."""
    if not settings_module.load(chosen.settings).sandbox:
        raise ConfigurationError(
            f"in production nobody {step} at the command line",
            advice="Sign in at /console/texts: a name said here is no proof.",
        )


def teller(chosen: argparse.Namespace) -> Teller:
    """Raises `ConfigurationError` for a dpo of nobody."""
    org = None
    if chosen.org is not None:
        known = settings_module.organisations()["organisations"]
        org = known[chosen.org]["number"] if chosen.org in known else chosen.org
    if (chosen.role == "dpo") != (org is not None):
        raise ConfigurationError("a dpo answers for one organisation", advice="Give --org with --role dpo only.")
    return Teller(f"cli:{chosen.by}"[:64], f"{chosen.by} (cli)", frozenset({chosen.role}), org)


def in_force(settings: Settings) -> tuple[dict[str, bytes], frozenset[Suspended]]:
    """The texts that decide at the hub of these settings; the files where there is no hub yet."""
    texts: dict[str, bytes] = read_texts(places.folder("policies"))
    url = make_url(str(settings.governing["database"]))
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").exists():
        return texts, frozenset()
    database = Database(str(settings.governing["database"]), ROOM)
    try:
        _, drafts, suspended = Store(database).in_force()
    finally:
        database.close()
    return {**texts, **{code: draft.text for code, draft in drafts.items()}}, frozenset(suspended)


def drafts(paths: list[Path]) -> Texts:
    """The texts of files and folders."""
    return {code: text for path in paths for code, text in read_texts(path).items()}


@contextmanager
def office(local: Path | None) -> Iterator[Governing]:
    """The office over this machine's state; steps go to a shard of their own, `<shard>-govern`, published beside the hub's.

    What is refused is told as what to mend.
    """
    settings = settings_module.load(local)
    settings.state.mkdir(parents=True, exist_ok=True, mode=0o700)
    publishing = open_publishing(replace(settings, shard=f"{settings.shard}-govern"), clock.system)
    try:
        if publishing.publisher is None:
            raise ConfigurationError("this ledger is not published, so no step would be")
        publishing.publisher.start()
        governing = open_governing(
            settings, load_all_services(), settings_module.organisations(), publishing.books, settings.ledger, clock.system,
            activates=False,
        )  # fmt: skip
        try:
            yield governing
        finally:
            governing.close()
    except LedgerError as error:
        raise ConfigurationError(str(error), advice="Nothing was changed that the ledger does not record.") from error
    except MalformedRequest as error:
        told = "; ".join(f"{issue.name.strip('/')}: {issue.detail}" for issue in error.issues)
        raise ConfigurationError(told, advice="Mend the arguments; --help names them.") from error
    finally:
        publishing.close()


def moment(text: str | None, default: float) -> float:
    """A day (its first second, UTC) or a moment, in epoch seconds."""
    try:
        return default if text is None else clock.moment(text)
    except ValueError as error:
        raise ConfigurationError(f"not a day: {text!r}", advice="Write 2027-01-01, or 2027-01-01T06:00.") from error


def stamp(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")


def word(verbs: Any, name: str, help_: str, run: Any) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = verbs.add_parser(name, help=help_)
    parser.set_defaults(run=run)
    return parser
