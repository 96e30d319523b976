"""The newest anchor checkpoint that outsiders vouch for: what belongs in evidence, rather than the newest of all.

The newest checkpoint of all is seconds old and not stamped yet; the newest *stamped* one covers every entry that is more
than a minute or two old, and its witnesses have had time to sign.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from audit.waiting import anchor_of
from audit.witness.cosigned import merged


@dataclass(frozen=True, slots=True)
class Attested:
    """One anchor checkpoint with everything that outsiders said of it. Nothing is verified here."""

    size: int
    note: bytes  # with the cosignatures there are
    stamps: dict[str, bytes]  # by authority: the raw RFC 3161 response


def attested(folder: Path, origin: str) -> Attested | None:
    """The newest stamped checkpoint of the anchor `origin` in a publication's folder; None when none was stamped.

    Several authorities seldom stamp the very same checkpoint: those that stamped the newest one are in `stamps`.
    """
    base = folder / origin
    notes = {path.name: path.read_bytes() for path in _files(base / "stamped")}
    anchors = {name: anchor_of(note) for name, note in notes.items()}
    if not anchors:
        return None
    newest = max(anchors.values(), key=lambda anchor: anchor.size)
    stamps = {
        name: (base / "timestamp" / f"{anchor.size}-{name}.tsr").read_bytes()
        for name, anchor in anchors.items()
        if anchor.size == newest.size
    }
    cosigned = base / "witnessed" / str(newest.size)
    note = merged(newest.note, cosigned.read_bytes()) if cosigned.exists() else newest.note
    return Attested(newest.size, note, stamps)


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if not path.name.startswith(".")] if folder.is_dir() else []
