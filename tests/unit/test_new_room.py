"""A scaffolded room is a room: found, built, and its cases hold before anyone fills it in."""

from __future__ import annotations

import time

import pytest
import yaml

from integrator import registry
from integrator.commands.new import write
from integrator.contract import HttpAnswer, Question, Tools
from integrator.errors import ConfigurationError, SourceUnavailable

CASES = ("found", "unknown", "down")


@pytest.fixture
def room(tmp_path):
    write(tmp_path, "weather_office")
    return tmp_path / "weather_office"


@pytest.mark.parametrize("name", CASES)
async def test_a_case_of_a_new_room_holds(room, name, monkeypatch):
    manifest = registry.manifests(room.parent)["weather_office"]
    case = yaml.safe_load((room / "cases" / f"{name}.yaml").read_text())

    async def send(method, path, **question):
        answer = case["answer"]
        if "raises" in answer:
            raise SourceUnavailable("weather_office")
        return HttpAnswer(answer["status"], answer["contentType"], answer["body"].encode(), {})

    import connectors.client  # the namespace the room is loaded into

    monkeypatch.syspath_prepend(str(room.parent.parent))
    monkeypatch.setattr("connectors.__path__", [*connectors.__path__, str(room.parent)])
    connector = await registry.build(manifest, Tools("weather_office", room, {}, send, time.time, True))
    question = Question("get", case["question"]["keys"], frozenset(), False, "t", "0207000010", "", time.monotonic() + 5)
    try:
        got = (await connector.ask(question)).document
    except Exception as error:
        got = type(error).__name__

    assert (case["expect"].get("error") or case["expect"]["reply"]["document"]) == got


@pytest.mark.parametrize("name", ["Weather", "../up", "a", "x y"])
def test_a_name_that_is_no_room_is_refused(tmp_path, name):
    with pytest.raises(ConfigurationError):
        write(tmp_path, name)

    assert [] == list(tmp_path.iterdir())


def test_a_room_that_exists_is_never_overwritten(room):
    with pytest.raises(ConfigurationError, match="exists already"):
        write(room.parent, "weather_office")
