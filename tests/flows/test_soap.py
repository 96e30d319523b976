"""A package that speaks nothing but SOAP asks the hub: zeep, over loopback, with a signature that nothing of ours made."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
import zeep.exceptions
from cryptography import x509
from lxml import etree

from connectors.client import Hub
from integrator.api.problems import Problems
from integrator.api.soap import contract, reading
from integrator.commands import apps
from integrator.commands.sandbox import Sandbox
from integrator.identity.certificates import thumbprint
from integrator.settings import Settings
from tests.flows.conftest import SetFault
from tests.flows.ledgers import Book
from tests.flows.packages import Signature, package, verify
from tests.flows.questions import HOME, SERVICES, Granted, granted
from tests.flows.sandboxes import Callers
from tests.flows.test_services import prepare, with_address
from tests.unit.identity.crooked import Authority, Issued
from tests.unit.transport.workshop import SOAP

INTEGRATOR = Path(sys.executable).parent / "integrator"
DOSSIER = "FLOW-2026-1"
PERSON = {"ssin": "84651797654", "dossierReference": DOSSIER}
PERMIT = {
    **PERSON,
    "plateNumber": "1ABC123",
    "address": {"postCode": "1050", "streetName": "Voorbeeldstraat", "houseNumber": "12"},
}
DOMAINS = contract.domains(SERVICES, Problems("http://127.0.0.1:8443"))
PURPOSES = ["social_inquiry", "file_update"]
# Ids, moments, and what is salted.
VOLATILE = {"trace_id", "span_id", "parent_span_id", "ts", "start_time", "end_time", "intent_ref", "_sd"}
Package = Callable[..., Any]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def key(hub_settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An application of CPAS Ixelles: this is how it asks over REST."""
    path = tmp_path_factory.mktemp("soap") / "soap-desk.jwk"
    apps.create(hub_settings, "soap-desk", "cpas-ixelles", PURPOSES, path)
    return path


@pytest.fixture(scope="module")
def issued(authority: Authority, key: Path, hub: Sandbox) -> Issued:
    """Its certificate, registered as an operator does it: this is how it asks over SOAP."""
    made = authority.issue("soap-desk")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("INTEGRATOR_")}
    environment |= {
        "INTEGRATOR_STATE": str(hub.state),
        "INTEGRATOR_PORT": hub.hub.rpartition(":")[2],
        "INTEGRATOR_MOCKS": hub.mocks,
    }
    words = ["app", "certificate", "soap-desk", str(made.pem), "--as", "ops-1"]
    done = subprocess.run(
        [INTEGRATOR, *words], env=environment, capture_output=True, text=True, timeout=120, check=True
    )
    assert thumbprint(made.der) in done.stdout
    return made


Desks = Callable[[str], Issued]


@pytest.fixture(scope="module")
def desk_of(doors: Callers, hub: Sandbox, authority: Authority) -> Desks:
    """`desk_of("ixelles")`: a certificate of the application that asks everything over REST in these flows."""
    known: dict[str, Issued] = {}

    def issued(organisation: str) -> Issued:
        if organisation not in known:
            doors.client("social_inquiry", organisation)
            known[organisation] = authority.issue(f"all-of-{organisation}")
            register(hub, f"test-{organisation}", known[organisation])
        return known[organisation]

    return issued


@pytest.fixture(scope="module")
def at_home(desk_of: Desks) -> Issued:
    return desk_of(HOME)


@pytest.fixture(scope="module")
def hubs(hub: Sandbox) -> x509.Certificate:
    """What the hub signs its answers with, as a vendor is given it."""
    return x509.load_pem_x509_certificate((hub.state / "keys" / "soap.cert.pem").read_bytes())


@pytest.fixture
def wsse(issued: Issued, hubs: x509.Certificate) -> Signature:
    return Signature(issued.key, issued.certificate, hubs)


@pytest.fixture
def built(hub: Sandbox, wsse: Signature) -> Package:
    """`built("person")`: a package made of the WSDL that the hub serves."""
    known: dict[str, Any] = {}

    def client(domain: str, signature: Any = None) -> Any:
        if signature is not None or domain not in known:
            made = package(f"{hub.hub}/soap/v1/{domain}", signature or wsse)
            if signature is not None:
                return made.service
            known[domain] = made.service
        return known[domain]

    return client


def context(purpose: str = "social_inquiry", **more: str) -> dict[str, str]:
    return {"purpose": purpose, **more}


def problem(refusal: pytest.ExceptionInfo[zeep.exceptions.Fault]) -> dict[str, str]:
    """The plain members of the problem in a fault's detail."""
    detail = refusal.value.detail
    assert detail is not None
    return {etree.QName(child).localname: child.text or "" for child in detail[0]}


# --- questions --------------------------------------------------------------------------------------------------------


def test_a_question_is_answered_with_what_the_purpose_may_know(built: Package):
    answer = built("person").personGet(context(), fields=["familyName", "parents"], **PERSON)

    assert "Eekhoorn" == answer.body.familyName
    assert answer.body.birthDate is None
    assert [("parents", "NOT_GRANTED")] == [(one.field, one.reason) for one in answer.body.withheld]


def test_a_package_with_an_rsa_key_is_answered_too(
    built: Package, hub: Sandbox, authority: Authority, issued: Issued, hubs: x509.Certificate
):
    made = authority.issue("rsa-till", rsa=True)
    register(hub, "soap-desk", issued, made)

    assert built("person", Signature(made.key, made.certificate, hubs)).personGet(context(), **PERSON).body.familyName


def test_the_receipt_beside_an_answer_can_be_checked_without_the_hub(built: Package, ledger: Book):
    record = built("person").personGet(context(), **PERSON).header.record
    shard, _, entries = record.ledgerEntries.rpartition("/")

    assert ledger.since(int(entries.split(",")[-1]))[0]["trace_id"] == record.traceId
    assert shard == ledger.shard
    assert record.receipt


def test_what_is_unknown_is_said_to_be_unknown_and_when_to_ask_again(
    built: Package, at_home: Issued, hubs: x509.Certificate, fault: SetFault
):
    fault("div", "reset")
    answer = built("parking", Signature(at_home.key, at_home.certificate, hubs)).parkingResidentPermitCheckEligibility(
        context("resident_permit"), **PERMIT
    )

    unsure = {one.code: one.reason for one in answer.body.checks if one.result == "unknown"}
    assert ("unknown", "SOURCE_UNAVAILABLE", 30) == (
        answer.body.eligible,
        unsure["vehicleRegistered"],
        answer.header.record.retryAfterSec,
    )


def test_a_source_that_is_down_is_a_fault_that_says_when_to_ask_again(built: Package, fault: SetFault):
    fault("rr", "reset")

    with pytest.raises(zeep.exceptions.Fault) as refusal:
        built("person").personGet(context(), **PERSON)
    told = problem(refusal)
    assert ("soapenv:Server", "503", "SOURCE_UNAVAILABLE", "30") == (
        refusal.value.code,
        told["status"],
        told["code"],
        told["retryAfterSec"],
    )


def test_somebody_whom_the_source_does_not_know_is_a_fault_of_its_own(built: Package):
    with pytest.raises(zeep.exceptions.Fault) as refusal:
        built("person").personGet(context(), ssin="62720696678", dossierReference=DOSSIER, fields=["placeOfBirth"])

    assert "403" == problem(refusal)["status"] or "404" == problem(refusal)["status"]


def test_a_refusal_says_what_rest_says_and_is_recorded(built: Package, key: Path, hub: Sandbox, ledger: Book):
    with Hub.from_key(key, purpose="social_inquiry", url=hub.hub) as client:
        rest = post(client, "/person/v1/lifeStatus/check", PERSON)
    before = ledger.size()
    with pytest.raises(zeep.exceptions.Fault) as refusal:
        built("person").personLifeStatus(context(), **PERSON)

    told = problem(refusal)
    assert rest.status_code == int(told["status"]) == 403
    assert [rest.json()[name] for name in ("type", "reason", "code", "detail")] == [
        told[name] for name in ("type", "reason", "code", "detail")
    ]
    assert ["denied"] == [one["type"] for one in ledger.since(before)]


def post(client: Hub, path: str, body: Mapping[str, Any], **headers: str) -> httpx.Response:
    known = {"Authorization": f"Bearer {client.token()}", "Content-Type": "application/json", **headers}
    return httpx.post(f"{client.url}{path}", content=orjson.dumps(body), headers=known, trust_env=False, timeout=30)


QUESTIONS: dict[str, tuple[str, str, str, dict[str, Any], str]] = {
    "one_source": ("person", "personGet", "/person/v1/persons/get", {**PERSON, "fields": ["familyName"]}, "social_inquiry"),
    "denied": ("person", "personLifeStatus", "/person/v1/lifeStatus/check", PERSON, "social_inquiry"),
}  # fmt: skip


@pytest.mark.parametrize("name", QUESTIONS)
def test_the_ledger_holds_the_same_of_a_question_whatever_facade_it_came_by(
    name: str, built: Package, key: Path, hub: Sandbox, ledger: Book
):
    domain, operation, path, body, purpose = QUESTIONS[name]
    before = ledger.size()
    with Hub.from_key(key, purpose=purpose, url=hub.hub) as client:
        post(client, path, body)
    between = ledger.size()
    try:
        getattr(built(domain), operation)(context(purpose), **body)
    except zeep.exceptions.Fault:
        assert "denied" == name
    over_rest, over_soap = recorded(ledger, before, between), recorded(ledger, between, ledger.size())

    assert {"one_source": 2, "denied": 1}[name] == len(over_rest)
    assert over_rest == over_soap


def test_the_ledger_holds_the_same_of_a_composition(
    built: Package, doors: Callers, at_home: Issued, hubs: x509.Certificate, ledger: Book
):
    parking = built("parking", Signature(at_home.key, at_home.certificate, hubs))
    before = ledger.size()
    rest = doors.ask("parking.residentPermit.checkEligibility", PERMIT, purpose="resident_permit")
    between = ledger.size()
    soap = parking.parkingResidentPermitCheckEligibility(context("resident_permit"), **PERMIT)

    assert rest.body["eligible"] == soap.body.eligible == "yes"
    over_rest, over_soap = [
        recorded(ledger, *part, "response_digest") for part in ((before, between), (between, ledger.size()))
    ]  # an answer of checks says how many milliseconds each took
    assert over_rest == over_soap


def recorded(ledger: Book, start: int, end: int, *volatile: str) -> list[Any]:
    """Entries, and all that they commit to, without what differs between two times of asking the same."""
    told = []
    for index in range(start, end):
        opened = ledger.opened(index)
        clear = {name: value for name, value in opened.entry.items() if name not in VOLATILE | {*volatile}}
        sealed = {name: value for name, value in opened.values.items() if name not in VOLATILE | {*volatile}}
        told.append((clear, sealed, opened.subjects))
    return sorted(told, key=lambda one: (one[0]["type"], one[0]["name"], str(one[1])))


# --- every service ----------------------------------------------------------------------------------------------------


@pytest.fixture
def over_soap(built: Package, desk_of: Desks, hubs: x509.Certificate) -> Callable[..., Any]:
    """Ask a service as a package of the organisation would; the answer as the body that it was written from."""

    def asked(one: Granted, question: Mapping[str, Any]) -> Any:
        made = desk_of(one.organisation)
        signature = Signature(made.key, made.certificate, hubs)
        domain = DOMAINS[one.service.path.split("/")[1]]
        operation = next(found for found in domain.operations.values() if found.service is one.service)
        getattr(built(domain.name, signature), operation.name)(context(one.purpose), **question)
        return reading.body(domain, operation.answer, etree.fromstring(signature.got[-1]).find(f"{{{SOAP}}}Body")[0])

    return asked


@pytest.mark.parametrize(
    "one", [one for one in granted() if not one.service.name.startswith("directory.")], ids=lambda one: one.id
)
def test_every_service_answers_over_soap_what_it_answers_over_rest(one: Granted, over_soap: Any, doors: Callers):
    question = with_address(doors, one)
    rest = doors.ask(one.service.name, question, purpose=one.purpose, organisation=one.organisation)

    assert 200 == rest.status
    assert _plain(rest.body) == _plain(over_soap(one, question))


@pytest.mark.parametrize(
    "one", [one for one in granted() if one.service.name.startswith("directory.")], ids=lambda one: one.id
)
def test_what_an_organisation_keeps_is_registered_over_soap_as_over_rest(one: Granted, over_soap: Any, doors: Callers):
    prepare(doors, one)

    assert over_soap(one, one.question)


def _plain(value: Any) -> Any:
    """Without milliseconds, which differ, and empty lists, which XML has no word for."""
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items() if name != "ms" and inner != []}
    return [_plain(inner) for inner in value] if isinstance(value, list) else value


# --- messages ---------------------------------------------------------------------------------------------------------


RECEIVER = "etterbeek"


@pytest.fixture(scope="module")
def receiving(desk_of: Desks) -> Issued:
    return desk_of(RECEIVER)


@pytest.fixture
def followed(doors: Callers) -> Any:
    """A municipality of whom no other flow is a receiver fetches its reports."""
    soon = (datetime.now(UTC).date() + timedelta(days=30)).isoformat()
    wish = {"service": "person.reportDifference", "mode": "pull", "endDate": soon}
    made = doors.send(
        "POST", "/events/v1/subscriptions/create", orjson.dumps(wish), purpose="file_update", organisation=RECEIVER, headers={"Idempotency-Key": str(uuid.uuid4())}
    )  # fmt: skip
    assert 201 == made.status, made.payload
    yield made.body["subscriptionId"]
    named = orjson.dumps({"subscriptionId": made.body["subscriptionId"]})
    doors.send("POST", "/events/v1/subscriptions/end", named, purpose="file_update", organisation=RECEIVER)


REPORT = {
    "ssin": PERSON["ssin"], "recipient": "1992100579", "dossierReference": "IX-2026-7",
    "content": {"field": "address", "observed": "another name on the door"},
}  # fmt: skip


def test_a_message_is_accepted_once_and_its_state_can_be_asked(built: Package, followed: str, doors: Callers):
    sent_as, context_ = str(uuid.uuid4()), context("file_update")
    first = built("person").personReportDifference(context_, sent_as, **REPORT)
    again = built("person").personReportDifference(context_, sent_as, **REPORT)
    waiting = built("delivery").deliveryGet(context_, first.body.deliveryId)
    page = doors.send(
        "POST",
        "/events/v1/feed",
        orjson.dumps({"subscriptionId": followed}),
        purpose="file_update",
        organisation=RECEIVER,
    ).body

    assert ("accepted", first.body.deliveryId) == (first.body.state, again.body.deliveryId)
    assert first.header.record.receipt
    assert ("waiting", "awaiting") == (waiting.body.state, waiting.body.answer)
    assert [first.body.deliveryId] == [one["id"] for one in page["items"]]


def test_the_same_key_for_another_message_is_refused(built: Package, followed: str):
    sent_as = str(uuid.uuid4())
    built("person").personReportDifference(context("file_update"), sent_as, **REPORT)

    with pytest.raises(zeep.exceptions.Fault) as refusal:
        built("person").personReportDifference(context("file_update"), sent_as, **REPORT | {"content": {"field": "name", "observed": "x"}})  # fmt: skip
    assert ("409", "urn:problem-type:integrator:idempotencyConflict") == (
        problem(refusal)["status"],
        problem(refusal)["type"],
    )


def test_an_answer_to_a_message_comes_back_to_who_sent_it(built: Package, followed: str, doors: Callers):
    sent = built("person").personReportDifference(context("file_update"), str(uuid.uuid4()), **REPORT).body.deliveryId
    doors.send(
        "POST",
        "/events/v1/feed",
        orjson.dumps({"subscriptionId": followed}),
        purpose="file_update",
        organisation=RECEIVER,
    )
    told = orjson.dumps({"deliveryId": sent, "content": {"field": "address", "observed": "painted over"}})
    answered = doors.send(
        "POST", "/delivery/v1/deliveries/answer", told, purpose="file_update", organisation=RECEIVER, headers={"Idempotency-Key": str(uuid.uuid4())}
    )  # fmt: skip
    seen = built("delivery").deliveryGet(context("file_update"), sent).body

    assert 202 == answered.status
    assert "answered" == seen.answer
    assert {"field": "address", "observed": "painted over"} == json.loads(seen.answers["items"][0].data)["content"]


def test_a_message_is_received_and_answered_by_a_package_that_speaks_nothing_else(
    built: Package, followed: str, receiving: Issued, hubs: x509.Certificate
):
    asked = context("file_update")
    sent = built("person").personReportDifference(asked, str(uuid.uuid4()), **REPORT).body.deliveryId
    receiver = built("person", Signature(receiving.key, receiving.certificate, hubs))
    page = receiver.personReportDifferenceFetch(asked).body
    mine = next(one for one in page["items"] if one.deliveryId == sent)
    told = {"field": "address", "observed": "painted over"}
    receiver.personReportDifferenceAnswer(asked, str(uuid.uuid4()), sent, told)
    rest = receiver.personReportDifferenceFetch(asked, page.cursor).body
    seen = built("delivery").deliveryGet(asked, sent).body

    assert (PERSON["ssin"], "1982100968", "another name on the door") == (mine.ssin, mine.sender, mine.content.observed)
    assert [] == list(rest["items"] or [])
    assert told == json.loads(seen.answers["items"][0].data)["content"]


def test_whoever_follows_nothing_fetches_nothing(built: Package, followed: str):
    with pytest.raises(zeep.exceptions.Fault) as theirs:
        built("person").personReportDifferenceFetch(context("file_update"))
    assert "404" == problem(theirs)["status"]


def test_the_message_of_another_application_is_one_that_does_not_exist(
    built: Package, followed: str, receiving: Issued, hubs: x509.Certificate
):
    sent = built("person").personReportDifference(context("file_update"), str(uuid.uuid4()), **REPORT).body.deliveryId
    other = built("delivery", Signature(receiving.key, receiving.certificate, hubs))

    with pytest.raises(zeep.exceptions.Fault) as theirs:
        other.deliveryGet(context("file_update"), sent)
    with pytest.raises(zeep.exceptions.Fault) as nobodys:
        other.deliveryGet(context("file_update"), "0" * 32)
    assert problem(theirs) | {"instance": ""} == problem(nobodys) | {"instance": ""}


# --- who is not believed -------------------------------------------------------------------------------------------------


def test_a_message_that_comes_again_is_refused_and_asks_nothing(
    built: Package, wsse: Signature, hub: Sandbox, ledger: Book
):
    built("person").personGet(context(), **PERSON)
    before = ledger.size()
    again = httpx.post(
        f"{hub.hub}/soap/v1/person", content=wsse.sent[-1], headers={"Content-Type": "text/xml; charset=utf-8"}, trust_env=False
    )  # fmt: skip

    assert 500 == again.status_code
    assert b"messageNotBelieved" in again.content
    assert before == ledger.size()


def test_a_wrong_key_is_refused_and_asks_nothing(
    built: Package, issued: Issued, authority: Authority, hubs: x509.Certificate, ledger: Book
):
    wrong = Signature(authority.issue("thief").key, issued.certificate, hubs)
    before = ledger.size()

    with pytest.raises(zeep.exceptions.Fault) as refusal:
        built("person", wrong).personGet(context(), **PERSON)
    assert ("401", before) == (problem(refusal)["status"], ledger.size())


@pytest.mark.parametrize("kind", ["P-256", "RSA"])
def test_zeep_with_its_own_signature_is_believed(
    kind: str, hub: Sandbox, issued: Issued, authority: Authority, hubs: x509.Certificate
):
    """As docs/vendors.md shows it; needs xmlsec, which the hub does not."""
    xmlsec = pytest.importorskip("xmlsec")
    from zeep.wsse.signature import BinarySignature
    from zeep.wsse.utils import WSU, get_security_header

    class Signed(BinarySignature):
        def apply(self, envelope: Any, headers: dict[str, str]) -> Any:
            made = datetime.now(UTC)
            moments = [WSU.Created(made.isoformat()), WSU.Expires((made + timedelta(minutes=5)).isoformat())]
            get_security_header(envelope).append(WSU.Timestamp(*moments))
            return super().apply(envelope, headers)

        def verify(self, envelope: Any) -> Any:
            verify(etree.tostring(envelope), hubs)
            return envelope

    made, method = (issued, xmlsec.Transform.ECDSA_SHA256) if kind == "P-256" else (None, xmlsec.Transform.RSA_SHA256)
    if made is None:
        made = authority.issue("rsa-desk", rsa=True)
        register(hub, "soap-desk", issued, made)
    signature = Signed(str(made.key_pem), str(made.pem), signature_method=method, digest_method=xmlsec.Transform.SHA256)
    answer = package(f"{hub.hub}/soap/v1/person", signature).service.personGet(context(), **PERSON)
    assert "Eekhoorn" == answer.body.familyName


def register(hub: Sandbox, application: str, *certificates: Issued) -> None:
    """What `integrator app certificate` does, without an entry in the ledger."""
    path = hub.state / "applications" / f"{application}.json"
    told = [thumbprint(one.der) for one in certificates]
    path.write_text(json.dumps(json.loads(path.read_text()) | {"certificates": told}))
    time.sleep(1.0)  # what changes in the folder counts within a second


def test_no_log_line_of_the_hub_says_whom_it_was_about(built: Package, hub: Sandbox, wsse: Signature):
    built("person").personGet(context(), **PERSON)
    with pytest.raises(zeep.exceptions.Fault):
        built("person").personGet(context(), ssin="84651797655", dossierReference=DOSSIER)

    logs = [path for path in hub.state.glob("*.log") if path.name.startswith("hub")]
    assert logs
    assert [] == [path.name for path in logs if PERSON["ssin"] in path.read_text(encoding="utf-8")]
