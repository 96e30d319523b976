"""The demonstration says what is true: what it prints is what issue and README promise, and it notices when it is not."""

from __future__ import annotations

import dataclasses
import io
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from integrator.commands import demo, mock
from integrator.commands.sandbox import Sandbox

# Not inside a digest or a trace id, where eleven digits in a row mean nothing.
NUMBER = re.compile(r"(?<![\w-])\d{2}[-. /]?\d{2}[-. /]?\d{2}[-. /]?\d{3}[-. /]?\d{2}(?![\w-])")
ALL_CHECKS = ["livesAtAddress", "vehicleRegistered", "holdsValidLicence", "alive", "cardsBelowLimit"]


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> subprocess.CompletedProcess[str]:
    """`integrator demo --once --json`, as CI runs it, from a folder that is no checkout."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("INTEGRATOR_")}
    return subprocess.run(
        [Path(sys.executable).parent / "integrator", "demo", "--once", "--json", "--port", "0"],
        cwd=tmp_path_factory.mktemp("elsewhere"), env=kept, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


@pytest.fixture(scope="module")
def told(shown: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert 0 == shown.returncode, shown.stderr
    result: dict[str, Any] = json.loads(shown.stdout)
    return result


def test_it_prints_one_object_with_the_agreed_names(told: dict[str, Any]):
    names = {"eligible", "checks", "fieldsReleased", "entries", "recordedBeforeAnswer", "receipt", "refused", "unknown"}

    assert names == told.keys()


def test_the_five_questions_are_answered_yes_each_by_its_source(told: dict[str, Any]):
    sources = ["ksz", "div", "rijksregister", "rijksregister", "parking_cards"]

    assert "yes" == told["eligible"]
    assert [{"code", "source", "result", "ms"}] * 5 == [check.keys() for check in told["checks"]]
    assert ALL_CHECKS == [check["code"] for check in told["checks"]]
    assert sources == [check["source"] for check in told["checks"]]
    assert ["yes"] * 5 == [check["result"] for check in told["checks"]]


def test_no_field_of_any_source_was_released(told: dict[str, Any]):
    assert 0 == told["fieldsReleased"]


def test_every_source_asked_has_its_intent_and_outcome_before_the_answer(told: dict[str, Any]):
    opened = {entry["index"]: entry["source"]["service"] for entry in told["entries"] if entry["type"] == "intent"}
    closed = {
        entry["intent_ref"]: entry["source"]["service"] for entry in told["entries"] if entry["type"] == "outcome"
    }

    assert told["recordedBeforeAnswer"] is True
    assert opened == closed
    assert {"rijksregister", "ksz", "div", "best", "parking_cards", demo.SERVICE} == set(opened.values())
    assert {"resident_permit@2026-1"} == {entry["policy"]["id"] for entry in told["entries"]}


def test_the_other_purpose_is_refused_with_its_rule(told: dict[str, Any]):
    refused = told["refused"]

    assert (403, "urn:problem-type:belgif:missingPermission") == (refused["status"], refused["type"])
    assert ("SERVICE_NOT_GRANTED", "building_permit@2026-1") == (refused["reason"], refused["rule"])
    assert refused["advice"]


def test_while_the_div_is_down_what_needs_it_is_unknown_and_nothing_is_no(told: dict[str, Any]):
    unknown = told["unknown"]
    results = {check["code"]: check["result"] for check in unknown["checks"]}

    assert "unknown" == unknown["eligible"]
    assert {code: "unknown" if code == "vehicleRegistered" else "yes" for code in ALL_CHECKS} == results
    assert unknown["retryAfterSec"] > 0


def test_nobody_can_be_recognised_in_what_it_printed(shown: subprocess.CompletedProcess[str]):
    said = shown.stdout + shown.stderr

    assert [] == NUMBER.findall(said)
    assert [] == [name for name in ("Eekhoorn", "Specht", "1ABC123", "Voorbeeldstraat") if name in said]


@pytest.mark.parametrize("language", sorted(demo.TEXTS))
def test_the_screen_names_nobody(language: str, hub: Sandbox):
    screen = _screen(hub, language)

    assert [] == NUMBER.findall(screen)
    assert "Eekhoorn" not in screen


@pytest.mark.parametrize("language", sorted(demo.TEXTS))
def test_the_screen_speaks_one_language(language: str, hub: Sandbox):
    screen = _screen(hub, language)
    own, others = demo.TEXTS[language], [words for other, words in demo.TEXTS.items() if other != language]

    assert [] == [own[word] for word in ("ask", "other", "down", "refused", "unknown") if own[word] not in screen]
    assert [] == [words["ask"] for words in others if words["ask"] in screen]


WHOLE = demo.Result(
    eligible="yes", checks=[{"code": code, "result": "yes"} for code in ALL_CHECKS], fields_released=0, entries=[{"index": 7}],
    recorded_before_answer=True, receipt={"log": "a/b", "index": 7}, refused={"status": 403}, unknown={"eligible": "unknown", "checks": []},
)  # fmt: skip


def test_a_demonstration_that_holds_finds_nothing_wrong():
    assert [] == WHOLE.wrong()


@pytest.mark.parametrize(
    "wound",
    [
        {"eligible": "no"},
        {"checks": WHOLE.checks[1:]},
        {"checks": [*WHOLE.checks[:-1], {"code": ALL_CHECKS[-1], "result": "unknown"}]},
        {"fields_released": 1},
        {"recorded_before_answer": False},
        {"receipt": {"log": "a/b", "index": 8}},
        {"refused": {"status": 200}},
        {"unknown": {"eligible": "no", "checks": []}},
        {"unknown": {"eligible": "unknown", "checks": [{"code": "vehicleRegistered", "result": "no"}]}},
    ],
    ids=[
        "not_eligible", "a_question_missing", "a_question_unanswered", "a_field_released", "answered_before_recorded",
        "receipt_for_another_entry", "not_refused", "a_no_while_down", "a_false_no_in_a_check",
    ],
)  # fmt: skip
def test_a_line_that_differs_is_named(wound: dict[str, Any]):
    assert 1 == len(dataclasses.replace(WHOLE, **wound).wrong())


_screens: dict[str, str] = {}


def _screen(hub: Sandbox, language: str) -> str:
    """What a person reads, in one language; asked once, since three questions to five sources take their time."""
    if language not in _screens:
        seen = io.StringIO()
        time.sleep(1.1)  # the hub looks at its applications once a second, and the demo enrols its own anew
        screen = demo.Screen(Console(file=seen, width=200, highlight=False), language)
        demo._ask(hub, screen)
        screen.addresses(hub)
        _screens[language] = seen.getvalue()
        mock.call("DELETE", f"{hub.mocks}/mock/faults/div")
    return _screens[language]
