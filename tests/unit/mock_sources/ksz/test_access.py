"""ManageAccess: the directory remembers who keeps a file about whom, and the other services obey it."""

from __future__ import annotations

import pytest

from tests.unit.mock_sources.ksz.conftest import ACCESS, SSDN, outcome, request, said
from tests.unit.mock_sources.soap_asking import CPAS

SERVICE = "OCMWCPASManageAccess"


def manage(person, action, *, purpose="7", start="2026-11-01", end="", extra="", proof=None, **user):
    proven = (
        proof
        if proof is not None
        else (
            f"<PersonData><LastName>{person.name.last[0]}</LastName><BirthDate>{person.birth_date}</BirthDate></PersonData>"
        )
    )
    closed = f"<m:EndDate>{end}</m:EndDate>" if end else ""
    return request(
        f'<ManageAccessRequest xmlns="{ACCESS}"><SSIN>{person.ssin}</SSIN>'
        f"{f'<Purpose>{purpose}</Purpose>' if purpose else ''}"
        f'<Period xmlns:m="{SSDN}/Common"><m:StartDate>{start}</m:StartDate>{closed}</Period>'
        f"<Action>{action}</Action>{extra}<ProofOfAuthentication>{proven}</ProofOfAuthentication></ManageAccessRequest>",
        SERVICE,
        **user,
    )


def purposes(reply):
    return [one.find("{*}Purpose").text for one in reply.iter("{*}Registrations")]


def test_a_registration_is_there_afterwards(send_xml, subject):
    done = send_xml(manage(subject, "REGISTER"))

    assert (["YES", "YES"], []) == outcome(done)
    assert ["7", "7"] == purposes(send_xml(manage(subject, "LIST", proof="")))


def test_the_answer_repeats_the_question(send_xml, subject):
    reply = send_xml(manage(subject, "REGISTER"))

    assert ([subject.ssin], ["REGISTER"]) == (said(reply, "SSIN"), said(reply, "Action"))


def test_a_registration_stands_in_the_banks_register_and_in_the_sectors(send_xml, subject):
    send_xml(manage(subject, "REGISTER"))
    reply = send_xml(manage(subject, "LIST", proof=""))

    assert ["PRIMARY", "SECONDARY"] == said(reply, "Register")[1:]
    assert ["17", CPAS] == said(reply, "OrgUnit")[1:]


def test_registering_shows_what_overlaps(send_xml, subject):
    assert ["1", "2"] == purposes(send_xml(manage(subject, "REGISTER")))


def test_registering_twice_is_a_warning_and_changes_nothing(send_xml, subject):
    send_xml(manage(subject, "REGISTER"))
    again = send_xml(manage(subject, "REGISTER"))

    assert ["20000001", "22010001"] == outcome(again)[1]
    assert ["7", "7"] == purposes(send_xml(manage(subject, "LIST", proof="")))


def test_what_was_registered_can_be_unregistered(send_xml, subject):
    send_xml(manage(subject, "REGISTER"))
    send_xml(manage(subject, "UNREGISTER"))

    assert [] == purposes(send_xml(manage(subject, "LIST", proof="")))


def test_unregistering_in_the_middle_leaves_the_past(send_xml, subject):
    send_xml(manage(subject, "UNREGISTER", purpose="1", start="2025-01-01"))
    reply = send_xml(manage(subject, "LIST", purpose="1", start="2022-01-01", proof=""))

    assert "2025-01-01" in said(reply, "EndDate")


def test_unregistering_what_is_not_there_is_an_error(send_xml, subject):
    assert ["30000001", "32010002"] == outcome(send_xml(manage(subject, "UNREGISTER", purpose="9")))[1]


@pytest.mark.parametrize("action", ["REGISTER", "UNREGISTER"])
@pytest.mark.parametrize(
    "proof",
    [
        "",
        "<IdentityCardNumber>590000000096</IdentityCardNumber>",
        "<PersonData><LastName>Iemand</LastName><BirthDate>1984-05-17</BirthDate></PersonData>",
        "<SISCardNumber>1234567890</SISCardNumber>",
    ],
    ids=["no_proof", "wrong_card", "wrong_name", "sis_card"],
)
def test_without_proof_nothing_changes(send_xml, subject, action, proof):
    assert ["30000001", "32010001"] == outcome(send_xml(manage(subject, action, purpose="1", proof=proof)))[1]


@pytest.mark.parametrize(("code", "purpose"), [("31010001", ""), ("31010002", "30")], ids=["none", "of_another_sector"])
def test_a_purpose_that_cannot_be_registered(send_xml, subject, code, purpose):
    assert ["30000001", code] == outcome(send_xml(manage(subject, "REGISTER", purpose=purpose)))[1]


def test_a_list_shows_one_sector_only(send_xml, subject):
    reply = send_xml(manage(subject, "LIST", purpose="", extra="<Sector>65</Sector>", proof=""))

    assert ["65"] == said(reply, "OrgUnit")[1:]


def test_a_list_of_the_secondary_register_has_only_what_went_through_it(send_xml, subject):
    asked = "<QueryRegister>SECONDARY</QueryRegister>"

    assert [] == purposes(send_xml(manage(subject, "LIST", purpose="", extra=asked, proof="")))


def test_a_list_of_another_period(send_xml, subject):
    assert [] == purposes(send_xml(manage(subject, "LIST", start="2001-01-01", end="2001-12-31", proof="")))


def test_who_unregisters_may_not_ask_any_more(send_xml, project, subject):
    search = f"<ssin>{subject.ssin}</ssin>"
    before = project("living_wage", search, cbe=CPAS, context="PCSA:SOCIAL_INQUIRY").text("code")
    for purpose in ("1", "2"):
        send_xml(manage(subject, "UNREGISTER", purpose=purpose, start="2021-01-01"))
    after = project("living_wage", search, cbe=CPAS, context="PCSA:SOCIAL_INQUIRY").text("code")

    assert ("MSG00100", "MSG00012") == (before, after)


def test_the_wrong_subject_shows_in_the_repeated_question(send_xml, subject):
    assert [subject.ssin] != said(send_xml(manage(subject, "LIST", proof=""), fault="wrong_subject"), "SSIN")
