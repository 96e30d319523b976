"""One signed question and its answer: what leaves the house, and what keeps the source's words out of it."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from integrator.contract import HttpAnswer, Question, Tools
from integrator.errors import ConfigurationError, SourceFault, SourceRefused
from integrator.transport.answers import Answers
from integrator.transport.faults import Faults
from integrator.transport.signed import SignedSoap
from integrator.transport.soap import Contract, slot
from integrator.transport.wsse_sign import Signer
from integrator.transport.wsse_verify import Verifier
from tests.unit.transport import workshop
from tests.unit.transport.workshop import CERTIFICATE, KEY, NOW

GREETING = '<g:GreetResponse xmlns:g="urn:test:greeter"><g:Greeting>dag</g:Greeting></g:GreetResponse>'
FAULTS = Faults(
    "greeter",
    {"E1": {"error": "SourceRefused", "reason": "NO_PERMISSION"}, "*": {"error": "SourceFault", "reason": "FAULT"}},
)
CONTRACT = Contract.load(Path(__file__).parent / "contract" / "greeter.wsdl")
TEMPLATE = CONTRACT.template("greet", {"Name": slot("name")})


class Source:
    """Answers with the same bytes, and keeps what it was sent: each attempt writes its body anew."""

    def __init__(self, body: bytes, content_type: str = "text/xml", status: int = 200, attempts: int = 1) -> None:
        self.answer = HttpAnswer(status, content_type, body, {})
        self.attempts, self.bodies, self.headers = attempts, list[bytes](), dict[str, str]()

    async def __call__(self, method, path, *, body=None, headers=None, deadline, query=None, repeatable=True):
        self.headers = dict(headers)
        self.bodies += [body() for _ in range(self.attempts)]
        return self.answer


def question(**changes) -> Question:
    usual = {
        "operation": "greet", "keys": {}, "groups": frozenset(), "history": False, "ticket": "t",
        "organisation": "0207373429", "legal_context": "", "deadline": time.monotonic() + 5,
    }  # fmt: skip
    return Question(**{**usual, **changes})


async def ask(source: Source, name: str = "Noor", *, sandbox: bool = True, scenario: str | None = None):
    soap = SignedSoap(
        "greeter", source, Signer(KEY, CERTIFICATE, lambda: NOW), Verifier(CERTIFICATE, lambda: NOW), FAULTS,
        sandbox=sandbox,
    )  # fmt: skip
    return await soap.ask("/greet", CONTRACT, TEMPLATE, {"name": name}, question(scenario=scenario))


def genuine() -> bytes:
    return workshop.text(workshop.message(GREETING))


async def test_what_leaves_the_house_is_signed_by_us():
    source = Source(genuine())

    await ask(source)

    assert "Noor" == Verifier(CERTIFICATE, lambda: NOW).open(source.bodies[0], 100_000).payload[0].text


async def test_every_attempt_carries_a_signature_of_its_own():
    source = Source(genuine(), attempts=2)

    await ask(source)

    assert source.bodies[0] != source.bodies[1]


async def test_the_payload_of_a_genuine_answer_is_handed_over():
    assert "dag" == (await ask(Source(genuine())))[0].text


async def test_a_key_that_xml_cannot_carry_never_leaves_the_house():
    source = Source(genuine())

    with pytest.raises(SourceFault) as caught:
        await ask(source, name="No\x00or")

    assert ("UNSPEAKABLE", []) == (caught.value.reason, source.bodies)


async def test_a_scenario_goes_along_in_the_sandbox():
    source = Source(genuine())

    await ask(source, scenario="greeter.delay")

    assert "greeter.delay" == source.headers["Integrator-Test-Scenario"]


async def test_a_scenario_never_leaves_the_house_in_production():
    source = Source(genuine())

    await ask(source, scenario="greeter.delay", sandbox=False)

    assert "Integrator-Test-Scenario" not in source.headers


async def test_the_words_of_a_fault_never_reach_ours():
    inner = "<faultcode>s:E1</faultcode><faultstring>85660812341 is not yours</faultstring>"
    fault = f'<s:Fault xmlns:s="{workshop.SOAP}">{inner}</s:Fault>'

    with pytest.raises(SourceRefused) as caught:
        await ask(Source(workshop.text(workshop.message(fault)), status=500))

    assert "85660812341" not in f"{caught.value}{caught.value.__cause__}"


async def test_what_a_refused_answer_held_never_reaches_our_words():
    crooked = genuine().replace(b"dag", b"85660812341")

    with pytest.raises(SourceFault) as caught:
        await ask(Source(crooked))

    assert "85660812341" not in f"{caught.value}{caught.value.__cause__}"


@pytest.mark.parametrize("missing", ["signingKey", "signingCertificate", "sourceCertificate"])
def test_a_missing_setting_is_named_at_start(missing):
    settings = {"signingKey": "a", "signingCertificate": "b", "sourceCertificate": "c"}
    del settings[missing]

    with pytest.raises(ConfigurationError, match=missing):
        SignedSoap.from_tools(Tools("greeter", Path(), settings, Source(b""), lambda: NOW, sandbox=True), FAULTS)


def test_a_source_without_an_address_cannot_be_built():
    with pytest.raises(ConfigurationError):
        SignedSoap.from_tools(Tools("greeter", Path(), {}, None, lambda: NOW, sandbox=True), FAULTS)


# --- answers.yaml ---------------------------------------------------------------------------------------------------


@pytest.fixture
def answers(tmp_path) -> Answers:
    table = tmp_path / "answers.yaml"
    table.write_text("FOUND: {answer: found}\nNOTHING: {answer: nothing}\nPART: {answer: found, incomplete: true}\n")
    return Answers.load(table, FAULTS)


def test_the_most_telling_word_decides(answers):
    with pytest.raises(SourceRefused):
        answers.read("E1", "NOTHING")


def test_a_word_that_says_nothing_more_leaves_it_to_the_next(answers):
    assert "nothing" == answers.read("E99", "NOTHING").answer


def test_words_that_nobody_told_us_about_are_a_fault_and_never_nothing(answers):
    with pytest.raises(SourceFault):
        answers.read("E99", "PERHAPS")


def test_no_word_at_all_is_a_fault(answers):
    with pytest.raises(SourceFault):
        answers.read()


def test_a_warning_beside_an_answer_can_say_that_there_is_more(answers):
    assert answers.incomplete(["E99", "PART"])


@pytest.mark.parametrize("line", ["X: {answer: perhaps}", "X: {}", "X: {answer: found, incomplet: true}"])
def test_a_line_that_is_none_is_found_at_start(tmp_path, line):
    (tmp_path / "answers.yaml").write_text(line)

    with pytest.raises(ConfigurationError):
        Answers.load(tmp_path / "answers.yaml", FAULTS)
