"""The register of processing says all of art. 30 of every purpose, in three languages, with no hole anywhere."""

from __future__ import annotations

from datetime import date

import pytest

from integrator import places, settings
from integrator.consoles.book import open_book
from integrator.consoles.governing.register import names_of
from integrator.errors import ConfigurationError
from integrator.governing import register
from integrator.governing.proving import load_all_services
from integrator.governing.register import LANGUAGES, POINTS, PROCESSOR, make_register
from integrator.governing.texts import digest
from integrator.places import read_yaml
from tests.unit.governing.kit import BASE, SCHOOL

MADE = make_register(BASE, load_all_services(), settings.organisations(), names_of(open_book()), date(2026, 11, 28))
BY_CODE = {one.code: one for one in MADE.activities}
PROCESSING = {"(a)", "(b)", "(c)", "(d)", "(e)", "(f)", "(g)"}


@pytest.mark.parametrize("code", sorted(BASE))
def test_each_purpose_has_all_of_article_30_and_no_empty_cell(code: str) -> None:
    words = read_yaml(places.home() / "integrator" / "consoles" / "words" / "pages" / "texts.yaml")

    assert PROCESSING == {words[f"point_{name}"]["en"][:3] for name in POINTS}
    for name in POINTS:
        for line in BY_CODE[code].points[name]:
            assert all(line.in_(language).strip() for language in LANGUAGES), name
            assert "{" not in line.en, name


def test_the_processor_has_all_of_article_30_2() -> None:
    assert set(PROCESSOR) == set(MADE.processor)
    assert all(
        line.in_(language).strip() for lines in MADE.processor.values() for line in lines for language in LANGUAGES
    )


def test_it_says_which_text_it_was_read_from_and_names_what_that_grants() -> None:
    school = BY_CODE[SCHOOL]

    assert f"sha256:{digest(BASE[SCHOOL])}" == school.version
    assert any("school_enrolment@2026-1" in line.en and "2029-08-31" in line.en for line in school.points["purpose"])
    assert any("Municipality of Uccle" in line.en for line in school.points["controller"])
    assert any("taal" in line.nl for line in school.points["data"])
    assert not any("OCMW" in line.nl for line in school.points["controller"])


def test_a_word_that_is_missing_is_said_and_not_left_blank(monkeypatch: pytest.MonkeyPatch) -> None:
    hollow = {**read_yaml(places.folder("config") / "register.yaml"), "measures": []}
    monkeypatch.setattr(register, "read_yaml", lambda path: hollow if path.name == "register.yaml" else read_yaml(path))
    with pytest.raises(ConfigurationError, match="nothing under measures"):
        make_register(BASE, load_all_services(), settings.organisations(), names_of(open_book()), date(2026, 11, 28))


def test_the_command_and_the_json_hold_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    from integrator.cli import main

    assert 0 == main(["policy", "register", "--language", "nl"])
    told = capsys.readouterr().out

    assert all(line.nl in told for one in MADE.activities for lines in one.points.values() for line in lines)
    assert set(BASE) == {one["purpose"] for one in MADE.json()["activities"]}
