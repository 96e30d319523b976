"""Conditions over a real hub: who is in nobody's files, who has no role, and two bodies that share their software."""

from __future__ import annotations

import pytest

from tests.flows.questions import DOSSIER, PERSON

STRANGER = "74622794242"  # onbekende-kwal: in nobody's files
ASKED = {"ssin": PERSON["ssin"], "dossierReference": DOSSIER}


def test_a_cpas_sees_whom_it_keeps_a_file_about_and_no_stranger(doors):
    known = doors.ask("person.get", ASKED, purpose="social_inquiry", organisation="cpas-ixelles")
    stranger = doors.ask(
        "person.get", {**ASKED, "ssin": STRANGER}, purpose="social_inquiry", organisation="cpas-ixelles"
    )

    assert (200, 403) == (known.status, stranger.status)
    assert ("NOT_REGISTERED", "social_inquiry@2026-1") == (stranger.body["reason"], stranger.body["rule"])
    assert ["registration"] == [change["kind"] for change in stranger.body["changes"]]
    assert STRANGER not in str(stranger.body) and 1 == len(stranger.entries)


@pytest.mark.parametrize("service", ["person.get", "household.get", "livingWage.get"])
def test_the_municipality_of_the_same_name_gets_nothing_by_the_files_of_its_cpas(doors, service):
    """Both use the same application for the same purpose: the right is the organisation's, and so are the files."""
    question = ASKED if service != "livingWage.get" else {**ASKED, "ssin": "94641897237"}
    theirs = doors.ask(service, question, purpose="social_inquiry", organisation="cpas-ixelles")
    ours = doors.ask(service, question, purpose="social_inquiry", organisation="ixelles")

    assert (200, 403, "NO_AUTHORISATION") == (theirs.status, ours.status, ours.body["reason"])


def test_a_purpose_for_one_role_is_closed_to_an_application_without_an_agent_also_in_an_emergency(doors):
    for more in ({}, {"emergencyJustification": "the child stands at the door"}):
        reply = doors.ask("person.get", {**ASKED, **more}, purpose="youth_support", organisation="cpas-ixelles")

        assert (403, "ROLE_NOT_ALLOWED") == (reply.status, reply.body["reason"])


def test_a_justification_stands_in_a_body_or_nowhere(doors):
    short = doors.ask(
        "person.get", {**ASKED, "emergencyJustification": "now"}, purpose="social_inquiry", organisation="cpas-ixelles"
    )
    numbered = {**ASKED, "emergencyJustification": f"because of {PERSON['ssin']}"}
    held = doors.ask("person.get", numbered, purpose="social_inquiry", organisation="cpas-ixelles")

    assert (400, 400) == (short.status, held.status)
    assert ["/emergencyJustification"] * 2 == [reply.body["issues"][0]["name"] for reply in (short, held)]
    assert PERSON["ssin"] not in str(held.body)


def test_an_invented_pseudonym_is_a_wrong_number(doors):
    reply = doors.ask(
        "person.get", {**ASKED, "ssin": "ps_" + "A" * 36}, purpose="social_inquiry", organisation="cpas-ixelles"
    )
    wrong = doors.ask(
        "person.get", {**ASKED, "ssin": "85660812342"}, purpose="social_inquiry", organisation="cpas-ixelles"
    )

    assert (400, 400) == (reply.status, wrong.status)
    assert wrong.body["issues"] == reply.body["issues"]
