"""The process that verifies: a broken ledger or a stopped process is no verdict."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from integrator import settings as settings_module
from integrator.consoles.auditor.process import Apart, VerificationBroken


def test_a_ledger_without_published_keys_gives_no_verdict(tmp_path: Path) -> None:
    settings = settings_module.load(None, mode="sandbox", state=str(tmp_path))
    with pytest.raises(VerificationBroken, match="FileNotFoundError"):
        Apart(settings)({}, lambda done, total: None)


def test_a_verification_that_is_stopped_gives_no_verdict(tmp_path: Path) -> None:
    apart = Apart(settings_module.load(None, mode="sandbox", state=str(tmp_path)))
    threading.Timer(0.2, apart.stop).start()
    with pytest.raises(VerificationBroken):
        apart({}, lambda done, total: None)
