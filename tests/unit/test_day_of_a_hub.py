"""The proof of a day as a hub gives it: after an erasure too, with the entry of the order in the same file."""

from __future__ import annotations

import io
import time
import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

from audit import Subject
from audit.errors import NotPublished
from audit.keeping import Order, erase_one
from audit.keeping.maps import make_maps
from audit.keeping.shown import make_shown
from audit.verify import hub_audit_verify as standalone
from integrator import settings
from integrator.offices import _day
from integrator.publishing import open_publishing
from tests.unit.audit.kit import NOON, a_draft
from tests.unit.consoles.desk import ANNA

PATIENCE = 60.0  # seconds
COURT = Order("dpo-1", "eu-gdpr:A17-1", "court", "2026/C/9", "ordered", "clerk-2")


def _all(ts: int) -> Callable[[bytes, str, int], bool]:
    return lambda tag, shard, index: True


def published(bundle: Callable[[], bytes | None]) -> bytes:
    """What is given once the newest entries are anchored."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        try:
            if found := bundle():
                return found
        except NotPublished:
            time.sleep(0.1)
    raise AssertionError("nothing was published")


def test_the_order_that_erased_a_line_is_in_the_proof_of_its_day(tmp_path: Path) -> None:
    now = [NOON / 1_000_000]
    chosen = settings.load(None, state=str(tmp_path / "state"), audit={"timestamps": []})
    publishing = open_publishing(chosen, lambda: now[0])
    publishing.start()
    book: Any = publishing.logbook
    try:
        lines = publishing.ledger.append_blocking([a_draft("denied", subjects=[ANNA]) for _ in range(2)])
        now[0] += 86_400
        for make in (make_maps, lambda *given: make_shown(*given, _all)):
            make(book.store, book.keyring, publishing.ledger, chosen.state / "maps")
        erase_one(book.store, publishing.ledger, publishing.ledger.shard, [lines[0].index], COURT)
        prove = lambda: _day(chosen, book)(Subject(ANNA.type, ANNA.id), date(2026, 11, 23), _all)
        with zipfile.ZipFile(io.BytesIO(published(prove))) as archive:
            files = {name: archive.read(name) for name in archive.namelist()}
    finally:
        publishing.close()

    judge = standalone.Judge(standalone.Words("en"), standalone.Policy.parse(files["policy.txt"]), None)
    [day] = [one for one in standalone.verify_bundle(files, judge) if one.level == "DAY"]
    assert (standalone.PROVEN, True) == (day.state, "2 lines" in day.found and "1 of them were erased" in day.found)
    assert {"entries/01-index", "entries/02-erasure"} == {"/".join(n.split("/")[:2]) for n in files if "entries/" in n}
    assert ANNA.id.encode() not in b"".join(files.values())
