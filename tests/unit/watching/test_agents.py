"""Agents kept by hand: tags in a file that names nobody, read again when it changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from integrator.cli import main
from integrator.errors import ConfigurationError
from integrator.watching.agents import FileAgentTags, Near, Nobody
from tests.unit.watching.rig import AGENT_NUMBER, ORG, SUBJECT, tagger


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "state" / "agent-tags.json"


def test_what_the_operator_types_is_kept_as_tags_only(
    tmp_path: Path, file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    local = tmp_path / "local.yaml"
    local.write_text(f"state: {tmp_path / 'state'}\n")
    (tmp_path / "state").mkdir()
    typed = iter([f"{AGENT_NUMBER}\n", "Vos\n", "Voorbeeldstraat\n", "12\n", "\n", "1050\n"])
    monkeypatch.setattr(
        "sys.stdin", type("Pipe", (), {"isatty": lambda self: False, "readline": lambda self: next(typed)})()
    )

    assert 0 == main(["audit", "agents", "add", "a.1", "--org", "ixelles", "--settings", str(local)])
    assert 0 == main(["audit", "agents", "list", "--settings", str(local)])

    kept, said = file.read_text(), capsys.readouterr().out
    assert "a.1" in said
    assert not any(word in kept + said for word in (AGENT_NUMBER, "Vos", "Voorbeeldstraat"))
    assert 0o600 == file.stat().st_mode & 0o777
    known = FileAgentTags(file)
    assert tagger(tmp_path / "state" / "watching-keys").person(AGENT_NUMBER) == known.own("a.1")
    assert (1, 1) == (len(known.near("a.1").surnames), len(known.near("a.1").addresses))

    assert 0 == main(["audit", "agents", "forget", "a.1", "--settings", str(local)])
    assert 1 == main(["audit", "agents", "forget", "a.1", "--settings", str(local)])
    assert FileAgentTags(file).own("a.1") is None


def test_who_is_not_known_is_nobody(file: Path, tmp_path: Path) -> None:
    known, nobody = FileAgentTags(file), Nobody()

    assert (None, Near(), False) == (known.own("a.9"), known.near("a.9"), known.colleague(ORG, b"x"))
    assert (None, Near(), False) == (nobody.own("a.9"), nobody.near("a.9"), nobody.colleague(ORG, b"x"))


def test_another_process_sees_a_new_agent(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.parent.mkdir()
    monkeypatch.setattr("integrator.watching.agents._AGAIN", -1.0)
    reader, keyed = FileAgentTags(file), tagger(tmp_path / "keys")
    assert reader.own("a.1") is None

    FileAgentTags(file).put("a.1", ORG, keyed.person(SUBJECT), Near())

    assert keyed.person(SUBJECT) == reader.own("a.1")
    assert reader.colleague(ORG, keyed.person(SUBJECT))


def test_a_damaged_file_is_said_and_not_taken_for_an_empty_one(file: Path) -> None:
    file.parent.mkdir()
    file.write_text("{")

    with pytest.raises(ConfigurationError):
        FileAgentTags(file).agents()


def test_a_file_that_is_damaged_while_callers_wait_keeps_what_was_read_last(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.parent.mkdir()
    keyed = tagger(tmp_path / "keys")
    FileAgentTags(file).put("a.1", ORG, keyed.person(SUBJECT), Near())
    reader = FileAgentTags(file)
    known = reader.own("a.1")
    monkeypatch.setattr("integrator.watching.agents._AGAIN", 0.0)
    for wound in ("{", '{"a.1": {"own": "zz", "organisation": "1"}}', "[]", '{"a.1": 3}'):
        file.write_text(wound)

        assert known is not None and known == reader.own("a.1")
        with pytest.raises(ConfigurationError):
            reader.put("a.2", ORG, keyed.person(SUBJECT), Near())
