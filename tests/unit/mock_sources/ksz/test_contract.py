"""Questions and answers of the classic services are valid against the published schemas, persona by persona."""

from __future__ import annotations

import pytest
from lxml import etree

from tests.unit.mock_sources.ksz.test_access import manage
from tests.unit.mock_sources.ksz.test_identify import by_name, by_number, card
from tests.unit.mock_sources.soap_asking import some_people

pytestmark = pytest.mark.shared


def errors(schema, document):
    return [] if schema.validate(document) else [str(entry) for entry in schema.error_log]


def test_questions_are_valid(published_ssdn, subject, clock):
    asked = [
        by_number(subject.ssin, card(subject, clock)),
        by_name("Eekhoorn", "1984-05-00", tolerance="1", maximum="80", gender="2"),
        manage(subject, "REGISTER", end="2027-01-01"),
        manage(subject, "LIST", extra="<Sector>17</Sector><QueryRegister>ALL</QueryRegister>"),
    ]

    assert [] == [found for one in asked if (found := errors(published_ssdn, etree.fromstring(one)))]


@pytest.mark.parametrize("fault", [None, "over_delivery", "wrong_subject", "throttled"])
def test_the_identity_of_every_persona_is_told_validly(published_ssdn, world, send_xml, fault):
    wrong = {
        slug: found
        for slug, one in world.personas.items()
        if one.ssin and (found := errors(published_ssdn, send_xml(by_number(one.ssin), fault=fault)))
    }

    assert {} == wrong


def test_the_registrations_of_every_persona_are_told_validly(published_ssdn, world, send_xml):
    wrong = {}
    for slug, one in world.personas.items():
        for action in ("LIST", "REGISTER", "UNREGISTER"):
            if one.person is not None:
                reply = send_xml(manage(one.person, action, start="2020-01-01"))
                wrong |= {(slug, action): found} if (found := errors(published_ssdn, reply)) else {}

    assert {} == wrong


def test_the_identities_of_100_derived_residents_are_told_validly(published_ssdn, world, send_xml):
    people = some_people(world, 100)

    assert [] == [found for ssin in people if (found := errors(published_ssdn, send_xml(by_number(ssin))))]


@pytest.mark.parametrize("document", ["", "<a/>"], ids=["nothing", "something_else"])
def test_refusals_are_valid_too(published_ssdn, send_xml, document):
    assert [] == errors(published_ssdn, send_xml(document))


def test_searches_are_answered_validly(published_ssdn, send_xml):
    asked = [
        by_name("Janssens", "1980-00-00", tolerance="20"),
        by_name("Janssens", "1980-06-00"),
        by_name("Xqzwvk", "1970-01-01"),
    ]

    assert [] == [found for one in asked if (found := errors(published_ssdn, send_xml(one)))]
