"""`integrator audit verify [EVIDENCE]`: the whole ledger of this hub; or a bundle, or a published folder, of any hub."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from cryptography import x509
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from audit import LedgerError
from audit.timestamps import RootsMissing, load_roots
from audit.tree.trust import Trust
from audit.verify import hub_audit_verify as standalone
from audit.verify.ledger import verify_ledger
from audit.verify.marks import Mark
from audit.verify.model import Verdict
from audit.verify.outside import Rules
from integrator import settings as settings_module
from integrator.errors import ConfigurationError
from integrator.publishing import Logbook, open_logbook

_SHOWN = 20  # findings of one level on the screen; --json has them all


def add(verbs: Any) -> None:
    parser = verbs.add_parser(
        "verify", help="rebuild and check the whole ledger, or an evidence bundle (zip), or a folder"
    )
    parser.add_argument(
        "evidence", type=Path, nargs="?", help="a bundle or a published folder; left out: this hub's ledger"
    )
    parser.add_argument("--policy", type=Path, help="the keys to believe (tlog-policy); else those published beside it")
    parser.add_argument("--tsa-roots", type=Path, help="PEM with the roots of time-stamping authorities to believe")
    parser.add_argument(
        "--open", action="store_true", help="open every sealed value as well (L1): ten to twenty times slower"
    )
    parser.add_argument("--resume", type=Path, help="file that remembers how far the last verification came")
    parser.add_argument("--lang", choices=standalone.LANGUAGES, default="en")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--settings", type=Path)
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    """0 = nothing wrong, 1 = something is, 3 = nothing wrong in a bundle, but something could not be checked."""
    if chosen.evidence is not None:
        return _evidence(chosen)
    settings = settings_module.load(chosen.settings)
    logbook = open_logbook(settings)
    try:
        verdicts = _ledger(chosen, settings, logbook)
    except LedgerError as error:
        raise ConfigurationError(f"the ledger could not be verified: {error}", advice="Is the store up?") from error
    finally:
        logbook.store.close()
    if chosen.json:
        print(json.dumps([asdict(verdict) for verdict in verdicts], ensure_ascii=False))
    else:
        print(told(verdicts, standalone.Words(chosen.lang)))
    return 1 if any(verdict.findings for verdict in verdicts) else 0


def _evidence(chosen: argparse.Namespace) -> int:
    arguments = [str(chosen.evidence), "--lang", chosen.lang, *(["--json"] if chosen.json else [])]
    for name in ("policy", "tsa_roots"):
        if getattr(chosen, name) is not None:
            arguments += [f"--{name.replace('_', '-')}", str(getattr(chosen, name))]
    return standalone.main(arguments)


def _ledger(chosen: argparse.Namespace, settings: settings_module.Settings, logbook: Logbook) -> list[Verdict]:
    stamped = settings.audit.get("timestamps") or ()
    roots = _roots([chosen.tsa_roots] if chosen.tsa_roots else [Path(str(one["roots"])) for one in stamped])
    rules = Rules(stamps=bool(stamped), roots=roots)
    before, marks = _marks(chosen.resume), dict[str, Mark]()
    with Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
        console=Console(stderr=True), disable=chosen.json, transient=True,
    ) as bar:  # fmt: skip
        task = bar.add_task("entries", total=None)
        verdicts = verify_ledger(
            logbook.store, logbook.publication, _trust(chosen.policy, logbook), signed=logbook.state, rules=rules,
            keyring=logbook.keyring if chosen.open else None, since=before, marks=marks,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )  # fmt: skip
    if chosen.resume and not any(verdict.findings for verdict in verdicts):
        kept = {origin: mark.to_json() for origin, mark in marks.items()}
        chosen.resume.write_text(json.dumps(kept), encoding="utf-8")
    return verdicts


def _trust(policy: Path | None, logbook: Logbook) -> Trust:
    try:
        text = policy.read_bytes() if policy else logbook.publication.read("policy")
        return Trust.parse(text.decode())
    except FileNotFoundError as error:
        advice = "Start the hub once: it publishes its keys. Or name them: --policy FILE."
        raise ConfigurationError("no list of keys (policy) is published", advice=advice) from error
    except (LedgerError, OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"the list of keys cannot be read: {error}", advice="Is it a tlog-policy?") from error


def _roots(files: list[Path]) -> list[x509.Certificate]:
    """Roots that can be read. One that cannot is told by L5 when none is left: stamps then count as not checked."""
    found: list[x509.Certificate] = []
    for file in files:
        try:
            found += load_roots(file)
        except RootsMissing:
            continue
    return found


def _marks(path: Path | None) -> dict[str, Mark]:
    if path is None or not path.exists():
        return {}
    try:
        return {origin: Mark.from_json(mark) for origin, mark in json.loads(path.read_bytes()).items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigurationError(
            f"{path.name} does not say how far a verification came", advice="Delete it."
        ) from error


def told(verdicts: list[Verdict], say: standalone.Words) -> str:
    """The verdicts in words: every level, what was wrong, and what was not checked and why."""
    lines: list[str] = []
    for verdict in verdicts:
        state = standalone.PROVEN if verdict.ok else standalone.NOT_CHECKED if verdict.skipped else standalone.WRONG
        lines.append(f"{verdict.level}  {say(state):12}  {say(verdict.level)} ({verdict.checked})")
        lines += [f"      {verdict.skipped}"] if verdict.skipped else []
        lines += [f"      {note}" for note in verdict.notes]
        for finding in verdict.findings[:_SHOWN]:
            lines.append(f"    {finding.code}  {finding.where}")
            lines.append(f"      {say('expected')}: {finding.expected}\n      {say('found')}: {finding.found}")
        if len(verdict.findings) > _SHOWN:
            lines.append(f"    … {len(verdict.findings) - _SHOWN} more (--json)")
    return "\n".join(lines)
