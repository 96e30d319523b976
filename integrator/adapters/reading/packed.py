"""What must hold of a packed document before anything in it is unpacked: no bomb, no macros, no way out of it."""

from __future__ import annotations

import re
import zipfile
import zlib
from pathlib import Path

from integrator.adapters.findings import FileRefused

# What unpacking raises for a document that is broken.
BROKEN = (
    zipfile.BadZipFile, zlib.error, OSError, NotImplementedError, RuntimeError, EOFError, ValueError, LookupError,
    OverflowError,
)  # fmt: skip
UNPACKED = 400_000_000  # bytes of all parts together
RATIO = 200  # how much smaller than itself a part of some size may be packed
PARTS = 2_000
_OLE = b"\xd0\xcf\x11\xe0"  # the older kind of document: an .xls, or a locked .xlsx
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_MACROS = re.compile(r"vbaProject|\.bin$|macrosheets/", re.IGNORECASE)
_FOREIGN = re.compile(
    r"externalLinks/|embeddings/|activeX/|ctrlProps/|oleObject|connections\.xml|queryTables/", re.IGNORECASE
)
_CLIMBS = re.compile(r"(^|[/\\])\.\.([/\\]|$)|^[/\\]|:")
_HARMLESS = re.compile(r"printerSettings\d*\.bin$", re.IGNORECASE)


def inspect(path: Path) -> None:
    """Raises `FileRefused` with the reason; returns when a reader may open it."""
    with path.open("rb") as stream:
        if stream.read(4) == _OLE:
            stream.seek(0)
            raise FileRefused("ENCRYPTED" if _ENCRYPTED in stream.read(4_000_000) else "NOT_THIS_FORMAT")
    try:
        with zipfile.ZipFile(path) as packed:
            _parts(packed.infolist())
            _words(packed)
    except BROKEN as error:
        raise FileRefused("NOT_THIS_FORMAT", "the document cannot be unpacked") from error


def _parts(parts: list[zipfile.ZipInfo]) -> None:
    if len(parts) > PARTS or sum(one.file_size for one in parts) > UNPACKED:
        raise FileRefused("BOMB")
    names = set()
    for one in parts:
        if one.file_size > 1_000_000 and one.file_size > RATIO * max(one.compress_size, 1):
            raise FileRefused("BOMB")
        if one.flag_bits & 1:
            raise FileRefused("ENCRYPTED")
        if _CLIMBS.search(one.filename) or one.filename in names:
            raise FileRefused(
                "FOREIGN_PARTS", "a part of the document has a name that leads out of it, or that is not its own"
            )
        if _MACROS.search(one.filename) and not _HARMLESS.search(one.filename):
            raise FileRefused("MACROS")
        if _FOREIGN.search(one.filename):
            raise FileRefused("FOREIGN_PARTS")
        names.add(one.filename)
    if "[Content_Types].xml" not in names:
        raise FileRefused("NOT_THIS_FORMAT")


def _words(packed: zipfile.ZipFile) -> None:
    """No part brings declarations of its own (entities), and the document does not call itself one with macros."""
    for one in packed.infolist():
        if not one.filename.endswith((".xml", ".rels")):
            continue
        with packed.open(one) as part:
            start = part.read(4096)
        if start[:2] in (b"\xff\xfe", b"\xfe\xff") or b"<!DOCTYPE" in start or b"<!ENTITY" in start:
            raise FileRefused("FOREIGN_PARTS", "a part of the document declares things of its own")
        if one.filename == "[Content_Types].xml" and b"macroEnabled" in packed.read(one):
            raise FileRefused("MACROS")
