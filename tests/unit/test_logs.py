"""What may be written in a log line, and everything that may not: numbers, names, bodies, exceptions' words."""

from __future__ import annotations

import io
import json
import logging
import random
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from integrator import logs

NUMBERS = ("85660812341", "85.66.08-123.41", "856608 123 41", "85 66 08 123 41", "85-66-08-123-41", "85/66/08/123/41")
PLATES = ("1ABC123", "1-ABC-123", "1 ABC 123", "ABC-123", "ABC123", "123-ABC")


@pytest.fixture
def out() -> Iterator[io.StringIO]:
    before, levels = logging.getLogger().handlers[:], logging.getLogger().level
    stream = io.StringIO()
    logs.configure(stream)
    yield stream
    logging.getLogger().handlers[:], logging.getLogger().level = before, levels
    logs.configure(None)
    logging.getLogger().handlers[:] = before
    logging.getLogger().setLevel(levels)


def line(out: io.StringIO) -> dict[str, Any]:
    written: dict[str, Any] = json.loads(out.getvalue().splitlines()[-1])
    return written


def test_known_fields_of_known_shapes_are_written(out: io.StringIO) -> None:
    logs.log.info(
        "exchange_failed",
        trace="a" * 32,
        service="person.get",
        status=503,
        ms=1.5,
        reason="LEGAL_CONTEXT",
        organisation="0207373429",
    )
    written = line(out)

    assert {"event": "exchange_failed", "trace": "a" * 32, "service": "person.get", "status": 503, "ms": 1.5, "reason": "LEGAL_CONTEXT",
            "organisation": "0207373429"}.items() <= written.items()  # fmt: skip


@pytest.mark.parametrize(
    "name",
    [
        "ssin",
        "familyName",
        "body",
        "headers",
        "token",
        "url",
        "path",
        "query",
        "message_body",
        "exception",
        "keys",
        "subject",
        "dossier",
        "agent",
    ],
)
def test_unknown_field_is_left_out_and_counted(out: io.StringIO, name: str) -> None:
    logs.log.warning("odd", **{name: "Eekhoorn"})

    assert ("Eekhoorn" in out.getvalue(), 1) == (False, line(out)["withheld"])


@pytest.mark.parametrize(
    "value",
    [
        *NUMBERS,
        *PLATES,
        "Eekhoorn Vrolijk",
        "é",
        "x" * 101,
        {"a": 1},
        ["a"],
        b"bytes",
        None,
        True,
        "line\nbreak",
        '"}\n{"event":"forged',
    ],
)
@pytest.mark.parametrize(
    "name", ["service", "reason", "source", "code", "error", "trace", "method", "status", "file", "version", "host"]
)
def test_value_of_another_shape_is_left_out(out: io.StringIO, name: str, value: Any) -> None:
    logs.log.info("odd", **{name: value})
    written = out.getvalue()

    assert 1 == written.count("\n")
    assert not [word for word in (*NUMBERS, *PLATES, "Eekhoorn", "forged") if word in written]


@pytest.mark.parametrize(
    "event", ["asked for 85660812341", "Eekhoorn", "asked about Vrolijke Eekhoorn", "x" * 65, "1abc", "a\nb"]
)
def test_event_that_is_no_constant_is_withheld(out: io.StringIO, event: str) -> None:
    logs.log.info(event)

    assert "(withheld)" == line(out)["event"]


@pytest.mark.parametrize("number", [85660812341, 99999999999, -85660812341])
def test_number_of_eleven_digits_is_no_count(out: io.StringIO, number: int) -> None:
    logs.log.info("odd", count=number)

    assert "count" not in line(out)


def test_exception_is_a_type_and_nothing_more(out: io.StringIO) -> None:
    try:
        raise ValueError("about 85660812341 Eekhoorn")
    except ValueError as error:
        logs.log.error("unexpected_error", error=type(error).__name__, exc_info=True)
        logging.getLogger("somebody").exception("it failed: %s", error)
        logging.getLogger("somebody").error(f"it failed: {error}")

    assert 2 == out.getvalue().count('"ValueError"')
    assert not [word for word in ("85660812341", "Eekhoorn", "Traceback") if word in out.getvalue()]


def test_library_line_keeps_its_template_and_loses_its_arguments(out: io.StringIO) -> None:
    logging.getLogger("aiohttp.client").warning("cannot reach %s for %s", "http://x/85660812341", "Eekhoorn")

    assert ("cannot reach %s for %s", "aiohttp.client", "library") == tuple(
        line(out)[name] for name in ("message", "logger", "event")
    )
    assert "Eekhoorn" not in out.getvalue()


def test_library_line_put_together_beforehand_is_withheld(out: io.StringIO) -> None:
    logging.getLogger("zeep").warning("Eekhoorn lives at 85660812341")

    assert "(withheld)" == line(out)["message"]


def test_library_object_instead_of_words_is_withheld(out: io.StringIO) -> None:
    logging.getLogger("zeep").warning(ValueError("Eekhoorn"))

    assert "Eekhoorn" not in out.getvalue()


def test_envelopes_of_zeep_are_not_written_at_debug(out: io.StringIO) -> None:
    logging.getLogger("zeep.transports").debug("HTTP Post to %s:\n%s", "x", "<Name>Eekhoorn</Name>")

    assert "" == out.getvalue()


def test_access_lines_are_not_written(out: io.StringIO) -> None:
    logging.getLogger("uvicorn.access").info(
        '%s - "%s %s HTTP/%s" %d', "1.2.3.4", "GET", "/x?ssin=85660812341", "1.1", 200
    )

    assert "" == out.getvalue()


def test_masks_find_what_looks_like_an_identifier() -> None:
    assert "[number]" == logs.mask("85660812341")
    assert all("[plate]" == logs.mask(plate) for plate in PLATES)
    assert "[vin] of [enterprise]" == logs.mask("WVWZZZ1JZXW000001 of 0314.595.348")


def test_before_anything_is_set_up_lines_are_redacted_too(capsys: pytest.CaptureFixture[str]) -> None:
    logs.log.info("early", ssin="85660812341")

    assert "85660812341" not in capsys.readouterr().err


def _personas() -> list[dict[str, Any]]:
    """Every named case of the mock sources: number, names, plates (as far as they are there)."""
    from pathlib import Path

    import yaml

    folder = Path(__file__).parents[2] / "mock-sources" / "mock_sources" / "personas"
    return [yaml.safe_load(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.yaml"))]


FORBIDDEN_KEYS = ("ssin", "number", "familyName", "givenNames", "plate", "plateNumber", "vin", "name")


def _secrets(value: Any, inside: bool = False) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _secrets(inner, inside or key.lower() in {word.lower() for word in FORBIDDEN_KEYS})
    elif isinstance(value, list):
        for inner in value:
            yield from _secrets(inner, inside)
    elif inside and isinstance(value, str | int) and not isinstance(value, bool) and len(str(value)) > 2:
        yield str(value)


def test_nothing_of_any_persona_can_be_written(out: io.StringIO) -> None:
    personas = _personas()
    if not personas:
        pytest.skip("the personas of the mock sources are not here")
    secrets = sorted({secret for persona in personas for secret in _secrets(persona)})
    shuffled = random.Random(1)
    for secret in secrets:
        logs.log.info("asked", **dict.fromkeys((*FORBIDDEN_KEYS, "body", "subject", "message"), secret))
        logs.log.info("asked about " + secret, count=1)
        logging.getLogger(shuffled.choice(("aiohttp", "zeep", "asyncio"))).warning("seen %s", secret)
        logging.getLogger("uvicorn.error").error("seen " + secret)
        try:
            raise RuntimeError(secret)
        except RuntimeError:
            logging.getLogger("asyncio").exception(
                "Task exception was never retrieved\nfuture: " + secret, exc_info=sys.exc_info()
            )
    written = [json.loads(text) for text in out.getvalue().splitlines()]
    leaked = [
        secret
        for secret in secrets
        if any(secret in str(value) for entry in written for name, value in entry.items() if name != "timestamp")
    ]

    assert len(secrets) > 100
    assert [] == [secret for secret in leaked if secret.lower() not in _OUR_WORDS]


_OUR_WORDS = frozenset({"asked", "seen", "library", "info", "warning", "error"})
