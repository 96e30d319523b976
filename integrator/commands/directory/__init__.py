"""`integrator directory …`: the files an organisation says that it keeps. A vendor's application too: it asks a running hub.

National numbers are read from standard input or a file, never from the command line, which others can see.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from integrator.commands.directory import acts, load, sync


def add(words: Any) -> None:
    directory = words.add_parser("directory", help="who keeps a file about whom: your organisation's registrations")
    verbs = directory.add_subparsers(dest="verb", required=True)
    asked = argparse.ArgumentParser(add_help=False)
    asked.add_argument("--key", type=Path, required=True, help="of an application of the organisation")
    asked.add_argument("--purpose", required=True)
    asked.add_argument("--hub", help="default: the hub the key was made for")
    for verb in (acts, load, sync):
        verb.add(verbs, asked)
