"""Household composition, living wage, social statuses, DMFA: the controls first, then no more than the customer may have."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mock_sources.sources import ksz
from mock_sources.world.facts import Death, Integration, LivingWage, Residence
from tests.unit.mock_sources.soap_asking import CPAS, MUNICIPALITY, some_people

HOUSING = "1970000516"
SERVICES = ("household_composition", "living_wage", "social_status", "dmfa_consultation")
NOBODY = "31723199902"
INQUIRY = {"cbe": CPAS, "context": "PCSA:SOCIAL_INQUIRY"}


def search(name, ssin, *names, period=""):
    asked = "".join(
        f"<statusName>{one}</statusName>" for one in names or (["livingWage"] if name == "social_status" else [])
    )
    if name == "dmfa_consultation":
        quarters = "<quarters><begin>2026Q1</begin><end>2026Q2</end></quarters><situation>LATEST</situation>"
        return f"<ssin>{ssin}</ssin>{quarters}"
    return f"<ssin>{ssin}</ssin>{period}{asked if name == 'social_status' else ''}"


def status(reply):
    return reply.status, reply.text("value"), reply.text("code")


@pytest.fixture
def changed(world, monkeypatch):
    """changed(person) puts somebody in place of who bears that number."""
    known = {}
    ask = type(world).person
    monkeypatch.setattr(type(world), "person", lambda self, ssin: known.get(ssin) or ask(self, ssin))

    def put(person):
        known[person.ssin] = person
        return person

    return put


@pytest.mark.parametrize("name", SERVICES)
def test_an_unknown_legal_context(project, subject, name):
    reply = project(name, search(name, subject.ssin), context="CURIOSITY:MINE")

    assert (200, "NO_RESULT", "MSG00013") == status(reply)


@pytest.mark.parametrize("name", SERVICES)
def test_an_organisation_nobody_knows(project, subject, name):
    reply = project(name, search(name, subject.ssin), cbe="0314595348", context="PCSA:SOCIAL_INQUIRY")

    assert (200, "NO_RESULT", "MSG00013") == status(reply)


@pytest.mark.parametrize("name", SERVICES)
@pytest.mark.parametrize(("code", "ssin"), [("MSG00005", NOBODY), ("MSG00011", NOBODY[:-1] + "3")])
def test_a_number_that_leads_nowhere(project, name, code, ssin):
    assert (200, "NO_RESULT", code) == status(project(name, search(name, ssin), **INQUIRY))


@pytest.mark.parametrize("name", SERVICES)
def test_a_replaced_number_tells_the_new_one(project, subject, changed, name):
    changed(replace(subject, replaced_by=NOBODY))
    reply = project(name, search(name, subject.ssin), **INQUIRY)

    assert ("MSG00006", "newSSIN", NOBODY) == (
        reply.text("code"),
        reply.text("fieldName"),
        reply.text("fieldValue"),
    )


@pytest.mark.parametrize("name", SERVICES)
def test_a_person_of_whom_the_asker_keeps_no_file(project, subject, changed, name):
    changed(replace(subject, integrations=()))
    reply = project(name, search(name, subject.ssin), **INQUIRY)

    assert ("MSG00012", [subject.ssin, CPAS]) == (reply.text("code"), reply.texts("fieldValue"))
    assert [] == reply.all("result")


@pytest.mark.parametrize("name", SERVICES)
def test_a_file_that_was_closed_yesterday(project, subject, changed, name):
    changed(replace(subject, integrations=(Integration(17, 1, 2, "2020-01-01", "2026-11-22"),)))

    assert "MSG00012" == project(name, search(name, subject.ssin), **INQUIRY).text("code")


def test_a_file_of_the_region_does_not_open_the_door_for_a_housing_company(project, subject, changed):
    changed(replace(subject, integrations=(Integration(65, 0, 0, "2021-01-01"),)))
    asked = search("household_composition", subject.ssin)
    reply = project("household_composition", asked, cbe=HOUSING, context="HOUSING:CANDIDATE")

    assert "MSG00012" == reply.text("code")


@pytest.mark.parametrize("slug", ["onbekende-kwal", "verlopen-melk", "morgen-kuiken", "andere-hoed"])
def test_personas_of_whom_nobody_may_ask_for_the_living_wage(project, world, slug):
    reply = project("living_wage", search("living_wage", world.personas[slug].ssin), **INQUIRY)

    assert "MSG00012" == reply.text("code")


def test_another_quality_is_enough_where_any_will_do(project, world):
    asked = search("social_status", world.personas["andere-hoed"].ssin)

    assert "DATA_FOUND" == project("social_status", asked, **INQUIRY).text("value")


@pytest.mark.parametrize(
    ("code", "name"),
    [("MSG00009", "household_composition"), ("MSG00100", "living_wage"), ("MSG00009", "social_status")],
)
def test_the_dead(project, subject, changed, code, name):
    changed(replace(subject, death=Death("2026-01-02", "21004")))
    reply = project(name, search(name, subject.ssin), **INQUIRY)

    assert ("NO_DATA_FOUND", code) == (reply.text("value"), reply.text("code"))


@pytest.mark.parametrize("name", SERVICES)
def test_throttling_comes_as_an_ordinary_answer(project, subject, name):
    assert "99995" == project(name, search(name, subject.ssin), fault="throttled", **INQUIRY).text("code")


@pytest.mark.parametrize("name", SERVICES)
def test_an_internal_error_is_a_fault_of_that_service(project, subject, name):
    reply = project(name, search(name, subject.ssin), fault="soap_fault", **INQUIRY)

    assert (500, "MSG00003") == (reply.status, reply.text("reasonCode"))
    assert reply.all(f"{ksz.PROJECTIONS[name][1]}Fault")


@pytest.mark.parametrize("name", SERVICES)
def test_the_question_is_echoed_and_the_reply_signed(project, caller, subject, name):
    reply = project(name, search(name, subject.ssin), **INQUIRY)
    caller.believes(reply, "ksz")

    assert subject.ssin == reply.text("ssin")


def test_a_household_lists_its_members_with_the_reference_person_first(project, world, subject):
    reply = project("household_composition", search("household_composition", subject.ssin))
    members = world.household_of(subject.ssin).members

    assert [member.ssin for member in members] == [one.find("ssin").text for one in reply.all("member")]
    assert [member.code for member in members] == reply.texts("positionCode")


def test_a_household_has_its_address_in_both_languages(project, subject):
    reply = project("household_composition", search("household_composition", subject.ssin))

    assert ["FR", "NL"] == [one.get("language") for one in reply.all("streetName")]
    assert ("1050", "12") == (reply.text("postalCode"), reply.text("houseNumber"))


@pytest.mark.parametrize(
    ("filtered", "opening"),
    [
        (["member/nationalityCode"], INQUIRY),
        (["member/genderCode", "member/nationalityCode", "member/civilStateCode"], {"cbe": MUNICIPALITY}),
    ],
    ids=["cpas", "municipality"],
)
def test_what_a_customer_may_not_have_is_left_out_and_named(project, subject, filtered, opening):
    reply = project("household_composition", search("household_composition", subject.ssin), **opening)

    assert filtered == reply.texts("filteredElement")
    assert [] == [one for name in filtered for one in reply.all(name.split("/")[1])]


@pytest.fixture
def hidden_member(world, subject, changed):
    """A member of the household whose address may not be communicated."""
    member = next(one for one in world.household_of(subject.ssin).members if one.ssin != subject.ssin)
    return changed(replace(world.person(member.ssin), not_communicable=True))


@pytest.mark.usefixtures("hidden_member")
def test_an_address_that_may_not_be_passed_on_is_filtered_for_the_whole_household(project, subject):
    asked = search("household_composition", subject.ssin)
    reply = project("household_composition", asked, context="SCHOOL:ENROLMENT")

    assert ([], "address") == (reply.all("address"), reply.text("filteredElement"))


@pytest.mark.usefixtures("hidden_member")
def test_an_address_that_the_applicant_gave_is_there_to_be_compared(project, subject):
    asked = search("household_composition", subject.ssin)
    reply = project("household_composition", asked, context="PERMIT:RESIDENT_PARKING")

    assert reply.all("address")
    assert "address" not in reply.texts("filteredElement")


@pytest.mark.usefixtures("hidden_member")
def test_over_delivery_sends_the_address_that_it_says_it_filtered(project, subject):
    asked = search("household_composition", subject.ssin)
    reply = project("household_composition", asked, context="SCHOOL:ENROLMENT", fault="over_delivery")

    assert reply.all("address")
    assert "address" in reply.texts("filteredElement")


def test_who_lives_abroad_has_no_household(project, world, subject, changed, monkeypatch):
    changed(replace(subject, residences=(Residence("abroad", None, "111", None, "2024-01-01"),), household_id=None))
    monkeypatch.setattr(type(world), "household_of", lambda self, ssin: None)

    assert ("NO_DATA_FOUND", "MSG00100") == (
        status(project("household_composition", search("household_composition", subject.ssin)))[1:]
    )


def test_over_delivery_sends_what_it_says_it_filtered(project, subject):
    reply = project("household_composition", search("household_composition", subject.ssin), fault="over_delivery")

    assert reply.all("nationalityCode")
    assert "member/nationalityCode" in reply.texts("filteredElement")


def test_the_wrong_subject_is_a_household_without_the_person_asked(project, subject):
    reply = project("household_composition", search("household_composition", subject.ssin), fault="wrong_subject")

    assert subject.ssin == reply.all("searchInformation")[0].find("ssin").text
    assert subject.ssin not in [one.find("ssin").text for one in reply.all("member")]


GRANTS = (LivingWage("1982100968", "2025-01-01", None, "2"), LivingWage("1982100176", "2020-01-01", "2021-06-30", "1"))


@pytest.fixture
def granted(subject, changed):
    return changed(replace(subject, living_wage=GRANTS))


def test_a_living_wage_of_today(project, granted):
    reply = project("living_wage", search("living_wage", granted.ssin), **INQUIRY)

    assert (["2"], ["1982100968"]) == (reply.texts("categoryCode"), reply.texts("cpas"))


@pytest.mark.parametrize(
    ("categories", "period"),
    [
        (["1"], "<beginDate>2021-01-01</beginDate><endDate>2021-12-31</endDate>"),
        (["2", "1"], "<beginDate>2021-01-01</beginDate>"),
        ([], "<beginDate>2022-01-01</beginDate><endDate>2022-12-31</endDate>"),
    ],
    ids=["past", "from_then_on", "between"],
)
def test_a_living_wage_of_a_period(project, granted, categories, period):
    asked = search("living_wage", granted.ssin, period=f"<period>{period}</period>")

    assert categories == project("living_wage", asked, **INQUIRY).texts("categoryCode")


def test_no_living_wage_is_no_data(project, subject):
    assert (200, "NO_DATA_FOUND", "MSG00100") == status(
        project("living_wage", search("living_wage", subject.ssin), **INQUIRY)
    )


def test_a_grant_of_last_week_is_not_there_yet(project, subject, changed):
    changed(replace(subject, living_wage=(LivingWage("1982100968", "2026-11-16", None, "2"),)))

    assert "MSG00100" == project("living_wage", search("living_wage", subject.ssin), **INQUIRY).text("code")


def test_a_municipality_does_not_learn_who_pays(project, granted):
    reply = project("living_wage", search("living_wage", granted.ssin), context="TAX:LOCAL")

    assert ([], ["livingWage/cpas"]) == (reply.all("cpas"), reply.texts("filteredElement"))


def test_nobody_learns_an_amount_unless_the_source_over_delivers(project, granted):
    asked = search("living_wage", granted.ssin)

    assert [] == project("living_wage", asked, **INQUIRY).all("amount")
    assert project("living_wage", asked, fault="over_delivery", **INQUIRY).all("amount")


def test_each_status_asked_gets_yes_or_no_in_the_order_asked(project, subject, changed):
    changed(replace(subject, statuses=frozenset({"livingWage"})))
    reply = project("social_status", search("social_status", subject.ssin, "heatingAllowance", "livingWage"), **INQUIRY)

    assert ["heatingAllowance", "livingWage"] == reply.texts("name")
    assert ["0", "1"] == [one.find("result/code").text for one in reply.all("socialStatus")]


def test_a_status_that_does_not_exist_spoils_the_question(project, subject):
    reply = project("social_status", search("social_status", subject.ssin, "livingWage", "wealth"), **INQUIRY)

    assert ("NO_RESULT", "MSG00008", "wealth") == (reply.text("value"), reply.text("code"), reply.text("fieldValue"))


def test_a_source_behind_the_bank_that_is_silent_makes_the_answer_incomplete(project, world):
    names = ("disabilityAllowance", "livingWage", "disabilityRecognition")
    reply = project("social_status", search("social_status", world.personas["halve-ekster"].ssin, *names), **INQUIRY)

    assert (200, "INCOMPLETE_DATA", "HAN20200") == status(reply)
    assert ["livingWage"] == reply.texts("name")
    assert ["disabilityAllowance", "disabilityRecognition"] == reply.texts("fieldValue")


def test_what_does_not_need_the_silent_source_is_complete(project, world):
    asked = search("social_status", world.personas["halve-ekster"].ssin, "livingWage")

    assert "DATA_FOUND" == project("social_status", asked, **INQUIRY).text("value")


def test_statuses_nobody_asked_come_only_with_over_delivery(project, subject):
    asked = search("social_status", subject.ssin, "livingWage")

    assert ["livingWage"] == project("social_status", asked, **INQUIRY).texts("name")
    assert 7 == len(project("social_status", asked, fault="over_delivery", **INQUIRY).texts("name"))


def test_300_residents_are_answered_as_the_contracts_promise(project, world):
    """The services check their first 500 replies against their own schema and raise when one is not valid."""
    statuses = {
        (name, project(name, search(name, ssin), **INQUIRY).text("value"))
        for ssin in some_people(world, 300)
        for name in SERVICES
    }

    assert {
        ("household_composition", "DATA_FOUND"),
        ("living_wage", "NO_DATA_FOUND"),
        ("living_wage", "DATA_FOUND"),
        ("social_status", "DATA_FOUND"),
        ("dmfa_consultation", "DATA_FOUND"),
        ("dmfa_consultation", "NO_DATA_FOUND"),
    } <= statuses
