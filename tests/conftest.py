"""One Chromium for all tests of a process: Playwright drives it from an event loop of its own, and there can be only one."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from typing import Any

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """A Playwright browser; a machine without one skips loudly, CI fails."""
    if CHROMIUM is None:
        if os.environ.get("CI") == "true":
            raise RuntimeError("a Chromium is missing in CI")
        pytest.skip("NO CHROMIUM on this machine: the pages were not looked at")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as started:
        opened = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser tests come last: from the first of them on this thread has a running loop, and no other test can have one.

    `make test` runs them apart; this is for whoever asks for a folder with both.
    """
    items.sort(key=lambda item: item.get_closest_marker("browser") is not None)
