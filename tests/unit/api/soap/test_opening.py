"""The key that answers are signed with: the sandbox has one at once, production when its operator gave one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from integrator.api.soap.opening import open_soap
from integrator.errors import ConfigurationError


def chosen(folder: Path) -> dict[str, Any]:
    return {
        "signingKey": str(folder / "keys" / "soap.key.pem"),
        "signingCertificate": str(folder / "keys" / "soap.cert.pem"),
    }


def test_the_sandbox_makes_a_key_once_and_nobody_else_can_read_it(tmp_path):
    first = open_soap(chosen(tmp_path), sandbox=True, now=lambda: 1e9)
    made = (tmp_path / "keys" / "soap.key.pem").read_bytes()
    again = open_soap(chosen(tmp_path), sandbox=True, now=lambda: 1e9)

    assert first is not None and again is not None
    assert made == (tmp_path / "keys" / "soap.key.pem").read_bytes()
    assert 0o600 == (tmp_path / "keys" / "soap.key.pem").stat().st_mode & 0o777
    assert not first.mutual


def test_production_without_a_key_has_no_such_facade(tmp_path):
    assert open_soap(chosen(tmp_path), sandbox=False, now=lambda: 1e9) is None
    assert not (tmp_path / "keys").exists()


def test_settings_without_a_key_are_no_facade(tmp_path):
    assert open_soap({}, sandbox=True, now=lambda: 1e9) is None


def test_a_key_that_does_not_belong_to_its_certificate_stops_the_start(tmp_path):
    open_soap(chosen(tmp_path / "a"), sandbox=True, now=lambda: 1e9)
    open_soap(chosen(tmp_path / "b"), sandbox=True, now=lambda: 1e9)
    crossed = chosen(tmp_path / "a") | {"signingCertificate": chosen(tmp_path / "b")["signingCertificate"]}

    with pytest.raises(ConfigurationError):
        open_soap(crossed, sandbox=False, now=lambda: 1e9)
