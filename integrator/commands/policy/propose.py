"""`integrator policy propose | proposals | approve | refuse | withdraw | history`: the life of a text.

A step taken here stands in the ledger as taken at the command line, where a name is only said. In production three people
propose and approve on the pages, where each proves who he is; whoever proposed here could approve there as another.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path
from typing import Any

from integrator.commands.policy.house import add_teller, drafts, moment, office, only_said, stamp, teller, word
from integrator.errors import ConfigurationError
from integrator.governing.tables import Proposal
from integrator.governing.texts import digest, purpose_of, read_texts
from integrator.governing.words import GoverningRefused
from integrator.policy.telling import LANGUAGES


def add(verbs: Any) -> None:
    propose = word(
        verbs,
        "propose",
        "propose changed texts; the machine checks them first (sandbox only: in production on the pages)",
        run_propose,
    )
    propose.add_argument("files", nargs="+", type=Path, help="purposes as they would become")
    propose.add_argument(
        "--reason", required=True, help="why, in 10 to 500 characters, without names or numbers of people"
    )
    propose.add_argument(
        "--from",
        dest="bases",
        nargs="+",
        default=[],
        metavar="TEXT",
        help="what each was written from: the file as it was, or sha256:… of one; left out for new purposes",
    )
    propose.add_argument("--effective", help="2027-01-01 or a moment; left out: as soon as two people approved")
    add_teller(propose)
    listed = word(verbs, "proposals", "what waits and what was decided; of one: all of it", run_proposals)
    listed.add_argument("id", nargs="?")
    listed.add_argument("--settings", type=Path)
    history = word(verbs, "history", "every change of a purpose's text", run_history)
    history.add_argument("purpose")
    history.add_argument("--settings", type=Path)
    for name, help_, run in (
        ("approve", "approve a proposal (sandbox only: in production on the pages)", run_approve),
        ("refuse", "refuse a proposal", run_refuse),
        ("withdraw", "take a proposal back before it is in force (sandbox only)", run_withdraw),
    ):
        one = word(verbs, name, help_, run)
        one.add_argument("id")
        add_teller(one)
        if name != "approve":
            one.add_argument("--reason", required=True)


def run_propose(chosen: argparse.Namespace) -> int:
    only_said(chosen, "proposes")
    texts = list(drafts(chosen.files).values())
    bases = bases_of(chosen.bases, texts)
    with office(chosen.settings) as governing:
        effective = int(moment(chosen.effective, governing.now()))
        try:
            made = asyncio.run(governing.office.propose(teller(chosen), texts, chosen.reason, effective, bases))
        except GoverningRefused as error:
            for one in error.findings:
                print(f"{one['file']}:{one['line']}: {one['severity']}: {one['message']}", file=sys.stderr)
            raise
    _show(made)
    return 0


def bases_of(named: list[str], texts: list[bytes]) -> dict[str, str]:
    """By purpose, the digest of the text it was written from. Raises `ConfigurationError`, `MalformedRequest`."""
    found: dict[str, str] = {}
    for name in named:
        if not name.startswith("sha256:"):
            found |= {purpose_of(text): digest(text) for text in read_texts(Path(name)).values()}
        elif len(texts) == 1:
            found[purpose_of(texts[0])] = name.removeprefix("sha256:")
        else:
            raise ConfigurationError("a digest says from what one text was written", advice="Name files with --from.")
    return found


def run_proposals(chosen: argparse.Namespace) -> int:
    with office(chosen.settings) as governing:
        if chosen.id:
            _show(asyncio.run(governing.office.find(chosen.id)), whole=True)
        else:
            _list(governing.office.store.newest())
    return 0


def run_history(chosen: argparse.Namespace) -> int:
    with office(chosen.settings) as governing:
        if chosen.purpose not in governing.live.current.texts:
            raise ConfigurationError(f"no such purpose: {chosen.purpose!r}", advice="See policies/.")
        _list(governing.office.store.history(chosen.purpose))
    return 0


def run_approve(chosen: argparse.Namespace) -> int:
    only_said(chosen, "approves")
    with office(chosen.settings) as governing:
        _line(asyncio.run(governing.office.approve(teller(chosen), chosen.id)))
    return 0


def run_refuse(chosen: argparse.Namespace) -> int:
    with office(chosen.settings) as governing:
        _line(asyncio.run(governing.office.refuse(teller(chosen), chosen.id, chosen.reason)))
    return 0


def run_withdraw(chosen: argparse.Namespace) -> int:
    only_said(chosen, "takes a text back")
    with office(chosen.settings) as governing:
        _line(asyncio.run(governing.office.withdraw(teller(chosen), chosen.id, chosen.reason)))
    return 0


def _list(found: list[Proposal]) -> None:
    for one in found:
        _line(one)
    if not found:
        print("no proposals: the texts are the files of policies/")


def _line(one: Proposal) -> None:
    approvals = f", {len(one.votes)} of 2 approvals" if one.state == "proposed" else ""
    print(f"{one.id}  {one.state:<10} {', '.join(one.purposes)}  from {stamp(one.effective)}{approvals}")
    print(f"    {one.proposer_name}: {one.reason}" + (f"  ({one.words})" if one.words else ""))


def _show(one: Proposal, *, whole: bool = False) -> None:
    _line(one)
    for draft in one.drafts:
        print(f"    {draft.purpose}: sha256:{draft.digest}" + ("" if draft.replaces else " (new)"))
    for language in LANGUAGES:
        for sentence in one.proof["differences"][language]:
            print(f"    {language}  {sentence}")
    found = one.proof.get("replay")
    if found:
        print(f"    of {found['calls']} questions in 30 days {found['untouched']} would be answered alike")
    for vote in one.votes:
        print(f"    approved by {vote.name}{', data protection officer' if vote.officer else ''}")
    if whole:
        for draft in one.drafts:
            print(f"--- {draft.purpose}\n{draft.text.decode()}")
