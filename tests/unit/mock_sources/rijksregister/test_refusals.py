"""What the Rijksregister refuses, with the fault or the status the real one gives."""

from __future__ import annotations

from datetime import timedelta

import pytest

from mock_sources.sources import rijksregister
from mock_sources.wsse import SecurityRefused
from tests.unit.mock_sources.rijksregister.conftest import question
from tests.unit.mock_sources.soap_asking import Reply

PATH, ACTION = rijksregister.PATH, rijksregister.ACTION


@pytest.fixture
def subject(world):
    return world.personas["vrolijke-eekhoorn"].ssin


@pytest.fixture
def send(register):
    """send(bytes, action) -> Reply, whatever the bytes."""
    return lambda data, action=ACTION: Reply(*register.services[PATH].answer(action, data))


def test_a_question_without_a_signature(send, subject):
    bare = f'<S:Envelope xmlns:S="http://schemas.xmlsoap.org/soap/envelope/"><S:Body>{question(subject)}</S:Body></S:Envelope>'

    assert (500, "wsse:InvalidSecurity") == (send(bare.encode()).status, send(bare.encode()).text("faultcode"))


def test_a_question_of_six_minutes_ago(send, caller, clock, subject):
    message = caller.sign(question(subject))
    clock.forward(minutes=6)

    assert "wsse:MessageExpired" == send(message).text("faultcode")


def test_a_question_asked_twice(send, caller, subject):
    message = caller.sign(question(subject))

    assert (200, "wsse:InvalidSecurity") == (send(message).status, send(message).text("faultcode"))


def test_a_question_changed_on_the_way(send, caller, subject):
    message = caller.sign(question(subject)).replace(subject.encode(), b"71640618918")

    assert "wsse:FailedCheck" == send(message).text("faultcode")


def test_a_doctype(send, caller, subject):
    message = caller.sign(question(subject)).replace(b"<soapenv:Envelope", b"<!DOCTYPE x><soapenv:Envelope", 1)

    assert "soapenv:Client" == send(message).text("faultcode")


@pytest.mark.parametrize(
    "data", [b"", b"\x00", b"<a>", b"{}", b"<a/>"], ids=["nothing", "nul", "half", "json", "no_soap"]
)
def test_no_soap_at_all(send, data):
    assert 500 == send(data).status


def test_another_soap_action(send, caller, subject):
    reply = send(caller.sign(question(subject)), "http://kszbcss.fgov.be/RetrieveTIGroupsService/somethingElse")

    assert (500, "soapenv:Client") == (reply.status, reply.text("faultcode"))


@pytest.mark.parametrize(
    "wound",
    [
        ("<searchInformation>", "<extra/><searchInformation>"),
        ("<language>nl</language>", "<language>en</language>"),
        ("<ssin>", "<ssin>1"),
        ("</legalContext>", "</legalContext><legalContext>PERMIT:RENEWAL</legalContext>"),
    ],
    ids=["extra_element", "language_unknown", "number_too_long", "context_twice"],
)
def test_a_schema_error_names_no_value(send, caller, subject, wound):
    reply = send(caller.sign(question(subject, language="nl").replace(*wound)))

    assert ("soapenv:Client", "MSG00008") == (reply.text("faultcode"), reply.text("reasonCode"))
    assert subject not in reply.data.decode()


def test_a_schema_error_is_signed_for_the_service_was_reached(send, caller, subject):
    reply = send(caller.sign(question(subject, language="en")))

    caller.believes(reply, "rijksregister")


def test_a_security_refusal_is_not_signed_for_no_service_was_reached(send, caller, subject):
    message = caller.sign(question(subject))
    send(message)

    with pytest.raises(SecurityRefused):
        caller.believes(send(message), "rijksregister")


@pytest.mark.parametrize(
    ("code", "ssin"),
    [("MSG00005", "31723199902"), ("MSG00011", "71640618919")],
    ids=["nobody_bears_it", "check_digits_fail"],
)
def test_a_number_that_leads_nowhere(retrieve, code, ssin):
    reply = retrieve(ssin)

    assert (200, "NO_RESULT", code) == (reply.status, reply.text("value"), reply.text("code"))
    assert [] == reply.all("rrn_it_implicit")


def test_a_replaced_number_tells_the_new_one_and_nothing_else(retrieve, world):
    old = world.personas["oude-koekoek"].person
    reply = retrieve(old.ssin)

    assert ("MSG00006", "newSSIN", old.replaced_by) == (
        reply.text("code"),
        reply.text("fieldName"),
        reply.text("fieldValue"),
    )
    assert [] == reply.all("rrn_it_implicit")


@pytest.mark.parametrize("slug", ["stille-uil", "mysterieuze-lynx"])
def test_the_register_has_no_file_behind_a_bis_number(retrieve, world, slug):
    reply = retrieve(world.personas[slug].ssin)

    assert ("NO_DATA_FOUND", "MSG00100") == (reply.text("value"), reply.text("code"))


def test_who_was_struck_off_long_ago_has_a_file_without_an_address(retrieve, world):
    reply = retrieve(world.personas["vergeten-rat"].ssin)

    assert ("DATA_FOUND", []) == (reply.text("value"), reply.all("LegalMainAddress"))


def test_a_legal_context_nobody_agreed(retrieve, subject):
    assert ("NO_RESULT", "MSG00013") == (
        (reply := retrieve(subject, context="CURIOSITY:MINE")).text("value"),
        reply.text("code"),
    )


def test_throttling_comes_as_an_ordinary_answer(retrieve, subject):
    reply = retrieve(subject, fault="throttled")

    assert (200, "NO_RESULT", "99995") == (reply.status, reply.text("value"), reply.text("code"))


def test_an_internal_error_is_fatal(retrieve, subject):
    reply = retrieve(subject, fault="soap_fault")

    assert (500, "MSG00003", "FATAL") == (reply.status, reply.text("reasonCode"), reply.text("severity"))


def test_an_expired_signature_is_an_hour_old_and_otherwise_right(retrieve, caller, clock, subject):
    reply = retrieve(subject, fault="expired_signature")
    with pytest.raises(SecurityRefused) as refused:
        caller.believes(reply, "rijksregister")
    clock.now -= timedelta(hours=1)
    caller.believes(reply, "rijksregister")

    assert "MessageExpired" == refused.value.code


def test_a_wrong_signature_fails_the_check(retrieve, caller, subject):
    with pytest.raises(SecurityRefused) as refused:
        caller.believes(retrieve(subject, fault="wrong_signature"), "rijksregister")

    assert "FailedCheck" == refused.value.code


def test_the_wrong_subject_hides_behind_the_number_asked(retrieve, subject):
    reply = retrieve(subject, fault="wrong_subject")

    assert subject == reply.text("ssin")
    assert subject not in reply.texts("NationalNumber")
    assert "DATA_FOUND" == reply.text("value")


def test_the_wrong_subject_shows_itself_where_asked_to(retrieve, subject):
    reply = retrieve(subject, fault="wrong_subject", variant="echo_other")

    assert subject != reply.text("ssin")
    assert reply.text("ssin") in reply.texts("NationalNumber")


def test_over_delivery_sends_history_and_groups_nobody_asked(retrieve, subject):
    honest, surplus = retrieve(subject), retrieve(subject, fault="over_delivery")

    assert [] == honest.all("DelDate") + honest.all("Passports")
    assert surplus.all("DelDate")
    assert surplus.all("Passports")


@pytest.mark.parametrize(
    ("status", "method", "headers"),
    [
        (405, "GET", {}),
        (415, "POST", {"Content-Type": "application/json"}),
        (500, "POST", {"Content-Type": "text/xml"}),
    ],
    ids=["get", "json", "unsigned"],
)
def test_http_is_refused_in_its_own_terms(ask, register, status, method, headers):
    assert status == ask(register, method, PATH, headers=headers, body=b"<a/>").status


def test_a_body_over_the_cap(ask, register):
    assert 413 == ask(register, "POST", PATH, headers={"Content-Type": "text/xml"}, body=b" " * 300_000).status


def test_another_path(ask, register):
    assert 404 == ask(register, "POST", "/elsewhere", body=b"").status
