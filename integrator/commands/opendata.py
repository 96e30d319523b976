"""`integrator open publish | list | show MONTH`: the figures for everybody, where an operator looks for them.

A hub that serves publishes them itself; this does the same by hand. What was published is never changed or taken back.
"""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from audit import LedgerError
from integrator import clock, settings
from integrator.database import Database
from integrator.errors import ConfigurationError
from integrator.opened.figures import SERIES, Rule, publish
from integrator.opened.published import ROOM, Published


def add(words: Any) -> None:
    parser = words.add_parser("open", help="open data: the figures that were published for everybody")
    verbs = parser.add_subparsers(dest="verb", required=True)
    for verb, told, work in (
        ("publish", "figures of every month that is over and was not published", _publish),
        ("list", "the months that were published", _list),
        ("show", "a month as everybody sees it", _show),
    ):
        one = verbs.add_parser(verb, help=told)
        if verb == "publish":
            one.add_argument(
                "--as-of", metavar="DAY", help="as if it were this day (YYYY-MM-DD); sandbox only, and for ever"
            )
        if verb == "show":
            one.add_argument("month", help="YYYY-MM, as `list` shows it")
        one.add_argument("--settings", type=Path)
        one.set_defaults(run=run, work=work)


def run(chosen: argparse.Namespace) -> int:
    loaded = settings.load(chosen.settings)
    loaded.state.mkdir(parents=True, exist_ok=True, mode=0o700)
    published = Published(Database(str(loaded.opened["database"]), ROOM))
    try:
        return int(chosen.work(chosen, loaded, published))
    finally:
        published.database.close()


def _publish(chosen: argparse.Namespace, loaded: settings.Settings, published: Published) -> int:
    rule = Rule.read(loaded.opened.get("statistics") or {})
    try:
        done = publish(published, loaded.ledger, rule, _now(chosen.as_of, sandbox=loaded.sandbox))
    except LedgerError as error:
        raise ConfigurationError(
            str(error), advice="Is this the ledger of that hub (INTEGRATOR_STATE, --settings)?"
        ) from error
    print(
        "\n".join(f"published: {month}" for month in done)
        or "nothing to publish: no month ended that was not published"
    )
    return 0


def _list(chosen: argparse.Namespace, loaded: settings.Settings, published: Published) -> int:
    for month, at in published.periods(SERIES):
        print(f"{month}  published {datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M} UTC")
    return 0


def _show(chosen: argparse.Namespace, loaded: settings.Settings, published: Published) -> int:
    found = published.read(SERIES, chosen.month)
    if found is None:
        raise ConfigurationError("no figures of that month", advice="`integrator open list` shows what was published.")
    print(found.body.decode())
    return 0


def _now(day: str | None, *, sandbox: bool) -> float:
    if day is None:
        return clock.system()
    if not sandbox:
        raise ConfigurationError(
            "--as-of is for a sandbox", advice="In production a month is published once it is over."
        )
    try:
        return datetime.strptime(day, "%Y-%m-%d").replace(tzinfo=UTC).timestamp()
    except ValueError:
        raise ConfigurationError("--as-of: a day as YYYY-MM-DD") from None
