"""The directory itself: register, unregister, list; and who keeps a file about somebody on a day.

What overlaps or follows at once under the same key is one file, so it becomes one registration: the KSZ refuses no
overlap either, it answers with "the inscriptions that overlap" (ManageAccessReply.xsd, 20050930). A registration ends
when its organisation says so, never by itself: neither a death nor a move ends a file, and the notification of both
goes to whoever is registered. A number that was replaced leads to the same files as the new one.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection, insert, select
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from integrator.clock import Now
from integrator.database import Database
from integrator.directory.looking import Looking, open_looking
from integrator.directory.periods import Period, hull
from integrator.directory.rows import Row, Rows, micros, new_id
from integrator.directory.rules import Rules
from integrator.directory.seals import Seals, open_seals
from integrator.directory.tables import key as keys_table
from integrator.directory.terms import Count, DirectoryUnavailable, Key, Recipient, Registration, Told, refuse
from integrator.errors import ConfigurationError

T = TypeVar("T")
Registrations = list[Registration]
Counts = list[Count]


class Directory:
    """Every method that changes something is durable when it returns; asked again unchanged, it changes nothing."""

    def __init__(self, database: Database, looking: Looking, seals: Seals, rules: Rules, now: Now) -> None:
        self._database, self._looking, self._seals, self._rules, self._now = database, looking, seals, rules, now

    # --- who keeps a file -----------------------------------------------------------------------------------------

    async def qualities(self, organisation: str, subject: str, purpose: str, day: date) -> frozenset[str]:
        """Codes under which this subject (canonical ssin) is in the organisation's files for that purpose on that day.

        Raises `DirectoryUnavailable`; empty means that there is none.
        """
        rows = await self._looking.qualities(self._seals.tag(subject), organisation, purpose, day)
        return frozenset([row[0] for row in rows])

    async def recipients(
        self, subject: str, day: date, *, purposes: Collection[str] | None = None
    ) -> list[tuple[str, str, str]]:
        """(organisation, purpose, quality) of everybody who keeps a file about the subject on that day, sorted.

        For whoever routes notifications; no caller is ever shown who. Raises `DirectoryUnavailable`.
        """
        rows = await self._looking.recipients(self._seals.tag(subject), day)
        found = {Recipient(*row) for row in rows if purposes is None or row[1] in purposes}
        return [(one.organisation, one.purpose, one.quality) for one in sorted(found)]

    async def elsewhere(self, organisation: str, subject: str, purpose: str, day: date) -> bool:
        """Whether anybody else keeps a file about the subject for this purpose; never who. Raises `DirectoryUnavailable`."""
        return any(other != organisation for other, _, _ in await self.recipients(subject, day, purposes=(purpose,)))

    # --- what an organisation says --------------------------------------------------------------------------------

    async def register(
        self, key: Key, period: Period, *, dossier: str | None = None, origin: str = "api", trial: bool = False
    ) -> Told:
        """The organisation keeps a file from–to. Raises `SourceRefused` (QUALITY_NOT_ALLOWED).

        `registered`, or `merged` with what it overlaps or follows at once, or `unchanged` where it was known already.
        """
        if not self._rules.allows(key.organisation, key.quality):
            raise refuse("QUALITY_NOT_ALLOWED")

        def work(rows: Rows) -> Told:
            head = rows.hold(self._seals.tag(key.subject))
            return self._registered(rows, head, key, period, dossier, origin, trial=trial)

        return await self._write(work)

    async def move(self, old: Key, organisation: str, day: date, *, dossier: str | None = None) -> Told:
        """The file under `old` is kept by another organisation from `day` on, in the same quality, for the same purpose.

        Both at once: whoever looks sees the one or the other. Of what began on `day` the directory says that it never was.
        Asked again, `unchanged`. Raises `SourceRefused` (NOT_REGISTERED, QUALITY_NOT_ALLOWED).
        """
        if not self._rules.allows(organisation, old.quality):
            raise refuse("QUALITY_NOT_ALLOWED")
        key = replace(old, organisation=organisation)

        def work(rows: Rows) -> Told:
            head = rows.hold(self._seals.tag(old.subject))
            row = next((row for row in rows.current(head, old) if row.told.period.holds(day)), None)
            if row is None:
                there = next((row.told for row in rows.current(head, key) if row.told.period.holds(day)), None)
                if there is None:
                    raise refuse("NOT_REGISTERED")
                return Told("unchanged", there)
            now, period = self._now(), row.told.period
            rows.supersede([row], now)
            if period.starts < day:
                rows.add(replace(row.told, period=period.until(day - timedelta(days=1)), recorded_at=now), head)
            return self._registered(rows, head, key, Period(day), dossier, "handover")

        return await self._write(work)

    def _registered(
        self, rows: Rows, head: bytes, key: Key, period: Period, dossier: str | None, origin: str, *, trial: bool = False
    ) -> Told:  # fmt: skip
        """Within a transaction that holds the person."""
        known = [row for row in rows.current(head, key) if row.told.period.touches(period)]
        overlapping = tuple(row.told for row in known if row.told.period.overlaps(period))
        covering = next((row.told for row in known if row.told.period.covers(period)), None)
        if covering is not None:
            return Told("unchanged", covering, overlapping)
        newest = rows.newest(self._seals.tag(key.subject))
        made = Registration(new_id(), key, period, dossier, origin, self._now(), replaced_by=newest)
        if known:
            first = known[0].told
            whole = hull((period, *(row.told.period for row in known)))
            made = replace(made, id=first.id, period=whole, dossier=dossier or first.dossier)
        if not trial:
            rows.supersede(known, made.recorded_at)
            rows.add(made, head)
        return Told("merged" if known else "registered", made, overlapping)

    async def unregister(self, key: Key, last: date, *, trial: bool = False) -> Told:
        """`last` is the last day of the file. Raises `SourceRefused` (NOT_REGISTERED, END_BEFORE_START).

        Ends the registration of exactly this key that holds that day; one that ends then already is `unchanged`.
        """

        def work(rows: Rows) -> Told:
            head = rows.hold(self._seals.tag(key.subject))
            known = rows.current(head, key)
            row = next((row for row in known if row.told.period.holds(last)), None)
            if row is None:
                raise refuse(
                    "END_BEFORE_START" if any(one.told.period.starts > last for one in known) else "NOT_REGISTERED"
                )
            if row.told.period.ends == last:
                return Told("unchanged", row.told)
            made = replace(row.told, period=row.told.period.until(last), recorded_at=self._now())
            if not trial:
                rows.supersede([row], made.recorded_at)
                rows.add(made, head)
            return Told("ended", made)

        return await self._write(work)

    async def withdraw(self, key: Key, first: date, *, trial: bool = False) -> Told:
        """The registration that begins on `first` was a mistake: from now on the directory says that it never was.

        What it said before can still be asked (`known`). Raises `SourceRefused` (NOT_REGISTERED).
        """

        def work(rows: Rows) -> Told:
            head = rows.hold(self._seals.tag(key.subject))
            row = next((row for row in rows.current(head, key) if row.told.period.starts == first), None)
            if row is None:
                raise refuse("NOT_REGISTERED")
            now = self._now()
            if not trial:
                rows.supersede([row], now)
            return Told("withdrawn", replace(row.told, superseded_at=now))

        return await self._write(work)

    async def list(
        self,
        organisation: str,
        purpose: str,
        *,
        subject: str | None = None,
        quality: str | None = None,
        day: date | None = None,
        known: float | None = None,
        after: str | None = None,
        limit: int = 100,
    ) -> Registrations:
        """An organisation's own registrations for a purpose, in the order they were first recorded; at most `limit`.

        `day`: only those in force then. `known`: as the directory said at that moment (epoch seconds). `after`: the id of
        the last one of the page before; one that is not the organisation's gives nothing, as one that nobody has.
        """

        def work(connection: Connection) -> Registrations:
            rows = Rows(connection, self._seals)
            tags = None if subject is None else rows.numbers(rows.head(self._seals.tag(subject)))
            found = rows.own(
                organisation, purpose, tags=tags, quality=quality, day=day, after=after, limit=limit,
                known=None if known is None else micros(known),
            )  # fmt: skip
            return [row.told for row in found]

        return await self._run(work)

    # --- for data protection officers -----------------------------------------------------------------------------

    async def counts(self, day: date, *, soon: date, organisation: str | None = None) -> Counts:
        """How many files each organisation (or one) says that it keeps on a day, by purpose and quality. No person."""
        return await self._run(
            lambda connection: [Count(*row) for row in Rows(connection, self._seals).counts(day, soon, organisation)]
        )

    def about(self, subject: str, *, organisation: str | None = None) -> Registrations:
        """What the directory says now about somebody, of every organisation or of one. Blocks: for a thread.

        For whoever may see it, and after the look was recorded. Raises `DirectoryUnavailable`.
        """
        try:
            with_all = self._database.now(lambda connection: self._about(connection, subject))
        except SQLAlchemyError as error:
            raise DirectoryUnavailable(type(error).__name__) from error
        return [one for one in with_all if organisation in (None, one.key.organisation)]

    def _about(self, connection: Connection, subject: str) -> Registrations:
        rows = Rows(connection, self._seals)
        return [row.told for row in rows.current(rows.head(self._seals.tag(subject)))]

    # --- numbers --------------------------------------------------------------------------------------------------

    async def replaced(self, old: str, new: str) -> int:
        """`old` became `new`: both lead to the files of both. Returns how many registrations moved; 0 when known already.

        Files of one key that meet in this way become one, as if they had been registered under one number.
        """

        def work(rows: Rows) -> int:
            before = rows.hold(self._seals.tag(old), joining=True)
            after = rows.head(self._seals.tag(new))
            if before == after:
                return 0
            now, moving = self._now(), rows.current(before)
            rows.join(before, after, new, now)
            rows.supersede(moving, now)
            for row in moving:
                self._move(rows, row, after, new, now)
            return len(moving)

        return await self._write(work)

    def _move(self, rows: Rows, row: Row, head: bytes, new: str, now: float) -> None:
        moved = replace(row.told, recorded_at=now, replaced_by=new if row.told.key.subject != new else None)
        known = [one for one in rows.current(head, moved.key) if one.told.period.touches(moved.period)]
        rows.supersede(known, now)
        whole = hull((moved.period, *(one.told.period for one in known)))
        kept = replace(known[0].told, recorded_at=now) if known else moved
        rows.add(replace(kept, period=whole, dossier=kept.dossier or moved.dossier), head)

    # ---------------------------------------------------------------------------------------------------------------

    async def _write(self, work: Callable[[Rows], T]) -> T:
        return await self._run(lambda connection: work(Rows(connection, self._seals)))

    async def _run(self, work: Callable[[Connection], T]) -> T:
        try:
            return await self._database.run(work)
        except SQLAlchemyError as error:
            raise DirectoryUnavailable(type(error).__name__) from error

    async def ready(self) -> None:
        """Raises `DirectoryUnavailable` when nobody could be looked up."""
        await self._looking.recipients(b"", date.min)

    def close(self) -> None:
        self._looking.close()
        self._database.close()


def open_directory(url: str, keys: Path, rules: Rules, now: Now) -> Directory:
    """The directory of a hub. Raises `ConfigurationError`, also when the key is not the one the rows were sealed with."""
    database = Database(url, "directory")
    try:
        seals = open_seals(keys)
        database.now(lambda connection: _same_key(connection, seals.proof))
    except BaseException:
        database.close()
        raise
    return Directory(database, open_looking(url), seals, rules, now)


def _same_key(connection: Connection, proof: bytes) -> None:
    """Another key would find nobody, and "nobody" would look like an answer."""
    known = [bytes(one) for one in connection.scalars(select(keys_table.c.proof))]
    if not known:
        try:
            with connection.begin_nested():
                connection.execute(insert(keys_table).values(proof=proof))
        except IntegrityError:  # the same key, by a process that started at the same time
            return
    elif known != [proof]:
        raise ConfigurationError(
            "the key of the directory is not the one its registrations were sealed with",
            advice="Put the file directory.keys/directory.key back from the backup that belongs to this database.",
        )
