"""What the verifier refuses, what it accepts, and that both say the same as a second implementation."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from signxml import DigestAlgorithm, SignatureMethod
from signxml.algorithms import CanonicalizationMethod, SignatureConstructionMethod
from signxml.signer import SignatureReference, XMLSigner

from integrator.errors import ConfigurationError
from integrator.transport.envelope import SOAP, NotSoap
from integrator.transport.wsse_verify import NotSigned, SignatureRefused, Verifier
from integrator.transport.xml import UnsafeXml
from tests.unit.transport import workshop
from tests.unit.transport.hostile import SHAPES, rename
from tests.unit.transport.workshop import (
    CERTIFICATE,
    EC,
    KEY,
    NOW,
    RSA_CERTIFICATE,
    RSA_KEY,
    message,
    sign,
    text,
    unsigned,
)

LIMIT = 1_000_000


@pytest.fixture
def verifier() -> Verifier:
    return Verifier(CERTIFICATE, lambda: NOW)


@pytest.mark.parametrize("wound", list(SHAPES))
def test_a_hostile_message_is_refused(verifier, wound):
    rule, shape = SHAPES[wound]

    with pytest.raises(UnsafeXml) as refusal:
        verifier.open(shape(), LIMIT)

    assert rule == getattr(refusal.value, "rule", 0)


def test_there_are_more_hostile_shapes_than_the_thirty_eight_that_fooled_others():
    assert 38 <= len(SHAPES)


@pytest.mark.parametrize("wound", ["a_thousand_references", "a_thousand_transforms"])
def test_work_without_end_is_refused_before_any_hashing(verifier, wound, monkeypatch):
    monkeypatch.setattr("integrator.transport.wsse_verify.hashlib", None)

    with pytest.raises(SignatureRefused):
        verifier.open(SHAPES[wound][1](), LIMIT)


def test_a_refusal_never_quotes_the_message(verifier):
    with pytest.raises(UnsafeXml) as refusal:
        verifier.open(text(message("<answer>85660812341</answer>")).replace(b"85660812341", b"85660812342"), LIMIT)

    assert "8566" not in str(refusal.value)


# --- what is accepted ----------------------------------------------------------------------------------------------


def test_a_message_signed_as_agreed_is_opened(verifier):
    assert "genuine" == verifier.open(text(message()), LIMIT).payload.text


def test_a_message_signed_with_rsa_is_opened_when_an_rsa_key_is_pinned():
    root = sign(unsigned("<answer>genuine</answer>", cert=RSA_CERTIFICATE), key=RSA_KEY)

    assert "genuine" == Verifier(RSA_CERTIFICATE, lambda: NOW).open(text(root), LIMIT).payload.text


def test_a_prefix_list_as_java_stacks_write_it_is_followed(verifier):
    inclusive = f'<ec:InclusiveNamespaces xmlns:ec="{EC}" PrefixList="wsse s"/>'
    root = message(transforms=f'<ds:Transform Algorithm="{EC}">{inclusive}</ds:Transform>')
    for reference, part in zip(root.findall(".//{*}Reference[@URI]")[:2], (root[0][0][1], root[1]), strict=True):
        form = etree.tostring(rooted(part), method="c14n", exclusive=True, inclusive_ns_prefixes=["wsse", "s"])
        reference[2].text = workshop.b64(workshop._HASHES[workshop.SHA256](form).digest())
    workshop.settle(root)

    assert "genuine" == verifier.open(text(root), LIMIT).payload.text


def rooted(part: etree._Element) -> etree._Element:
    alone = etree.Element(part.tag, dict(part.attrib), nsmap=part.nsmap)
    alone.text = part.text
    alone.extend(etree.fromstring(etree.tostring(child)) for child in part)
    return alone


@pytest.mark.parametrize("seconds", [-299, 0, 299], ids=["almost_too_old", "now", "a_clock_that_runs_ahead"])
def test_clocks_may_differ_by_five_minutes(verifier, seconds):
    root = sign(unsigned("<answer/>", created=workshop.at(seconds), expires=workshop.at(400)))

    assert "answer" == verifier.open(text(root), LIMIT).payload.tag


def test_other_headers_may_stand_beside_security(verifier):
    root = message()
    etree.SubElement(root[0], "{urn:addressing}MessageID").text = "1"

    assert "answer" == verifier.open(text(root), LIMIT).payload.tag


def test_ids_of_any_length_are_read(verifier):
    root = rename(message(), {"B": "id-5b2e8d0c-of-the-body"})

    assert "answer" == verifier.open(text(root), LIMIT).payload.tag


def test_the_order_inside_security_does_not_matter(verifier):
    root = message()
    root[0][0].insert(0, root[0][0][2])

    assert "answer" == verifier.open(text(root), LIMIT).payload.tag


def test_base64_in_lines_is_read(verifier):
    root = message()
    token = root[0][0][0]
    token.text = "\n" + "\n".join(token.text[start : start + 64] for start in range(0, len(token.text), 64)) + "\n"

    assert "answer" == verifier.open(text(root), LIMIT).payload.tag


def test_nothing_signed_is_told_apart_from_wrongly_signed(verifier):
    with pytest.raises(NotSigned):
        verifier.open(f'<s:Envelope xmlns:s="{SOAP}"><s:Body><s:Fault/></s:Body></s:Envelope>'.encode(), LIMIT)


def test_a_body_without_payload_is_no_answer(verifier):
    with pytest.raises(NotSoap):
        verifier.open(text(message("")), LIMIT)


# --- the pinned certificate ----------------------------------------------------------------------------------------


def test_a_pinned_certificate_that_ran_out_is_no_longer_believed():
    verifier = Verifier(CERTIFICATE, lambda: NOW + 31 * 86400)

    with pytest.raises(SignatureRefused) as refusal:
        verifier.open(text(message()), LIMIT)

    assert 3 == refusal.value.rule


@pytest.mark.parametrize("name", ["weak_rsa", "other_curve"])
def test_a_certificate_with_a_weak_key_cannot_be_pinned(name):
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    weak = rsa.generate_private_key(65537, 1024)  # noqa: S505 (weak on purpose)
    key = weak if name == "weak_rsa" else ec.generate_private_key(ec.SECP384R1())

    with pytest.raises(ConfigurationError):
        Verifier(workshop.certificate(key), time.time)


def test_a_missing_certificate_file_is_named(tmp_path):
    with pytest.raises(ConfigurationError, match=r"gone\.pem"):
        Verifier.load(tmp_path / "gone.pem", time.time)


# --- a second opinion ----------------------------------------------------------------------------------------------


def signed_by_signxml(payload: str) -> bytes:
    """The same agreement, signed by another implementation; only KeyInfo is put right by hand (it lies outside)."""
    root = unsigned(payload)
    signer = XMLSigner(
        SignatureConstructionMethod.detached,
        SignatureMethod.ECDSA_SHA256,
        DigestAlgorithm.SHA256,
        CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0,
    )
    exclusive = CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0
    references = [SignatureReference(URI=uri, c14n_method=exclusive) for uri in ("#T", "#B")]
    signature = signer.sign(root, key=KEY, cert=[CERTIFICATE], reference_uri=references, id_attribute="Id")
    info = signature.find("{*}KeyInfo")
    info.getparent().replace(info, message().find(".//{*}KeyInfo"))
    root[0][0].append(signature)
    return etree.tostring(root)


def test_a_message_signed_by_signxml_is_opened(verifier):
    assert "genuine" == verifier.open(signed_by_signxml("<answer>genuine</answer>"), LIMIT).payload.text


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_no_single_changed_byte_is_believed(data):
    """Whatever one byte becomes, the message is refused, or its two signed parts are what they were."""
    genuine = text(message("<answer><name>Zoé</name><date>1961-00-00</date></answer>"))
    place = data.draw(st.integers(0, len(genuine) - 1))
    crooked = genuine[:place] + bytes([data.draw(st.integers(0, 255))]) + genuine[place + 1 :]
    verifier = Verifier(CERTIFICATE, lambda: NOW)

    try:
        opened = verifier.open(crooked, LIMIT)
    except UnsafeXml:
        return

    assert workshop.c14n(etree.fromstring(genuine)[1]) == workshop.c14n(opened.body)
