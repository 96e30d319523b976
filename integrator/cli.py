"""`integrator …`: one word per thing a person does with the hub. Each word is a module in commands/ with `add` and `run`."""

from __future__ import annotations

import argparse
import sys

from integrator.commands import WORDS
from integrator.errors import IntegratorError


def main(arguments: list[str] | None = None) -> int:
    """Run one command; 0 = done, 1 = refused or failed (said on stderr, with advice), 2 = misused."""
    parser = argparse.ArgumentParser(prog="integrator", description="A regional service integrator.")
    words = parser.add_subparsers(dest="word", required=True, metavar="COMMAND")
    for word in WORDS:
        word.add(words)
    chosen = parser.parse_args(arguments)
    try:
        return int(chosen.run(chosen) or 0)
    except IntegratorError as error:
        print(f"integrator: {error}\n  → {error.hint}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
