"""IdentifyPerson: by number with proof, by name, and what each of them must not tell."""

from __future__ import annotations

import pytest

from mock_sources.sources.identity_cards import identity_card
from tests.unit.mock_sources.ksz.conftest import IDENTIFY, outcome, request, said

SERVICE = "OCMWCPASIdentifyPerson"
NOBODY = "31723199902"


def by_number(ssin, proof="", extra=""):
    verification = f"<VerificationData>{proof}</VerificationData>" if proof else ""
    return request(
        f'<IdentifyPersonRequest xmlns="{IDENTIFY}"><SearchCriteria><SSIN>{ssin}</SSIN>{extra}</SearchCriteria>'
        f"{verification}</IdentifyPersonRequest>",
        SERVICE,
    )


def phonetic(last, born, *, first="", tolerance="", maximum="", gender=""):
    def part(name, text):
        return f"<{name}>{text}</{name}>" if text else ""

    return (
        f"<PhoneticCriteria><LastName>{last}</LastName>{part('FirstName', first)}<BirthDate>{born}</BirthDate>"
        f"{part('Gender', gender)}{part('Tolerance', tolerance)}{part('Maximum', maximum)}</PhoneticCriteria>"
    )


def by_name(*args, **kwargs):
    return request(
        f'<IdentifyPersonRequest xmlns="{IDENTIFY}"><SearchCriteria>{phonetic(*args, **kwargs)}</SearchCriteria>'
        "</IdentifyPersonRequest>",
        SERVICE,
    )


def data(person, **changes):
    said_of = {"last": person.name.last[0], "first": person.name.first[0], "born": person.birth_date} | changes
    return (
        f"<PersonData><LastName>{said_of['last']}</LastName><FirstName>{said_of['first']}</FirstName>"
        f"<BirthDate>{said_of['born']}</BirthDate></PersonData>"
    )


def card(person, clock):
    return f"<IdentityCardNumber>{identity_card(person, clock().date()).number}</IdentityCardNumber>"


def test_a_number_without_proof_gives_the_basic_data_only(send_xml, subject):
    reply = send_xml(by_number(subject.ssin))

    assert (["YES", "YES"], []) == outcome(reply)
    assert [subject.ssin] == said(reply, "SocialSecurityUser")
    assert [] == list(reply.iter("{*}Extended"))


def test_names_are_written_as_the_old_host_does(send_xml, subject):
    assert ["EEKHOORN"] == said(send_xml(by_number(subject.ssin)), "LastName")


def test_the_right_card_validates_and_opens_the_extended_data(send_xml, subject, clock):
    reply = send_xml(by_number(subject.ssin, card(subject, clock)))

    assert (["YES", "YES"], ["12007001"]) == outcome(reply)
    assert ["20"] == said(reply, "CivilState")


def test_the_right_personal_data_validate_too_whatever_the_accents(send_xml, subject):
    assert ["12007001"] == outcome(send_xml(by_number(subject.ssin, data(subject, last="EEKHÖORN"))))[1]


def test_one_proof_that_fails_beside_one_that_holds_is_a_warning_with_extended_data(send_xml, subject, clock):
    proof = card(subject, clock) + data(subject, first="Iemand")
    reply = send_xml(by_number(subject.ssin, proof))

    assert (["WARNING", "WARNING"], ["20000001", "22007007", "12007001"]) == outcome(reply)
    assert ["20"] == said(reply, "CivilState")


def test_a_proof_that_fails_gives_a_warning_and_no_extended_data(send_xml, subject):
    reply = send_xml(by_number(subject.ssin, "<IdentityCardNumber>590000000096</IdentityCardNumber>"))

    assert ["WARNING", "WARNING"] == outcome(reply)[0]
    assert [] == list(reply.iter("{*}Extended"))


def test_a_sis_card_proves_nothing_any_more(send_xml, subject):
    reply = send_xml(by_number(subject.ssin, "<SISCardNumber>1234567890</SISCardNumber>"))

    assert [] == list(reply.iter("{*}Extended"))


def test_phonetic_criteria_beside_a_number_are_ignored_and_said_so(send_xml, subject):
    reply = send_xml(by_number(subject.ssin, extra=phonetic("Iemand", "1970-01-01")))

    assert ["20000001", "21007001"] == outcome(reply)[1]
    assert [subject.ssin] == said(reply, "SocialSecurityUser")


@pytest.mark.parametrize(
    ("code", "ssin"), [("32007001", NOBODY), ("32007002", NOBODY[:-1] + "3")], ids=["nobody", "check_digits"]
)
def test_a_number_that_leads_nowhere_is_an_error_without_a_body(send_xml, code, ssin):
    reply = send_xml(by_number(ssin))

    assert (["NO", "NO"], ["30000001", code]) == outcome(reply)
    assert [] == list(reply.iter("{*}IdentifyPersonReply"))


def test_a_name_finds_the_person_behind_it(send_xml, subject):
    assert subject.ssin in said(send_xml(by_name("Eekhoorn", subject.birth_date)), "SocialSecurityUser")


def test_a_name_is_found_by_its_sound(send_xml, subject):
    assert subject.ssin in said(
        send_xml(by_name("EEKHOORN", subject.birth_date, first="vrolijke")), "SocialSecurityUser"
    )


def test_an_incomplete_birth_date_needs_a_tolerance(send_xml):
    reply = send_xml(by_name("Eekhoorn", "1984-05-00"))

    assert (["NO", "NO"], ["30000001", "31009001"]) == outcome(reply)
    assert ["Phonetic Criteria: Birth Date", "Phonetic Criteria: Birth Date Tolerance"] == said(reply, "FieldName")


def test_an_incomplete_birth_date_with_a_tolerance_is_searched(send_xml, subject):
    reply = send_xml(by_name("Eekhoorn", "1984-05-00", tolerance="1"))

    assert subject.ssin in said(reply, "SocialSecurityUser")


def test_nobody_of_that_name_is_an_answer_not_an_error(send_xml):
    reply = send_xml(by_name("Xqzwvk", "1970-01-01"))

    assert (["YES", "YES"], ["12009001"]) == outcome(reply)
    assert [] == said(reply, "SocialSecurityUser")


def test_a_search_never_gives_extended_data(send_xml, subject):
    assert [] == list(send_xml(by_name("Eekhoorn", subject.birth_date)).iter("{*}Extended"))


def test_more_hits_than_asked_are_cut_and_said_so(send_xml, subject, world, monkeypatch):
    monkeypatch.setattr(type(world), "identify", lambda *asked: [subject] * 2)
    reply = send_xml(by_name("Eekhoorn", subject.birth_date, maximum="1"))

    assert ["20000001", "22009001"] == outcome(reply)[1]
    assert 1 == len(said(reply, "SocialSecurityUser"))


@pytest.mark.parametrize(
    ("origin", "slug"),
    [
        ("RN_RR", "vrolijke-eekhoorn"),
        ("BCSS_KSZ", "stille-uil"),
        ("BCSS_KSZ", "mysterieuze-lynx"),
        ("BCSS_KSZ", "vergeten-rat"),
    ],
)
def test_the_register_that_keeps_somebody_is_told(send_xml, world, origin, slug):
    reply = send_xml(by_number(world.personas[slug].ssin))

    assert [origin] == [one.get("origin") for one in reply.iter("{*}LimitedLegalData")]


def test_a_sex_that_is_not_known_is_zero(send_xml, world):
    assert ["0"] == said(send_xml(by_number(world.personas["mysterieuze-lynx"].ssin)), "Gender")


def test_a_replaced_number_tells_the_new_one_and_nothing_else(send_xml, world):
    old = world.personas["oude-koekoek"].person
    reply = send_xml(by_number(old.ssin))

    assert (["30000001", "32007003"], [old.ssin, old.replaced_by]) == (outcome(reply)[1], said(reply, "FieldValue"))


def test_who_lives_abroad_has_a_post_instead_of_an_address(send_xml, world):
    reply = send_xml(by_number(world.personas["cigogne-partie"].ssin))

    assert (0, 1) == (len(said(reply, "Address")), len(said(reply, "DiplomaticPost")))


def test_an_address_that_may_not_be_passed_on_is_not_there(send_xml, world):
    assert [] == said(send_xml(by_number(world.personas["discrete-vos"].ssin)), "Address")


def test_a_name_of_one_word_has_no_first_name(send_xml, world):
    assert [] == said(send_xml(by_number(world.personas["enkele-naam"].ssin)), "FirstName")


def test_no_criteria_at_all(send_xml):
    body = f'<IdentifyPersonRequest xmlns="{IDENTIFY}"><SearchCriteria/></IdentifyPersonRequest>'

    assert ["30000001", "31007002"] == outcome(send_xml(request(body, SERVICE)))[1]


def test_over_delivery_gives_extended_data_without_proof(send_xml, subject):
    assert ["20"] == said(send_xml(by_number(subject.ssin), fault="over_delivery"), "CivilState")


def test_the_wrong_subject_is_somebody_else_entirely(send_xml, subject):
    reply = send_xml(by_number(subject.ssin), fault="wrong_subject")

    assert ["YES", "YES"] == outcome(reply)[0]
    assert subject.ssin not in said(reply, "SocialSecurityUser")


def test_throttling_comes_as_a_refused_envelope(send_xml, subject):
    reply = send_xml(by_number(subject.ssin), fault="throttled")

    assert (["NO"], ["30000003"]) == outcome(reply)


@pytest.mark.parametrize(
    "document",
    ["", "no xml", "<SSDNRequest/>", '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "<a><b></a>"],
    ids=["empty", "prose", "no_namespace", "doctype", "broken"],
)
def test_a_document_that_is_no_request(send_xml, document):
    assert (["NO"], ["30000002"]) == outcome(send_xml(document))


def test_a_service_that_does_not_exist(send_xml, subject):
    document = by_number(subject.ssin).replace(SERVICE, "OCMWCPASSomethingElse")

    assert ["30000001", "31000001"] == outcome(send_xml(document))[1]


def test_a_service_with_the_body_of_another(send_xml, subject):
    document = by_number(subject.ssin).replace(SERVICE, "OCMWCPASManageAccess")

    assert ["30000001", "31000001"] == outcome(send_xml(document))[1]


@pytest.mark.parametrize(
    "user",
    [{"unit": "0314595348"}, {"sector": "65", "sub": "0"}, {"unit": None, "sector": "99"}],
    ids=["unknown_organisation", "sector_of_another", "unknown_sector"],
)
def test_a_user_that_is_not_who_they_say(send_xml, subject, user):
    criteria = f"<SearchCriteria><SSIN>{subject.ssin}</SSIN></SearchCriteria>"
    body = f'<IdentifyPersonRequest xmlns="{IDENTIFY}">{criteria}</IdentifyPersonRequest>'

    assert (["NO"], ["31000002"]) == outcome(send_xml(request(body, SERVICE, **user)))
