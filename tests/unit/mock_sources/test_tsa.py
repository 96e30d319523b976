"""The sandbox's time stamping authority: what it answers, and the lies it can be told to tell."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from mock_sources.faults import Board, parse_fault
from mock_sources.layer import FaultLayer
from mock_sources.server import running
from mock_sources.tsa import Authority, Tsa
from mock_sources.tsa.door import imprint

DIGEST = hashlib.sha256(b"a checkpoint\n").digest()
QUERY = {"content-type": "application/timestamp-query"}


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def board() -> Board:
    return Board()


@pytest.fixture(scope="module")
def url(authority: Authority, board: Board) -> Iterator[str]:
    with running(FaultLayer(Tsa(authority), "tsa", board)) as base:
        yield base


@pytest.fixture
def strike(board: Board) -> Iterator[object]:
    yield lambda kind: board.put("tsa", parse_fault("tsa", {"kind": kind}))
    board.clear("tsa")


def accepted(reply: bytes, query: bytes, root: Path, folder: Path) -> bool:
    """openssl's verdict on an answer to this query."""
    (folder / "reply").write_bytes(reply)
    (folder / "query").write_bytes(query)
    asked = ["openssl", "ts", "-verify", "-in", "reply", "-queryfile", "query", "-CAfile", str(root)]
    return subprocess.run(asked, cwd=folder, capture_output=True, check=False).returncode == 0


def test_a_query_is_stamped_and_openssl_accepts_the_reply(url: str, authority: Authority, tmp_path: Path) -> None:
    query = authority.query(DIGEST)

    answer = httpx.post(url, content=query, headers=QUERY)

    assert (200, "application/timestamp-reply") == (answer.status_code, answer.headers["content-type"])
    assert accepted(answer.content, query, authority.root, tmp_path)


@pytest.mark.parametrize("kind", ["wrong_nonce", "wrong_imprint", "expired_certificate"])
def test_a_lie_is_a_well_formed_reply_that_openssl_refuses(
    kind: str, url: str, authority: Authority, strike: object, tmp_path: Path
) -> None:
    query = authority.query(DIGEST)
    strike(kind)  # type: ignore[operator]

    answer = httpx.post(url, content=query, headers=QUERY)

    assert 200 == answer.status_code
    assert not accepted(answer.content, query, authority.root, tmp_path)


def test_unsorted_certificates_are_no_lie(url: str, authority: Authority, strike: object, tmp_path: Path) -> None:
    query = authority.query(DIGEST)
    strike("unsorted_certificates")  # type: ignore[operator]

    assert accepted(httpx.post(url, content=query, headers=QUERY).content, query, authority.root, tmp_path)


def test_what_is_no_query_gets_no_stamp(url: str) -> None:
    assert 405 == httpx.get(url).status_code
    assert 415 == httpx.post(url, content=b"x", headers={"content-type": "text/plain"}).status_code
    assert 400 == httpx.post(url, content=b"x" * 5000, headers=QUERY).status_code
    reply = httpx.post(url, content=b"rubbish", headers=QUERY)
    assert DIGEST not in reply.content and len(reply.content) < 600


def test_the_imprint_is_read_from_the_query(authority: Authority) -> None:
    assert DIGEST == imprint(authority.query(DIGEST))
    for wound in (b"", b"\x30", b"\x30\x82\x01\x01", authority.query(DIGEST)[3:]):
        with pytest.raises(ValueError, match="query"):
            imprint(wound)


def test_a_second_process_on_the_same_state_has_the_same_root(authority: Authority) -> None:
    again = Authority(authority.folder.parent)

    assert authority.root.read_bytes() == again.root.read_bytes()
    assert 0o600 == (authority.folder / "signer.key.pem").stat().st_mode & 0o777
