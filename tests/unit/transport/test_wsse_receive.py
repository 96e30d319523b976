"""What the receiver of questions refuses: all that the opener of answers does, and whoever nobody registered."""

from __future__ import annotations

import base64

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree

from integrator.transport.wsse_receive import Receiver
from integrator.transport.wsse_verify import SignatureRefused
from integrator.transport.xml import UnsafeXml
from tests.unit.transport import workshop
from tests.unit.transport.hostile import SHAPES
from tests.unit.transport.workshop import (
    CERTIFICATE,
    GOOD,
    ID,
    NOW,
    RSA_CERTIFICATE,
    RSA_KEY,
    find,
    message,
    settle,
    sign,
    text,
    unsigned,
)

LIMIT = 1_000_000
KNOWN = {one.public_bytes(Encoding.DER): name for one, name in ((CERTIFICATE, "desk"), (RSA_CERTIFICATE, "till"))}
ORDER = int("FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551", 16)  # of P-256


class Stranger(Exception):
    pass


def known(der: bytes) -> str:
    if der not in KNOWN:
        raise Stranger
    return KNOWN[der]


@pytest.fixture
def receiver() -> Receiver[str]:
    return Receiver(known, lambda: NOW)


@pytest.mark.parametrize("wound", list(SHAPES))
def test_a_hostile_question_is_refused(receiver, wound):
    with pytest.raises((UnsafeXml, Stranger)):
        receiver.open(SHAPES[wound][1](), LIMIT)


@pytest.mark.parametrize(
    ("key", "certificate", "sender"), [(workshop.KEY, CERTIFICATE, "desk"), (RSA_KEY, RSA_CERTIFICATE, "till")], ids=["P-256", "RSA"]
)  # fmt: skip
def test_the_sender_is_who_registered_the_certificate(receiver, key, certificate, sender):
    received = receiver.open(text(sign(unsigned(GOOD, cert=certificate), key=key)), LIMIT)

    assert (sender, "genuine") == (received.sender, received.envelope.payload.text)


def test_the_key_of_one_sender_does_not_sign_for_another(receiver):
    with pytest.raises(SignatureRefused):
        receiver.open(text(sign(unsigned(GOOD, cert=RSA_CERTIFICATE), key=workshop.KEY)), LIMIT)


def test_nothing_is_hashed_for_a_stranger(receiver, monkeypatch):
    monkeypatch.setattr("integrator.transport.wsse_verify.hashlib", None)

    with pytest.raises(Stranger):
        receiver.open(text(sign(unsigned(GOOD, cert=workshop.STRANGER_CERTIFICATE), key=workshop.STRANGER)), LIMIT)


def test_token_and_other_headers_may_be_signed_too(receiver):
    root = unsigned(GOOD)
    etree.SubElement(find(root, "s:Header"), "{urn:addressing}To", {ID: "TO"}).text = "hub"

    assert "desk" == receiver.open(text(sign(root, ("T", "B", "X", "TO"))), LIMIT).sender


def test_a_signed_header_that_changed_is_refused(receiver):
    root = unsigned(GOOD)
    etree.SubElement(find(root, "s:Header"), "{urn:addressing}To", {ID: "TO"}).text = "hub"
    sign(root, ("T", "B", "TO"))
    find(root, "s:Header/{urn:addressing}To").text = "elsewhere"

    with pytest.raises(SignatureRefused):
        receiver.open(text(root), LIMIT)


@pytest.mark.parametrize("parts", [("T", "X", "TO"), ("B", "X", "TO"), ("T", "B", "B"), ("T", "B", "IN")], ids=[
    "body_left_out", "timestamp_left_out", "body_twice", "something_inside_a_header"])  # fmt: skip
def test_signing_more_is_no_way_to_sign_less(receiver, parts):
    root = unsigned(GOOD)
    to = etree.SubElement(find(root, "s:Header"), "{urn:addressing}To", {ID: "TO"})
    etree.SubElement(to, "inside", {ID: "IN"})

    with pytest.raises(SignatureRefused):
        receiver.open(text(sign(root, parts)), LIMIT)


def test_no_id_occurs_twice_anywhere(receiver):
    root = unsigned(GOOD)
    for _ in range(2):
        etree.SubElement(find(root, "s:Header"), "{urn:addressing}To", {ID: "TO"})

    with pytest.raises(SignatureRefused):
        receiver.open(text(sign(root, ("T", "B", "TO"))), LIMIT)


def test_more_parts_than_a_package_needs_are_refused_before_any_hashing(receiver, monkeypatch):
    root = unsigned(GOOD)
    for number in range(9):
        etree.SubElement(find(root, "s:Header"), "{urn:addressing}To", {ID: f"TO{number}"})
    sign(root, ("T", "B", *(f"TO{number}" for number in range(9))))
    monkeypatch.setattr("integrator.transport.wsse_verify.hashlib", None)

    with pytest.raises(SignatureRefused):
        receiver.open(text(root), LIMIT)


def test_the_same_message_with_its_signature_turned_round_is_the_same_message(receiver):
    """Of an elliptic signature (r, s) everybody can make (r, n - s), which holds as well: the key of no replay register."""
    root = message()
    first = receiver.open(text(root), LIMIT).signed
    value = find(root, ".//ds:SignatureValue")
    octets = base64.b64decode(value.text)
    turned = ORDER - int.from_bytes(octets[32:])
    value.text = base64.b64encode(octets[:32] + turned.to_bytes(32)).decode()

    assert first == receiver.open(text(root), LIMIT).signed


def test_a_message_is_remembered_as_long_as_it_could_be_believed(receiver):
    root = sign(unsigned(GOOD, created=workshop.at(100), expires=workshop.at(200)))

    assert NOW + 200 == receiver.open(text(root), LIMIT).until
    assert (
        NOW + 400
        == receiver.open(text(sign(unsigned(GOOD, created=workshop.at(100), expires=workshop.at(9_000)))), LIMIT).until
    )


@pytest.mark.parametrize("wound", ["issuer_and_serial", "certificate_inside", "a_key_name", "another_token"])
def test_key_info_points_at_the_token_and_at_nothing_else(receiver, wound):
    root = message()
    info = find(root, ".//ds:KeyInfo")
    more = {
        "issuer_and_serial": "<ds:X509Data><ds:X509IssuerSerial/></ds:X509Data>",
        "certificate_inside": f"<ds:X509Data><ds:X509Certificate>{workshop.token(CERTIFICATE)}</ds:X509Certificate></ds:X509Data>",
        "a_key_name": "<ds:KeyName>desk</ds:KeyName>", "another_token": "",
    }[wound]  # fmt: skip
    if more:
        info.append(etree.fromstring(more.replace(">", f' xmlns:ds="{workshop.DS}">', 1)))
    else:
        find(root, ".//ds:KeyInfo//wsse:Reference").set("URI", "#B")
    settle(root)

    with pytest.raises(SignatureRefused):
        receiver.open(text(root), LIMIT)
