"""Where files are kept: one sealed row each in the consoles' database, found by number of the file or of the person.

In clear stand only what a list needs and what says nothing of anybody: number, organisation, state and dates.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from dataclasses import replace
from datetime import date
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    Integer,
    LargeBinary,
    Row,
    String,
    Table,
    Text,
    UniqueConstraint,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from audit import Subject
from integrator.consoles.casefiles.files import CaseFile
from integrator.consoles.casefiles.machine import StepRefused
from integrator.consoles.database import Database, metadata
from integrator.consoles.vault import Vault
from integrator.ids import new_id

_USE, _PAPER, _TAG = "casefile", "casefile paper", "casefile subject"
_TRIES = 8
MOST = 200  # files in a list

file_table = Table(
    "casefile",
    metadata,
    Column("id", String(24), primary_key=True),
    Column("year", Integer, nullable=False),
    Column("number", Integer, nullable=False),
    Column("org", String(10), index=True),
    Column("state", String(20), nullable=False, index=True),
    Column("received", String(10), nullable=False),
    Column("due", String(10), nullable=False),
    Column("closed", String(10)),
    Column("tag", String(43), index=True),  # blind, of the person
    Column("version", Integer, nullable=False),
    Column("sealed", Text, nullable=False),
    UniqueConstraint("year", "number"),
)
paper_table = Table(
    "casefile_paper",
    metadata,
    Column("file", String(24), primary_key=True),
    Column("name", String(40), primary_key=True),  # letter.pdf, notice-2.pdf …
    Column("sealed", LargeBinary, nullable=False),
)


class Cabinet:
    """Files and their papers. Methods that take a connection belong to a transaction of the caller."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database, self._vault = database, vault

    async def find(self, id_: str) -> CaseFile | None:
        query = select(file_table).where(file_table.c.id == id_)
        row = await self._database.run(lambda connection: connection.execute(query).one_or_none())
        return self._read(row) if row is not None else None

    async def all(
        self, *, states: list[str] | None = None, org: str | None = None, every: bool = False
    ) -> list[CaseFile]:
        """Files of an organisation (None = the hub's own; `every` = of everybody), the most urgent first."""
        query = select(file_table).order_by(file_table.c.closed.is_not(None), file_table.c.due).limit(MOST)
        if not every:
            query = query.where(file_table.c.org == org if org else file_table.c.org.is_(None))
        if states is not None:
            query = query.where(file_table.c.state.in_(states))
        return [self._read(row) for row in await self._database.run(lambda connection: connection.execute(query).all())]

    async def of(self, subject: Subject) -> list[CaseFile]:
        """Every file of one person, newest first."""
        query = select(file_table).where(file_table.c.tag == self._tag(subject)).order_by(file_table.c.received.desc())
        return [self._read(row) for row in await self._database.run(lambda connection: connection.execute(query).all())]

    async def add(self, file: CaseFile) -> CaseFile:
        """Put a new file in; it gets its id, and the next number of the year."""

        def write(connection: Connection) -> CaseFile:
            year = file.received.year
            last = connection.execute(select(func.max(file_table.c.number)).where(file_table.c.year == year)).scalar()
            number = (last or 0) + 1
            made = replace(file, id=file.id or new_id(12), number=f"{year}-{number:04d}")
            connection.execute(insert(file_table).values(year=year, number=number, **self._columns(made)))
            return made

        for _ in range(_TRIES):
            try:
                return await self._database.run(write)
            except IntegrityError:  # somebody else took the number
                continue
        raise StepRefused("MEANWHILE")

    async def save(self, file: CaseFile, papers: dict[str, bytes] | None = None) -> CaseFile:
        """Put a changed file back. Raises `StepRefused` (MEANWHILE) when somebody else changed it since it was read."""
        changed = replace(file, version=file.version + 1)
        where = (file_table.c.id == file.id) & (file_table.c.version == file.version)

        def write(connection: Connection) -> CaseFile:
            if not connection.execute(update(file_table).where(where).values(self._columns(changed))).rowcount:
                raise StepRefused("MEANWHILE")
            for name, data in (papers or {}).items():
                same = (paper_table.c.file == file.id) & (paper_table.c.name == name)
                connection.execute(delete(paper_table).where(same))
                sealed = self._vault.seal(_PAPER, b64encode(data).decode()).encode()
                connection.execute(insert(paper_table).values(file=file.id, name=name, sealed=sealed))
            return changed

        return await self._database.run(write)

    async def paper(self, file: CaseFile, name: str) -> bytes | None:
        query = select(paper_table.c.sealed).where((paper_table.c.file == file.id) & (paper_table.c.name == name))
        sealed = await self._database.run(lambda connection: connection.execute(query).scalar())
        return b64decode(self._vault.open(_PAPER, sealed.decode())) if sealed is not None else None

    async def papers(self, file: CaseFile) -> list[str]:
        query = select(paper_table.c.name).where(paper_table.c.file == file.id).order_by(paper_table.c.name)
        return list(await self._database.run(lambda connection: connection.execute(query).scalars().all()))

    async def over(self, closed_before: date) -> list[str]:
        """Ids of files whose time is over."""
        query = select(file_table.c.id).where(
            (file_table.c.state == "closed") & (file_table.c.closed < closed_before.isoformat())
        )
        return list(await self._database.run(lambda connection: connection.execute(query).scalars().all()))

    async def wipe(self, file: CaseFile) -> CaseFile:
        """Save a file of which nothing is left, and burn its papers."""
        await self._database.run(
            lambda connection: connection.execute(delete(paper_table).where(paper_table.c.file == file.id))
        )
        return await self.save(file)

    def _read(self, row: Row[Any]) -> CaseFile:
        return replace(CaseFile.read(self._vault.open(_USE, row.sealed)), version=row.version)

    def _columns(self, file: CaseFile) -> dict[str, Any]:
        due = file.clock(file.received).due
        return {
            "id": file.id, "org": file.org, "state": file.state, "received": file.received.isoformat(), "due": due.isoformat(),
            "closed": file.closed.isoformat() if file.closed else None, "version": file.version,
            "tag": self._tag(file.subject) if file.subject else None, "sealed": self._vault.seal(_USE, file.text()),
        }  # fmt: skip

    def _tag(self, subject: Subject) -> str:
        return self._vault.tag(_TAG, f"{subject.type}|{subject.id}")
