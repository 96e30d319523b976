"""What the sources sign holds for others too: signxml, and the xmlsec1 program where it is installed."""

from __future__ import annotations

import shutil
import subprocess

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree
from signxml import XMLVerifier
from signxml.verifier import SignatureConfiguration

from mock_sources.wsse import SecurityRefused, Signer, is_plain, names
from mock_sources.wsse.shape import canonical
from tests.unit.mock_sources.soap_asking import Caller, Reply, new_kit

PAYLOADS = {
    "plain": '<s:answer xmlns:s="urn:s"><who>Łukasz &amp; d’Été</who></s:answer>',
    "carelessly_written": '<s:answer b="2" a="1" xmlns:s="urn:s"  ><who/><t><![CDATA[<é>]]></t></s:answer>',
    "default_namespace": '<xmlString xmlns="urn:x">&lt;a&gt;"quoted"&lt;/a&gt;</xmlString>',
}


@pytest.fixture(scope="module")
def kit(tmp_path_factory):
    return new_kit(tmp_path_factory)


@pytest.fixture
def signer(kit):
    return Signer(kit.ksz.key, kit.ksz.certificate)


def verified_by_signxml(message, certificate):
    root = etree.fromstring(message)
    config = SignatureConfiguration(expect_references=2, location=".//")
    pem = certificate.public_bytes(Encoding.PEM).decode()
    results = XMLVerifier().verify(root, x509_cert=pem, expect_config=config)
    return [etree.QName(result.signed_xml).localname for result in results]


@pytest.mark.parametrize("payload", PAYLOADS.values(), ids=PAYLOADS.keys())
def test_signxml_finds_timestamp_and_body_under_the_signature(signer, kit, clock, payload):
    assert ["Timestamp", "Body"] == verified_by_signxml(signer.seal(payload, clock()), kit.ksz.certificate)


@pytest.mark.parametrize("name", ["plain", "default_namespace"])
def test_signxml_believes_what_was_signed_as_it_stands(signer, kit, clock, name):
    message = signer.seal_plain(PAYLOADS[name], clock())

    assert ["Timestamp", "Body"] == verified_by_signxml(message, kit.ksz.certificate)


@pytest.mark.skipif(shutil.which("xmlsec1") is None, reason="xmlsec1 is not installed")
@pytest.mark.parametrize("payload", PAYLOADS.values(), ids=PAYLOADS.keys())
def test_xmlsec1_believes_the_signature(signer, kit, clock, payload, tmp_path):
    message, certificate = tmp_path / "message.xml", tmp_path / "source.pem"
    message.write_bytes(signer.seal(payload, clock()))
    certificate.write_bytes(kit.ksz.certificate.public_bytes(Encoding.PEM))
    ids = [part for name in ("Timestamp", "Body") for part in ("--id-attr:Id", f"{_namespace(name)}:{name}")]
    command = ["xmlsec1", "--verify", "--pubkey-cert-pem", str(certificate), *ids, str(message)]

    assert 0 == subprocess.run(command, capture_output=True, check=False).returncode


def _namespace(name):
    return names.WSU if name == "Timestamp" else names.SOAP


@pytest.mark.parametrize(
    ("form", "prefixes"),
    [
        ('<q:ask xmlns:q="urn:q"><who>x</who></q:ask>', []),
        ('<q:ask xmlns:q="urn:q"><who>x</who></q:ask>', ["q"]),
        ('<q:ask xmlns:q="urn:q" xmlns:unused="urn:unused"><who>x</who></q:ask>', ["unused", "absent"]),
    ],
    ids=["none", "used_anyway", "declared_far_above"],
)
def test_a_prefix_list_brings_declarations_of_ancestors_along(form, prefixes):
    """The same forms as xmlsec 1.3 signs; lxml alone forgets what stands above the element."""
    root = etree.fromstring('<a xmlns:q="urn:q" xmlns:unused="urn:unused"><b><q:ask><who>x</who></q:ask></b></a>')

    assert form == canonical(root[0][0], prefixes).decode()


def test_a_careless_payload_is_not_in_canonical_form():
    assert not is_plain(PAYLOADS["carelessly_written"])


def test_a_payload_that_is_no_xml_is_never_signed(signer, clock):
    with pytest.raises(etree.XMLSyntaxError):
        signer.seal("<a>\x0b</a>", clock())


def test_a_forged_reply_bears_the_right_certificate_and_the_wrong_signature(signer, kit, clock):
    reply = Reply(200, signer.seal(PAYLOADS["plain"], clock(), forged=True))

    with pytest.raises(SecurityRefused, match="signature does not hold"):
        Caller(kit, clock).believes(reply, "ksz")
