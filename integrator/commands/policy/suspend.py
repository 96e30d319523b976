"""`integrator policy suspend | suspended | giveback`: take an authorisation away at once; giving it back takes two people."""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path
from typing import Any

from integrator.commands.policy.house import add_teller, office, only_said, stamp, teller, word


def add(verbs: Any) -> None:
    now = word(verbs, "suspend", "take an authorisation away at once (data protection officers)", run_suspend)
    now.add_argument("authorisation", help="e.g. school_enrolment@2026-1")
    now.add_argument("--reason", required=True)
    add_teller(now)
    listed = word(verbs, "suspended", "what is suspended, and what was", run_suspended)
    listed.add_argument("--settings", type=Path)
    back = word(
        verbs, "giveback", "ask what was suspended back (--reason), or agree to that (sandbox only)", run_giveback
    )
    back.add_argument("id")
    back.add_argument("--reason", help="given: ask it back; left out: agree, as the second person")
    add_teller(back)


def run_suspend(chosen: argparse.Namespace) -> int:
    who = teller(chosen)
    with office(chosen.settings) as governing:
        made = asyncio.run(governing.suspending.suspend(who, chosen.authorisation, who.org, chosen.reason))
    print(f"{made.id}  suspended  {made.authorisation}  for {made.org or 'everybody'}")
    return 0


def run_suspended(chosen: argparse.Namespace) -> int:
    with office(chosen.settings) as governing:
        found = governing.office.store.suspensions()
    for one in found:
        print(
            f"{one.id}  {one.state:<8} {one.authorisation}  for {one.org or 'everybody'}  since {stamp(one.since)}  {one.by_name}: {one.reason}"
        )
    if not found:
        print("nothing is suspended")
    return 0


def run_giveback(chosen: argparse.Namespace) -> int:
    who = teller(chosen)
    only_said(chosen, "gives back what was suspended")
    with office(chosen.settings) as governing:
        if chosen.reason:
            made = asyncio.run(governing.suspending.ask_back(who, chosen.id, chosen.reason))
        else:
            made = asyncio.run(governing.suspending.give_back(who, chosen.id))
    print(f"{made.id}  {made.state}  {made.authorisation}")
    return 0
