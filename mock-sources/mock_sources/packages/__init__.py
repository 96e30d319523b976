"""Closed packages as municipalities have them, each with the one way it lets others in, and a door for its clerk.

population_view    a database: a view that may be read · POST /packages/population_view/changes enters a change, …/declarations a declared address
district_team      speaks SOAP only, and asks the hub itself · POST /packages/district_team/sync, …/visits · GET …/investigations
parking_register   a folder behind SFTP, fixed width · POST /packages/parking_register/files writes a file of rows
irisbox            an API of JSON pages, GET /packages/irisbox/api/questions · POST /packages/irisbox/questions asks one
street_reports     an API of JSON pages, GET /packages/street_reports/api/reports · POST /packages/street_reports/reports enters one
school_desk        no door but the one of its own program: POST /packages/school_desk/import · GET /packages/school_desk/queue/1520

How to get in stands in state/access/<package>.yaml, as the package's manager would hand it over: secret, for its owner only.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import orjson

from mock_sources.asgi import BodyTooLarge, Receive, Scope, Send, problem, read_body, respond_json, respond_problem
from mock_sources.clock import Clock
from mock_sources.packages.district_team import DistrictTeam
from mock_sources.packages.irisbox import Desk as QuestionDesk
from mock_sources.packages.pages import Pages
from mock_sources.packages.population import Population
from mock_sources.packages.school import SchoolDesk
from mock_sources.packages.street import StreetDesk

_LIMIT = 65_536
Desk = Callable[[Mapping[str, Any]], Awaitable[dict[str, Any]]]
Look = Callable[[str], Awaitable[dict[str, Any]]]


class Packages:
    """ASGI callable under /packages: a clerk enters something, or looks at what there is. Raises nothing: what is wrong is a problem."""

    def __init__(self, state: Path, clock: Clock, *, listen: bool = False) -> None:
        """`listen`: the SFTP server too, on a port of its own that it keeps."""
        population = Population(state / "packages" / "population.db", clock)
        hand_over(state, "population_view", {"database": f"sqlite:///{population.path}"})
        self._desks: dict[tuple[str, str], Desk] = {
            ("population_view", "changes"): population.enter,
            ("population_view", "declarations"): population.declare,
        }
        hand_over(state, "population_declarations", {"database": f"sqlite:///{population.path}"})
        police = DistrictTeam(state / "packages" / "district_team", clock)
        for door, what in (
            ("certificate", police.certificate), ("connect", police.connect), ("sync", police.sync), ("visits", police.visit),
        ):  # fmt: skip
            self._desks["district_team", door] = what
        questions = QuestionDesk(state / "packages" / "irisbox.json", clock)
        street = StreetDesk(state / "packages" / "street_reports.json", clock)
        self._desks |= {("irisbox", "questions"): questions.ask, ("street_reports", "reports"): street.report}
        self._pages: dict[tuple[str, str], Pages] = {
            ("irisbox", "api/questions"): questions.pages,
            ("street_reports", "api/reports"): street.pages,
        }
        school = SchoolDesk(state / "packages" / "school.db")
        self._desks["school_desk", "import"] = school.enter
        self._looks: dict[tuple[str, str], Look] = {
            ("school_desk", "queue"): school.queue,
            ("district_team", "investigations"): police.investigations,
        }
        self._state = state
        if listen:
            from mock_sources.packages.parking import Register  # late: not every program of ours needs SSH

            register = Register(state / "packages" / "parking_register")
            hand_over(state, "parking_register", register.listen())
            self._desks["parking_register", "files"] = register.write

    def stand_at(self, base: str) -> None:
        """The address of the mocks, known when they are bound."""
        for (package, _), pages in self._pages.items():
            headers = {"Authorization": f"Bearer {pages.token}"}
            hand_over(self._state, package, {"url": f"{base}/packages/{package}/api", "headers": headers})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        package, _, what = scope["path"].strip("/").partition("/")
        if (package, what) in self._pages:
            await self._pages[package, what](scope, receive, send)
            return
        look = self._looks.get((package, what.partition("/")[0]))
        if look is not None and scope["method"] == "GET":
            await respond_json(send, 200, await look(what.partition("/")[2]))
            return
        desk = self._desks.get((package, what))
        if desk is None or scope["method"] != "POST":
            await respond_problem(send, problem(404, "resourceNotFound", f"POST to one of: {self._doors()}"))
            return
        try:
            entered = orjson.loads(await read_body(receive, _LIMIT))
            await respond_json(send, 201, await desk(entered))
        except (BodyTooLarge, orjson.JSONDecodeError, KeyError, TypeError, ValueError) as error:
            await respond_problem(send, problem(400, "badRequest", f"{type(error).__name__}: {error}"))

    def _doors(self) -> str:
        return ", ".join(f"/packages/{package}/{what}" for package, what in self._desks)


def hand_over(state: Path, package: str, access: Mapping[str, Any]) -> None:
    """Write state/access/<package>.yaml, which nobody else may read."""
    folder = state / "access"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    aside = folder / f".{package}.part"
    with open(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:  # noqa: PTH123
        file.write(orjson.dumps(access, option=orjson.OPT_INDENT_2) + b"\n")  # JSON is YAML
    aside.rename(folder / f"{package}.yaml")
