"""A room's fault codes: every line is an error of ours, and nothing of the source's text comes along."""

from __future__ import annotations

from pathlib import Path

import pytest

from integrator.errors import ConfigurationError, SourceFault, SourceThrottled, SubjectNotFound
from integrator.transport.faults import Faults

CONNECTORS = Path(__file__).resolve().parents[3] / "connectors"
ROOMS = sorted(CONNECTORS.glob("*/faults.yaml"))
OTHERS = {"*": {"error": "SourceFault", "reason": "FAULT"}}


def test_code_becomes_the_error_of_its_line():
    faults = Faults("div", {**OTHERS, "30001": {"error": "SubjectNotFound"}})

    assert isinstance(faults.error("30001"), SubjectNotFound)


def test_code_nobody_told_us_about_is_the_rest():
    error = Faults("div", OTHERS).error("85660812341")

    assert ("FAULT", False) == (isinstance(error, SourceFault) and error.reason, "85660812341" in str(error))


def test_star_sent_by_a_source_is_not_the_star_of_the_table():
    assert "*" not in str(Faults("div", OTHERS).error("*"))


def test_throttling_may_say_how_long():
    error = Faults("div", {**OTHERS, "99995": {"error": "SourceThrottled", "retryAfter": 10}}).error("99995")

    assert 10 == (isinstance(error, SourceThrottled) and error.retry_after)


@pytest.mark.parametrize(
    "table",
    [
        {},
        {"*": {"error": "Exception"}},
        {"*": {"error": "SourceFault"}},
        {"*": {"error": "SourceRefused"}},
        {"*": {"error": "SourceFault", "reason": "FAULT", "text": "typing slip"}},
        {"*": {"error": "HubBusy"}},
    ],
)
def test_line_that_is_none_is_refused_at_start(table):
    with pytest.raises(ConfigurationError):
        Faults("div", table)


@pytest.mark.parametrize("path", ROOMS, ids=[path.parent.name for path in ROOMS])
def test_rooms_table_can_be_read(path):
    assert "*" in Faults.load(path.parent.name, path)
