"""The directory's tables, as migrations/directory/ makes them. No number stands in them in clear."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, MetaData, String, Table

from integrator.directory.periods import FOREVER

metadata = MetaData()
OPEN = FOREVER.isoformat()  # days are ISO texts: they compare as days do, on both engines

registration = Table(
    "directory_registration", metadata,
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("id", String(22)), Column("organisation", String(10)), Column("tag", LargeBinary(16)), Column("purpose", String(64)),
    Column("quality", String(8)), Column("starts", String(10)), Column("ends", String(10)),
    Column("sealed", LargeBinary),  # {ssin, dossier}
    Column("origin", String(8)),
    Column("recorded_at", BigInteger),  # µs
    Column("superseded_at", BigInteger),  # µs; null = what the directory says now
    Column("place", BigInteger),  # seq of the first version; null = this is the first
)  # fmt: skip
number = Table(
    "directory_number", metadata,
    Column("tag", LargeBinary(16), primary_key=True), Column("head", LargeBinary(16)),
    Column("sealed", LargeBinary),  # {ssin} of the head
    Column("recorded_at", BigInteger),
)  # fmt: skip
key = Table("directory_key", metadata, Column("proof", LargeBinary(16), primary_key=True))
