"""Every route of the consoles for programs stands in its OpenAPI document, and nothing else does."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from openapi_spec_validator import validate

from integrator.consoles import api, exports
from integrator.consoles.api import describe
from integrator.consoles.casefiles import api as casefiles
from integrator.consoles.casefiles.papers import attachments
from integrator.consoles.citizen import api as contests
from integrator.consoles.dpo import lists
from integrator.consoles.emergencies import api as emergencies
from integrator.consoles.mandates import api as mandates
from integrator.consoles.orders import api as orders
from integrator.consoles.reveals import api as reveals
from tests.unit.consoles.doorstep import consoles


def test_the_document_has_exactly_the_routes_there_are(tmp_path: Path) -> None:
    house: Any = consoles(tmp_path, lambda: 0.0)
    nobody: Any = None
    rest = FastAPI(openapi_url=None)
    for router in (
        api.router(house.desk, house.book, nobody, nobody), exports.router(house.desk, nobody, nobody, nobody, nobody, nobody),
        orders.router(nobody, nobody, nobody), casefiles.router(house, nobody, nobody), reveals.router(house, nobody, nobody),
        contests.router(house, nobody, nobody), mandates.router(house, nobody, nobody), emergencies.router(house, nobody, nobody),
    ):  # fmt: skip
        rest.include_router(router)
    house.database.close()
    served = {
        (method.lower(), path)
        for path, methods in rest.openapi()["paths"].items()
        for method in methods
        if path != "/audit/v1/openapi.json"
    }

    described = describe()
    validate(described)
    assert served == {(method, path) for path, methods in described["paths"].items() for method in methods}


def test_the_description_names_every_property_that_a_route_takes() -> None:
    paths = describe()["paths"]

    def takes(path: str) -> set[str]:
        return set(paths[path]["post"]["requestBody"]["content"]["application/json"]["schema"]["properties"])

    assert set(mandates.TAKES) == takes("/audit/v1/mandates")
    assert set(casefiles._OPENING) == takes("/audit/v1/requests")
    assert set().union(*casefiles._STEPS.values()) == takes("/audit/v1/requests/{id}/{step}")
    assert set(reveals._ASKING) == takes("/audit/v1/reveals")
    assert set(contests._CONTEST) == takes("/audit/v1/contests")


@pytest.mark.parametrize("language", ["nl", "fr", "en"])
def test_evidence_that_is_not_anchored_yet_is_named_line_by_line(language: str) -> None:
    import io
    import zipfile

    with zipfile.ZipFile(
        io.BytesIO(attachments({"letter.pdf": b"x"}, [(1, b"zip")], language, [(2, "hub/1/2026/17")]))
    ) as archive:
        names, missing = archive.namelist(), archive.read("evidence/missing.txt").decode()

    assert {"evidence/line-001.zip", "evidence/missing.txt", "README.txt", "verify.html", "letter.pdf"} == set(names)
    assert re.search(r"2\s?: hub/1/2026/17", missing)


def test_where_nothing_is_missing_nothing_says_so() -> None:
    assert b"missing.txt" not in attachments({"letter.pdf": b"x"}, [], "nl")


async def test_a_list_that_was_cut_says_so_in_its_name_and_at_both_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    from audit.reports import Page

    said: dict[str, Any] = {}

    async def look(visit: Any, question: str, **asked: Any) -> Page:
        pages["left"] -= 1
        return Page([], next="more" if pages["left"] else None)

    class Visit:
        @staticmethod
        def t(word: str, **values: Any) -> str:
            return f"{word} {values.get('n', '')}".strip()

        @staticmethod
        def file(data: str, kind: str, name: str) -> Any:
            said.update(data=data, name=name)

    monkeypatch.setattr(lists, "look", look)
    visit: Any = Visit()
    for count, name, ends in ((lists.CSV_PAGES, "about.csv", False), (lists.CSV_PAGES + 1, "about-newest-0.csv", True)):
        pages = {"left": count}
        await lists.rows_as_csv(visit, "about")
        lines = said["data"].removeprefix("\ufeff").splitlines()
        assert (name, ends, ends) == (said["name"], "csv_cut" in lines[0], "csv_cut" in lines[-1])
