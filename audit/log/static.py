"""The whole published ledger as a folder that any web server can serve (C2SP tlog-tiles): entry bundles included.

For auditors and replicas, not for the street: entries name no person, but they tell activity, application and second.
"""

from __future__ import annotations

from dataclasses import dataclass

from audit.errors import NotPublished
from audit.log.proofs import Log, entry_bundle
from audit.log.publication import Publication
from audit.tree.checkpoint import Checkpoint
from audit.tree.note import split_note
from audit.tree.tiles import WIDTH, entries_path


@dataclass(frozen=True, slots=True)
class Written:
    """What one run did."""

    logs: int
    entries: int  # under the checkpoints that were copied
    files: int  # written; those that stood there already are not written again


def publish(log: Log, target: Publication) -> Written:
    """Write everything published, and the entries under it, into another folder; again = only what is new.

    Everything a checkpoint needs is written before the checkpoint: who mirrors the folder meanwhile finds no hole.
    """
    files = entries = 0
    origins = log.publication.origins()
    for origin in origins:
        try:
            note = log.checkpoint(origin)
        except NotPublished:
            continue
        size = Checkpoint.parse(split_note(note)[0]).size
        entries += size
        last = f"{origin}/checkpoint"
        for path in log.publication.files(origin):
            if path not in (last, f"{origin}/anchored"):
                files += _copy(target, path, log.publication.read(path), final="/tile/" in path)
        for index in range(-(-size // WIDTH)):
            width = min(WIDTH, size - index * WIDTH)
            path = f"{origin}/{entries_path(index, width)}"
            if not _has(target, path):
                target.write(path, entry_bundle(log.store, origin, index, size))
                files += 1
        files += _copy(target, last, note, final=False)
    for path in ("policy", "policy.note"):
        try:
            files += _copy(target, path, log.publication.read(path), final=False)
        except FileNotFoundError:
            continue
    return Written(len(origins), entries, files)


def _copy(target: Publication, path: str, data: bytes, *, final: bool) -> int:
    """1 when the file was written. What is final is never written twice."""
    if _has(target, path) and (final or target.read(path) == data):
        return 0
    target.write(path, data)
    return 1


def _has(target: Publication, path: str) -> bool:
    return (target.folder / path).is_file()
