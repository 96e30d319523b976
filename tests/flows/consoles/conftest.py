"""A browser at the consoles of the one sandbox: `visit_as("dpo", "nl")` is a page that is signed in, `axe(page)` judges it.

Sessions are begun in the database, as signing in would; the journey of signing in itself is in test_signin.py.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from audit import Subject
from integrator import clock
from integrator.commands.sandbox import Sandbox
from integrator.consoles.database import Database
from integrator.consoles.people import Person
from integrator.consoles.sessions import Sessions
from integrator.consoles.vault import open_vault
from integrator.settings import Settings

IXELLES = "1992100975"
LANGUAGES = ("nl", "fr", "en")
SERIOUS = ("serious", "critical")
PHONE, DESK = {"width": 380, "height": 800}, {"width": 1440, "height": 900}
PICTURES = os.environ.get("PICTURES")  # a folder: pages are photographed into it
PEOPLE = {
    "dpo": Person("test-dpo", "dpo-ixelles", frozenset({"dpo"}), org=IXELLES),
    "hub_dpo": Person("test-hub-dpo", "dpo-hub", frozenset({"hub_dpo"})),
    "hub_dpo_2": Person("test-hub-dpo-2", "dpo-hub-2", frozenset({"hub_dpo"})),
    "auditor": Person("test-auditor", "auditor", frozenset({"auditor"})),
}

VisitAs = Callable[..., Any]
Axe = Callable[[Any], None]


@pytest.fixture(scope="session")
def session_of(hub: Sandbox, hub_settings: Settings) -> Iterator[Callable[..., str]]:
    """`session_of(person, data=None)` begins a session for somebody; what the browser has to hold."""
    database = Database(str(hub_settings.consoles["database"]))
    sessions = Sessions(database, open_vault(hub.state), clock.system)
    yield lambda person, data=None: asyncio.run(sessions.begin(person, data)).token
    database.close()


@pytest.fixture
def visit_as(browser: Any, hub: Sandbox, session_of: Callable[..., str]) -> Iterator[VisitAs]:
    """`visit_as(role, language="en", *, subject=None, script=True, size=DESK)`: a Playwright page at /console/.

    `role`: one of PEOPLE, or "citizen" with the subject's test number; None = nobody is signed in. `data`: what the
    session already keeps, such as {"reasons": {"about": "…"}}.
    """
    contexts = []

    def visit(
        role: str | None,
        language: str = "en",
        *,
        subject: Subject | None = None,
        script: bool = True,
        size: Any = DESK,
        data: dict[str, Any] | None = None,
    ) -> Any:
        context = browser.new_context(
            viewport=size, java_script_enabled=script, locale=language, base_url=hub.hub, reduced_motion="reduce"
        )
        contexts.append(context)
        cookies = [{"name": "language", "value": language, "url": hub.hub}]
        if role is not None:
            person = PEOPLE.get(role) or Person("test-citizen", "Citizen", frozenset({"citizen"}), subject=subject)
            token = in_thread(lambda: session_of(person, data))
            cookies.append({"name": "session", "value": token, "url": hub.hub})
        context.add_cookies(cookies)
        page = context.new_page()
        page.goto("/console/")
        return page

    yield visit
    for context in contexts:
        context.close()


def in_thread(work: Callable[[], Any]) -> Any:
    """Playwright keeps an event loop running in this thread, so whatever needs one of its own goes to another."""
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(work).result()


@pytest.fixture(scope="session")
def axe() -> Axe:
    """Fails when axe-core finds something serious (WCAG 2.1 A and AA), naming the rule and where."""
    import axe_playwright_python

    script = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")

    def judge(page: Any) -> None:
        page.evaluate(script)  # past the page's own policy, which lets no foreign script in
        rules = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]}
        found = page.evaluate("rules => axe.run(document, rules)", rules)
        wounds = [
            f"{one['id']}: {one['help']} at {node['target']}"
            for one in found["violations"]
            if one["impact"] in SERIOUS
            for node in one["nodes"]
        ]
        assert [] == wounds, page.url

    return judge


def fits(page: Any) -> bool:
    """Whether nothing sticks out of the window sideways."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"))


def follow(locator: Any) -> None:
    """Click what leads to another page, and be there afterwards: who looks at once still sees the page before."""
    with locator.page.expect_navigation():
        locator.click()


def photograph(page: Any, name: str) -> None:
    """For eyes: the whole page, where PICTURES names a folder."""
    if PICTURES:
        page.screenshot(path=str(Path(PICTURES) / f"{name}.png"), full_page=True)
