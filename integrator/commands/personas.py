"""`integrator personas find '…'`: a test person by property, from the mocks' own region."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from integrator.errors import ConfigurationError


def add(words: Any) -> None:
    parser = words.add_parser("personas", help="find a test person by property")
    verbs = parser.add_subparsers(dest="verb", required=True)
    find = verbs.add_parser("find", help="for example: 'household.size>=4 and vehicles.count==2'")
    find.add_argument("query", nargs="?", default="")
    find.add_argument("--limit", type=int, default=10)
    find.add_argument("--json", action="store_true")
    find.add_argument("--seed", type=int, default=7)
    find.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    try:
        from mock_sources.world import World  # the sandbox's own library; absent from a production install
        from mock_sources.world.find import find
    except ImportError as error:
        raise ConfigurationError("the mock sources are not installed here") from error
    try:
        found = list(find(World.build(chosen.seed), chosen.query, limit=chosen.limit))
    except ValueError as error:
        raise ConfigurationError(
            f"that question cannot be read: {error}", advice="integrator personas find --help"
        ) from error
    if chosen.json:
        print(json.dumps(found, ensure_ascii=False, default=str))
    else:
        for one in found:
            print(_line(one))
        if not found:
            print("nobody; ask for less", file=sys.stderr)
    return 0 if found else 1


def _line(one: dict[str, Any]) -> str:
    """One person on one line: number, what the case is called, name, birth, address, plates."""
    home = one.get("address", {})
    street = home.get("streetName", {})
    place = [street.get("nl") or street.get("fr"), home.get("houseNumber"), home.get("boxNumber"), home.get("postCode")]
    shown = [one.get("ssin"), one.get("slug"), one.get("name"), one.get("birthDate"), " ".join(filter(None, place)),
             " ".join((*one.get("plates", ()), *one.get("enterpriseNumbers", ())))]  # fmt: skip
    return " · ".join(filter(None, shown))
