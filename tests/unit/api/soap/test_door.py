"""The façade's door: who is let in, what becomes of a message, and what a refusal looks like."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from integrator.api.app import build
from integrator.api.certificates import PEER
from integrator.errors import LedgerUnwritable, PolicyDenied, SourceUnavailable
from integrator.identity.certificates import REVOKED, thumbprint
from tests.flows.packages import sign, verify
from tests.unit.api import stand_in
from tests.unit.identity.crooked import SERVER, Authority, Issued
from tests.unit.transport.workshop import ID, SOAP, WSU

DOOR = "/soap/v1/person"
NS = "urn:integrator:soap:person:v1"
KIND = "text/xml; charset=utf-8"
APPLICATION = "ixelles-parking"
CASE = "IX-2026-17"


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "authority")


@pytest.fixture
def issued(authority: Authority, hub: Any, tmp_path: Path) -> Issued:
    made = authority.issue("desk")
    register(tmp_path, APPLICATION, made)
    return made


def register(folder: Path, application: str, *issued: Issued) -> None:
    path = folder / "state" / "applications" / f"{application}.json"
    told = json.loads(path.read_text()) | {"certificates": [thumbprint(one.der) for one in issued]}
    path.write_text(json.dumps(told))


def question(
    *, ssin: str = stand_in.NUMBER, purpose: str = "resident_permit", context: str = "", more: str = "", header: str = "", dossier: str = CASE
) -> Any:  # fmt: skip
    """An envelope, not signed yet."""
    return etree.fromstring(
        f'<s:Envelope xmlns:s="{SOAP}"><s:Header>{header}</s:Header><s:Body><p:personGet xmlns:p="{NS}"><p:context>'
        f"<p:purpose>{purpose}</p:purpose>{context}</p:context><p:ssin>{ssin}</p:ssin>"
        f"<p:dossierReference>{dossier}</p:dossierReference>{more}</p:personGet></s:Body></s:Envelope>"
    )


def signed(issued: Issued, envelope: Any = None, *, age: float = 0.0) -> bytes:
    chosen = question() if envelope is None else envelope
    sign(chosen, issued.key, issued.certificate, age=age)
    return etree.tostring(chosen)


Say = Callable[..., Any]


@pytest.fixture
def say(stranger: Any) -> Say:
    async def send(data: bytes, *, door: str = DOOR, kind: str = KIND, **headers: str) -> Any:
        return await stranger(
            "POST", door, data, kind=kind, headers={name.replace("_", "-"): one for name, one in headers.items()}
        )

    return send


def fault(reply: Any) -> dict[str, str]:
    """The problem inside a fault, its plain members."""
    root = etree.fromstring(reply.body)
    found = root.find(f"{{{SOAP}}}Body/{{{SOAP}}}Fault")
    problem = found.find(f"detail/{{{NS}}}problem")
    told = {etree.QName(child).localname: child.text or "" for child in problem}
    return {
        **told,
        "faultcode": found.findtext("faultcode"),
        "places": ",".join(one.text for one in problem.iter(f"{{{NS}}}name")),
    }


def payload(reply: Any) -> Any:
    return etree.fromstring(reply.body).find(f"{{{SOAP}}}Body")[0]


# --- what is asked ----------------------------------------------------------------------------------------------------


async def test_a_signed_question_becomes_the_very_request_of_rest(issued, say, call, hub):
    context = "<p:agent>a.7f3</p:agent><p:traceId>mine-1</p:traceId><p:language>nl</p:language>"
    reply = await say(
        signed(issued, question(context=context, more="<p:fields>familyName</p:fields><p:history>true</p:history>"))
    )
    call.token = await hub.token(
        purpose="",
        authorization_details=json.dumps([{"type": "purpose", "purpose": "resident_permit", "agent": "a.7f3"}]),
    )
    body = {"ssin": stand_in.NUMBER, "dossierReference": CASE, "fields": ["familyName"], "history": True}
    rest = await call("POST", stand_in.PERSON, json.dumps(body).encode(), headers={"BelGov-Trace-Id": "mine-1", "Accept-Language": "nl"})  # fmt: skip

    over_soap, over_rest = hub.exchange.asked
    assert (200, 200) == (reply.status, rest.status)
    assert over_rest == replace(over_soap, trace=over_rest.trace)
    assert "mine-1" == over_soap.trace.related == over_rest.trace.related


async def test_the_answer_is_signed_by_the_hub_and_says_what_was_recorded(say, hub, issued, tmp_path):
    from cryptography import x509

    reply = await say(signed(issued))

    verify(reply.body, x509.load_pem_x509_certificate((tmp_path / "state" / "soap.cert.pem").read_bytes()))
    assert ("text/xml; charset=utf-8", "hub/test/7,8") == (
        reply.headers["content-type"],
        reply.headers["integrator-ledger-entries"],
    )
    record = etree.fromstring(reply.body).find(f"{{{SOAP}}}Header/{{{NS}}}record")
    assert "hub/test/7,8" == record.findtext(f"{{{NS}}}ledgerEntries")
    assert (
        hub.exchange.asked[0].trace.trace_id == record.findtext(f"{{{NS}}}traceId") == reply.headers["belgov-trace-id"]
    )
    assert "Eekhoorn" == payload(reply).findtext(f"{{{NS}}}familyName")


async def test_part_of_an_answer_that_is_unknown_says_when_to_ask_again(say, hub, issued):
    hub.exchange.retry_after = 30
    reply = await say(signed(issued))

    assert ("30", "30") == (
        reply.headers["retry-after"],
        etree.fromstring(reply.body).findtext(f".//{{{NS}}}retryAfterSec"),
    )


async def test_the_contract_is_served(stranger):
    reply = await stranger("GET", DOOR + "?wsdl")

    assert (200, "text/xml; charset=utf-8") == (reply.status, reply.headers["content-type"])
    assert b'name="personGet"' in reply.body
    assert 404 == (await stranger("GET", DOOR)).status
    assert 404 == (await stranger("GET", "/soap/v1/weather?wsdl")).status
    assert 404 == (await stranger("POST", "/soap/v1/weather", b"<a/>", kind=KIND)).status


# --- who is let in ----------------------------------------------------------------------------------------------------


async def refused(reply: Any, hub: Any, words: str, status: str = "401") -> None:
    told = fault(reply)
    assert (500, status, "soapenv:Client") == (reply.status, told["status"], told["faultcode"])
    assert words in told["detail"]
    assert [] == hub.exchange.asked


async def test_an_unsigned_message_is_refused(say, hub, issued):
    await refused(await say(etree.tostring(question())), hub, "there is no security header")


async def test_a_stranger_is_refused(say, hub, issued, authority):
    await refused(await say(signed(authority.issue("stranger"))), hub, "registers the certificate")


async def test_the_key_of_another_is_refused(say, hub, issued, authority):
    other = authority.issue("other")
    await refused(await say(signed(replace(other, certificate=issued.certificate))), hub, "signature rule 6")


async def test_a_certificate_that_was_revoked_is_refused(say, hub, issued, tmp_path):
    (tmp_path / "state" / REVOKED).write_text(thumbprint(issued.der) + "\n")
    await refused(await say(signed(issued)), hub, "was revoked")


async def test_a_refusal_over_soap_speaks_of_messages_not_of_tokens(say, hub, issued, tmp_path):
    (tmp_path / "state" / REVOKED).write_text(thumbprint(issued.der) + "\n")
    reply = await say(signed(issued))

    assert "urn:problem-type:integrator:messageNotBelieved" == fault(reply)["type"]
    assert "www-authenticate" not in reply.headers


@pytest.mark.parametrize("wound", ["expired", "for_servers"])
async def test_a_certificate_that_no_token_could_be_bound_to_speaks_for_nobody(
    say, hub, issued, authority, tmp_path, wound
):
    crooked = {"expired": {"days": (-60, -1)}, "for_servers": {"usages": (SERVER,)}}[wound]
    made = authority.issue(wound, **crooked)
    register(tmp_path, "forest-parking", made)
    await refused(await say(signed(made)), hub, "Ask the operator of the hub")


async def test_an_application_that_was_switched_off_is_refused(say, hub, issued, tmp_path):
    path = tmp_path / "state" / "applications" / f"{APPLICATION}.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"disabled": True}))
    await refused(await say(signed(issued)), hub, "registers the certificate")


async def test_a_certificate_that_two_applications_name_speaks_for_neither(say, hub, issued, tmp_path):
    register(tmp_path, "forest-parking", issued)
    await refused(await say(signed(issued)), hub, "registers the certificate")


async def test_a_message_that_comes_again_is_refused(say, hub, issued):
    message = signed(issued)
    assert 200 == (await say(message)).status
    hub.exchange.asked.clear()

    await refused(await say(message), hub, "Sign every message anew")


async def test_a_message_that_comes_again_at_another_door_is_refused(say, hub, issued):
    message = signed(issued)
    assert 200 == (await say(message)).status
    hub.exchange.asked.clear()

    told = await say(message, door="/soap/v1/parking")
    assert 500 == told.status and b"Sign every message anew" in told.body and [] == hub.exchange.asked


async def test_a_message_that_comes_again_to_another_process_is_refused(make_hub, authority, tmp_path):
    first, second = make_hub(), make_hub()
    made = authority.issue("desk")
    register(tmp_path, APPLICATION, made)
    message = signed(made)
    said = [await stand_in.Caller(build(hub).front)("POST", DOOR, message, kind=KIND) for hub in (first, second)]

    assert [200, 500] == [reply.status for reply in said]
    assert [] == second.exchange.asked


@pytest.mark.parametrize("age", [301, -330], ids=["six_minutes_old", "from_the_future"])
async def test_a_message_of_another_time_is_refused(say, hub, issued, age):
    await refused(await say(signed(issued, age=age)), hub, "signature rule 7")


async def test_a_purpose_that_the_application_is_not_enrolled_for_is_refused(say, hub, issued):
    reply = await say(signed(issued, question(purpose="social_inquiry")))

    await refused(reply, hub, "issues", "400")
    assert "/context/purpose" == fault(reply)["places"]


@pytest.mark.parametrize(
    ("context", "place"),
    [("<p:agent>85660812341</p:agent>", "/context/agent"), ("<p:traceId>85660812341</p:traceId>", "/context/traceId")],
    ids=["agent", "trace"],
)
async def test_a_number_of_a_person_names_no_agent_and_no_trace(say, hub, issued, context, place):
    reply = await say(signed(issued, question(context=context)))

    await refused(reply, hub, "issues", "400")
    assert place == fault(reply)["places"]
    assert b"85660812341" not in reply.body


# --- wrapping and other crookedness -------------------------------------------------------------------------------------


def forged(root: Any) -> Any:
    """Another Body than was signed, which asks about somebody else."""
    body = etree.fromstring(etree.tostring(root.find(f"{{{SOAP}}}Body")))
    body[0].find(f"{{{NS}}}ssin").text = stand_in.OTHER
    return body


def body_moved_into_a_header(root: Any) -> None:
    real, false = root.find(f"{{{SOAP}}}Body"), forged(root)
    root.replace(real, false)
    etree.SubElement(root.find(f"{{{SOAP}}}Header"), "wrapper").append(real)


def body_moved_under_another_name(root: Any) -> None:
    real, false = root.find(f"{{{SOAP}}}Body"), forged(root)
    false.set(ID, "another")
    root.replace(real, false)
    real.tag = "{urn:other}Body"
    root.find(f"{{{SOAP}}}Header").append(real)


def body_behind_the_signed_one(root: Any) -> None:
    false = forged(root)
    false.attrib.pop(ID)
    root.append(false)


def body_before_the_signed_one(root: Any) -> None:
    false = forged(root)
    false.attrib.pop(ID)
    root.insert(1, false)


def second_payload(root: Any) -> None:
    root.find(f"{{{SOAP}}}Body").append(forged(root)[0])


def genuine_envelope_inside(root: Any) -> None:
    whole = etree.fromstring(etree.tostring(root))
    body = root.find(f"{{{SOAP}}}Body")
    body.clear()
    body.append(whole)


def same_id_twice(root: Any) -> None:
    body = root.find(f"{{{SOAP}}}Body")
    etree.SubElement(root.find(f"{{{SOAP}}}Header"), "decoy").set("Id", body.get(ID))


def value_changed(root: Any) -> None:
    root.find(f".//{{{NS}}}ssin").text = stand_in.OTHER


def timestamp_renewed(root: Any) -> None:
    root.find(f".//{{{WSU}}}Created").text = "2099-01-01T00:00:00Z"


def comment_in_a_value(root: Any) -> None:
    root.find(f".//{{{NS}}}ssin").append(etree.Comment("x"))


WRAPPED = (
    body_moved_into_a_header, body_moved_under_another_name, body_behind_the_signed_one, body_before_the_signed_one,
    second_payload, genuine_envelope_inside, same_id_twice, value_changed, timestamp_renewed, comment_in_a_value,
)  # fmt: skip


@pytest.mark.parametrize("wound", WRAPPED, ids=lambda one: one.__name__)
async def test_a_message_that_was_tampered_with_is_never_read(say, hub, issued, wound):
    root = question()
    sign(root, issued.key, issued.certificate)
    wound(root)
    reply = await say(etree.tostring(root))

    assert (500, []) == (reply.status, hub.exchange.asked)
    assert fault(reply)["status"] in ("400", "401")
    assert stand_in.OTHER.encode() not in reply.body


DOCTYPE = b'<!DOCTYPE s [<!ENTITY x "y">]>'
NO_MESSAGE = {
    "a_doctype": DOCTYPE + etree.tostring(question()), "nothing_of_xml": b"{}", "half_a_message": etree.tostring(question())[:90],
    "soap_1_2": etree.tostring(question()).replace(SOAP.encode(), b"http://www.w3.org/2003/05/soap-envelope"),
    "utf_16": etree.tostring(question(), encoding="utf-16"), "an_empty_element": b"<a/>", "deep": b"<a>" * 9_000,
}  # fmt: skip


@pytest.mark.parametrize("wound", NO_MESSAGE)
async def test_what_is_no_message_is_a_fault_that_says_so(say, hub, issued, wound):
    await refused(await say(NO_MESSAGE[wound]), hub, "issues", "400")


async def test_a_message_that_is_too_long_is_refused_before_it_is_read(say, hub, issued):
    reply = await say(signed(issued, question(more="<!-- -->" + " " * 70_000)))

    assert ("413", []) == (fault(reply)["status"], hub.exchange.asked)


@pytest.mark.parametrize("kind", ["application/json", "application/soap+xml", "multipart/related; type=text/xml"])
async def test_another_kind_of_content_is_refused(say, hub, issued, kind):
    assert "415" == fault(await say(signed(issued), kind=kind))["status"]


async def test_a_header_that_must_be_understood_and_is_not_is_refused(say, hub, issued):
    header = f'<a:To xmlns:a="urn:addressing" xmlns:s="{SOAP}" s:mustUnderstand="1">hub</a:To>'
    reply = await say(signed(issued, question(header=header)))

    assert ("soapenv:MustUnderstand", []) == (fault(reply)["faultcode"], hub.exchange.asked)


async def test_another_operation_is_a_fault_that_names_those_there_are(say, hub, issued):
    root = question()
    root.find(f".//{{{NS}}}personGet").tag = f"{{{NS}}}personForget"

    reply = await say(signed(issued, root))
    await refused(reply, hub, "issues", "400")
    assert b"personGet" in reply.body


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(0, 5_000), what=st.binary(min_size=1, max_size=4), cut=st.integers(0, 6))
def test_whatever_is_sent_the_hub_neither_breaks_nor_asks(stranger, hub, issued, place, what, cut):
    hub.exchange.asked.clear()
    message = signed(issued)
    start = 30 + place % (len(message) - 40)
    broken = message[:start] + what + message[start + cut :]
    reply = asyncio.run(stranger("POST", DOOR, broken, kind=KIND))

    told = fault(reply) if reply.status != 200 else {"status": "200"}
    assert told["status"] in ("200", "400", "401")
    assert all(stand_in.NUMBER == one.keys["ssin"] and CASE == one.dossier for one in hub.exchange.asked)


# --- what goes wrong inside -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "status", "code", "http"),
    [
        (
            PolicyDenied("FIELD_NOT_GRANTED", rule="resident_permit@1", advice="Ask for less."),
            "403",
            "soapenv:Client",
            500,
        ),
        (SourceUnavailable("register", "down"), "503", "soapenv:Server", 503),
        (LedgerUnwritable("full"), "503", "soapenv:Server", 503),
        (RuntimeError("85660812341"), "500", "soapenv:Server", 500),
    ],
    ids=["denied", "source_down", "ledger_full", "a_surprise"],
)
async def test_a_fault_says_what_the_problem_of_rest_says(issued, say, call, hub, error, status, code, http):
    hub.exchange.error = error
    reply = await say(signed(issued))
    rest = await call("POST", stand_in.PERSON, json.dumps({"ssin": stand_in.NUMBER, "dossierReference": CASE}).encode())

    told, expected = fault(reply), rest.json()
    assert (http, status, code) == (reply.status, told["status"], told["faultcode"])
    for name in expected.keys() - {"instance"}:
        assert str(expected[name]) == told[name]
    assert rest.headers.get("retry-after") == reply.headers.get("retry-after")
    assert b"85660812341" not in reply.body


async def test_an_application_has_its_places_whatever_facade_it_comes_by(make_hub, authority, tmp_path):
    hub = make_hub(limits={"perApplication": 1})
    made = authority.issue("desk")
    register(tmp_path, APPLICATION, made)
    front = build(hub).front
    over_rest, over_soap = stand_in.Caller(front, await hub.token()), stand_in.Caller(front)
    hub.exchange.hold = asyncio.Event()
    body = json.dumps({"ssin": stand_in.NUMBER, "dossierReference": CASE}).encode()
    waiting = asyncio.create_task(over_rest("POST", stand_in.PERSON, body))
    while not hub.exchange.asked:
        await asyncio.sleep(0.01)

    assert "429" == fault(await over_soap("POST", DOOR, signed(made), kind=KIND))["status"]
    hub.exchange.hold.set()
    assert 200 == (await waiting).status
    assert 200 == (await over_soap("POST", DOOR, signed(made), kind=KIND)).status


async def test_a_question_that_lasts_takes_no_place_of_strangers(make_hub, authority, tmp_path):
    hub = make_hub(limits={"publicInFlight": 1})
    made = authority.issue("desk")
    register(tmp_path, APPLICATION, made)
    front = build(hub).front
    anybody = stand_in.Caller(front)
    hub.exchange.hold = asyncio.Event()
    waiting = asyncio.create_task(anybody("POST", DOOR, signed(made), kind=KIND))
    while not hub.exchange.asked:
        await asyncio.sleep(0.01)

    assert 200 == (await anybody("GET", "/health")).status
    hub.exchange.hold.set()
    assert (200, 0) == ((await waiting).status, front._flight._public)
    assert [200, 500, 200] == [
        (await anybody("GET", "/health")).status,
        (await anybody("POST", DOOR, etree.tostring(question()), kind=KIND)).status,
        (await anybody("GET", "/health")).status,
    ]


# --- mutual TLS -----------------------------------------------------------------------------------------------------------


async def shown(app: Any, issued: Issued, data: bytes) -> Any:
    """A message over a connection that came with a certificate."""

    async def over_tls(scope: Any, receive: Any, send: Any) -> None:
        scope[PEER] = issued.certificate.public_bytes(Encoding.DER)
        await app(scope, receive, send)

    return await stand_in.Caller(over_tls)("POST", DOOR, data, kind=KIND)


@pytest.mark.parametrize(
    ("mutual", "status"), [(True, 200), (False, 500)], ids=["where_settings_say_so", "never_otherwise"]
)
async def test_an_unsigned_message_over_mutual_tls(make_hub, authority, tmp_path, mutual, status):
    hub = make_hub()
    hub.soap = replace(hub.soap, mutual=mutual)
    made = authority.issue("desk")
    register(tmp_path, APPLICATION, made)

    assert status == (await shown(build(hub).front, made, etree.tostring(question()))).status
    assert int(mutual) == len(hub.exchange.asked)


async def test_a_certificate_over_tls_does_not_heal_a_broken_signature(make_hub, authority, tmp_path):
    hub = make_hub()
    hub.soap = replace(hub.soap, mutual=True)
    made = authority.issue("desk")
    register(tmp_path, APPLICATION, made)
    root = question()
    sign(root, made.key, made.certificate)
    value_changed(root)

    assert 500 == (await shown(build(hub).front, made, etree.tostring(root))).status
    assert [] == hub.exchange.asked


async def test_a_certificate_over_tls_that_nobody_registered_is_a_strangers(make_hub, authority):
    hub = make_hub()
    hub.soap = replace(hub.soap, mutual=True)

    assert (
        "401" == fault(await shown(build(hub).front, authority.issue("stranger"), etree.tostring(question())))["status"]
    )
