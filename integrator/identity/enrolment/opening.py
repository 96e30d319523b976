"""The office put together: settings and an identity in, an office out. The hub and the command line both call this."""

from __future__ import annotations

from collections.abc import Callable, Collection

from integrator import clock
from integrator import settings as settings_module
from integrator.database import Database
from integrator.identity.enrolment.asking import Rooms
from integrator.identity.enrolment.keydesk import KeyDesk, Write
from integrator.identity.enrolment.office import Office
from integrator.identity.enrolment.pile import ROOM, Pile
from integrator.identity.service import Identity
from integrator.settings import Settings


def open_enrolment(
    settings: Settings, identity: Identity, purposes: Callable[[], Collection[str]], write: Write, now: clock.Now
) -> Office:
    """`write` makes entries of the ledger durable. Close `office.pile` at the end. Raises `ConfigurationError`."""
    known = settings_module.organisations()["organisations"].values()
    numbers = {one["number"] for one in known if one.get("kind") != "public"}  # nobody speaks for anybody
    rooms = Rooms(settings.mode, identity.issuer, numbers, purposes)
    folder = settings.state / "applications"
    desk = KeyDesk(identity.applications, folder, identity.replays, rooms, write, settings.enrolment, now)
    return Office(Pile(Database(str(settings.enrolment["database"]), ROOM)), desk, folder, settings.enrolment)
