"""KBO: who may ask, what is refused, what is shown in which language, what stays private, and the lies it can tell."""

from __future__ import annotations

import base64
import hashlib
import os
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

import mock_sources.sources.kbo as room
from mock_sources.credentials import UsernamePassword
from mock_sources.sources.kbo.app import PublicSearch
from mock_sources.world.facts import (
    Activity,
    Address,
    Coded,
    Denomination,
    Enterprise,
    Establishment,
    Municipality,
    Names,
    Persona,
    PlacedAt,
    Situation,
    Street,
)

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
MES = "http://economie.fgov.be/kbopub/webservices/v1/messages"
DAT = "http://economie.fgov.be/kbopub/webservices/v1/datamodel"
OASIS = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-"
NS = {"s": SOAP, "m": MES, "d": DAT}
USER = UsernamePassword("hub", "s3cret&<é>")
OWNER = "71640618918"

STREET = Street(9001, "1234", "21009", "1050", Names("Voorbeeldstraat", "Rue de l’Exemple & Fils"))
SEAT, HOME, SHOP, OLD_SHOP = (Address(500 + n, STREET, str(10 + n)) for n in range(4))


def name(text: str, language: str, code: str = "001", end: str | None = None) -> Denomination:
    return Denomination(text, language, code, "2001-01-01", end)


def shop(number: str, enterprise: str, address: Address, start: str, **more: Any) -> Establishment:
    return Establishment(number, enterprise, (name("Winkel", "2"),), address, start, **more)


BAKERY = Enterprise(
    number="0314595348",
    kind="2",
    status="AC",
    names=(name("Bakkerij <Zoë>", "2"), name("Boulangerie Zoë", "1"), name("BZ", "2", "002", "2010-01-01")),
    legal_forms=(Coded("610", "2020-01-01"), Coded("014", "2001-01-01", "2020-01-01")),
    situations=(Situation("000", "2001-01-01"),),
    addresses=(PlacedAt("REGO", SEAT, "2015-01-01"), PlacedAt("REGO", HOME, "2001-01-01", "2015-01-01")),
    establishments=(shop("2000000339", "0314595348", SHOP, "2001-02-03"),),
    start="2001-01-01",
    activities=(Activity("10711", "MAIN", "001", "2001-01-01"),),
)
LONE = Enterprise(
    number="0206731645",
    kind="1",
    status="AC",
    names=(name("Anna Serruÿs", "2"),),
    legal_forms=(),
    situations=(Situation("000", "2001-01-01"),),
    addresses=(PlacedAt("REGO", HOME, "2001-01-01"),),
    establishments=(
        shop("2000000438", "0206731645", SHOP, "2010-01-01"),
        shop("2000000537", "0206731645", OLD_SHOP, "2001-01-01", end="2005-01-01", status="ST"),
    ),
    start="2001-01-01",
    owner_ssin=OWNER,
)
STOPPED = Enterprise(
    number="0200065765",
    kind="2",
    status="ST",
    names=(name("Voorbij", "0"),),
    legal_forms=(Coded("999", "1990-01-01"),),
    situations=(Situation("012", "2019-01-01", status="ST"), Situation("000", "1990-00-00", "2019-01-01")),
    addresses=(),
    establishments=(),
    start="1990-00-00",
    close="2019-12-31",
)


class Register:
    """A world of three enterprises."""

    today = date(2026, 11, 23)

    def __init__(self) -> None:
        self.all = {one.number: one for one in (BAKERY, LONE, STOPPED)}
        self.personas = {
            one.number: Persona(one.number, Names("", ""), "", "", None, None, one.number, (), None)
            for one in (STOPPED, BAKERY, LONE)
        }

    def enterprise(self, number: str) -> Enterprise | None:
        return self.all.get(number)

    def establishment(self, number: str) -> Establishment | None:
        return next((u for one in self.all.values() for u in one.establishments if u.number == number), None)

    def enterprises_named(self, text: str, limit: int = 25) -> list[Enterprise]:
        hits = [one for one in self.all.values() if any(text.lower() in held.text.lower() for held in one.names)]
        return hits[:limit]

    def person(self, ssin: str) -> None:
        return None

    def municipality(self, nis: str) -> Municipality:
        return Municipality(nis, Names("Elsene", "Ixelles"), ("1050",))


@pytest.fixture
def register() -> Register:
    return Register()


@pytest.fixture
def kbo(register: Register, clock: Any) -> PublicSearch:
    return PublicSearch(register, USER, clock)  # type: ignore[arg-type]


READ = "<m:ReadEnterpriseRequest><d:EnterpriseNumber>{0}</d:EnterpriseNumber></m:ReadEnterpriseRequest>"
UNIT = (
    "<m:ReadEstablishmentUnitRequest><d:EstablishmentUnitNumber>{0}</d:EstablishmentUnitNumber>"
    "</m:ReadEstablishmentUnitRequest>"
)
FIND = "<m:FindByEnterpriseNameRequest><d:Name>{0}</d:Name></m:FindByEnterpriseNameRequest>"


class Asker:
    """Builds envelopes, whole or wounded, and asks."""

    def __init__(self, kbo: PublicSearch, clock: Any, ask: Any) -> None:
        self._kbo, self._clock, self._ask = kbo, clock, ask
        self.schema = etree.XMLSchema(etree.parse(str(Path(room.__file__).with_name("schema") / "messages.xsd")))

    def envelope(
        self,
        body: str,
        *,
        language: str = "nl",
        context: str | None = None,
        user: str = USER.username,
        password: str = USER.password,
        age: float = 0,
        nonce: bytes | None = None,
        kind: str = "PasswordDigest",
        security: bool = True,
    ) -> bytes:
        created = self._clock() - timedelta(seconds=age)
        stamp, end = (f"{moment:%Y-%m-%dT%H:%M:%SZ}" for moment in (created, created + timedelta(minutes=5)))
        raw = nonce or os.urandom(16)
        sha1 = hashlib.sha1(raw + stamp.encode() + password.encode(), usedforsecurity=False)
        digest = base64.b64encode(sha1.digest()).decode()
        token = (
            f'<w:Security xmlns:w="{OASIS}wssecurity-secext-1.0.xsd" xmlns:u="{OASIS}wssecurity-utility-1.0.xsd">'
            f"<w:UsernameToken><w:Username>{user}</w:Username>"
            f'<w:Password Type="{OASIS}username-token-profile-1.0#{kind}">{digest}</w:Password>'
            f"<w:Nonce>{base64.b64encode(raw).decode()}</w:Nonce><u:Created>{stamp}</u:Created></w:UsernameToken>"
            f"<u:Timestamp><u:Created>{stamp}</u:Created><u:Expires>{end}</u:Expires></u:Timestamp></w:Security>"
        )
        said = context or f"<m:RequestContext><m:Id>a</m:Id><m:Language>{language}</m:Language></m:RequestContext>"
        return (
            f'<s:Envelope xmlns:s="{SOAP}" xmlns:m="{MES}" xmlns:d="{DAT}"><s:Header>'
            f"{token if security else ''}{said}</s:Header><s:Body>{body}</s:Body></s:Envelope>"
        ).encode()

    def post(self, data: bytes, fault: str | None = None, **headers: str) -> Any:
        sent = {"content-type": "text/xml; charset=utf-8"} | {key.replace("_", "-"): v for key, v in headers.items()}
        return self._ask(self._kbo, "POST", "/kbopubws180000/services/wsKBOPub", headers=sent, body=data, fault=fault)

    def reply(self, body: str, fault: str | None = None, **how: Any) -> etree._Element:
        """The reply element of a question that must succeed; checked against our own schema."""
        answered = self.post(self.envelope(body, **how), fault)
        assert 200 == answered.status, answered.body
        found = etree.fromstring(answered.body)[-1][0]
        self.schema.assertValid(found)
        return found

    def refused(self, data: bytes, fault: str | None = None, **headers: str) -> tuple[str, str | None]:
        """(faultcode without prefix, ServiceFault code) of a question that must fail."""
        answered = self.post(data, fault, **headers)
        assert 500 == answered.status, answered.body
        root = etree.fromstring(answered.body)
        detail = root.find(".//m:ServiceFault", NS)
        if detail is not None:
            self.schema.assertValid(detail)
        prefix, _, code = root.findtext(".//faultcode").partition(":")
        home = root.find(".//s:Fault", NS).nsmap[prefix]
        assert home == (SOAP if prefix == "soapenv" else f"{OASIS}wssecurity-secext-1.0.xsd")
        return code, None if detail is None else detail.findtext("m:Code", namespaces=NS)


@pytest.fixture
def asker(kbo: PublicSearch, clock: Any, ask: Any) -> Asker:
    return Asker(kbo, clock, ask)


def texts(element: etree._Element, path: str) -> list[str]:
    return [found.text or "" for found in element.findall(path, NS)]


# --- at the door ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wound", "code"),
    [
        ({"password": "guess"}, "FailedAuthentication"),
        ({"user": "somebody"}, "FailedAuthentication"),
        ({"age": 1200}, "MessageExpired"),
        ({"age": -600}, "MessageExpired"),
        ({"kind": "PasswordText"}, "UnsupportedAlgorithm"),
        ({"security": False}, "InvalidSecurity"),
    ],
    ids=str,
)
def test_a_stranger_gets_the_fault_of_ws_security(asker: Asker, wound: dict[str, Any], code: str) -> None:
    assert (code, None) == asker.refused(asker.envelope(READ.format(BAKERY.number), **wound))


def test_a_nonce_counts_once(asker: Asker) -> None:
    sent = asker.envelope(READ.format(BAKERY.number))
    first = asker.post(sent).status

    assert (200, ("FailedCheck", None)) == (first, asker.refused(sent))


@pytest.mark.parametrize(
    "context",
    [
        "<!-- none -->",
        "<m:RequestContext><m:Id>a</m:Id><m:Language>es</m:Language></m:RequestContext>",
        "<m:RequestContext><m:Id>a</m:Id></m:RequestContext>",
        "<m:RequestContext><m:Id></m:Id><m:Language>fr</m:Language></m:RequestContext>",
        "<m:RequestContext><m:Id>a</m:Id><m:Language>fr</m:Language></m:RequestContext>" * 2,
    ],
    ids=["absent", "spanish", "no-language", "empty-id", "doubled"],
)
def test_the_request_context_is_asked_for(asker: Asker, context: str) -> None:
    assert ("Client", "InvalidRequest") == asker.refused(asker.envelope(READ.format(BAKERY.number), context=context))


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (READ.format("314595348"), "InvalidRequest"),
        (READ.format("0314.595.348"), "InvalidRequest"),
        (READ.format("2000000339"), "InvalidRequest"),
        (READ.format("0314595349"), "InvalidNumber"),
        (UNIT.format("2000000338"), "InvalidNumber"),
        (FIND.format("x"), "InvalidRequest"),
        ("<m:DropTableRequest/>", "InvalidRequest"),
        ("", "InvalidRequest"),
        (READ.format(BAKERY.number) * 2, "InvalidRequest"),
    ],
)
def test_a_bad_question_is_a_client_fault(asker: Asker, body: str, code: str) -> None:
    assert ("Client", code) == asker.refused(asker.envelope(body))


def test_a_refused_number_is_not_echoed(asker: Asker) -> None:
    assert b"0314595349" not in asker.post(asker.envelope(READ.format("0314595349"))).body


@pytest.mark.parametrize(
    "data",
    [b"<half", b"", b'<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>'],
    ids=["not-well-formed", "empty", "doctype"],
)
def test_what_is_no_message_is_a_client_fault(asker: Asker, data: bytes) -> None:
    assert ("Client", None) == asker.refused(data)


def test_another_root_is_a_version_mismatch(asker: Asker) -> None:
    assert ("VersionMismatch", None) == asker.refused(b"<x/>")


def test_the_soapaction_of_another_operation_is_refused(asker: Asker) -> None:
    other = '"http://fgov.economie.be/kbopub/FindByEnterpriseName"'

    assert ("Client", "InvalidRequest") == asker.refused(asker.envelope(READ.format(BAKERY.number)), soapaction=other)


@pytest.mark.parametrize("action", ['"http://fgov.economie.be/kbopub/ReadEnterprise"', '""'])
def test_its_own_soapaction_or_an_empty_one_is_fine(asker: Asker, action: str) -> None:
    assert 200 == asker.post(asker.envelope(READ.format(BAKERY.number)), soapaction=action).status


@pytest.mark.parametrize(
    ("method", "kind", "size", "status"),
    [("GET", "text/xml", 1, 405), ("POST", "application/json", 1, 415), ("POST", "text/xml", 300_000, 413)],
)
def test_what_is_no_soap_call_is_refused_in_http(
    kbo: PublicSearch, ask: Any, method: str, kind: str, size: int, status: int
) -> None:
    place = "/kbopubws180000/services/wsKBOPub"

    assert status == ask(kbo, method, place, headers={"content-type": kind}, body=b" " * size).status


# --- what is answered -------------------------------------------------------------------------------------------


def test_the_record_is_about_the_number_asked(asker: Asker) -> None:
    assert [BAKERY.number] == texts(asker.reply(READ.format(BAKERY.number)), "d:Enterprise/d:EnterpriseNumber")


def test_a_comment_inside_the_number_changes_nothing(asker: Asker) -> None:
    split = f"{BAKERY.number[:4]}<!-- 0206731645 -->{BAKERY.number[4:]}"

    assert [BAKERY.number] == texts(asker.reply(READ.format(split)), "d:Enterprise/d:EnterpriseNumber")


@pytest.mark.parametrize(
    ("language", "form", "street", "city"),
    [
        ("nl", "Besloten vennootschap", "Voorbeeldstraat", "Elsene"),
        ("fr", "Société à responsabilité limitée", "Rue de l’Exemple & Fils", "Ixelles"),
        ("de", "Gesellschaft mit beschränkter Haftung", "Rue de l’Exemple & Fils", "Ixelles"),
        ("en", "Private limited company", "Rue de l’Exemple & Fils", "Ixelles"),
    ],
)
def test_descriptions_come_in_the_language_asked(
    asker: Asker, language: str, form: str, street: str, city: str
) -> None:
    record = asker.reply(READ.format(BAKERY.number), language=language)[0]

    assert form == texts(record, "d:JuridicalForm/d:Description/d:Value")[0]
    assert street == texts(record, "d:Address/d:Street")[0]
    assert city == texts(record, "d:Address/d:Municipality/d:Description/d:Value")[0]


def test_names_keep_their_own_language_and_code(asker: Asker) -> None:
    record = asker.reply(READ.format(BAKERY.number), language="en")[0]

    assert ["Bakkerij <Zoë>", "Boulangerie Zoë", "BZ"] == texts(record, "d:Denomination/d:Description/d:Value")
    assert ["nl", "fr", "nl"] == texts(record, "d:Denomination/d:Description/d:Language")
    assert ["001", "001", "002"] == texts(record, "d:Denomination/d:Code")
    assert ["2010-01-01"] == texts(record, "d:Denomination/d:Validity/d:End")


def test_a_name_of_unknown_language_says_none(asker: Asker) -> None:
    record = asker.reply(READ.format(STOPPED.number))[0]

    assert [] == texts(record, "d:Denomination/d:Description/d:Language")


def test_the_history_of_forms_and_seats_is_dated(asker: Asker) -> None:
    record = asker.reply(READ.format(BAKERY.number))[0]

    assert ["2020-01-01", "2001-01-01"] == texts(record, "d:JuridicalForm/d:Validity/d:Begin")
    assert ["2015-01-01"] == texts(record, "d:Address/d:Validity/d:End")


def test_a_stopped_enterprise_is_answered_with_its_end(asker: Asker) -> None:
    record = asker.reply(READ.format(STOPPED.number))[0]

    assert ["ST"] == texts(record, "d:Status/d:Code")
    assert ["1990-01-01"] == texts(record, "d:StartDate")
    assert ["2019-12-31"] == texts(record, "d:CloseDate")
    assert ["012", "000"] == texts(record, "d:JuridicalSituation/d:Code")


def test_a_code_without_label_stands_alone(asker: Asker) -> None:
    form = asker.reply(READ.format(STOPPED.number))[0].find("d:JuridicalForm", NS)

    assert ("999", []) == (form.findtext("d:Code", namespaces=NS), form.findall("d:Description", NS))


def test_an_annulled_number_names_its_heir(asker: Asker, register: Register) -> None:
    register.all["0200065765"] = Enterprise(
        "0200065765", "2", "AN", (), (), (), (), (), "1990-01-01", replaced_by=BAKERY.number
    )

    assert [BAKERY.number] == texts(asker.reply(READ.format("0200065765"))[0], "d:ReplacedBy")


def test_an_unknown_number_is_a_fault_not_an_empty_answer(asker: Asker) -> None:
    assert ("Client", "EnterpriseNotFound") == asker.refused(asker.envelope(READ.format("0400000086")))
    assert ("Client", "EstablishmentUnitNotFound") == asker.refused(asker.envelope(UNIT.format("2000000042")))


def test_an_establishment_unit_names_its_enterprise(asker: Asker) -> None:
    unit = asker.reply(UNIT.format("2000000339"))[0]

    assert [BAKERY.number] == texts(unit, "d:EnterpriseNumber")
    assert ["12"] == texts(unit, "d:Address/d:HouseNumber")


def test_a_search_gives_names_and_status_and_no_more(asker: Asker) -> None:
    found = asker.reply(FIND.format("zoë"))

    assert {"EnterpriseNumber", "TypeOfEnterprise", "Status", "StartDate", "Denomination"} == {
        etree.QName(child).localname for child in found.find("d:Enterprise", NS)
    }
    assert ["false"] == texts(found, "m:MoreResults")


def test_a_search_without_hits_is_an_empty_answer(asker: Asker) -> None:
    found = asker.reply(FIND.format("nergens"))

    assert (["false"], []) == (texts(found, "m:MoreResults"), found.findall("d:Enterprise", NS))


def test_a_cut_search_says_so(asker: Asker) -> None:
    body = (
        FIND.format("e")
        .replace("<d:Name>e", "<d:Name>er")
        .replace("</m:", "<d:MaximumNumberOfResults>1</d:MaximumNumberOfResults></m:")
    )
    found = asker.reply(body)

    assert (["true"], 1) == (texts(found, "m:MoreResults"), len(found.findall("d:Enterprise", NS)))


# --- what stays private -----------------------------------------------------------------------------------------

PRIVACY = "Geen gegevens beschikbaar wegens de bescherming van de persoonlijke levenssfeer"


def test_a_home_is_replaced_by_the_oldest_active_unit(asker: Asker) -> None:
    record = asker.reply(READ.format(LONE.number))[0]

    assert (["OBAD"], ["12"]) == (texts(record, "d:Address/d:Type"), texts(record, "d:Address/d:HouseNumber"))


def test_without_active_unit_a_home_is_the_privacy_text(asker: Asker, register: Register) -> None:
    register.all[LONE.number] = _changed(LONE, establishments=LONE.establishments[1:])
    record = asker.reply(READ.format(LONE.number))[0]

    assert ([PRIVACY], []) == (texts(record, "d:Address/d:Street"), texts(record, "d:Address/d:HouseNumber"))


def test_hidden_data_say_so_beside_the_shop(asker: Asker, register: Register) -> None:
    register.all[LONE.number] = _changed(LONE, private_hidden=True)
    record = asker.reply(READ.format(LONE.number))[0]

    assert ["REGO", "OBAD"] == texts(record, "d:Address/d:Type")
    assert [PRIVACY, "Voorbeeldstraat"] == texts(record, "d:Address/d:Street")


def test_hidden_data_hide_the_home_even_when_it_is_the_shop(asker: Asker, register: Register) -> None:
    at_home = (shop("2000000438", LONE.number, HOME, "2010-01-01"),)
    register.all[LONE.number] = _changed(LONE, establishments=at_home, private_hidden=True)
    answer = etree.tostring(asker.reply(READ.format(LONE.number))).decode()
    unit = etree.tostring(asker.reply(UNIT.format("2000000438"))).decode()

    assert ("Voorbeeldstraat" in answer, "Voorbeeldstraat" in unit) == (False, False)


def test_an_owner_is_never_named_by_number(asker: Asker) -> None:
    assert OWNER not in etree.tostring(asker.reply(READ.format(LONE.number))).decode()


def _changed(facts: Enterprise, **more: Any) -> Enterprise:
    from dataclasses import replace

    return replace(facts, **more)


# --- lies -------------------------------------------------------------------------------------------------------


def test_over_delivery_gives_home_owner_and_bank_in_valid_xml(asker: Asker) -> None:
    record = asker.reply(READ.format(LONE.number), fault="over_delivery")[0]

    assert [OWNER] == texts(record, "d:Function/d:HeldByPerson")
    assert "11" in texts(record, "d:Address/d:HouseNumber")
    assert 1 == len(record.findall("d:BankAccount", NS))


def test_over_delivery_turns_a_search_into_whole_records(asker: Asker) -> None:
    found = asker.reply(FIND.format("serruÿs"), fault="over_delivery")

    assert [OWNER] == texts(found, "d:Enterprise/d:Function/d:HeldByPerson")


@pytest.mark.parametrize("number", [BAKERY.number, LONE.number])
def test_wrong_subject_is_another_enterprise(asker: Asker, number: str) -> None:
    shown = etree.tostring(asker.reply(READ.format(number), fault="wrong_subject")).decode()

    assert number not in shown


@pytest.mark.parametrize("number", ["2000000339", "2000000438"])
def test_wrong_subject_is_another_unit(asker: Asker, number: str) -> None:
    shown = etree.tostring(asker.reply(UNIT.format(number), fault="wrong_subject")).decode()

    assert number not in shown


def test_wrong_subject_does_not_invent_an_enterprise(asker: Asker) -> None:
    assert ("Client", "EnterpriseNotFound") == asker.refused(
        asker.envelope(READ.format("0400000086")), fault="wrong_subject"
    )


@pytest.mark.parametrize("body", [READ.format(BAKERY.number), UNIT.format("2000000339"), FIND.format("zoë")])
def test_throttling_is_an_ordinary_answer(asker: Asker, body: str) -> None:
    assert ["99996"] == texts(asker.reply(body, fault="throttled"), "m:Uitzonderingen/m:Uitzondering/m:Identificatie")


def test_a_soap_fault_can_be_asked_for(asker: Asker) -> None:
    assert ("Server", "InternalError") == asker.refused(asker.envelope(READ.format(BAKERY.number)), fault="soap_fault")


# --- the contract -----------------------------------------------------------------------------------------------


def test_the_wsdl_loads_and_offers_the_three_operations() -> None:
    zeep = pytest.importorskip("zeep")
    client = zeep.Client(str(Path(room.__file__).with_name("schema") / "wsKBOPub.wsdl"))
    (port,) = client.wsdl.services["wsKBOPub"].ports.values()

    assert {"ReadEnterprise", "ReadEstablishmentUnit", "FindByEnterpriseName"} == set(port.binding._operations)


@pytest.mark.shared
def test_the_documented_request_is_valid_here(asker: Asker, contracts: Path) -> None:
    sample = etree.parse(str(contracts / "samples-written" / "kbo_readenterprise_request.xml"))

    for part in ("RequestContext", "ReadEnterpriseRequest"):
        asker.schema.assertValid(sample.find(f".//{{{MES}}}{part}"))
