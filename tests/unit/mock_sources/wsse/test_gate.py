"""The gate refuses every message whose signature does not cover exactly what it would act upon."""

from __future__ import annotations

import base64
from copy import deepcopy
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from lxml import etree
from signxml import DigestAlgorithm, SignatureMethod, XMLSigner, methods
from signxml.algorithms import CanonicalizationMethod

from mock_sources.wsse import Gate, SecurityRefused, Signer, names
from tests.unit.mock_sources.soap_asking import new_kit

SOAP, DS, WSSE, WSU = (f"{{{uri}}}" for uri in (names.SOAP, names.DS, names.WSSE, names.WSU))
QUESTION = '<q:ask xmlns:q="urn:q"><who>subject</who></q:ask>'


@pytest.fixture(scope="module")
def kit(tmp_path_factory):
    return new_kit(tmp_path_factory)


@pytest.fixture
def gate(kit, clock):
    return Gate(kit.client.certificate, clock)


@pytest.fixture
def signed(kit, clock):
    return etree.fromstring(Signer(kit.client.key, kit.client.certificate).seal(QUESTION, clock()))


def again(root):
    """What arrives after a hostile hand was at it: serialised and parsed anew."""
    return etree.fromstring(etree.tostring(root))


def security(root):
    return root.find(f"{SOAP}Header/{WSSE}Security")


def evil_body(root, identifier="Body-source"):
    body = etree.fromstring(
        f'<s:Body xmlns:s="{names.SOAP}" xmlns:u="{names.WSU}" u:Id="{identifier}"><evil/></s:Body>'
    )
    return body


def body_wrapped_in_a_header(root):
    wrapper = etree.SubElement(root[0], "wrapper")
    wrapper.append(root[1])
    root.append(evil_body(root, "other"))


def body_wrapped_with_the_same_id(root):
    wrapper = etree.SubElement(root[0], "wrapper")
    wrapper.append(root[1])
    root.append(evil_body(root))


def body_wrapped_in_the_signature(root):
    thing = etree.SubElement(security(root).find(f"{DS}Signature"), f"{DS}Object")
    thing.append(root[1])
    root.append(evil_body(root, "other"))


def body_wrapped_in_security(root):
    security(root).append(root[1])
    root.append(evil_body(root, "other"))


def body_wrapped_in_the_new_body(root):
    evil = evil_body(root, "other")
    evil.append(root[1])
    root.append(evil)


def second_body_in_front(root):
    root.insert(1, evil_body(root, "other"))


def second_body_behind(root):
    root.append(evil_body(root, "other"))


def body_changed(root):
    root[1][0][0].text = "somebody else"


def body_id_moved_to_the_wrapper(root):
    old = root[1]
    del old.attrib[f"{WSU}Id"]
    wrapper = etree.SubElement(root[0], "wrapper", {"Id": "Body-source"})
    wrapper.append(old)
    root.append(evil_body(root))


def timestamp_stretched(root):
    security(root).find(f"{WSU}Timestamp/{WSU}Expires").text = "2030-01-01T00:00:00Z"


def timestamp_wrapped(root):
    timestamp = security(root).find(f"{WSU}Timestamp")
    fresh = deepcopy(timestamp)
    fresh.set(f"{WSU}Id", "fresh")
    security(root).insert(1, fresh)
    etree.SubElement(root[0], "wrapper").append(timestamp)


def second_timestamp(root):
    fresh = deepcopy(security(root).find(f"{WSU}Timestamp"))
    fresh.set(f"{WSU}Id", "fresh")
    security(root).append(fresh)


def second_security(root):
    root[0].append(deepcopy(security(root)))


def second_signature(root):
    security(root).append(deepcopy(security(root).find(f"{DS}Signature")))


def signature_absent(root):
    security(root).remove(security(root).find(f"{DS}Signature"))


def timestamp_absent(root):
    security(root).remove(security(root).find(f"{WSU}Timestamp"))


def token_absent(root):
    security(root).remove(security(root).find(f"{WSSE}BinarySecurityToken"))


def header_absent(root):
    root.remove(root[0])


def body_unsigned(root):
    """Only the Timestamp stays under the signature."""
    info = security(root).find(f"{DS}Signature/{DS}SignedInfo")
    info.remove(info[3])


def timestamp_twice_instead_of_body(root):
    info = security(root).find(f"{DS}Signature/{DS}SignedInfo")
    info.replace(info[3], deepcopy(info[2]))


def reference_added(root):
    info = security(root).find(f"{DS}Signature/{DS}SignedInfo")
    info.append(deepcopy(info[3]))


def reference_to_the_whole_document(root):
    security(root).find(f"{DS}Signature/{DS}SignedInfo")[3].set("URI", "")


def reference_to_another_place(root):
    security(root).find(f"{DS}Signature/{DS}SignedInfo")[3].set("URI", "http://example.invalid/body")


def digest_of_sha1(root):
    for method in root.iter(f"{DS}DigestMethod"):
        method.set("Algorithm", "http://www.w3.org/2000/09/xmldsig#sha1")


def signature_of_sha1(root):
    next(root.iter(f"{DS}SignatureMethod")).set("Algorithm", "http://www.w3.org/2000/09/xmldsig#rsa-sha1")


def signature_by_hmac(root):
    next(root.iter(f"{DS}SignatureMethod")).set("Algorithm", "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256")


def transform_by_xslt(root):
    next(root.iter(f"{DS}Transform")).set("Algorithm", "http://www.w3.org/TR/1999/REC-xslt-19991116")


def transform_added(root):
    transforms = next(root.iter(f"{DS}Transforms"))
    transforms.append(deepcopy(transforms[0]))


def canonical_with_comments(root):
    method = next(root.iter(f"{DS}CanonicalizationMethod"))
    method.set("Algorithm", names.EXC_C14N + "WithComments")


def canonical_inclusive(root):
    next(root.iter(f"{DS}CanonicalizationMethod")).set("Algorithm", "http://www.w3.org/TR/2001/REC-xml-c14n-20010315")


def comment_in_the_number(root):
    root[1][0][0].append(etree.Comment("x"))


def instruction_in_the_body(root):
    root[1][0].append(etree.PI("php", "echo"))


def key_info_points_elsewhere(root):
    next(root.iter(f"{WSSE}Reference")).set("URI", "#Body-source")


def key_info_with_a_key_of_its_own(root):
    etree.SubElement(next(root.iter(f"{DS}KeyInfo")), f"{DS}KeyName").text = "mine"


def token_of_another_type(root):
    next(root.iter(f"{WSSE}BinarySecurityToken")).set("ValueType", names.X509_V3 + "PKIPathv1")


def ids_shared(root):
    root[1][0].set(f"{WSU}Id", "TS-source")


def ids_shared_under_another_name(root):
    root[1][0].set("ID", "Body-source")


def signature_cut(root):
    value = next(root.iter(f"{DS}SignatureValue"))
    value.text = base64.b64encode(base64.b64decode(value.text)[:-1]).decode()


def signature_not_base64(root):
    next(root.iter(f"{DS}SignatureValue")).text = "*"


def signature_of_zeros(root):
    next(root.iter(f"{DS}SignatureValue")).text = base64.b64encode(bytes(64)).decode()


def element_between_header_and_body(root):
    root.insert(1, etree.Element("between"))


def stranger_in_security(root):
    etree.SubElement(security(root), f"{WSSE}UsernameToken")


WOUNDS = [
    body_wrapped_in_a_header,
    body_wrapped_with_the_same_id,
    body_wrapped_in_the_signature,
    body_wrapped_in_security,
    body_wrapped_in_the_new_body,
    second_body_in_front,
    second_body_behind,
    body_changed,
    body_id_moved_to_the_wrapper,
    timestamp_stretched,
    timestamp_wrapped,
    second_timestamp,
    second_security,
    second_signature,
    signature_absent,
    timestamp_absent,
    token_absent,
    header_absent,
    body_unsigned,
    timestamp_twice_instead_of_body,
    reference_added,
    reference_to_the_whole_document,
    reference_to_another_place,
    digest_of_sha1,
    signature_of_sha1,
    signature_by_hmac,
    transform_by_xslt,
    transform_added,
    canonical_with_comments,
    canonical_inclusive,
    comment_in_the_number,
    instruction_in_the_body,
    key_info_points_elsewhere,
    key_info_with_a_key_of_its_own,
    token_of_another_type,
    ids_shared,
    ids_shared_under_another_name,
    signature_cut,
    signature_not_base64,
    signature_of_zeros,
    element_between_header_and_body,
    stranger_in_security,
]


def test_an_honest_message_is_admitted_and_its_body_returned(gate, signed):
    assert "subject" == gate.admit(signed)[0][0].text


@pytest.mark.parametrize("wound", WOUNDS, ids=[wound.__name__ for wound in WOUNDS])
def test_a_wounded_message_is_refused(gate, signed, wound):
    wound(signed)

    with pytest.raises(SecurityRefused):
        gate.admit(again(signed))


def resigned(root, key):
    """Sign SignedInfo anew, so that nothing but the structure is wrong."""
    info = next(root.iter(f"{DS}SignedInfo"))
    form = etree.tostring(info, method="c14n", exclusive=True)
    r, s = decode_dss_signature(key.sign(form, ec.ECDSA(hashes.SHA256())))
    next(root.iter(f"{DS}SignatureValue")).text = base64.b64encode(r.to_bytes(32) + s.to_bytes(32)).decode()
    return root


@pytest.mark.parametrize("wound", [body_unsigned, timestamp_twice_instead_of_body, reference_added, transform_added])
def test_a_careless_holder_of_the_key_cannot_leave_the_body_out(gate, signed, kit, wound):
    wound(signed)

    with pytest.raises(SecurityRefused):
        gate.admit(again(resigned(signed, kit.client.key)))


@pytest.mark.parametrize(
    ("seconds", "code"), [(-301, "MessageExpired"), (61, "MessageExpired"), (-86400, "MessageExpired")]
)
def test_a_message_of_another_moment_is_refused(gate, kit, clock, seconds, code):
    message = Signer(kit.client.key, kit.client.certificate).seal(QUESTION, clock() + timedelta(seconds=seconds))

    with pytest.raises(SecurityRefused) as refused:
        gate.admit(etree.fromstring(message))

    assert code == refused.value.code


@pytest.mark.parametrize("seconds", [-299, 0, 59])
def test_a_clock_that_is_a_little_off_is_forgiven(gate, kit, clock, seconds):
    message = Signer(kit.client.key, kit.client.certificate).seal(QUESTION, clock() + timedelta(seconds=seconds))

    assert "subject" == gate.admit(etree.fromstring(message))[0][0].text


def test_the_same_message_twice_is_a_replay(gate, signed):
    gate.admit(signed)

    with pytest.raises(SecurityRefused, match="replay"):
        gate.admit(again(signed))


def test_a_replay_does_not_hide_behind_the_other_half_of_an_ecdsa_signature(gate, signed):
    gate.admit(deepcopy(signed))
    value = next(signed.iter(f"{DS}SignatureValue"))
    raw = base64.b64decode(value.text)
    mirrored = (names.P256_ORDER - int.from_bytes(raw[32:])).to_bytes(32)
    value.text = base64.b64encode(raw[:32] + mirrored).decode()

    with pytest.raises(SecurityRefused, match="replay"):
        gate.admit(again(signed))


def test_the_same_message_id_twice_is_a_replay(gate, kit, clock):
    signer = Signer(kit.client.key, kit.client.certificate)

    def message():
        root = etree.fromstring(signer.seal(QUESTION, clock()))
        etree.SubElement(root[0], f"{{{names.WSA}}}MessageID").text = "urn:uuid:1"
        return again(root)

    gate.admit(message())

    with pytest.raises(SecurityRefused, match="MessageID"):
        gate.admit(message())


def test_a_message_signed_by_somebody_else_is_refused(kit, clock, signed):
    with pytest.raises(SecurityRefused) as refused:
        Gate(kit.ksz.certificate, clock).admit(signed)

    assert "InvalidSecurityToken" == refused.value.code


def test_a_stranger_under_the_right_certificate_is_refused(gate, kit, clock):
    message = Signer(kit.client.key, kit.client.certificate).seal(QUESTION, clock(), forged=True)

    with pytest.raises(SecurityRefused) as refused:
        gate.admit(etree.fromstring(message))

    assert "FailedCheck" == refused.value.code


def rsa_identity():
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "rsa.invalid")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime(2026, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2036, 1, 1, tzinfo=UTC))
        .sign(key, hashes.SHA256())
    )
    return key, certificate


def signed_by_signxml(key, certificate, method, clock):
    """The same message made by another library: detached references, then moved where WS-Security wants them."""
    token = base64.b64encode(certificate.public_bytes(Encoding.DER)).decode()
    created, expires = (f"{moment:%Y-%m-%dT%H:%M:%SZ}" for moment in (clock(), clock() + timedelta(minutes=5)))
    root = etree.fromstring(
        f'<S:Envelope xmlns:S="{names.SOAP}" xmlns:u="{names.WSU}" xmlns:unused="urn:unused"><S:Header>'
        f'<w:Security xmlns:w="{names.WSSE}"><w:BinarySecurityToken u:Id="T" ValueType="{names.X509_V3}" '
        f'EncodingType="{names.BASE64}">{token}</w:BinarySecurityToken><u:Timestamp u:Id="TS"><u:Created>{created}'
        f"</u:Created><u:Expires>{expires}</u:Expires></u:Timestamp></w:Security></S:Header>"
        f'<S:Body u:Id="B">{QUESTION}</S:Body></S:Envelope>'
    )
    reference = etree.fromstring(
        f'<d:KeyInfo xmlns:d="{names.DS}"><w:SecurityTokenReference xmlns:w="{names.WSSE}">'
        f'<w:Reference URI="#T" ValueType="{names.X509_V3}"/></w:SecurityTokenReference></d:KeyInfo>'
    )
    signer = XMLSigner(
        method=methods.detached,
        signature_algorithm=method,
        digest_algorithm=DigestAlgorithm.SHA256,
        c14n_algorithm=CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0,
    )
    signature = signer.sign(root, key=key, cert=[certificate], reference_uri=["#TS", "#B"], key_info=reference)
    root.find(f".//{WSSE}Security").append(signature)
    return again(root)


def test_what_signxml_signs_with_ecdsa_is_admitted(gate, kit, clock):
    root = signed_by_signxml(kit.client.key, kit.client.certificate, SignatureMethod.ECDSA_SHA256, clock)

    assert "subject" == gate.admit(root)[0][0].text


def test_what_signxml_signs_with_rsa_is_admitted(clock):
    key, certificate = rsa_identity()
    root = signed_by_signxml(key, certificate, SignatureMethod.RSA_SHA256, clock)

    assert "subject" == Gate(certificate, clock).admit(root)[0][0].text
