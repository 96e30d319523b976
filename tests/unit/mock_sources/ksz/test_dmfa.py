"""DmfaConsultation: quarter by quarter, page by page; what was cancelled is still told, and nobody is told by accident."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from mock_sources.world.facts import Death, Integration, Occupation
from tests.unit.mock_sources.soap_asking import CPAS, MUNICIPALITY

INQUIRY = {"cbe": CPAS, "context": "PCSA:SOCIAL_INQUIRY"}
HIRING = {"cbe": MUNICIPALITY, "context": "STAFF:ONBOARDING"}


@pytest.fixture
def consult(project):
    """consult(ssin, begin, end, situation=, page=, fault=, cbe=, context=) -> Reply."""

    def ask(ssin, begin="2026Q1", end="2026Q2", situation="LATEST", page=None, **how):
        quarters = f"<quarters><begin>{begin}</begin><end>{end}</end></quarters><situation>{situation}</situation>"
        search = f"<ssin>{ssin}</ssin>{quarters}{f'<page>{page}</page>' if page else ''}"
        return project("dmfa_consultation", search, **{**INQUIRY, **how})

    return ask


def outcome(reply):
    return reply.text("value"), reply.text("code")


def test_each_employer_declares_each_quarter_and_the_newest_comes_first(consult, subject):
    reply = consult(subject.ssin)

    assert ["2026Q2", "2026Q2", "2026Q1", "2026Q1"] == reply.texts("quarter")
    assert ["1800001185", "1992100975"] * 2 == [
        one.find("employerDeclaration/cbeNumber").text for one in reply.all("attestation")
    ]


def test_time_and_wage_are_whole_hundredths_and_cents(consult, subject):
    first = consult(subject.ssin, "2026Q2").all("occupation")[0]

    assert ("3900", "24700") == (first.find("service/days").text, first.find("service/hours").text)
    assert 39 * 12500 == int(first.find("remuneration/amount").text)


@pytest.mark.parametrize(("quarter", "code"), [("2026Q3", "MSG00000"), ("2026Q4", "MSG00100")], ids=["last", "running"])
def test_a_quarter_is_declared_in_the_month_after_it(consult, subject, quarter, code):
    """It is 23 November 2026."""
    assert code == consult(subject.ssin, quarter, quarter).text("code")


def test_a_quarter_that_is_over_since_three_weeks_is_not_there_yet(consult, subject, clock, monkeypatch):
    monkeypatch.setattr(type(clock), "__call__", lambda self: datetime(2026, 10, 21, tzinfo=UTC))

    assert "MSG00100" == consult(subject.ssin, "2026Q3", "2026Q3").text("code")


def test_a_job_that_ended_is_declared_until_its_quarter(consult, subject, world, monkeypatch):
    job = Occupation("1800001185", "2025-02-10", "2025-05-20", "015", "124", 3800, 500, 12000)
    monkeypatch.setattr(type(world), "work_of", lambda self, ssin: (job,))
    reply = consult(subject.ssin, "2024Q4", "2025Q4")

    assert ["2025Q2", "2025Q1"] == reply.texts("quarter")
    assert ["2025-05-20"] == reply.texts("endDate")


def test_more_than_ten_come_in_pages_that_together_are_all_of_them(consult, world):
    bee, seen, page = world.personas["vlijtige-bij"].ssin, [], None
    for size in (10, 10, 10, 8):  # 4 employers, 8 quarters, and 3 mistakes in each last quarter
        reply = consult(bee, "2024Q3", "2026Q2", page=page)
        seen += [one.find("identification/number").text for one in reply.all("attestation")]
        page = reply.text("nextPage")
        assert size == len(reply.all("attestation"))

    assert (None, 38) == (page, len(set(seen)))


@pytest.mark.parametrize("changed", [{"begin": "2024Q4"}, {"page": "10.00000000"}, {"situation": "ALL"}])
def test_a_page_of_another_question_spoils_this_one(consult, world, changed):
    bee = world.personas["vlijtige-bij"].ssin
    page = consult(bee, "2024Q3", "2025Q3").text("nextPage")
    reply = consult(bee, **{"begin": "2024Q3", "end": "2025Q3", "page": page, **changed})

    assert (("NO_RESULT", "MSG00008"), "page") == (outcome(reply), reply.text("fieldName"))


@pytest.mark.parametrize(
    ("begin", "end"), [("2026Q2", "2026Q1"), ("2021Q1", "2026Q1")], ids=["backwards", "21_quarters"]
)
def test_quarters_that_the_service_does_not_take(consult, subject, begin, end):
    assert ("NO_RESULT", "MSG00008") == outcome(consult(subject.ssin, begin, end))


def test_the_latest_situation_still_tells_what_was_cancelled(consult, subject):
    states = consult(subject.ssin, "2025Q4", "2025Q4").all("identification")

    assert ["0", "0", "2"] == [one.find("status").text for one in states]


def test_every_version_comes_to_who_wants_them(consult, subject):
    assert ["1", "1"] == [
        one.find("version").text for one in consult(subject.ssin, "2026Q1", "2026Q1").all("identification")
    ]
    assert ["0", "1", "0", "1"] == [
        one.find("version").text for one in consult(subject.ssin, "2026Q1", "2026Q1", "ALL").all("identification")
    ]


def test_a_municipality_is_not_told_the_wage(consult, subject):
    reply = consult(subject.ssin, **HIRING)

    assert ([], True) == (reply.all("remuneration"), reply.text("filteredElement").endswith("/remuneration"))
    assert consult(subject.ssin, fault="over_delivery", **HIRING).all("remuneration")


def test_contributions_come_only_with_over_delivery(consult, subject):
    assert ([], []) == (consult(subject.ssin).all("extension"), consult(subject.ssin).all("contribution"))
    assert consult(subject.ssin, fault="over_delivery").all("contribution")


@pytest.mark.parametrize(
    ("how", "line", "code"),
    [
        (HIRING, Integration(65, 0, 902, "2020-01-01"), "MSG00000"),
        ({**HIRING, "cbe": CPAS}, Integration(17, 1, 21, "2020-01-01"), "MSG00000"),
        ({**HIRING, "cbe": CPAS}, Integration(17, 1, 1, "2020-01-01"), "MSG00012"),
        (INQUIRY, Integration(17, 1, 21, "2020-01-01"), "MSG00012"),
    ],
    ids=["municipality_staff", "centre_staff", "who_asks_for_help_is_no_staff", "staff_asks_for_no_help"],
)
def test_the_file_must_be_of_the_task(consult, subject, world, monkeypatch, how, line, code):
    person = replace(subject, integrations=(line,))
    monkeypatch.setattr(type(world), "person", lambda self, ssin: person)

    assert code == consult(subject.ssin, **how).text("code")


def test_what_was_declared_stays_declared_after_a_death(consult, subject, world, monkeypatch):
    person = replace(subject, death=Death("2026-11-02", "21004"))
    monkeypatch.setattr(type(world), "person", lambda self, ssin: person)

    assert "MSG00000" == consult(subject.ssin).text("code")


def test_a_silent_supplier_is_no_empty_answer(consult, world):
    reply = consult(world.personas["zwijgende-merel"].ssin)

    assert (("INCOMPLETE_DATA", "HAN20200"), []) == (outcome(reply), reply.all("result"))


def test_the_wrong_subject_is_somebody_else_who_works(consult, subject):
    reply = consult(subject.ssin, fault="wrong_subject")

    assert {subject.ssin}.isdisjoint(
        one.find("employerDeclaration/worker/ssin").text for one in reply.all("attestation")
    )
    assert reply.all("attestation")
