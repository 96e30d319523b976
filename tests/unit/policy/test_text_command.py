"""`integrator policy text`: what decided, byte for byte."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from integrator import places
from integrator.cli import main
from integrator.governing.archive import Archive
from integrator.policy import load_policies
from integrator.settings import organisations


@pytest.fixture
def local(tmp_path: Path) -> Path:
    path = tmp_path / "local.yaml"
    path.write_text(f"state: {tmp_path / 'state'}\n")
    return path


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive(tmp_path / "state" / "texts")


def test_every_text_that_may_decide_was_kept_before_it_could(archive: Archive) -> None:
    policies = load_policies(places.folder("policies"), organisations(), keep=archive.put)

    kept = set(archive.digests())
    assert kept == {
        grant.digest for purpose, organisation, _ in policies.held() for grant in policies.grants(purpose, organisation)
    }


def test_a_text_is_printed_as_it_was(local: Path, archive: Archive, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    text = (places.folder("policies") / "social_inquiry.yaml").read_bytes()
    digest = archive.put(text)

    code = main(["policy", "text", f"sha256:{digest}", "--settings", str(local)])

    assert (0, digest) == (code, hashlib.sha256(capfdbinary.readouterr().out).hexdigest())


def test_the_list_names_the_purpose_of_each(local: Path, archive: Archive, capsys: pytest.CaptureFixture[str]) -> None:
    digest = archive.put((places.folder("policies") / "social_inquiry.yaml").read_bytes())
    other = archive.put(b"no purpose at all")

    main(["policy", "text", "--settings", str(local)])

    assert sorted([f"sha256:{digest}  social_inquiry", f"sha256:{other}  ?"]) == capsys.readouterr().out.splitlines()


def test_a_text_that_is_not_kept_is_no_empty_text(local: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["policy", "text", "0" * 64, "--settings", str(local)]) != 0
    assert "no text with this digest" in capsys.readouterr().err
