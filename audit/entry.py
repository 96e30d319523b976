"""From a draft to the bytes that are hashed and stored: clear part, salted digests, leaf hash, sealed parts, tags.

Life of an entry: Draft (caller) -> prepare (here, in the caller's thread: all the CPU work) -> Prepared -> one
transaction of the shard's writer, which alone gives the index -> Record (back to the caller, durable).
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import Any, NamedTuple

from audit.canonical import MAX_ENTRY, canonical, leaf_hash
from audit.disclosure import commit_all, root_of
from audit.draft import AUDIENCE_OF, Draft, Subject, check_no_person
from audit.errors import EntryRefused
from audit.fixed import fixed
from audit.keys import epoch_of
from audit.seal import AGENT, AUDIENCES, DEK, SUBJECT, Sealer, month_of

MAX_LISTED = 64  # subjects whose digests stand in the entry one by one; above, one root over all of them
_BETWEEN = b"~"  # as SD-JWT joins disclosures; never part of base64url


class Part(NamedTuple):
    """What is stored beside an entry for one subject (or once, when it has none). Fields in order of AUDIENCES."""

    part: int  # 0 also carries what belongs to the whole entry
    tag: bytes | None  # blind tag of the subject, 16 bytes
    sealed: tuple[bytes | None, bytes | None, bytes | None]  # ciphertexts: subject, agent, technical
    wrapped: tuple[bytes | None, bytes | None, bytes | None]  # their data keys, wrapped


class Prepared(NamedTuple):
    """An entry complete but for its index; what an engine stores."""

    kind: str
    ts: int  # µs since 1970
    month: int  # yyyymm of ts, UTC
    ref: int | None  # index of the intent that an outcome, unknown or close belongs to
    leaf: bytes  # leaf hash, 32 bytes
    body: bytes  # canonical JSON, at most 65 535 bytes
    org: str | None  # columns for the consoles, copied from the clear part
    activity: str | None
    op: str | None
    agent_tag: bytes | None
    ret: str  # retention class, as written in the entry
    parts: tuple[Part, ...]  # at least one


class Commit:
    """Entries that became durable together, for whoever vouches for all of them at once."""

    __slots__ = ("entries", "first", "vouched")

    def __init__(self, first: int, entries: Sequence[tuple[bytes, int]]) -> None:
        self.first = first  # index of the first entry
        self.entries = entries  # leaf hash and time of each, in the order of their indices
        self.vouched: Any = None  # what was signed for them, once it was


@fixed
class Record:
    """The receipt of a durable entry."""

    index: int  # in its shard, without gaps, from 0
    leaf: bytes  # leaf hash, 32 bytes
    ts: int  # µs since 1970, as written in the entry
    commit: Commit | None = field(default=None, compare=False, repr=False)  # what it shared with other callers, if so


def prepare(draft: Draft, sealer: Sealer, ts: int) -> Prepared:
    """Make an entry of a draft at time `ts` (µs since 1970). Raises EntryRefused; KeyMissing when a key is gone."""
    draft.check()
    month = month_of(ts)
    subjects = [item if isinstance(item, Subject) else Subject(*item) for item in draft.subjects]
    agent = {"id": draft.agent} if isinstance(draft.agent, str) else draft.agent
    commitments = _commit(draft, subjects, agent)
    body = _body(draft, ts, month, commitments)
    leaf = leaf_hash(body)
    return Prepared(
        draft.type,
        ts,
        month,
        draft.clear.get("intent_ref"),
        leaf,
        body,
        *_columns(draft.clear),
        None if agent is None else sealer.agent_tag(agent["id"], month // 100, create=True),
        draft.retention,
        _parts(draft.retention, month, leaf, subjects, commitments, sealer),
    )


class _Commitments(NamedTuple):
    listed: list[str]  # digests that stand in the entry
    rooted: list[str]  # digests that only `subjects_root` stands for
    shared: dict[str, list[bytes]]  # audience -> disclosures that belong to the whole entry
    own: list[list[bytes]]  # disclosures of each subject


def _commit(draft: Draft, subjects: list[Subject], agent: Mapping[str, Any] | None) -> _Commitments:
    values = list(draft.committed.items())
    audiences = [AUDIENCE_OF[name] for name in draft.committed]
    if agent is not None:
        _check_id(agent.get("id"), "agent.id")
        values.append(("agent", dict(agent)))
        audiences.append(AGENT)
    for subject in subjects:
        _check_id(subject.id, "subject.id")
        _check_id(subject.type, "subject.type")
        values.append(("subject", {"id": subject.id, "type": subject.type}))
        if subject.role:
            values.append(("subject_role", subject.role))
    if not values:
        return _Commitments([], [], {}, [])
    disclosures, digests = commit_all(values)
    shared: dict[str, list[bytes]] = {}
    for audience, disclosure in zip(audiences, disclosures, strict=False):
        shared.setdefault(audience, []).append(disclosure)
    own: list[list[bytes]] = []
    rest = iter(disclosures[len(audiences) :])
    for subject in subjects:
        own.append([next(rest), next(rest)] if subject.role else [next(rest)])
    cut = len(digests) if len(subjects) <= MAX_LISTED else len(audiences)
    return _Commitments(digests[:cut], digests[cut:], shared, own)


def _check_id(value: object, path: str) -> None:
    if type(value) is not str or not value:
        raise EntryRefused(f"{path}: text that is not empty")


def _body(draft: Draft, ts: int, month: int, commitments: _Commitments) -> bytes:
    entry: dict[str, Any] = {
        **draft.clear,
        "v": 1,
        "type": draft.type,
        "trace_id": draft.trace_id,
        "span_id": draft.span_id,
        "name": draft.name,
        "ts": ts,
        "ret": draft.retention,
        "kid": epoch_of(draft.retention, month),
    }
    if commitments.listed or commitments.rooted:
        entry["_sd"] = sorted(commitments.listed)
        entry["_sd_alg"] = "sha-256"
    if commitments.rooted:
        entry["subjects_root"] = root_of(commitments.rooted)
    body = canonical(entry)
    if len(body) > MAX_ENTRY:
        raise EntryRefused(f"entry: {len(body)} bytes, at most {MAX_ENTRY} fit; commit long values instead")
    check_no_person(body)
    return body


def _columns(clear: Mapping[str, Any]) -> tuple[str | None, str | None, str | None]:
    consumer = clear.get("consumer")
    org = consumer.get("org") if isinstance(consumer, dict) else None
    columns = (org, clear.get("dpl.core.processing_activity_id"), clear.get("op"))
    for value in columns:
        if value is not None and (type(value) is not str or "\0" in value):
            raise EntryRefused("consumer.org, dpl.core.processing_activity_id and op are text without U+0000")
    return columns


def _parts(
    retention: str, month: int, leaf: bytes, subjects: list[Subject], commitments: _Commitments, sealer: Sealer
) -> tuple[Part, ...]:
    parts = []
    keys = os.urandom(DEK * (len(AUDIENCES) + len(subjects)))
    key = iter(range(0, len(keys), DEK))
    year = month // 100
    for number in range(max(1, len(subjects))):
        tag = None
        plain = dict(commitments.shared) if number == 0 else {}
        if subjects:
            tag = sealer.subject_tag(subjects[number].type, subjects[number].id, year, create=True)
            plain[SUBJECT] = commitments.own[number] + plain.get(SUBJECT, [])
        sealed: list[bytes | None] = []
        wrapped: list[bytes | None] = []
        for audience in AUDIENCES:
            if audience not in plain:
                sealed.append(None)
                wrapped.append(None)
                continue
            start = next(key)
            text = _BETWEEN.join(plain[audience])
            ciphertext, wrapping = sealer.seal(text, keys[start : start + DEK], leaf, retention, month, audience)
            sealed.append(ciphertext)
            wrapped.append(wrapping)
        parts.append(Part(number, tag, tuple(sealed), tuple(wrapped)))  # type: ignore[arg-type]
    return tuple(parts)
