"""Evidence of one exchange to take home: a zip that a stranger verifies without the hub, today or in ten years.

    README.txt  verify.html  policy.txt            how to verify, the page that does it, the keys to believe
    entries/01-intent/entry.json                   the exact bytes that were hashed
                      disclosures.json             the values that the asker may see, with their salts
                      record.tlog-proof            this entry in its log
                      anchor.tlog-proof            that log in the anchor
                      receipt.note                 what the caller was given at the time, when it is known
    entries/02-outcome/…
    stamps/70-qualified.tsr  stamps/roots.pem      RFC 3161 stamps of the anchor, and the roots of who stamped

The same evidence gives the same bytes: files in order, no times, nothing compressed.
The proofs lead to the newest anchor that has a time stamp, not to the newest of all, which is stamped a minute later.
"""

from __future__ import annotations

import io
import zipfile
from base64 import b64encode
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from audit.canonical import leaf_hash
from audit.disclosure import digest_of, reveal
from audit.draft import Subject
from audit.errors import KeyMissing, LedgerError, NotPublished
from audit.keys import KeyRing
from audit.log.proofs import Log
from audit.log.signing import Signers
from audit.seal import AUDIENCES, Sealer, month_of
from audit.store import Sealed, Store, Stored
from audit.tree.checkpoint import Checkpoint
from audit.tree.merkle import inclusion_proof
from audit.tree.note import sign_note, split_note
from audit.tree.proof import TlogProof
from audit.tree.tiles import TileHashes
from audit.verify.paths import Leaves, anchor_sizes, root_at

_HERE = Path(__file__).parent
_BEGINNING = (1980, 1, 1, 0, 0, 0)  # the first moment a zip can name
_RELATED = 20_000  # entries after an intent among which its outcome is sought


@dataclass(frozen=True, slots=True)
class Anchored:
    """The signed notes that a bundle leads to."""

    shard: bytes
    anchor: bytes
    index: int  # of the shard's checkpoint in the anchor


def make_bundle(
    log: Log,
    store: Store,
    keyring: KeyRing,
    shard: str,
    index: int,
    audiences: Collection[str],
    *,
    signers: Signers | None = None,
    subject: Subject | None = None,
    receipts: Mapping[int, bytes] | None = None,
    tsa_roots: bytes = b"",
) -> bytes:
    """The evidence of the exchange that entry `index` belongs to: a zip, the same bytes for the same evidence.

    `audiences` (of subject, agent, technical) are those whose values the asker may see. With `subject`, values about
    other subjects stay closed. `signers`: the keys of the logs, where they are in another ring.
    `receipts`: signed notes by index. `tsa_roots`: PEM of the roots that stamps lead to.
    Raises NotPublished while no anchor covers the exchange (it takes seconds), LedgerError when there is no such entry.
    """
    if not set(audiences) <= set(AUDIENCES):
        raise ValueError(f"audiences are of {', '.join(AUDIENCES)}")
    exchange = entries_of_exchange(store, shard, index)
    signers = signers or Signers(keyring, create=False)
    last = exchange[-1].index
    anchored = _anchored(log, store, signers, shard, last)
    files = _common(log, anchored.anchor, tsa_roots)
    sealer = Sealer(keyring)
    for number, stored in enumerate(exchange, 1):
        folder = f"entries/{number:02d}-{stored.kind}"
        files[f"{folder}/entry.json"] = stored.body
        told = disclosures(store, sealer, stored, audiences, subject)
        files[f"{folder}/disclosures.json"] = orjson.dumps(told, option=orjson.OPT_SORT_KEYS | orjson.OPT_INDENT_2)
        files[f"{folder}/record.tlog-proof"] = _proof(log, shard, stored.index, anchored.shard).render()
        files[f"{folder}/anchor.tlog-proof"] = _proof(log, log.anchor, anchored.index, anchored.anchor).render()
        if receipts and stored.index in receipts:
            files[f"{folder}/receipt.note"] = receipts[stored.index]
    return zipped(files)


def entries_of_exchange(store: Store, shard: str, index: int) -> list[Stored]:
    """The entry and those of the same exchange (one trace id) near it in the shard, in order of index."""
    asked = next(store.read(shard, index, index + 1), None)
    if asked is None:
        raise LedgerError(f"no entry {index} in {shard}")
    trace = orjson.loads(asked.body)["trace_id"].encode()
    start = asked.index if asked.ref is None else min(asked.ref, asked.index)
    # The parts of a composition share their trace and stand close together; a trace id in the bytes is no proof of it.
    near = store.read(shard, max(0, start - 64), start + _RELATED)
    found = [stored for stored in near if trace in stored.body]
    return [stored for stored in found if orjson.loads(stored.body)["trace_id"].encode() == trace]


def _anchored(log: Log, store: Store, signers: Signers, shard: str, index: int) -> Anchored:
    """The newest stamped anchor that covers the entry, or else the newest anchor."""
    newest = log.checkpoint(log.anchor)
    head = Checkpoint.parse(split_note(newest)[0])
    for size in [*anchor_sizes(log, "timestamp", head.size), head.size]:
        place = _covering(store, log.anchor, shard, index, size)
        if place is not None:
            at, text = place
            anchor = newest if size == head.size and not _witnessed(log, size) else _note_at(log, signers, size)
            return Anchored(sign_note(text, signers.signer(shard)), anchor, at)
    raise NotPublished(f"{shard}: no anchor covers entry {index} yet; ask again in a minute")


def _covering(store: Store, anchor: str, shard: str, index: int, size: int) -> tuple[int, str] | None:
    """The newest checkpoint of the shard in an anchor of `size` entries, when it covers the entry: (index, text)."""
    stop = size
    while stop > 0:
        start = max(0, stop - 1000)
        for stored in reversed(list(store.read(anchor, start, stop))):
            text = stored.body.decode()
            if text.startswith(f"{shard}\n"):
                return (stored.index, text) if Checkpoint.parse(text).size > index else None
        stop = start
    return None


def _witnessed(log: Log, size: int) -> bool:
    return size in anchor_sizes(log, "witnessed", size)


def _note_at(log: Log, signers: Signers, size: int) -> bytes:
    """The anchor's note at a size: as witnessed, or signed again, which gives the very bytes of then (Ed25519)."""
    if _witnessed(log, size):
        return log.publication.read(f"{log.anchor}/witnessed/{size}")
    root = root_at(log.publication, log.anchor, size)
    return sign_note(Checkpoint(log.anchor, size, root).text(), signers.signer(log.anchor))


def _proof(log: Log, origin: str, index: int, note: bytes) -> TlogProof:
    size = Checkpoint.parse(split_note(note)[0]).size
    newest = Checkpoint.parse(split_note(log.checkpoint(origin))[0]).size
    # A proof is made of complete subtrees, and those of an older size are complete in the newest tree too.
    hashes = TileHashes(lambda path: log.publication.read(f"{origin}/{path}"), newest)
    return TlogProof(index, tuple(inclusion_proof(index, size, hashes)), note, None)


def disclosures(
    store: Store, sealer: Sealer, stored: Stored, audiences: Collection[str], subject: Subject | None
) -> dict[str, Any]:
    """What `disclosures.json` says: values shown, audiences kept closed, audiences whose values were erased."""
    entry = orjson.loads(stored.body)
    parts = store.sealed(stored.shard, stored.index)
    closed = {name for name in AUDIENCES if name not in audiences}
    erased: set[str] = set()
    if entry.get("_sd") and not parts:
        erased = set(audiences)
    opened: list[tuple[str, bytes]] = []
    for part in parts:
        found = _open(part, stored, entry, sealer, audiences, erased)
        about = {value["id"] for name, value in map(reveal, [item for _, item in found]) if name == "subject"}
        mine = subject is None or not about or subject.id in about
        opened += [(who, item) for who, item in found if mine or reveal(item)[0] not in ("subject", "subject_role")]
    paths = _paths(entry, parts, stored, sealer)
    shown = [{"audience": who, "disclosure": item.decode(), **paths.get(digest_of(item), {})} for who, item in opened]
    return {"v": 1, "shown": shown, "withheld": sorted(closed), "erased": sorted(erased)}


def _open(
    part: Sealed, stored: Stored, entry: dict[str, Any], sealer: Sealer, audiences: Collection[str], erased: set[str]
) -> list[tuple[str, bytes]]:
    found: list[tuple[str, bytes]] = []
    for audience, ciphertext, wrapped in zip(AUDIENCES, part.sealed, part.wrapped, strict=True):
        if ciphertext is None or audience not in audiences:
            continue
        try:
            if wrapped is None:
                raise KeyMissing("the data key was erased")
            text = sealer.open(ciphertext, wrapped, stored.leaf, entry["ret"], month_of(entry["ts"]), audience)
        except KeyMissing:
            erased.add(audience)
            continue
        found += [(audience, item) for item in text.split(b"~")]
    return found


def _paths(entry: dict[str, Any], parts: list[Sealed], stored: Stored, sealer: Sealer) -> dict[str, dict[str, Any]]:
    """For an entry about many subjects, which holds one root over their digests: the way from each digest to it."""
    if "subjects_root" not in entry:
        return {}
    listed = set(entry["_sd"])
    every = [item for part in parts for _, item in _open(part, stored, entry, sealer, AUDIENCES[:1], set())]
    digests = sorted(digest for digest in map(digest_of, every) if digest not in listed)
    leaves = Leaves([leaf_hash(digest.encode()) for digest in digests])
    size = len(digests)
    steps = [[b64encode(step).decode() for step in inclusion_proof(at, size, leaves)] for at in range(size)]
    return {digest: {"path": {"index": at, "size": size, "hashes": steps[at]}} for at, digest in enumerate(digests)}


def _common(log: Log, anchor: bytes, tsa_roots: bytes) -> dict[str, bytes]:
    files = {name: (_HERE / name).read_bytes() for name in ("README.txt", "verify.html")}
    files["policy.txt"] = log.publication.read("policy")
    size = Checkpoint.parse(split_note(anchor)[0]).size
    folder = log.publication.folder / log.anchor / "timestamp"
    for path in sorted(folder.glob(f"{size}-*.tsr")):
        files[f"stamps/{path.name}"] = path.read_bytes()
    if tsa_roots:
        files["stamps/roots.pem"] = tsa_roots
    return files


def zipped(files: Mapping[str, bytes]) -> bytes:
    """A zip whose bytes depend on names and contents alone."""
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(files):
            info = zipfile.ZipInfo(name, _BEGINNING)
            info.create_system, info.external_attr = 3, 0o644 << 16
            archive.writestr(info, files[name])
    return whole.getvalue()


def name_of(shard: str, index: int) -> str:
    """A file name for the evidence of one entry that names nobody.

    >>> name_of("audit.hub.example/test/hub-1/2026", 12)
    'evidence-hub-1-2026-12.zip'
    """
    return f"evidence-{'-'.join(shard.split('/')[-2:])}-{index}.zip"


__all__ = ["Anchored", "disclosures", "entries_of_exchange", "make_bundle", "name_of", "zipped"]
