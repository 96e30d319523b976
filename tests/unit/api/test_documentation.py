"""The description of the API is valid twice over, leaves nothing out, and people can read it in their language."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from lxml import html
from openapi_spec_validator import OpenAPIV30SpecValidator, OpenAPIV31SpecValidator

from integrator.api.openapi30 import downgrade

SHARED = Path(__file__).parents[4] / "shared" / "contracts" / "belgif"
PAGES = ("/docs", "/docs/person.get", "/docs/enterprise.get", "/docs/vehicle.registrations", "/docs/parking.check", "/refData/problemTypes",
         "/refData/problemTypes/urn:problem-type:belgif:badRequest", "/refData/codes", "/refData/codes/gender")  # fmt: skip
HTML = {"Accept": "text/html"}


@pytest.fixture
async def new(stranger: Any) -> Any:
    return (await stranger("GET", "/openapi.json")).json()


@pytest.fixture
async def old(stranger: Any) -> Any:
    return (await stranger("GET", "/doc/openapi.json")).json()


def everything(value: Any) -> Any:
    yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from everything(inner)


async def test_openapi_3_1_is_valid(new: Any) -> None:
    OpenAPIV31SpecValidator(new).validate()


async def test_openapi_3_0_is_valid(old: Any) -> None:
    OpenAPIV30SpecValidator(old).validate()


async def test_openapi_3_0_has_no_word_of_3_1(old: Any) -> None:
    words = {word for value in everything(old) if isinstance(value, dict) for word in value}

    assert set() == words & {"const", "prefixItems", "$defs", "webhooks", "jsonSchemaDialect"}
    assert "summary" not in old["info"]


async def test_nothing_may_be_null_anywhere(new: Any, old: Any) -> None:
    for value in (*everything(new), *everything(old)):
        assert not (
            isinstance(value, dict)
            and ("nullable" in value or value.get("type") == "null" or isinstance(value.get("type"), list))
        )
        assert value is not None


async def test_every_service_is_described_at_its_own_address(new: Any, hub: Any) -> None:
    described = {(method.upper(), path) for path, methods in new["paths"].items() for method in methods}

    assert {(service.method, service.path) for service in hub.services.values()} <= described


async def test_operation_ids_are_unique_lower_camel_case(new: Any) -> None:
    ids = [operation["operationId"] for methods in new["paths"].values() for operation in methods.values()]

    assert sorted(set(ids)) == sorted(ids)
    assert all(re.fullmatch(r"[a-z][A-Za-z]+", one) for one in ids)


async def test_every_operation_has_one_declared_tag_and_a_default_problem(new: Any) -> None:
    tags = {tag["name"] for tag in new["tags"]}
    for methods in new["paths"].values():
        for operation in methods.values():
            assert 1 == len(operation["tags"])
            assert operation["tags"][0] in tags
            assert {"$ref": "#/components/responses/Problem"} == operation["responses"]["default"]


async def test_examples_of_questions_are_accepted_by_schema_and_service(new: Any, hub: Any) -> None:
    seen = 0
    for service in hub.services.values():
        body = new["paths"][service.path][service.method.lower()].get("requestBody")
        if body is None:
            continue
        media = body["content"]["application/json"]
        example = media["examples"]["ordinary"]["value"]
        jsonschema.Draft202012Validator(media["schema"]).validate(example)
        service.read(example)
        seen += 1

    assert 3 == seen


async def test_answer_shows_exactly_the_fields_the_service_offers(new: Any) -> None:
    shown = new["components"]["schemas"]["PersonGetAnswer"]["properties"]

    assert {
        "ssin",
        "familyName",
        "birthDate",
        "gender",
        "source",
        "address",
        "nationalities",
        "givenNames",
        "isComplete",
        "withheld",
    } == set(shown)
    assert {"postCode", "houseNumber"} == set(shown["address"]["properties"])
    assert ({"$ref": "#/components/schemas/Code"}, ["RR"], "array") == (
        shown["gender"], shown["source"]["enum"], shown["nationalities"]["type"],
    )  # fmt: skip


async def test_list_answer_requires_its_list(new: Any) -> None:
    answer = new["components"]["schemas"]["VehicleRegistrationsAnswer"]

    assert ["items"] == answer["required"]
    assert {"type": "integer"} == answer["properties"]["items"]["items"]["properties"]["count"]


async def test_composition_answers_yes_no_unknown(new: Any) -> None:
    answer = new["components"]["schemas"]["ParkingCheckAnswer"]

    assert ["yes", "no", "unknown"] == answer["properties"]["eligible"]["enum"]
    assert ["alive"] == answer["properties"]["checks"]["items"]["properties"]["code"]["enum"]


async def test_ways_to_ask_are_one_of(new: Any) -> None:
    schema = new["paths"]["/vehicle/v1/registrations/query"]["post"]["requestBody"]["content"]["application/json"][
        "schema"
    ]

    assert [{"required": ["plateNumber"]}, {"required": ["ssin"]}] == schema["oneOf"]


def test_downgrade_leaves_its_input_alone() -> None:
    document = {"openapi": "3.1.0", "info": {"summary": "s"}, "x": {"type": "string", "examples": ["a"], "const": "a"}}
    downgrade(document)

    assert {
        "openapi": "3.1.0",
        "info": {"summary": "s"},
        "x": {"type": "string", "examples": ["a"], "const": "a"},
    } == document


@pytest.mark.shared
@pytest.mark.skipif(not SHARED.is_dir(), reason="the published belgif schemas are not beside this checkout")
async def test_problem_has_every_property_of_belgifs_problem(new: Any) -> None:
    theirs = yaml.safe_load((SHARED / "problem-v1.yaml").read_text(encoding="utf-8"))["components"]["schemas"]

    assert set(theirs["Problem"]["properties"]) <= set(new["components"]["schemas"]["Problem"]["properties"])
    assert {"in", "name"} <= set(new["components"]["schemas"]["InputValidationIssue"]["properties"])


# --- pages ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["nl", "fr", "en"])
@pytest.mark.parametrize("path", PAGES)
async def test_page_exists_in_each_language_and_says_which(stranger: Any, path: str, language: str) -> None:
    answer = await stranger("GET", f"{path}?lang={language}", headers=HTML)
    page = html.document_fromstring(answer.body)

    assert (200, language, language) == (answer.status, answer.headers["content-language"], page.get("lang"))
    assert page.findtext(".//title")
    assert 1 == len(page.findall(".//h1"))


@pytest.mark.parametrize("path", PAGES)
async def test_page_needs_no_script_and_nothing_from_elsewhere(stranger: Any, path: str) -> None:
    answer = await stranger("GET", path, headers=HTML)
    page = html.document_fromstring(answer.body)
    outside = [
        link for _, name, link, _ in page.iterlinks() if name in ("src", "href") and re.match(r"(?:https?:)?//", link)
    ]

    assert ([], [], []) == (page.findall(".//script"), page.xpath("//@style | //@onclick | //style"), outside)
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "unsafe" not in answer.headers["content-security-policy"]


@pytest.mark.parametrize("path", PAGES)
async def test_page_shows_words_and_no_insides(stranger: Any, path: str) -> None:
    body = (await stranger("GET", path, headers=HTML)).body.decode()

    assert [] == [
        word
        for word in ("built-in", "object at 0x", ">None<", "Undefined", "{{", "mappingproxy", "LocalizedString(")
        if word in body
    ]


@pytest.mark.parametrize("path", PAGES)
async def test_page_can_be_walked_by_ear_and_keyboard(stranger: Any, path: str) -> None:
    page = html.document_fromstring((await stranger("GET", path, headers=HTML)).body)
    levels = [int(heading.tag[1]) for heading in page.iter("h1", "h2", "h3")]

    assert page.xpath("//meta[@name='viewport'][contains(@content, 'width=device-width')]")
    assert page.xpath("//a[@href='#content']")
    assert page.xpath("//main[@id='content']")
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert all(link.text_content().strip() for link in page.iter("a"))
    assert all(head.get("scope") for head in page.iter("th"))


async def test_no_line_is_wider_than_a_telephone(stranger: Any) -> None:
    style = (await stranger("GET", "/docs/style.css")).body.decode()

    assert "overflow-wrap: anywhere" in style
    assert "white-space: pre-wrap" in style
    assert not re.search(r"(?<!max-)(?:min-)?width:\s*\d{3,}px", style)


@pytest.mark.parametrize(
    ("accept", "language"),
    [("nl-BE,nl;q=0.9", "nl"), ("en-GB", "en"), ("de", "en"), ("es", "fr"), ("", "fr"), ("fr;q=0.1, en;q=0.2", "en")],
)
async def test_page_comes_in_the_language_the_reader_asks(stranger: Any, accept: str, language: str) -> None:
    assert language == (await stranger("GET", "/docs", headers={"Accept-Language": accept})).headers["content-language"]


async def test_language_that_is_none_is_not_repeated(stranger: Any) -> None:
    answer = await stranger("GET", "/docs?lang=%22%3E%3Cscript%3E", headers=HTML)

    assert (200, False) == (answer.status, b"<script" in answer.body)


async def test_service_page_shows_what_a_vendor_needs(stranger: Any) -> None:
    page = html.document_fromstring((await stranger("GET", "/docs/person.get?lang=en")).body).text_content()

    for word in (
        "POST /person/v1/persons/get",
        "ssin",
        "required",
        "dossierReference",
        "address.postCode",
        "curl",
        "85660812341",
        "Missing Permission",
    ):
        assert word in page


async def test_every_link_of_the_pages_leads_somewhere(stranger: Any) -> None:
    seen: set[str] = set()
    waiting = {"/docs?lang=nl"}
    while waiting:
        path = waiting.pop()
        seen.add(path)
        answer = await stranger("GET", path, headers=HTML)
        assert 200 == answer.status, path
        if "text/html" in answer.headers["content-type"]:
            links = {
                link
                for _, name, link, _ in html.document_fromstring(answer.body).iterlinks()
                if name == "href" and link.startswith("/")
            }
            waiting |= links - seen

    assert len(seen) > 40


async def test_every_problem_has_its_page_at_its_href(stranger: Any, api: Any, hub: Any) -> None:
    for row in api.problems.types.values():
        path = api.problems.href(row).removeprefix(hub.settings.issuer)
        page = (await stranger("GET", path, headers=HTML | {"Accept-Language": "nl"})).body.decode()

        assert row.urn in page
        assert html.document_fromstring(page).findtext(".//h1") == row.title.nl


async def test_problem_type_is_json_for_machines(stranger: Any) -> None:
    answer = await stranger(
        "GET", "/refData/problemTypes/urn:problem-type:belgif:badRequest", headers={"Accept": "application/json"}
    )

    assert (400, {"nl", "fr", "en"}) == (answer.json()["status"], set(answer.json()["title"]))


async def test_code_list_is_json_with_labels(stranger: Any) -> None:
    assert [{"code": "1", "label": {"nl": "man", "fr": "homme", "en": "male"}}] == (
        await stranger("GET", "/refData/codes/gender")
    ).json()["items"]


@pytest.mark.parametrize(
    "path",
    ["/docs/nobody", "/refData/codes/nobody", "/refData/codes/..%2f..%2fsettings", "/refData/problemTypes/urn:x"],
)
async def test_page_that_is_not_there_is_404(stranger: Any, path: str) -> None:
    assert 404 == (await stranger("GET", path)).status


def test_every_word_of_the_pages_is_in_three_languages() -> None:
    folder = Path(__file__).parents[3] / "integrator" / "api"
    texts = yaml.safe_load((folder / "templates" / "words.yaml").read_text(encoding="utf-8"))

    assert [] == [name for name, text in texts.items() if {"nl", "fr", "en"} != set(text) or not all(text.values())]
