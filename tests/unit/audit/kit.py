"""What the audit tests share: drafts without wounds, both engines, and a clock that stands still."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from audit import Draft

POSTGRES = os.environ.get("INTEGRATOR_TEST_POSTGRES", "postgresql://127.0.0.1/test")
ENGINES = [pytest.param("sqlite", id="sqlite"), pytest.param("postgres", id="postgres", marks=pytest.mark.postgres)]
TRACE = "0192f3a47c1e7d3a9b5e2f6a8c4d1e70"
SPAN = "b7ad6b7169203331"
SHARD = "audit.hub.example/test/node-1/2026"
NOON = 1_795_440_600_123_456  # µs, in November 2026
PERSON = "85610100147"  # a test number: month 61


def a_draft(type: str = "intent", **changes: Any) -> Draft:
    clear: dict[str, Any] = {
        "op": "dpv:Consult",
        "consumer": {"app": "housing-allowance", "org": "0207446759"},
        "dpl.core.processing_activity_id": "https://ropa.example.brussels/a/7f1c/v3",
    }
    clear |= changes.pop("clear", {})
    return Draft(
        type=type,
        trace_id=changes.pop("trace_id", TRACE),
        span_id=changes.pop("span_id", SPAN),
        name=changes.pop("name", "person.get"),
        retention=changes.pop("retention", "Y10"),
        clear=clear,
        **changes,
    )


def a_full_draft(**changes: Any) -> Draft:
    return a_draft(
        **{
            "committed": {"case_ref": "2026/117", "fields": ["address", "name"], "query_digest": "0f" * 32, "client": {"cert": "0a" * 32}},
            "subjects": [("nrn", PERSON, "data-subject")],
            "agent": {"id": "agent-77", "unit": "housing", "role": "clerk"},
            **changes,
        }
    )


class Clock:
    """Time that moves only when told."""

    def __init__(self, now: int = NOON) -> None:
        self.now = now

    def __call__(self) -> int:
        return self.now


@contextmanager
def engine_url(engine: str, folder: Path) -> Iterator[str]:
    """A fresh place for a ledger, gone afterwards."""
    if engine == "sqlite":
        yield f"sqlite:///{folder / 'ledger.db'}"
        return
    schema = f"ledger_{uuid.uuid4().hex}"
    with administrator() as connection:
        connection.execute(f"CREATE SCHEMA {schema}")
    try:
        yield f"{POSTGRES}?options=-csearch_path%3D{schema}&application_name={schema}"
    finally:
        with administrator() as connection:
            connection.execute(f"DROP SCHEMA {schema} CASCADE")


@contextmanager
def administrator() -> Iterator[psycopg.Connection[Any]]:
    """A connection of our own to the test database; without a server the test is skipped, or fails where CI is set."""
    try:
        connection = psycopg.connect(POSTGRES, autocommit=True, connect_timeout=3)
    except psycopg.OperationalError as error:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(f"NO POSTGRESQL: {POSTGRES.split('@')[-1]} does not answer ({type(error).__name__})")
    with connection:
        yield connection
