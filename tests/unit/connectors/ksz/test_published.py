"""Our projection of SSDN against the published schemas and the published, anonymised answers."""

from __future__ import annotations

import time

import pytest
from lxml import etree

from integrator.contract import Question, Reply
from integrator.errors import SourceRefused, WrongSubject
from integrator.registry import load_room
from integrator.transport.answers import Answers
from integrator.transport.faults import Faults
from integrator.transport.soap import Contract
from tests.contract import cases as played
from tests.unit.connectors import published
from tests.unit.connectors.published import CBSS

pytestmark = published.needed
ROOM = played.ROOT / "connectors" / "ksz"
XSD = "http://www.ksz-bcss.fgov.be/XSD/SSDN/"
KEYS = {
    "by_number": ("identify_person", {"ssin": "85660812341"}),
    "by_name": ("identify_person", {"familyName": "Eekhoorn", "birthDate": "1985-06-08"}),
    "by_name_in_full": (
        "identify_person",
        {"familyName": "d’Été & fils", "givenName": "Zoë", "birthDate": "1985-00-00", "gender": "0", "toleranceDays": 1830},
    ),
    "register": (
        "manage_access",
        {
            "ssin": "85660812341", "action": "REGISTER", "purpose": 2, "period": {"startDate": "2026-12-01"},
            "familyName": "Eekhoorn", "givenName": "Vrolijke", "birthDate": "1985-06-08",
        },
    ),
    "unregister": (
        "manage_access",
        {
            "ssin": "85660812341", "action": "UNREGISTER", "purpose": 2, "identityCardNumber": "592000000001",
            "period": {"startDate": "2026-12-01", "endDate": "2027-05-31"},
        },
    ),
    "list": (
        "manage_access",
        {
            "ssin": "85660812341", "action": "LIST", "register": "ALL", "sector": 17, "period": {"startDate": "2026-12-01"},
            "identityCardNumber": "592000000001",
        },
    ),
}  # fmt: skip


class Bank:
    """In the place of SignedSoap: keeps the document that was asked, and says what a sample says."""

    source = "ksz"

    def __init__(self, said: str = "") -> None:
        self.said, self.asked = said, ""

    async def ask(self, path, contract, template, slots, question, *, repeatable=True):
        self.asked = slots["document"]
        answer = etree.Element("{http://ksz-bcss.fgov.be/connectors/WebServiceConnector}xmlString")
        answer.text = self.said
        return answer


async def asked_of(bank: Bank, operation: str, keys: dict) -> Reply:
    load_room(ROOM)
    from connectors.ksz.ssdn import Ssdn

    faults = Faults.load("ksz", ROOM / "faults.yaml")
    answers = Answers.load(ROOM / "answers.yaml", faults)
    settings = {"sector": 65, "institution": 0}
    ssdn = Ssdn(bank, ROOM / "contract" / "2026-11", answers, settings, lambda: played.NOW)  # type: ignore[arg-type]
    ticket = bank.said.partition("<Reference>")[2].partition("<")[0]
    question = Question(operation, keys, frozenset(), False, ticket, "0207373429", "", time.monotonic() + 5)
    return await getattr(ssdn, operation)(question)


@pytest.fixture(scope="module")
def theirs() -> etree.XMLSchema:
    return published.schema(
        (XSD + "Service", "XSD/SSDN/Service/NamespaceRoot.xsd"),
        (XSD + "OCMW_CPAS/IdentifyPerson", "XSD/SSDN/OCMW_CPAS/IdentifyPerson/NamespaceRoot.xsd"),
        (XSD + "OCMW_CPAS/ManageAccess", "XSD/SSDN/OCMW_CPAS/ManageAccess/NamespaceRoot.xsd"),
    )


@pytest.mark.parametrize("name", KEYS)
async def test_what_we_ask_follows_the_published_schemas(theirs, name):
    bank = Bank("<nothing/>")
    with pytest.raises(Exception, match="ksz"):
        await asked_of(bank, *KEYS[name])

    assert [] == published.errors(theirs, etree.fromstring(bank.asked))


def sample(number: int) -> str:
    return (CBSS / "samples" / f"demo_ipr_{number}.xml").read_text(encoding="utf-8")


@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_published_answers_follow_our_projection(number):
    Contract.load(ROOM / "contract" / "2026-11" / "connector.wsdl").check(etree.fromstring(sample(number).encode()))


async def found(number: int, keys: dict) -> list:
    reply = await asked_of(Bank(sample(number)), "identify_person", keys)
    plan = played.sheet("ksz_identity").plan(None)
    return plan.extract(reply.document, keys).values["items"]


async def test_a_published_hit_is_read():
    items = await found(1, {"familyName": "Mustermann", "birthDate": "1938-06-01"})

    assert [("MUSTERMANN", ["MAX MORITZ"], "RR")] == [
        (item["familyName"], item["givenNames"], item["source"]) for item in items
    ]


async def test_a_published_refusal_for_want_of_a_tolerance_is_named():
    with pytest.raises(SourceRefused) as caught:
        await asked_of(Bank(sample(2)), "identify_person", {"familyName": "M", "birthDate": "1938-06-00"})

    assert "INVALID_KEY" == caught.value.reason


async def test_a_published_answer_with_warnings_still_carries_its_data():
    items = await found(4, {"familyName": "Mustermann", "birthDate": "1938-03-07"})

    assert {"fr": "RUE D'AIX LA CHAPELLE", "de": "AACHENER STRASSE"} == items[0]["address"]["streetName"]


async def test_a_published_answer_about_other_birth_dates_is_somebody_else():
    with pytest.raises(WrongSubject):
        await found(4, {"familyName": "Mustermann", "birthDate": "1940-03-07"})
