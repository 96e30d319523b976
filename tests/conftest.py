"""What all tests of a process share: one Chromium, and the texts of the data rooms, parsed once.

Playwright drives the browser from an event loop of its own, and there can be only one.
"""

from __future__ import annotations

import os
import pickle
import shutil
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, settings

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def remembering(load: Callable[..., Any]) -> Callable[..., Any]:
    """YAML is parsed once for each text, as hundreds of tests open the same rooms; everybody gets a tree of their own."""

    @lru_cache(maxsize=2048)
    def parsed(text: str | bytes, loader: Any) -> bytes:
        return pickle.dumps(load(text, Loader=loader))

    def remembered(stream: Any, Loader: Any) -> Any:
        if not isinstance(stream, (str, bytes)):
            return load(stream, Loader=Loader)
        return pickle.loads(parsed(stream, Loader))  # noqa: S301 (what was pickled above)

    return remembered


yaml.load = remembering(yaml.load)

# A property that asks for no number of its own: some examples each time, other ones the next, and many in `make soak`.
# None is held against a clock: on a busy machine a first text alone takes a second.
untimed = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("everyday", max_examples=25, **untimed)
settings.register_profile("soak", max_examples=200, **untimed)
settings.load_profile("everyday")


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
