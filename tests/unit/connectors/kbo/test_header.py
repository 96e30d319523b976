"""The security header: fresh for every attempt, without the password, and a contract that cannot be talked out of XML."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from connectors.kbo import build
from connectors.kbo.client import Kbo
from integrator.contract import HttpAnswer, Send, Tools
from integrator.errors import ConfigurationError, SourceFault, SourceUnavailable
from tests.contract import cases as played

QUESTION = {"question": {"operation": "read_enterprise", "keys": {"enterpriseNumber": "1999900171"}}}
NONCE = re.compile(rb"<wsse:Nonce[^>]*>([^<]+)<")


async def test_every_attempt_of_a_question_has_a_nonce_of_its_own(with_send: Callable[[Send], Kbo]):
    attempts: list[bytes] = []

    async def channel(*_: Any, body: Callable[[], bytes], **__: Any) -> HttpAnswer:
        attempts.extend((body(), body(), body()))
        raise SourceUnavailable("kbo")

    with pytest.raises(SourceUnavailable):
        await with_send(channel).ask(played.question(QUESTION))

    assert 3 == len({NONCE.search(attempt).group(1) for attempt in attempts})  # type: ignore[union-attr]


async def test_key_that_xml_cannot_carry_is_not_sent(with_send: Callable[[Send], Kbo]):
    async def channel(*_: Any, **__: Any) -> HttpAnswer:
        raise AssertionError("nothing may leave")

    case = {"question": {"operation": "find_enterprises", "keys": {"name": "a\x00b"}}}
    with pytest.raises(SourceFault) as caught:
        await with_send(channel).ask(played.question(case))

    assert "UNSPEAKABLE" == caught.value.reason


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"username": "a"}', None])
def test_kit_that_cannot_be_read_is_said_at_start(tmp_path: Path, content: str | None):
    if content is not None:
        (tmp_path / "kbo.json").write_text(content)
    settings = {"credentials": str(tmp_path / "kbo.json")}

    with pytest.raises(ConfigurationError, match=r"sources\.kbo\.credentials"):
        build(Tools("kbo", played.ROOT / "connectors" / "kbo", settings, played.FakeSend([]), lambda: 0.0, True))
