"""The proof of one day for one person, to take home: a zip that a stranger verifies without the hub.

    entries/01-index/…   the entry that commits to the map of that night, and its way to the anchor (see bundle.py)
    entries/02-erasure/… for each line that an order erased since: the entry that says so
    day.json             the lines of that day, and the leaves of the map that say "these, and no other"

The person's number is not in it: the keys are of that day only. That they are this person's only the hub and an auditor
can recompute; whoever holds two proofs of one day can see that they are not about two lists.
"""

from __future__ import annotations

import io
import zipfile
from base64 import b64encode
from collections.abc import Sequence
from typing import Any

import orjson

from audit.keeping.maps import DayEvidence
from audit.verify.bundle import zipped


def day_bundle(index: bytes, proofs: Sequence[DayEvidence], erasures: Sequence[bytes] = ()) -> bytes:
    """`index`: the bundle of the day's own entry (make_bundle, no values); `erasures`: those of the entries that `erased` names."""
    files: dict[str, bytes] = {}
    for number, bundle in enumerate((index, *erasures), 1):
        with zipfile.ZipFile(io.BytesIO(bundle)) as archive:
            for name in archive.namelist():
                files[name.replace("entries/01-", f"entries/{number:02d}-")] = archive.read(name)
    told = {"v": 1, "day": proofs[0].day.isoformat(), "proofs": [_told(one) for one in proofs]}
    return zipped(files | {"day.json": orjson.dumps(told, option=orjson.OPT_SORT_KEYS | orjson.OPT_INDENT_2)})


def _told(one: DayEvidence) -> dict[str, Any]:
    return {
        "key": _text(one.key), "salt": _text(one.salt), "lines": [[shard, index] for shard, index in one.places],
        "erased": [[shard, index] for (shard, index), _ in one.erased], "size": one.proof.size,
        "leaves": [
            {"index": leaf.index, "key": _text(leaf.key), "value": _text(leaf.value), "path": [_text(step) for step in leaf.proof]}
            for leaf in one.proof.leaves
        ],
    }  # fmt: skip


def _text(data: bytes) -> str:
    return b64encode(data).decode()
