"""One process opens one ledger file twice: hub and desk do, and so does a clerk. Neither may cost the other its locks."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from audit import open_store
from audit.entry import prepare
from audit.keys import FileKeyRing
from audit.seal import Sealer
from tests.unit.audit.kit import NOON, SHARD, a_draft

# POSIX drops every lock a process holds on a file as soon as it closes any descriptor of that file. Whoever then leaves the
# file elsewhere believes to be the last, folds the write-ahead log up and unlinks it: what is written next is lost.
VISIT = "import sys; from audit import open_store; store = open_store(sys.argv[1]); store.shards(); store.close()"


def test_what_is_written_after_a_second_opening_is_there_for_everybody(tmp_path: Path):
    url = f"sqlite:///{tmp_path}/ledger.db"
    sealer = Sealer(FileKeyRing(tmp_path / "keys"))
    first = open_store(url)
    writer = first.writer(SHARD)
    writer.append([prepare(a_draft(), sealer, NOON)], 0)

    open_store(url).close()  # a desk in the same process comes and goes
    subprocess.run([sys.executable, "-c", VISIT, url], check=True)  # so does somebody elsewhere
    writer.append([prepare(a_draft(), sealer, NOON)], 1)

    seen = subprocess.run(
        [sys.executable, "-c", f"from audit import open_store; print(open_store({url!r}).size({SHARD!r}))"],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    writer.close()
    first.close()
    assert "2" == seen.stdout.strip()
