"""`integrator delivery …`: what waits, what is dead and why; send it once more or give it up; addresses and keys of pushes.

A running hub writes its own shard, so what is ordered here is recorded in another, `<shard>-keep`, in the transaction of its
effect. No number of a person is shown or typed: messages are named by the id that both ends know.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from audit import FileKeyRing, Ledger, LedgerError
from integrator import clock
from integrator import settings as settings_module
from integrator.database import Database
from integrator.delivery import orders
from integrator.delivery.outbox import Outbox
from integrator.delivery.sealing import Sealing
from integrator.delivery.tables import ENDPOINT, MESSAGE
from integrator.delivery.terms import STATES
from integrator.delivery.webhooks.guard import check_url
from integrator.delivery.webhooks.signing import load_keys, new_key
from integrator.errors import ConfigurationError
from integrator.publishing import open_publishing, refused
from integrator.settings import Settings

_SHOWN = ("uid", "kind", "service", "mode", "recipient", "org", "app", "purpose", "sender_org", "sender_app", "state",
          "attempts", "reason", "trace", "question", "answer")  # fmt: skip
_MOMENTS = ("created", "due", "deadline", "ended", "answer_by")


def add(words: Any) -> None:
    parser = words.add_parser("delivery", help="the outbox: what waits, what is dead, addresses and keys of pushes")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="list | show | redrive | purge | endpoint | keys")
    listed = _verb(verbs, "list", "messages of one state, oldest first, and how many there are of each", run_list)
    listed.add_argument("--state", choices=STATES, default="dead")
    listed.add_argument("--recipient", help="a subscription's id, or the name of an effect")
    listed.add_argument("--most", type=int, default=50)
    listed.add_argument("--json", action="store_true")
    shown = _verb(verbs, "show", "one message, without its values", run_show)
    shown.add_argument("delivery", help="its id")
    for name, help_, run in (
        ("redrive", "send dead messages once more, with a new deadline", run_redrive),
        ("purge", "give dead messages up: their values are gone", run_purge),
    ):
        order = _verb(verbs, name, help_, run)
        which = order.add_mutually_exclusive_group(required=True)
        which.add_argument("--delivery", action="append", help="its id; may be given several times")
        which.add_argument("--recipient", help="every dead message for this subscription or effect")
        order.add_argument("--reason", required=True, help="a code that stands in the ledger: RECEIVER_MENDED …")
        if name == "redrive":
            order.add_argument("--days", type=float, default=7.0, help="until they are given up again")
    endpoint = _verb(verbs, "endpoint", "register an address for pushes to an organisation, or end it", run_endpoint)
    endpoint.add_argument("organisation", help="KBO number or short name of config/organisations.yaml")
    endpoint.add_argument("url", help="https://host[:port]/path")
    endpoint.add_argument("--end", action="store_true", help="nothing is pushed there any more")
    keys = _verb(verbs, "keys", "the keys that pushes are signed with, newest first", run_keys)
    keys.add_argument("--new", action="store_true", help="make one; all sign until an older file is taken away")


def _verb(verbs: Any, name: str, help_: str, run: Callable[[argparse.Namespace], int]) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = verbs.add_parser(name, help=help_)
    parser.add_argument("--settings", type=Path)
    parser.set_defaults(run=run)
    return parser


def run_list(chosen: argparse.Namespace) -> int:
    with _open(settings_module.load(chosen.settings)) as desk:
        counts = {
            state: number for state, (number, _) in sorted(desk.counts().items(), key=lambda one: STATES.index(one[0]))
        }
        rows = desk.rows(MESSAGE.c.state == chosen.state, chosen.recipient, chosen.most)
    if chosen.json:
        print(json.dumps({"counts": counts, "items": [_told(row) for row in rows]}, indent=2))
        return 0
    print("outbox: " + (", ".join(f"{number} {state}" for state, number in counts.items()) or "empty"))
    for row in rows:
        moment = _moment(row["ended"] or row["created"])
        print(f"{row['uid']}  {moment}  {row['service']}  {row['recipient']}  ×{row['attempts']}  {row['reason'] or ''}".rstrip())  # fmt: skip
    return 0


def run_show(chosen: argparse.Namespace) -> int:
    with _open(settings_module.load(chosen.settings)) as desk:
        print(json.dumps(_told(desk.one(chosen.delivery)), indent=2))
    return 0


def run_redrive(chosen: argparse.Namespace) -> int:
    with _open(settings_module.load(chosen.settings)) as desk:
        ids = desk.dead(chosen.delivery, chosen.recipient)
        desk.record("redrive", orders.redrive(ids, desk.ms(), chosen.days), len(ids), chosen.reason)
    print(f"{len(ids)} messages are due again (recorded)")
    return 0


def run_purge(chosen: argparse.Namespace) -> int:
    with _open(settings_module.load(chosen.settings)) as desk:
        ids = desk.dead(chosen.delivery, chosen.recipient)
        desk.record("purge", orders.purge(ids, desk.ms()), len(ids), chosen.reason)
    print(f"{len(ids)} messages are given up, their values are gone (recorded)")
    return 0


def run_endpoint(chosen: argparse.Namespace) -> int:
    loaded = settings_module.load(chosen.settings)
    known = settings_module.organisations()["organisations"]
    number = known.get(chosen.organisation, {}).get("number", chosen.organisation)
    if number not in {one["number"] for one in known.values()}:
        raise ConfigurationError(
            "no such organisation", advice="config/organisations.yaml lists them; short name or KBO number."
        )
    url = check_url(chosen.url, sandbox=loaded.sandbox)
    with _open(loaded) as desk:
        if chosen.end:
            if not desk.registered(number, url):
                raise ConfigurationError(
                    "no such address is registered for this organisation", advice="Write it as it was registered."
                )
            desk.record("unregister", [orders.unregister(number, url, desk.ms())], 1, "ADDRESS_ENDED", number)
            print(f"{url}: nothing is pushed there for {number} any more (recorded)")
            return 0
        _, row = orders.register(number, url, desk.ms())
        desk.record("register", [row], 1, "ADDRESS_REGISTERED", number)
    print(f"{url}: subscriptions of {number} may be pushed there (recorded)")
    return 0


def run_keys(chosen: argparse.Namespace) -> int:
    loaded = settings_module.load(chosen.settings)
    folder = loaded.state / "keys"
    if chosen.new:
        print(f"{new_key(folder, loaded.mode)}: signs pushes from the next start on, beside the older ones")
    for key in load_keys(folder, loaded.mode):
        print(f"{key.name}  {key.public}")
    return 0


@dataclass(frozen=True, slots=True)
class _Desk:
    """The outbox of a hub that may be running, and its own way to record an order. Everything blocks."""

    settings: Settings
    outbox: Outbox

    def ms(self) -> int:
        return self.outbox.ms()

    def counts(self) -> dict[str, tuple[int, int]]:
        from sqlalchemy import func, select

        query = select(MESSAGE.c.state, func.count(), func.min(MESSAGE.c.created)).group_by(MESSAGE.c.state)
        return {row[0]: (row[1], row[2]) for row in self.outbox.database.now(lambda c: c.execute(query).all())}

    def rows(self, wanted: Any, recipient: str | None, most: int | None) -> list[Any]:
        found = MESSAGE.select().where(wanted).order_by(MESSAGE.c.id).limit(most)
        if recipient is not None:
            found = found.where(MESSAGE.c.recipient == recipient)
        return list(self.outbox.database.now(lambda c: c.execute(found).mappings().all()))

    def one(self, uid: str) -> Any:
        rows = self.rows(MESSAGE.c.uid == uid, None, 1)
        if not rows:
            raise ConfigurationError("no message of this id", advice="integrator delivery list shows the dead ones.")
        return rows[0]

    def dead(self, uids: Sequence[str] | None, recipient: str | None) -> list[int]:
        """Their places in the outbox. Raises `ConfigurationError` when one that was named is not dead."""
        wanted = MESSAGE.c.state == "dead"
        found = self.rows(wanted & MESSAGE.c.uid.in_(uids) if uids else wanted, recipient, None)
        if not found or (uids and len(found) != len(set(uids))):
            raise ConfigurationError(
                "not every one of these is dead", advice="integrator delivery list shows those that are."
            )
        return [row["id"] for row in found]

    def registered(self, organisation: str, url: str) -> bool:
        """Whether pushes to this organisation may go there now."""
        e = ENDPOINT.c
        found = ENDPOINT.select().where(e.org == organisation, e.url == url, e.ended.is_(None))
        return bool(self.outbox.database.now(lambda c: c.execute(found).first()))

    def record(self, word: str, rows: Sequence[Any], count: int, reason: str, organisation: str = "") -> None:
        with ledger_beside(self.settings) as ledger:
            orders.record(ledger, word, rows, count=count, reason=reason, organisation=organisation)


@contextmanager
def _open(loaded: Settings) -> Iterator[_Desk]:
    database = Database(loaded.ledger, "delivery")
    try:
        yield _Desk(loaded, Outbox(database, Sealing(FileKeyRing(loaded.state / "ledger-keys")), clock.system))
    finally:
        database.close()


@contextmanager
def ledger_beside(loaded: Settings) -> Iterator[Ledger]:
    """The shard for what is ordered on the command line, `<shard>-keep`. Raises what `refused` makes of the ledger's errors."""
    publishing = open_publishing(replace(loaded, shard=f"{loaded.shard}-keep"), clock.system)
    publishing.start()
    try:
        yield publishing.ledger
    except LedgerError as error:
        raise refused(error) from error
    finally:
        publishing.close()


def _told(row: Any) -> dict[str, Any]:
    told = {name: row[name] for name in _SHOWN} | {name: _moment(row[name]) for name in _MOMENTS if row[name]}
    return {name: value for name, value in told.items() if value is not None}


def _moment(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
