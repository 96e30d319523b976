"""What a signed SOAP question costs, step by step, beside the libraries that do the same: `python tests/bench/soap.py`.

One process, one thread, CPU time (user + system); each row is the median of seven runs that take turns, so that a busy
machine hits all rows alike. Absolute times drift from machine to machine: read the ratios. No figure here is a test.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT)]

from lxml import etree  # noqa: E402
from signxml import DigestAlgorithm, SignatureConfiguration, SignatureMethod, XMLSigner, XMLVerifier  # noqa: E402
from signxml.algorithms import CanonicalizationMethod, SignatureConstructionMethod  # noqa: E402
from signxml.signer import SignatureReference  # noqa: E402

from integrator.mapping import load_sheets  # noqa: E402
from integrator.transport.envelope import take_apart  # noqa: E402
from integrator.transport.soap import Contract, Template, slot  # noqa: E402
from integrator.transport.wsse_sign import Signer  # noqa: E402
from integrator.transport.wsse_verify import Verifier  # noqa: E402
from integrator.transport.xml import canonical, parse  # noqa: E402
from tests.contract import cases as played  # noqa: E402
from tests.contract import signed  # noqa: E402
from tests.unit.transport import workshop  # noqa: E402

NOW = workshop.NOW
LIMIT = 1_000_000
RUNS, SECONDS = 7, 0.15  # runs of each row; CPU seconds of one run
REPLY_BYTES = 8_000
Row = tuple[str, Callable[[], object]]


def reply(size: int) -> bytes:
    """A person's file of about `size` bytes: the room's own `found`, with as many old identity cards as it takes."""
    text = signed.payload(played.load(ROOT / "connectors/rijksregister/cases/found.yaml")["answer"])
    card = (
        '<r:IdentityCard Type="195" Structure="F1"><r:Date><r:Century>20</r:Century><r:Year>10</r:Year></r:Date>'
        "<r:TypeOfCard><r:Code>0000</r:Code><r:Label>eID</r:Label></r:TypeOfCard></r:IdentityCard>"
    )
    cards = max(1, (size - len(text.encode()) - 3_300) // len(card))  # the security header takes the rest
    return text.replace(
        "</rrn_it_implicit>", f"<r:IdentityCards>{card * cards}</r:IdentityCards></rrn_it_implicit>"
    ).encode()


def question(contract: Contract) -> Template:
    customer = {
        "ticket": slot("ticket"),
        "timestampSent": slot("sent"),
        "customerIdentification": {"cbeNumber": "0207373429"},
    }
    search = {"ssin": slot("ssin"), "language": "fr", "history": False}
    values = {"informationCustomer": customer, "legalContext": "x", "searchInformation": search}
    return contract.template("retrieveTI", values)


def rows() -> dict[str, list[Row]]:
    """Every row, by the table it stands in."""
    contract = Contract.load(ROOT / "connectors/rijksregister/contract/2026-11/retrieve_ti_groups.wsdl")
    template, slots = question(contract), {"ticket": "t", "sent": "2026-11-30T11:00:00Z", "ssin": "85660812341"}
    asked, answered = template.render(**slots), canonical(parse(reply(REPLY_BYTES), LIMIT))
    pairs = {"P-256": (workshop.KEY, workshop.CERTIFICATE), "RSA-2048": (workshop.RSA_KEY, workshop.RSA_CERTIFICATE)}
    signers = {name: Signer(*pair, lambda: NOW) for name, pair in pairs.items()}
    verifiers = {name: Verifier(pair[1], lambda: NOW) for name, pair in pairs.items()}
    replies = {name: signer.seal(answered) for name, signer in signers.items()}
    data = replies["P-256"]
    payload = take_apart(parse(data, LIMIT)).payload
    contract.check(payload)
    plan = load_sheets(ROOT / "mappings")["rijksregister_person"].plan(frozenset({"deathDate", "drivingLicenses"}))
    keys = {"ssin": "85660812341"}
    customer = {"customerIdentification": {"cbeNumber": "0207373429"}}
    by_keyword = {"informationCustomer": customer, "legalContext": "x", "searchInformation": {"ssin": "85660812341"}}
    client = contract._client

    def ours(name: str) -> None:
        signers[name].seal(template.render(**slots))
        believed = verifiers[name].open(replies[name], LIMIT).payload
        contract.check(believed)
        plan.extract(believed, keys)

    return {
        f"the question ({len(asked)} bytes)": [
            ("template", lambda: template.render(**slots)),
            ("zeep create_message", lambda: client.create_message(client.service, "retrieveTI", **by_keyword)),
        ],
        "signing it": [
            *((f"ours, {name}", lambda one=signer: one.seal(asked)) for name, signer in signers.items()),  # type: ignore[misc]
            ("signxml, P-256", lambda: _signxml_sign(asked)),
        ],
        f"the answer ({len(data)} bytes)": [
            ("lxml parse", lambda: etree.fromstring(data)),
            ("ours: parse, hardened", lambda: parse(data, LIMIT)),
            ("canonical form of the Body alone", lambda: canonical(payload.getparent())),
            *((f"ours: parse and verify, {name}", lambda one=name: verifiers[one].open(replies[one], LIMIT)) for name in pairs),  # type: ignore[misc]
            ("signxml: verify, P-256", lambda: _signxml_verify(data)),
            ("XSD validation", lambda: contract.check(payload)),
            ("extraction of two permitted fields", lambda: plan.extract(payload, keys)),
            ("zeep: parse", lambda: contract.decode("retrieveTI", data)),
        ],
        "question and answer together": [
            *((f"ours, {name}", lambda one=name: ours(one)) for name in pairs),  # type: ignore[misc]
            ("zeep and signxml, P-256", lambda: _naive(client, contract, by_keyword, data)),
        ],
    }  # fmt: skip


def _signxml_sign(asked: bytes) -> etree._Element:
    exclusive = CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0
    signer = XMLSigner(
        SignatureConstructionMethod.detached, SignatureMethod.ECDSA_SHA256, DigestAlgorithm.SHA256, exclusive
    )
    references = [SignatureReference(URI=uri, c14n_method=exclusive) for uri in ("#T", "#B")]
    root = workshop.unsigned(asked.decode())
    return signer.sign(root, key=workshop.KEY, cert=[workshop.CERTIFICATE], reference_uri=references, id_attribute="Id")


def _signxml_verify(data: bytes) -> None:
    root = etree.fromstring(data)
    signature = root.find(".//{*}Signature")
    signature.remove(signature.find("{*}KeyInfo"))  # signxml reads no SecurityTokenReference
    expected = SignatureConfiguration(require_x509=False, location=".//{*}Security/", expect_references=2)
    XMLVerifier().verify(root, x509_cert=workshop.CERTIFICATE, id_attribute="Id", expect_config=expected)


def _naive(client: object, contract: Contract, asked: dict[str, object], data: bytes) -> None:
    message = client.create_message(client.service, "retrieveTI", **asked)  # type: ignore[attr-defined]
    _signxml_sign(etree.tostring(message[-1][0]))
    _signxml_verify(data)
    contract.decode("retrieveTI", data)


def micros(call: Callable[[], object]) -> float:
    """CPU of one call in microseconds, over as many as fit in SECONDS."""
    count, began = 0, time.process_time()
    while time.process_time() - began < SECONDS:
        call()
        count += 1
    return (time.process_time() - began) / count * 1e6


def main() -> None:
    tables = rows()
    measured: dict[tuple[str, str], list[float]] = {}
    for _ in range(RUNS):
        for title, table in tables.items():
            for name, call in table:
                measured.setdefault((title, name), []).append(micros(call))
    for title, table in tables.items():
        print(f"\n{title}")
        for name, _ in table:
            found = measured[title, name]
            print(f"  {name:<40} {statistics.median(found):>9.1f} µs   best {min(found):>9.1f}")


if __name__ == "__main__":
    main()
