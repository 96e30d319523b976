"""One authority for all these tests (it makes three key pairs), and stamps over a checkpoint's text."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography import x509

from audit.timestamps.stamp import load_roots
from mock_sources.tsa import Authority

TEXT = b"audit.hub.example/sandbox/anchor\n7\nK7gNU3sdo+OL0wNhqoVWhr3g6s1xYv72ol/pe/Unols=\n"


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def roots(authority: Authority) -> list[x509.Certificate]:
    return load_roots(authority.root)


@pytest.fixture(scope="session")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Another authority, under another root."""
    return Authority(tmp_path_factory.mktemp("stranger"))


@pytest.fixture
def text_file(tmp_path: Path) -> Path:
    path = tmp_path / "text"
    path.write_bytes(TEXT)
    return path
