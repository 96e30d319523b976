"""What a file says about people who break software; each case is one person with one thing different."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
import yaml
from lxml import etree

from mock_sources.sources import rijksregister
from mock_sources.sources.rijksregister.file import file_info
from mock_sources.sources.rijksregister.page import Page
from mock_sources.sources.rijksregister.parts import TX25, words_in
from mock_sources.world.facts import (
    CivilState,
    Coded,
    Death,
    Household,
    LegalCohabitation,
    Licence,
    Name,
    Residence,
)

R = f"{{{TX25}}}"
LISTS = yaml.safe_load((rijksregister.ROOM / "codes.yaml").read_text("utf-8"))


class Around:
    """A world in which some people and one household are different."""

    def __init__(self, world, people=(), household=None):
        self._world, self._people, self._household = world, {one.ssin: one for one in people}, household

    def person(self, ssin):
        return self._people.get(ssin) or self._world.person(ssin)

    def household(self, id):
        return self._household or self._world.household(id)

    def municipality(self, nis):
        return self._world.municipality(nis)


@pytest.fixture
def squirrel(world):
    return world.personas["vrolijke-eekhoorn"].person


@pytest.fixture
def file_of(world):
    """file_of(person, history=…, language=…) -> the file, parsed."""

    def read(person, *, history=False, language="fr", around=None):
        page = Page(person, around or Around(world), words_in(language, LISTS), history, date(2026, 11, 23))
        return etree.fromstring(f"<file>{file_info(page)}</file>")

    return read


def texts(file, path):
    return [one.text for one in file.findall("/".join(step if step == "*" else R + step for step in path.split("/")))]


def test_the_number_comes_with_birth_date_and_sex(file_of, squirrel):
    file = file_of(squirrel)

    assert [squirrel.ssin] == texts(file, "NationalNumber/NationalNumber/NationalNumber")
    assert ["19", "84", "05", "17"] == texts(file, "NationalNumber/NationalNumber/Date/*")


def test_without_history_only_what_holds_today(file_of, squirrel):
    file = file_of(squirrel)

    assert [] == list(file.iter(f"{R}DelDate"))
    assert ["12"] == texts(file, "LegalMainAddresses/LegalMainAddress/Address/HouseNumber")


def test_with_history_the_newest_first_and_the_closed_ones_with_their_end(file_of, squirrel):
    file = file_of(squirrel, history=True)
    addresses = file.findall(f"{R}LegalMainAddresses/{R}LegalMainAddress")

    assert ["12", "3"] == texts(file, "LegalMainAddresses/LegalMainAddress/Address/HouseNumber")
    assert [False, True] == [one.find(f"{R}DelDate") is not None for one in addresses]


@pytest.mark.parametrize(
    ("parts", "born"),
    [
        (["19", "61"], "1961-00-00"),
        (["19", "61", "07"], "1961-07-00"),
        ([], "0000-00-00"),
        (["20", "00", "01", "01"], "2000-01-01"),
        (["18", "99", "12", "31"], "1899-12-31"),
    ],
    ids=["year_only", "no_day", "nothing_known", "turn_of_the_century", "nineteenth_century"],
)
def test_a_date_has_only_the_parts_that_are_known(file_of, squirrel, parts, born):
    file = file_of(replace(squirrel, birth_date=born))

    assert parts == [part.text for part in file.find(f"{R}BirthPlace/{R}Date")]


def test_a_person_of_one_word_has_no_first_name(file_of, squirrel):
    file = file_of(replace(squirrel, names=(Name(("Sukarno",), (), "1984-05-17"),)))

    assert [] == texts(file, "Names/Name/Name/FirstName/Label")


def test_letters_of_other_alphabets_and_markup_arrive_as_they_are(file_of, squirrel):
    file = file_of(replace(squirrel, names=(Name(("Łoś & ’t <Groß>",), ("Zoë",), "1984-05-17"),)))

    assert ["Łoś & ’t <Groß>"] == texts(file, "Names/Name/Name/LastName/Label")


def test_earlier_names_come_with_history(file_of, squirrel):
    names = (Name(("Nieuw",), ("A",), "2020-01-01"), Name(("Oud",), ("A",), "1984-05-17", "2020-01-01"))

    assert ["Nieuw", "Oud"] == texts(
        file_of(replace(squirrel, names=names), history=True), "Names/Name/Name/LastName/Label"
    )


def test_the_language_asked_names_streets_and_codes(file_of, squirrel):
    labels = [
        texts(file_of(squirrel, language=language), "CivilStates/CivilState/CivilState/Label")[0]
        for language in ("fr", "nl", "de")
    ]

    assert ["Marié(e)", "Gehuwd", "Verheiratet"] == labels


def test_the_dead_have_no_address_and_a_keeper_that_says_so(file_of, squirrel):
    file = file_of(replace(squirrel, death=Death("2025-02-03", "21004")))

    assert [] == texts(file, "LegalMainAddresses/LegalMainAddress/Address/ZipCode")
    assert ["99990"] == texts(file, "FileOwner/Residences/Residence/Code")
    assert ["21004"] == texts(file, "Deceases/Decease/Decease/Place1/Code")


def test_the_last_address_of_the_dead_ends_on_the_day_they_died(file_of, squirrel):
    file = file_of(replace(squirrel, death=Death("2025-02-03", "354")), history=True)

    assert "03" == file.find(f"{R}LegalMainAddresses/{R}LegalMainAddress/{R}DelDate/{R}Day").text
    assert ["354"] == texts(file, "Deceases/Decease/Decease/Place2/Country/Code")


@pytest.mark.parametrize(
    ("code", "kind"),
    [("992", "abroad"), ("99991", "struck_off"), ("99996", "absent"), ("99997", "lost_right")],
)
def test_who_left_has_a_code_instead_of_a_municipality(file_of, squirrel, code, kind):
    gone = Residence(kind, None, "111" if kind == "abroad" else None, None, "2024-06-01")
    past = replace(squirrel.residences[0], end="2024-06-01")
    file = file_of(replace(squirrel, residences=(gone, past)))

    assert [code] == texts(file, "FileOwner/Residences/Residence/Code")
    assert [] == texts(file, "LegalMainAddresses/LegalMainAddress/Address/ZipCode")


def test_who_lives_abroad_has_a_post_and_an_address_in_text(file_of, squirrel):
    gone = Residence("abroad", None, "111", "1 rue de l’Exemple, Lille", "2024-06-01")
    file = file_of(replace(squirrel, residences=(gone,)))

    assert ["1267"] == texts(file, "ResidenceAbroad/ResidenceAbroad/Address/PosteDiplomatique/Code")
    assert ["1 rue de l’Exemple, Lille"] == texts(file, "ResidenceAbroad/ResidenceAbroad/Address/Address/Graphic1")


def test_a_reference_address_is_an_address_with_a_mark(file_of, squirrel):
    home = replace(squirrel.residences[0], kind="reference")
    file = file_of(replace(squirrel, residences=(home,)))

    assert ["12"] == texts(file, "LegalMainAddresses/LegalMainAddress/Address/HouseNumber")
    assert 1 == len(file.findall(f"{R}AddressReferences/{R}AddressReference"))


def test_an_address_not_to_be_passed_on_is_sent_with_its_mark(file_of, squirrel):
    file = file_of(replace(squirrel, not_communicable=True))

    assert ["12"] == texts(file, "LegalMainAddresses/LegalMainAddress/Address/HouseNumber")
    assert ["28"] == texts(file, "NotCommunicable/EndDate/Year")


def test_a_reference_person_lists_every_member_but_nobody_twice(file_of, world, squirrel):
    household = world.household_of(squirrel.ssin)
    others = [member.ssin for member in household.members if member.ssin != squirrel.ssin]

    assert others == texts(file_of(squirrel), "FamilyMembers/FamilyMember/NationalNumber/NationalNumber")


def test_a_member_points_to_the_reference_person_and_to_nobody_else(file_of, world, squirrel):
    member = next(one for one in world.household_of(squirrel.ssin).members if one.ssin != squirrel.ssin)
    file = file_of(world.person(member.ssin))

    assert [squirrel.ssin] == texts(file, "HeadOfFamily/HeadOfFamily/NationalNumber/NationalNumber")
    assert [member.code] == texts(file, "HeadOfFamily/HeadOfFamily/FamilyRole/Code")


def test_a_single_person_is_a_household_of_role_01_without_a_number(file_of, world, squirrel):
    alone = Household(1, squirrel.address, "00", world.household_of(squirrel.ssin).members[:1])
    file = file_of(squirrel, around=Around(world, household=alone))

    assert ["01"] == texts(file, "FamilyMembers/FamilyMember/FamilyRole/Code")
    assert [] == texts(file, "FamilyMembers/FamilyMember/NationalNumber/NationalNumber")


def test_a_community_names_its_housing(file_of, world, squirrel):
    community = replace(world.household_of(squirrel.ssin), collective="05")
    file = file_of(squirrel, around=Around(world, household=community))

    assert {"05"} == set(texts(file, "FamilyMembers/FamilyMember/Housing/Code"))


def test_a_withdrawn_licence_stays_with_reason_and_date(file_of, squirrel):
    licence = Licence("B", "2004-07-01", "1234567890", "2026-01-15", "02")
    file = file_of(replace(squirrel, licences=(licence,)))

    assert ["B"] == texts(file, "DrivingLicenses/DrivingLicense/TypeOfLicense/Label")
    assert ["02"] == texts(file, "DrivingLicenses/DrivingLicense/ForfeitureReason/Code")
    assert ["15"] == texts(file, "DrivingLicenses/DrivingLicense/ForfeitureDate/Day")


def test_a_licence_that_holds_has_no_forfeiture(file_of, squirrel):
    assert [] == texts(file_of(squirrel), "DrivingLicenses/DrivingLicense/ForfeitureReason/Code")


def test_an_unknown_sex_leaves_no_number_group(file_of, squirrel):
    assert [] == texts(file_of(replace(squirrel, sex="0")), "NationalNumber/NationalNumber/NationalNumber")


def test_a_parent_without_a_number_has_a_name_all_the_same(file_of, squirrel):
    file = file_of(replace(squirrel, parents=(None, squirrel.civil_states[0].spouse)))

    assert [] == texts(file, "Filiations/Filiation/Parent1/NationalNumber/NationalNumber")
    assert ["Eekhoorn"] == texts(file, "Filiations/Filiation/Parent1/Name/LastName/Label")
    assert [squirrel.civil_states[0].spouse] == texts(
        file, "Filiations/Filiation/Parent2/NationalNumber/NationalNumber"
    )


def test_children_are_named(file_of, squirrel):
    assert list(squirrel.children) == texts(
        file_of(squirrel), "DescendentFiliations/DescendentFiliation/Child/NationalNumber/NationalNumber"
    )


def test_both_spouses_files_show_the_same_act(file_of, world, squirrel):
    spouse = world.person(squirrel.civil_states[0].spouse)
    path = "CivilStates/CivilState/ActNumber"

    assert texts(file_of(squirrel), path) == texts(file_of(spouse), path)


def test_a_cohabitation_that_ended_is_a_cessation(file_of, squirrel):
    ended = LegalCohabitation(squirrel.civil_states[0].spouse, "2008-01-01", "2012-09-15")
    file = file_of(replace(squirrel, legal_cohabitation=ended))

    assert [] == texts(file, "LegalCohabitations/LegalCohabitation/Declaration/Place/Code")
    assert ["02"] == texts(file, "LegalCohabitations/LegalCohabitation/Cessation/Reason/Code")


def test_a_cohabitation_that_lasts_names_the_partner(file_of, squirrel):
    partner = squirrel.civil_states[0].spouse
    file = file_of(replace(squirrel, legal_cohabitation=LegalCohabitation(partner, "2008-01-01")))

    assert [partner] == texts(
        file, "LegalCohabitations/LegalCohabitation/Declaration/Partner/NationalNumber/NationalNumber"
    )


def test_a_widow_of_somebody_without_a_file_keeps_the_bare_number(file_of, squirrel):
    states = (CivilState("30", "2020-01-01", None, "31723199902"),)
    file = file_of(replace(squirrel, civil_states=states))

    assert ["31723199902"] == texts(file, "CivilStates/CivilState/Spouse/NationalNumber/NationalNumber")


def test_a_birth_abroad_is_a_country_with_a_town_in_text(file_of, squirrel):
    file = file_of(replace(squirrel, birth_place=("354", "Nador")))

    assert ["354"] == texts(file, "BirthPlace/Place2/Country/Code")
    assert ["Nador"] == texts(file, "BirthPlace/Place2/Graphic")


def test_an_unknown_code_is_shown_bare(file_of, squirrel):
    file = file_of(replace(squirrel, nationalities=(Coded("999", "1984-05-17"),)))

    assert ["999"] == texts(file, "Nationalities/Nationality/Nationality/Label")


def test_the_waiting_register_comes_with_a_centre_in_charge(file_of, squirrel):
    file = file_of(replace(squirrel, registers=(Coded("5", "2025-01-01"),)))

    assert ["21009"] == texts(file, "OrganizationsInCharge/OrganizationInCharge/SocialWelfare/Place/Code")


def test_the_earlier_number_is_a_referenced_file(file_of, squirrel):
    file = file_of(replace(squirrel, replaces="31723199902"))

    assert ["31723199902"] == texts(file, "ReferencedFiles/ReferencedFile/NationalNumber/NationalNumber")


def test_the_identity_card_number_passes_its_own_check(file_of, squirrel):
    number = texts(file_of(squirrel), "IdentityCards/IdentityCard/CardNumber")[0]

    assert (int(number[:10]) % 97 or 97) == int(number[10:])
