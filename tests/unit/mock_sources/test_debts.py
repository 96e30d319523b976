"""Three accounting packages: each lets in who has its token, takes its own question and nothing else, and pages as it says."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mock_sources.sources.debts_arrears import Arrears
from mock_sources.sources.debts_postes import Postes
from mock_sources.sources.debts_receipts import Receipts

SOMEBODY = "84651797654"
ROWS = [{"balance": f"{number}.00"} for number in range(1, 6)]
DOORS = {
    "receipts": (Receipts({SOMEBODY: []}, "t"), "/v1/openItems/search", {"person": SOMEBODY}),
    "postes": (Postes({SOMEBODY: []}, "t"), "/api/debiteurs/recherche", {"niss": SOMEBODY}),
    "arrears": (Arrears({SOMEBODY: ROWS}, "t"), "/rental/arrears", {"tenant": SOMEBODY, "page": 1}),
}


@pytest.fixture
def post(ask: Any) -> Any:
    def posted(package: str, body: Any = None, *, method: str = "POST", path: str = "", **headers: str) -> Any:
        app, door, question = DOORS[package]
        said = {"authorization": "Bearer t", "content-type": "application/json"} | headers
        sent = body if isinstance(body, bytes) else json.dumps(question if body is None else body).encode()
        return ask(
            app,
            method,
            path or door,
            body=sent,
            headers={name.replace("_", "-"): value for name, value in said.items()},
        )

    return posted


each = pytest.mark.parametrize("package", DOORS)


@each
def test_its_own_question_is_answered(post: Any, package: str) -> None:
    assert 200 == post(package).status


@each
@pytest.mark.parametrize(
    ("status", "more"),
    [(401, {"authorization": "Bearer u"}), (415, {"content_type": "text/plain"}), (404, {"path": "/elsewhere"}), (405, {"method": "PUT"}),
     (400, {"body": b"{"}), (400, {"body": {"ssin": SOMEBODY}}), (400, {"body": []})],
    ids=["another_token", "no_json", "another_address", "another_method", "broken", "another_word", "no_object"],
)  # fmt: skip
def test_everything_else_is_refused(post: Any, package: str, status: int, more: dict[str, Any]) -> None:
    assert status == post(package, **more).status


@each
def test_a_number_that_does_not_add_up_is_refused_and_not_said_again(post: Any, package: str) -> None:
    wrong = {name: SOMEBODY[:-1] + "0" if value == SOMEBODY else value for name, value in DOORS[package][2].items()}
    reply = post(package, wrong)

    assert 400 == reply.status
    assert SOMEBODY[:9] not in reply.body.decode()


def test_five_rows_are_three_pages_and_there_is_no_fourth(post: Any) -> None:
    pages = [json.loads(post("arrears", {"tenant": SOMEBODY, "page": page}).body) for page in (1, 2, 3)]

    assert ROWS == [row for page in pages for row in page["rows"]]
    assert [(1, 3, 5), (2, 3, 5), (3, 3, 5)] == [(one["page"], one["pages"], one["total"]) for one in pages]
    assert [400, 400] == [post("arrears", {"tenant": SOMEBODY, "page": page}).status for page in (0, 4)]


def test_only_one_of_them_does_not_know_who_owes_nothing(post: Any) -> None:
    other = "71632295922"
    unknown = post("receipts", {"person": other})

    assert (404, "urn:problem-type:receipts:debtorUnknown") == (unknown.status, json.loads(unknown.body)["type"])
    assert [] == json.loads(post("postes", {"niss": other}).body)["postes"]
    assert [] == json.loads(post("arrears", {"tenant": other, "page": 1}).body)["rows"]
