"""What alerts find and what they cost: a generated month with planted misuse, and a watch over a real ledger.

    python -P tests/bench/alerts.py [--months 3] [--exchanges 3000]

"false" are alerts about looks of which nothing was planted (the random sample apart: it is a question, not an alarm).
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "mock-sources")]

from audit import Draft, FileKeyRing, Ledger, Store, open_store  # noqa: E402
from audit.alerts import Judge, Known, Rules, Sealed, Watch  # noqa: E402
from audit.alerts import watch as watching  # noqa: E402
from audit.exports import View, Walk, csvtext, ldv, ocsf  # noqa: E402
from audit.reports.tables import Tables, open_tables  # noqa: E402
from tests.unit.audit.alerts.month import LASTING, SINGLE, Month  # noqa: E402

SHARD = "audit.hub.example/bench/hub-1/2026"


def precision(rules: Rules, months: int) -> None:
    for seed in range(7, 7 + months):
        month = Month(seed)
        started = time.perf_counter()
        findings = month.judge(rules)
        spent = time.perf_counter() - started
        found, false, kinds = month.found(findings), month.false(findings), Counter(one.rule for one in findings)
        planted = sum((SINGLE | LASTING).values())
        print(
            f"month {seed}: {len(month.looks)} looks, {len(findings)} alerts ({kinds['RANDOM_SAMPLE']} drawn at random)"
        )
        print(f"  planted {planted}, found {sum(found.values())}; false {sum(false.values())} {false or ''}"
              f" = {1000 * sum(false.values()) / len(month.looks):.2f} in 1000 looks; {1e6 * spent / len(month.looks):.0f} µs a look")  # fmt: skip


def fill(ledger: Ledger, exchanges: int) -> None:
    clear = {"consumer": {"org": "0207373429", "app": "counter"}, "op": "dpv:Consult"}
    for start in range(0, exchanges, 200):
        names = [
            (f"{n + 1:032x}", f"{n + 1:016x}", "person.get", "Y10") for n in range(start, min(start + 200, exchanges))
        ]
        who = [("nrn", f"{61610100000 + 7919 * int(name[0], 16) % 10**8:011d}") for name in names]
        intents = ledger.append_blocking([
            Draft("intent", *name, clear, {"case_ref": "2026/117", "fields": ["name"]}, [one], f"agent-{n % 9}")
            for n, (name, one) in enumerate(zip(names, who, strict=True))
        ])  # fmt: skip
        ledger.append_blocking([
            Draft("outcome", *name, {**clear, "status": "Ok", "intent_ref": record.index, "categories": ["name"]}, {}, [one])
            for name, one, record in zip(names, who, intents, strict=True)
        ])  # fmt: skip


def cost(rules: Rules, exchanges: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store, keyring = open_store(f"sqlite:///{folder}/ledger.db"), FileKeyRing(f"{folder}/keys")
        with Ledger(store, keyring, shard=SHARD) as ledger:
            fill(ledger, exchanges)
            tables, sealed = open_tables(store, watching.SCHEMA), Sealed(store, keyring)
            known = Known(has_case=sealed.has_case, open_case=sealed.has_case, ordinal=sealed.ordinal)
            watch = Watch(store, tables, ledger.append_blocking, Judge(rules, known))
            _row("watch (every look opened once for its case)", exchanges, lambda: watch.step(10**9))
            _exports(store, keyring, tables, exchanges)
            tables.close()
        store.close()


def _exports(store: Store, keyring: FileKeyRing, tables: Tables, exchanges: int) -> None:
    blind, named = View(store, keyring), View(store, keyring, ("subject",))
    rows: dict[str, Any] = {
        "walk alone": lambda: Walk(tables),
        "OCSF": lambda: ocsf.lines(Walk(tables), {"vendor_name": "bench"}),
        "CSV, blind": lambda: csvtext.lines(Walk(tables), blind),
        "CSV, with names": lambda: csvtext.lines(Walk(tables), named),
        "LDV, with names": lambda: ldv.lines(Walk(tables), named, {}),
    }
    for name, lines in rows.items():
        _row(f"export: {name}", exchanges, lambda lines=lines: sum(1 for _ in lines()))


def _row(name: str, exchanges: int, work: Any) -> None:
    started = time.process_time()
    work()
    spent = time.process_time() - started
    print(f"{name}: {1e6 * spent / exchanges:.0f} µs of CPU an exchange, {exchanges / spent:.0f} exchanges/s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--months", type=int, default=3)
    parser.add_argument("--exchanges", type=int, default=3_000)
    chosen = parser.parse_args()
    rules = Rules.read(yaml.safe_load((ROOT / "config" / "alerts.yaml").read_text()))
    precision(rules, chosen.months)
    cost(rules, chosen.exchanges)


if __name__ == "__main__":
    main()
