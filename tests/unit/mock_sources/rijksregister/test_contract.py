"""Every question and answer of the mock is valid against the published schema, and against the mock's own."""

from __future__ import annotations

import pytest
from lxml import etree

from mock_sources.soap import Contract
from mock_sources.sources import rijksregister
from mock_sources.wsse import is_plain
from tests.unit.mock_sources.rijksregister.conftest import question
from tests.unit.mock_sources.soap_asking import some_people

pytestmark = pytest.mark.shared


def errors(schema, element):
    document = etree.fromstring(etree.tostring(element))
    return [] if schema.validate(document) else [str(entry) for entry in schema.error_log]


def test_questions_are_valid(published):
    asked = question("71640618918", language="nl", history="true")

    assert [] == errors(published, etree.fromstring(asked))


@pytest.mark.parametrize("fault", [None, "over_delivery"])
@pytest.mark.parametrize("history", ["true", "false"])
def test_the_file_of_every_persona_is_valid(published, world, retrieve, history, fault):
    wrong = {}
    for slug, persona in world.personas.items():
        if persona.ssin is not None:
            reply = retrieve(persona.ssin, history=history, language="de", fault=fault)
            wrong |= {slug: found} if (found := errors(published, reply.payload)) else {}

    assert {} == wrong


@pytest.mark.parametrize("history", ["true", "false"])
def test_the_files_of_300_derived_residents_are_valid(published, world, retrieve, history):
    wrong = [
        found
        for at, ssin in enumerate(some_people(world, 300))
        if (found := errors(published, retrieve(ssin, history=history, language=("fr", "nl", "de")[at % 3]).payload))
    ]

    assert [] == wrong


@pytest.mark.parametrize("fault", ["soap_fault", "throttled", "wrong_subject", "expired_signature", "wrong_signature"])
def test_what_is_said_under_a_fault_is_valid_too(published, world, retrieve, fault):
    reply = retrieve(world.personas["vrolijke-eekhoorn"].ssin, fault=fault)
    said = reply.payload if reply.status == 200 else reply.payload.find("detail")[0]

    assert [] == errors(published, said)


def test_what_the_published_schema_takes_the_mocks_own_takes_and_writes_in_canonical_form(world, retrieve):
    own = Contract(rijksregister.ROOM / "schema" / "messages.xsd")
    replies = [retrieve(ssin, history="true").payload for ssin in some_people(world, 40)]

    assert [] == [found for reply in replies if (found := own.errors(etree.fromstring(etree.tostring(reply))))]
    assert [] == [
        at
        for at, reply in enumerate(replies)
        if not is_plain(etree.tostring(reply, method="c14n", exclusive=True).decode())
    ]
