"""register, unregister, list, show: one thing at a time."""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from integrator import clock
from integrator.commands.directory.asking import hub, number

SOON = 60  # days
Item = Mapping[str, Any]


def add(verbs: Any, asked: argparse.ArgumentParser) -> None:
    register = verbs.add_parser("register", parents=[asked], help="you keep a file about somebody (number on stdin)")
    register.add_argument("--quality", required=True, help="code of the capacity; mappings/codes/cbss_quality.yaml")
    register.add_argument("--start", help="YYYY-MM-DD, default today")
    register.add_argument("--end", help="YYYY-MM-DD, default none")
    register.add_argument("--dossier", help="your own reference of the file")
    register.add_argument("--trial", action="store_true", help="say what would happen, change nothing")
    register.set_defaults(run=run_register)
    unregister = verbs.add_parser("unregister", parents=[asked], help="your file ends (number on stdin)")
    unregister.add_argument("--quality", required=True)
    last = unregister.add_mutually_exclusive_group(required=True)
    last.add_argument("--end", help="last day of the file")
    last.add_argument("--mistake", metavar="START", help="first day of a registration that should never have been made")
    unregister.add_argument("--trial", action="store_true")
    unregister.set_defaults(run=run_unregister)
    listing = verbs.add_parser("list", parents=[asked], help="your own registrations")
    listing.add_argument("--one", action="store_true", help="of one person (number on stdin)")
    listing.add_argument("--quality")
    listing.add_argument("--day", help="in force on that day")
    listing.add_argument("--known-on", help="as the directory said on that day")
    listing.add_argument("--json", action="store_true", help="one JSON object a line")
    listing.set_defaults(run=run_list)
    show = verbs.add_parser("show", parents=[asked], help="how many, in which quality, and what ends soon; no person")
    show.set_defaults(run=run_show)


def run_register(chosen: argparse.Namespace) -> int:
    optional = {"startDate": chosen.start, "endDate": chosen.end, "dossierReference": chosen.dossier}
    keys = {name: value for name, value in optional.items() if value is not None}
    with hub(chosen) as client:
        told = client.ask("directory.register", ssin=number(), quality=chosen.quality, **keys, **_trial(chosen))
    _tell(told.body)
    return 0


def run_unregister(chosen: argparse.Namespace) -> int:
    last = {"endDate": chosen.end} if chosen.end else {"mistakenStartDate": chosen.mistake}
    with hub(chosen) as client:
        told = client.ask("directory.unregister", ssin=number(), quality=chosen.quality, **last, **_trial(chosen))
    _tell(told.body)
    return 0


def run_list(chosen: argparse.Namespace) -> int:
    wanted = {"quality": chosen.quality, "day": chosen.day, "knownOn": chosen.known_on}
    if chosen.one:
        wanted["ssin"] = number()
    with hub(chosen) as client:
        for one in listed(client, **{name: value for name, value in wanted.items() if value is not None}):
            print(json.dumps(one, ensure_ascii=False) if chosen.json else f"{one['ssin']}  {_line(one)}")
    return 0


def run_show(chosen: argparse.Namespace) -> int:
    today = clock.today(clock.system())
    counts: Counter[tuple[str, str]] = Counter()
    ending = replaced = 0
    with hub(chosen) as client:
        for one in listed(client, day=today.isoformat()):
            counts[one["quality"]["code"], one["quality"].get("label", {}).get("en", "")] += 1
            ending += one.get("endDate", "9999") <= (today + timedelta(days=SOON)).isoformat()
            replaced += "replacedBy" in one
    for (code, label), count in sorted(counts.items(), key=lambda line: int(line[0][0])):
        print(f"{count:8}  {code:>3}  {label}")
    print(
        f"{counts.total():8}  registrations in force; {ending} end within {SOON} days, {replaced} under a replaced number"
    )
    return 0


def listed(client: Any, **wanted: Any) -> Iterator[Item]:
    """Every registration of the organisation for its purpose, page after page."""
    size, after = 100, dict[str, str]()
    while True:
        items = client.ask("directory.list", **wanted, **after, pageSize=size)["items"]
        yield from items
        if len(items) < size:
            return
        after = {"after": items[-1]["id"]}


def _trial(chosen: argparse.Namespace) -> dict[str, bool]:
    return {"isTrial": True} if chosen.trial else {}


def _tell(told: Mapping[str, Any]) -> None:
    """Without the number: whoever typed it knows it, and screens are looked at."""
    print(f"{told['result']}: {_line(told['registration'])}")
    for one in told.get("overlapping", ()):
        print(f"  overlaps {one['startDate']} – {one.get('endDate', '…')}")


def _line(one: Item) -> str:
    quality = one["quality"]
    words = [
        f"{one['startDate']} – {one.get('endDate', '…')}",
        f"{quality['code']} {quality.get('label', {}).get('en', '')}",
    ]
    more = [one.get("dossierReference"), "replaced" if "replacedBy" in one else None, one["id"]]
    return "  ".join([*words, *filter(None, more)])
