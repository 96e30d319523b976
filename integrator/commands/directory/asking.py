"""A hub asked with an application's key; what can go wrong in the words of the command line."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from integrator.errors import ConfigurationError


@contextmanager
def hub(chosen: argparse.Namespace) -> Iterator[Any]:
    """The vendors' client. A refusal of the hub becomes a `ConfigurationError` with its advice."""
    try:
        from connectors.client import Hub, HubUnreachable, Problem
    except ImportError as error:
        raise ConfigurationError("the vendor client needs httpx, which is not installed here") from error
    try:
        with Hub.from_key(chosen.key, purpose=chosen.purpose, url=chosen.hub) as client:
            yield client
    except Problem as problem:
        raise ConfigurationError(*said(problem)) from problem
    except HubUnreachable as error:
        raise ConfigurationError(
            "the hub does not answer", advice="Start it: integrator serve, or make demo"
        ) from error
    except FileNotFoundError as error:
        raise ConfigurationError(
            "there is no such file", advice="integrator app create NAME --purpose … makes a key"
        ) from error


def said(problem: Any) -> tuple[str]:
    """A problem in one line: reason, places and advice; never a value."""
    return (f"{problem.status} {problem.title}: " + words(problem.body),)


def words(problem: Mapping[str, Any]) -> str:
    """`field: what to do`, for each issue; else reason and advice."""
    issues = [
        f"{one.get('name', '/').lstrip('/') or 'row'}: {one.get('detail', '')}" for one in problem.get("issues", ())
    ]
    reason = problem.get("reason")
    return "; ".join(issues) or f"{reason + ': ' if reason else ''}{problem.get('detail', '')}"


def number() -> str:
    """One national number from standard input."""
    if sys.stdin.isatty():
        print("National number: ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip()
