"""`integrator policy text DIGEST`: the exact text that decided, as it was then; without a digest, which texts are kept.

A ledger entry names it as `policy.ver` (sha256:…). The bytes that are printed have that digest: they were hashed again.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from integrator import settings
from integrator.errors import ConfigurationError
from integrator.governing.archive import Archive, open_archive
from integrator.places import parse_yaml


def add(verbs: Any) -> None:
    parser = verbs.add_parser("text", help="the text of an authorisation as it was when it decided")
    parser.add_argument("digest", nargs="?", help="sha256:… or 64 hexadecimal digits; left out: list what is kept")
    parser.add_argument("--settings", type=Path)
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    archive = open_archive(settings.load(chosen.settings))
    if chosen.digest is None:
        for digest in archive.digests():
            print(f"sha256:{digest}  {_title(archive, digest)}")
        return 0
    text = archive.get(chosen.digest)
    if text is None:
        raise ConfigurationError(
            "no text with this digest is kept here",
            advice="Copy `policy.ver` whole. Each hub keeps the texts it ever started with, from the day it began to.",
        )
    sys.stdout.flush()
    sys.stdout.buffer.write(text)
    return 0


def _title(archive: Archive, digest: str) -> str:
    """The purpose a text is about; drafts that were kept may be anything."""
    try:
        return str(parse_yaml("archived text", archive.get(digest) or b"")["purpose"])
    except (ConfigurationError, KeyError, TypeError):
        return "?"
