"""What a caller hands in: one entry before it has a time, digests or an index, and the words it may use."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import Any

from audit.errors import EntryRefused
from audit.fixed import fixed
from audit.seal import SUBJECT, TECHNICAL

# intent, outcome, denied and unknown are one exchange; the others are written by later rooms of this library.
TYPES = frozenset(
    (
        *("intent", "outcome", "denied", "unknown", "close", "audit.read", "admin", "policy", "key"),
        *("erasure", "restrict", "release", "annotate", "index", "gap", "seal", "hold", "unhold", "alias"),
        "decision",  # a right that was asked about: nothing was asked of a source
        "alert",  # a look that somebody should ask about (audit.alerts); names its entry by shard and index
    )
)
NEEDS_INTENT = frozenset(("outcome", "unknown", "close"))

# Names as in LDV (dpl.*), OpenTelemetry, FSC and DPV. Nothing here may hold personal data.
CLEAR_FIELDS = frozenset(
    (
        *("parent_span_id", "start_time", "end_time", "status", "http", "reason_code", "op", "consumer", "source"),
        *("delegator", "policy", "legal_basis", "categories", "categories_ver", "counts", "initiator", "intent_ref"),
        *("dpl.core.processing_activity_id", "dpl.core.foreign_operation", "dpl.read.externalReadAPI_id"),
        # A sealed shard names the one after it; one that begins after a restore says what it follows, and why.
        *("successor", "gap"),
        # What entries about keeping name: a class and month (yyyymm) with its number of entries, or one entry by its
        # shard and index; who orders (a code) and when it must be looked at again (yyyy-mm-dd).
        *("class", "month", "count", "shard", "index", "authority", "review"),
        # What the hub saw at request time between the agent and the subject, in codes: SELF, SAME_HOUSEHOLD, FAMILY …
        "flags",
        # How it was asked, in names alone: {"keys": [...], "fields": [...] where fewer were wanted, "past": true, "as": "sender"}.
        "asked",
        # The map of one day (see audit.keeping.completeness): its day yyyy-mm-dd, its root and its number of tags.
        *("day", "root", "size"),
    )
)

# Who may open what was committed. `subject` and `subject_role` come from Draft.subjects, `agent` from Draft.agent.
AUDIENCE_OF = {
    "on_behalf_of": SUBJECT,
    "case_ref": SUBJECT,
    "justification": SUBJECT,
    "fields": SUBJECT,
    "client": TECHNICAL,
    "query_digest": TECHNICAL,  # not salted: among several subjects one could try whose number was asked
    "response_digest": SUBJECT,
}
MAX_SUBJECTS = 1_000  # in one entry; a bulk delivery writes a manifest, not one entry

_TRACE = re.compile(r"(?!0{32})[0-9a-f]{32}").fullmatch
_SPAN = re.compile(r"(?!0{16})[0-9a-f]{16}").fullmatch
_CLASS = re.compile(r"[A-Z][A-Z0-9]{0,15}").fullmatch
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,99}").fullmatch
# Digits become 0, other letters a, dots and dashes vanish, the rest is a gap: a national number, written either way,
# is then eleven zeros between gaps. (A regular expression over the same bytes costs ten times as much.)
_SHAPE = bytes(48 if chr(c).isdigit() else 97 if chr(c).isalpha() or c == 95 else 32 for c in range(128)) + b"a" * 128


@fixed
class Subject:
    """A person, enterprise, vehicle or address the entry is about; sealed, and found again by its blind tag."""

    type: str  # nrn, kbo, vin, plate, address …: part of the tag, so "nrn 123" and "kbo 123" never meet
    id: str  # normalised by the caller: nrn = 11 digits, no dots
    role: str = ""  # data-subject, household-member, contact, heir …; "" = not said


@fixed
class Draft:
    """One entry to be written.

    `clear` is readable by every auditor and replica for ever: no personal data, only the fields of CLEAR_FIELDS.
    `committed`, `subjects` and `agent` are sealed beside the entry; the leaf holds only salted digests of them.
    `outcome`, `unknown` and `close` name their intent: clear={"intent_ref": index, …}.
    """

    type: str
    trace_id: str  # 32 lower-case hex, ours, new for each exchange
    span_id: str  # 16 lower-case hex; intent and outcome of one processing share it
    name: str  # service operation, e.g. person.get
    retention: str  # retention class of the activity, e.g. Y10
    clear: Mapping[str, Any] = field(default_factory=dict)
    committed: Mapping[str, Any] = field(default_factory=dict)  # names of AUDIENCE_OF
    subjects: Sequence[Subject | tuple[str, str] | tuple[str, str, str]] = ()
    agent: str | Mapping[str, Any] | None = None  # id, or {id, unit, role}

    def check(self) -> None:
        """Raise EntryRefused, naming the field, when this can never become an entry."""
        if self.type not in TYPES:
            raise EntryRefused("type: not a type of entry")
        if not _TRACE(self.trace_id):
            raise EntryRefused("trace_id: 32 lower-case hexadecimal digits, not all zero")
        if not _SPAN(self.span_id):
            raise EntryRefused("span_id: 16 lower-case hexadecimal digits, not all zero")
        if not _NAME(self.name):
            raise EntryRefused("name: a service operation such as person.get")
        if not _CLASS(self.retention):
            raise EntryRefused("retention: a class such as Y10")
        if len(self.subjects) > MAX_SUBJECTS:
            raise EntryRefused(f"subjects: more than {MAX_SUBJECTS} in one entry; write a manifest")
        self._check_clear()
        self._check_committed()

    def _check_clear(self) -> None:
        clear = self.clear
        if not clear.keys() <= CLEAR_FIELDS:
            unknown = ", ".join(sorted(clear.keys() - CLEAR_FIELDS))
            raise EntryRefused(f"clear: not a field of the clear part: {unknown}")
        if self.type in NEEDS_INTENT and type(clear.get("intent_ref")) is not int:
            raise EntryRefused(f"intent_ref: {self.type} names the index of its intent")

    def _check_committed(self) -> None:
        if self.committed.keys() <= AUDIENCE_OF.keys():
            return
        name = min(self.committed.keys() - AUDIENCE_OF.keys())
        where = {"subject": "subjects", "subject_role": "subjects", "agent": "agent"}.get(name)
        advice = f"give it as Draft.{where}" if where else "no audience is known for it"
        raise EntryRefused(f"committed.{name}: {advice}")


def check_no_person(body: bytes) -> None:
    """Refuse clear JSON that holds what looks like a national number, in digits or as 61.01.01-000.00.

    >>> check_no_person(b'{"consumer":{"org":"0207446759"},"ts":1795440600123456}')
    >>> check_no_person(b'{"name":"file of 61.01.01-000.00"}')
    Traceback (most recent call last):
    audit.errors.EntryRefused: clear: something looks like a national number; commit it, never write it in clear
    """
    if b" 00000000000 " in body.translate(_SHAPE, b".-"):
        raise EntryRefused("clear: something looks like a national number; commit it, never write it in clear")
