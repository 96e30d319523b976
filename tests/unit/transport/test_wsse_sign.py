"""What we sign: already canonical, believed by our own verifier and by a second implementation."""

from __future__ import annotations

import base64
import hashlib

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from signxml import DigestAlgorithm, SignatureConfiguration, SignatureMethod, XMLVerifier
from signxml.exceptions import InvalidSignature

from integrator.errors import ConfigurationError
from integrator.transport.wsse import UsernameToken
from integrator.transport.wsse_sign import Signer
from integrator.transport.wsse_verify import Verifier
from integrator.transport.xml import escape
from tests.unit.transport.workshop import (
    CERTIFICATE,
    KEY,
    NOW,
    NS,
    RSA_CERTIFICATE,
    RSA_KEY,
    STRANGER,
    at,
    c14n,
    certificate,
    find,
)

LIMIT = 1_000_000
PAYLOAD = b'<q:ask xmlns:q="urn:q"><name>Zo\xc3\xab &amp; fils</name></q:ask>'


@pytest.fixture(params=["p256", "rsa"])
def pair(request):
    return (KEY, CERTIFICATE) if request.param == "p256" else (RSA_KEY, RSA_CERTIFICATE)


def by_signxml(data: bytes, cert) -> None:
    """Raise unless another implementation finds the same two parts signed."""
    root = etree.fromstring(data)
    signature = find(root, ".//ds:Signature")
    methods = frozenset({SignatureMethod.ECDSA_SHA256, SignatureMethod.RSA_SHA256})
    expected = SignatureConfiguration(
        require_x509=False,
        location=".//{*}Security/",
        expect_references=2,
        signature_methods=methods,
        digest_algorithms=frozenset({DigestAlgorithm.SHA256}),
    )
    # signxml reads no SecurityTokenReference: hand it the key, and take the foreign KeyInfo away (it is not signed).
    signature.remove(find(signature, "ds:KeyInfo"))
    results = XMLVerifier().verify(root, x509_cert=cert, id_attribute="Id", expect_config=expected)
    assert {"Timestamp", "Body"} == {etree.QName(result.signed_xml).localname for result in results}


def test_our_own_verifier_opens_what_we_sign(pair):
    opened = Verifier(pair[1], lambda: NOW).open(Signer(*pair, lambda: NOW).seal(PAYLOAD), LIMIT)

    assert "Zoë & fils" == opened.payload[0].text


def test_a_second_implementation_believes_what_we_sign(pair):
    by_signxml(Signer(*pair, lambda: NOW).seal(PAYLOAD), pair[1])


def test_a_second_implementation_sees_when_it_was_changed(pair):
    data = Signer(*pair, lambda: NOW).seal(PAYLOAD).replace(b"fils", b"file")

    with pytest.raises(InvalidSignature):
        by_signxml(data, pair[1])


@pytest.mark.parametrize("path", [".//wsu:Timestamp", "s:Body", ".//ds:SignedInfo"])
def test_each_signed_part_is_written_in_canonical_form(pair, path):
    data = Signer(*pair, lambda: NOW).seal(PAYLOAD, b'<h:other xmlns:h="urn:h"></h:other>')

    assert c14n(find(etree.fromstring(data), path)) in data


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc", "Cn"]) | st.sampled_from("\t\n\r&<>\"'")))
@settings(max_examples=200, deadline=None)
def test_any_text_signed_is_any_text_read(text):
    payload = f"<a>{escape(text)}</a>".encode()
    opened = Verifier(CERTIFICATE, lambda: NOW).open(Signer(KEY, CERTIFICATE, lambda: NOW).seal(payload), LIMIT)

    assert text == (opened.payload.text or "")


def test_a_message_lives_for_five_minutes_and_says_so(pair):
    root = etree.fromstring(Signer(*pair, lambda: NOW).seal(PAYLOAD))

    assert [at(0), at(300)] == [child.text for child in find(root, ".//wsu:Timestamp")]


def test_the_security_header_must_be_understood(pair):
    root = etree.fromstring(Signer(*pair, lambda: NOW).seal(PAYLOAD))

    assert "1" == find(root, ".//wsse:Security").get(f"{{{NS['s']}}}mustUnderstand")


def test_a_key_that_is_not_of_the_certificate_is_found_at_start():
    with pytest.raises(ConfigurationError):
        Signer(STRANGER, CERTIFICATE, lambda: NOW)


@pytest.mark.parametrize(
    "key",
    [
        rsa.generate_private_key(65537, 1024),  # noqa: S505 (weak on purpose)
        ec.generate_private_key(ec.SECP384R1()),
    ],
    ids=["weak_rsa", "another_curve"],
)
def test_a_weak_or_foreign_key_does_not_sign(key):
    with pytest.raises(ConfigurationError):
        Signer(key, certificate(key), lambda: NOW)


@pytest.mark.parametrize("content", [None, b"not a key", "ed25519"], ids=["missing", "nonsense", "ed25519"])
def test_a_key_file_that_cannot_sign_is_named_and_not_shown(tmp_path, content):
    path = tmp_path / "client.key.pem"
    if content == "ed25519":
        none, pem = serialization.NoEncryption(), serialization.Encoding.PEM
        content = ed25519.Ed25519PrivateKey.generate().private_bytes(pem, serialization.PrivateFormat.PKCS8, none)
    if content:
        path.write_bytes(content)

    with pytest.raises(ConfigurationError, match=r"client\.key\.pem") as caught:
        Signer.load(path, path, lambda: NOW)

    assert str(tmp_path) not in str(caught.value)


def test_keys_are_read_from_files(tmp_path):
    pem, none = serialization.Encoding.PEM, serialization.NoEncryption()
    (tmp_path / "k.pem").write_bytes(KEY.private_bytes(pem, serialization.PrivateFormat.PKCS8, none))
    (tmp_path / "c.pem").write_bytes(CERTIFICATE.public_bytes(pem))

    signer = Signer.load(tmp_path / "k.pem", tmp_path / "c.pem", lambda: NOW)

    assert "ask" in Verifier.load(tmp_path / "c.pem", lambda: NOW).open(signer.seal(PAYLOAD), LIMIT).payload.tag


# --- UsernameToken -------------------------------------------------------------------------------------------------


def username_token() -> etree._Element:
    header = UsernameToken("hub & co", "s3cret", lambda: NOW).header().decode()
    return etree.fromstring(header.replace("<wsse:Security ", f'<wsse:Security xmlns:soapenv="{NS["s"]}" ', 1))


def test_the_password_travels_only_as_a_digest_of_nonce_time_and_password():
    header = username_token()
    nonce = base64.b64decode(find(header, ".//wsse:Nonce").text)
    created = find(header, "wsse:UsernameToken/wsu:Created").text
    expected = base64.b64encode(
        hashlib.sha1(nonce + created.encode() + b"s3cret", usedforsecurity=False).digest()
    ).decode()

    assert expected == find(header, ".//wsse:Password").text


def test_a_nonce_is_never_used_twice():
    assert find(username_token(), ".//wsse:Nonce").text != find(username_token(), ".//wsse:Nonce").text


def test_a_user_name_is_escaped():
    assert "hub & co" == find(username_token(), ".//wsse:Username").text
