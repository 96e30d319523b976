"""After a crash: every intent that never got an outcome gets an `unknown` entry, so that nothing stays silent.

What the source did is then not known here: the data protection officer asks the source, by transaction id.
Run it once at start with older_than=0 (one shard has one writer: what is open was left by a process that died), then
every minute: an intent is settled within five minutes of the crash.
"""

from __future__ import annotations

from datetime import timedelta

import orjson

from audit.draft import Draft
from audit.entry import Record
from audit.gathering import BATCH
from audit.ledger import Ledger
from audit.store import Stored

REASON = "OUTCOME_NOT_RECORDED"
OLDER_THAN = timedelta(minutes=3)  # longer than any exchange may take
_COPIED = frozenset(
    (
        *("parent_span_id", "op", "consumer", "source", "delegator", "policy", "legal_basis", "initiator"),
        *("dpl.core.processing_activity_id", "dpl.core.foreign_operation"),
    )
)


def settle(ledger: Ledger, older_than: timedelta = OLDER_THAN) -> list[Record]:
    """Write an `unknown` entry for each dangling intent of the ledger's shard; return their records.

    Blocks (call it from a thread). Raises LedgerUnwritable; what was written until then stays, and the next run
    goes on. An outcome that comes later after all is recorded too: both stand.
    """
    before = ledger.now() - older_than // timedelta(microseconds=1)
    dangling = ledger.store.dangling(ledger.shard, before)
    records: list[Record] = []
    for start in range(0, len(dangling), BATCH):
        records += ledger.append_blocking([unknown_of(intent) for intent in dangling[start : start + BATCH]])
    return records


def unknown_of(intent: Stored) -> Draft:
    """The draft that settles an intent: same trace and span, its clear facts, and no claim about what happened.

    It carries no sealed values: who was asked about is sealed beside the intent, which it names.
    """
    entry = orjson.loads(intent.body)
    clear = {name: value for name, value in entry.items() if name in _COPIED}
    return Draft(
        type="unknown",
        trace_id=entry["trace_id"],
        span_id=entry["span_id"],
        name=entry["name"],
        retention=entry["ret"],
        clear={**clear, "status": "Unset", "reason_code": REASON, "intent_ref": intent.index},
    )
