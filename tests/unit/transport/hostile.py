"""Messages that a verifier must refuse, each named after its wound. A number says which rule must refuse it.

The first family moves what was signed and puts something else where the reader looks (XML signature wrapping). The
others leave things unsigned, use weak or foreign means, or try to make the verifier work itself to death.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from copy import deepcopy

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from lxml import etree

from tests.unit.transport.workshop import (
    DS,
    EC,
    EVIL,
    GOOD,
    ID,
    KEY,
    MORE,
    OASIS,
    RSA_KEY,
    SHA1,
    SHA512,
    SOAP,
    STRANGER,
    STRANGER_CERTIFICATE,
    WSU,
    at,
    b64,
    c14n,
    certificate,
    find,
    message,
    settle,
    sign,
    text,
    token,
    unsigned,
)  # fmt: skip

Shape = Callable[[], bytes]
SHAPES: dict[str, tuple[int, Shape]] = {}


def refused_by(rule: int) -> Callable[[Shape], Shape]:
    def keep(shape: Shape) -> Shape:
        SHAPES[shape.__name__] = (rule, shape)
        return shape

    return keep


def evil_body(name: str | None = "B") -> etree._Element:
    body = etree.fromstring(f'<s:Body xmlns:s="{SOAP}">{EVIL}</s:Body>')
    if name:
        body.set(ID, name)
    return body


def rename(root: etree._Element, names: dict[str, str]) -> etree._Element:
    """Give elements other ids; what pointed at them is set right and signed anew where there is a signature."""
    for element in root.iter(etree.Element):
        if element.get(ID) in names:
            element.set(ID, names[element.get(ID)])
    for reference in root.iter(f"{{{DS}}}Reference"):
        part = names.get(reference.get("URI", "")[1:])
        if part:
            reference.set("URI", "#" + part)
            signed = next(iter(root.xpath("//*[@wsu:Id=$name]", namespaces={"wsu": WSU}, name=part)))
            reference[2].text = b64(hashlib.sha256(c14n(signed)).digest())
    if root.find(f".//{{{DS}}}Signature") is not None:
        settle(root)
    return root


def move_body(into: str, name: str | None, wrapper: str | None = None) -> etree._Element:
    """Put the signed Body elsewhere, an evil one in its place."""
    root = message()
    signed = find(root, "s:Body")
    root.replace(signed, evil_body(name))
    place = find(root, into)
    if wrapper:
        place = etree.SubElement(place, wrapper)
    place.append(signed)
    return root


# --- wrapping: the signed Body survives somewhere, the reader would read another one --------------------------------


@refused_by(1)
def signed_body_moved_into_a_header_wrapper_same_id() -> bytes:
    return text(move_body("s:Header", "B", "wrapper"))


@refused_by(1)
def signed_body_moved_into_a_header_wrapper_other_id() -> bytes:
    return text(move_body("s:Header", "B2", "wrapper"))


@refused_by(1)
def signed_body_moved_into_a_header_wrapper_no_id() -> bytes:
    return text(move_body("s:Header", None, "wrapper"))


@refused_by(1)
def signed_body_moved_into_the_evil_body() -> bytes:
    return text(move_body("s:Body/answer", "B2"))


@refused_by(2)
def signed_body_moved_into_security() -> bytes:
    return text(move_body("s:Header/wsse:Security", "B2"))


@refused_by(4)
def signed_body_moved_into_an_object_of_the_signature() -> bytes:
    root = move_body("s:Header/wsse:Security/ds:Signature", "B2", f"{{{DS}}}Object")
    # rule 1 sees the second Body first; renamed, only the shape of the Signature is left to refuse it
    find(root, ".//ds:Object/s:Body").tag = f"{{{SOAP}}}Hidden"
    return text(root)


@refused_by(6)
def signed_body_renamed_and_hidden_in_a_header() -> bytes:
    root = message()
    signed = find(root, "s:Body")
    root.replace(signed, evil_body("B"))
    hidden = deepcopy(signed)
    hidden.tag, hidden.attrib[ID] = f"{{{SOAP}}}Hidden", "B0"
    find(root, "s:Header").append(hidden)
    return text(root)


@refused_by(5)
def the_same_id_on_a_decoy_with_another_attribute_name() -> bytes:
    root = message()
    etree.SubElement(find(root, "s:Header"), "decoy").set("Id", "B")
    return text(root)


@refused_by(5)
def the_same_id_as_xml_id() -> bytes:
    root = message()
    decoy = etree.SubElement(find(root, "s:Header"), "decoy")
    decoy.set("{http://www.w3.org/XML/1998/namespace}id", "T")
    return text(root)


@refused_by(5)
def the_same_id_written_in_another_way() -> bytes:
    root = rename(message(), {"B": "id-of-the-body"})
    etree.SubElement(find(root, "s:Header"), "decoy").set("Id", "DECOY")
    return text(root).replace(b"DECOY", b"id&#45;of-the-body")


@refused_by(5)
def the_token_and_the_timestamp_under_one_id() -> bytes:
    root = rename(unsigned(GOOD), {"X": "T"})
    sign(root)
    for place, name in ((".//ds:Reference[1]", "#T"), (".//ds:KeyInfo//wsse:Reference", "#T")):
        find(root, place).set("URI", name)
    digest = hashlib.sha256(c14n(find(root, ".//wsu:Timestamp"))).digest()
    find(root, ".//ds:Reference[1]/ds:DigestValue").text = b64(digest)
    settle(root)
    return text(root)


@refused_by(0)
def a_second_body_behind_the_signed_one() -> bytes:
    root = message()
    root.append(evil_body("B2"))
    return text(root)


@refused_by(0)
def a_second_body_before_the_signed_one() -> bytes:
    root = message()
    root.insert(1, evil_body("B2"))
    return text(root)


@refused_by(0)
def an_evil_body_before_the_header() -> bytes:
    root = message()
    root.insert(0, evil_body("B2"))
    return text(root)


@refused_by(0)
def a_second_payload_in_the_body_signed_as_one() -> bytes:
    return text(message(GOOD + EVIL))


@refused_by(0)
def the_envelope_wrapped_in_another_envelope() -> bytes:
    outer = etree.fromstring(f'<s:Envelope xmlns:s="{SOAP}"><s:Body/></s:Envelope>')
    outer[0].append(message())
    outer.insert(0, evil_body(None))
    return text(outer)


@refused_by(1)
def a_whole_genuine_envelope_as_payload_of_a_forged_one() -> bytes:
    root = message()
    find(root, "s:Body").append(deepcopy(root))
    find(root, "s:Body").remove(find(root, "s:Body/answer"))
    return text(root)


@refused_by(1)
def a_second_header_with_its_own_security() -> bytes:
    root = message()
    root[1][0].append(deepcopy(root[0]))
    return text(root)


@refused_by(1)
def the_timestamp_copied_into_a_wrapper_and_renewed() -> bytes:
    root = sign(unsigned(GOOD, created=at(-900), expires=at(-600)))
    old = find(root, ".//wsu:Timestamp")
    fresh = deepcopy(old)
    fresh[0].text, fresh[1].text = at(0), at(300)
    old.getparent().replace(old, fresh)
    etree.SubElement(find(root, "s:Header"), "wrapper").append(old)
    return text(root)


# --- not everything is signed --------------------------------------------------------------------------------------


@refused_by(4)
def only_the_timestamp_signed() -> bytes:
    return text(message(parts=("T",)))


@refused_by(4)
def only_the_body_signed_timestamp_free() -> bytes:
    return text(message(parts=("B",)))


@refused_by(5)
def the_timestamp_signed_twice_instead_of_the_body() -> bytes:
    return text(message(parts=("T", "T")))


@refused_by(5)
def the_token_signed_instead_of_the_body() -> bytes:
    return text(message(parts=("T", "X")))


@refused_by(5)
def the_payload_signed_instead_of_the_body() -> bytes:
    root = unsigned(GOOD)
    find(root, "s:Body/answer").set(ID, "P")
    return text(sign(root, ("T", "P")))


@refused_by(5)
def a_reference_to_the_whole_document() -> bytes:
    root = message()
    find(root, ".//ds:Reference[2]").set("URI", "")
    settle(root)
    return text(root)


@refused_by(5)
def a_reference_without_uri() -> bytes:
    root = message()
    del find(root, ".//ds:Reference[2]").attrib["URI"]
    settle(root)
    return text(root)


@refused_by(5)
def a_reference_to_an_address_on_the_network() -> bytes:
    root = message()
    find(root, ".//ds:Reference[2]").set("URI", "http://127.0.0.1:9/body.xml")
    settle(root)
    return text(root)


@refused_by(5)
def a_reference_by_xpointer() -> bytes:
    root = message()
    find(root, ".//ds:Reference[2]").set("URI", "#xpointer(id('B'))")
    settle(root)
    return text(root)


@refused_by(4)
def an_empty_signed_info() -> bytes:
    root = message()
    info = find(root, ".//ds:SignedInfo")
    for child in list(info):
        info.remove(child)
    settle(root)
    return text(root)


@refused_by(4)
def no_references_at_all() -> bytes:
    return text(message(parts=()))


@refused_by(4)
def a_manifest_in_place_of_references() -> bytes:
    return text(message(parts=("T",), inside_info="<ds:Manifest/>"))


@refused_by(2)
def no_signature_in_the_security_header() -> bytes:
    return text(unsigned(GOOD))


@refused_by(2)
def no_security_header() -> bytes:
    root = message()
    root.remove(root[0])
    return text(root)


@refused_by(2)
def the_signature_in_a_header_of_its_own() -> bytes:
    root = message()
    find(root, "s:Header").append(find(root, ".//ds:Signature"))
    return text(root)


@refused_by(2)
def two_signatures_one_genuine() -> bytes:
    root = message()
    find(root, "s:Header/wsse:Security").append(deepcopy(find(root, ".//ds:Signature")))
    return text(root)


@refused_by(2)
def two_security_headers_for_two_actors() -> bytes:
    root = message()
    second = deepcopy(find(root, "s:Header/wsse:Security"))
    second.set(f"{{{SOAP}}}actor", "urn:other")
    find(root, "s:Header").append(second)
    return text(root)


# --- weak, foreign or forged means ---------------------------------------------------------------------------------


@refused_by(5)
def digests_with_sha1() -> bytes:
    return text(message(digest=SHA1))


@refused_by(5)
def digests_with_another_hash_than_agreed() -> bytes:
    return text(message(digest=SHA512))


@refused_by(4)
def signature_with_ecdsa_sha1() -> bytes:
    return text(message(method=MORE + "ecdsa-sha1"))


@refused_by(4)
def signature_with_rsa_sha1() -> bytes:
    return text(message(method=DS + "rsa-sha1", key=RSA_KEY))


@refused_by(4)
def hmac_keyed_with_the_public_key() -> bytes:
    root = message(method=MORE + "hmac-sha256")
    public = KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    settle(root, value=hmac.digest(public, c14n(find(root, ".//ds:SignedInfo")), hashlib.sha256))
    return text(root)


@refused_by(4)
def hmac_cut_to_zero_bits() -> bytes:
    root = message()
    etree.SubElement(find(root, ".//ds:SignatureMethod"), f"{{{DS}}}HMACOutputLength").text = "0"
    settle(root, value=b"")
    return text(root)


@refused_by(4)
def rsa_where_the_pinned_key_is_elliptic() -> bytes:
    return text(message(key=RSA_KEY))


@refused_by(4)
def inclusive_canonicalisation() -> bytes:
    return text(message(form="http://www.w3.org/TR/2001/REC-xml-c14n-20010315"))


@refused_by(5)
def canonicalisation_with_comments() -> bytes:
    return text(message(transforms=f'<ds:Transform Algorithm="{EC}WithComments"/>'))


@refused_by(5)
def an_xslt_transform() -> bytes:
    sheet = '<x:stylesheet xmlns:x="http://www.w3.org/1999/XSL/Transform" version="1.0"/>'
    transform = f'<ds:Transform Algorithm="http://www.w3.org/TR/1999/REC-xslt-19991116">{sheet}</ds:Transform>'
    return text(message(transforms=transform))


@refused_by(5)
def an_xpath_transform_that_selects_nothing() -> bytes:
    path = "http://www.w3.org/TR/1999/REC-xpath-19991116"
    transform = f'<ds:Transform Algorithm="{path}"><ds:XPath>false()</ds:XPath></ds:Transform>'
    return text(message(transforms=transform + f'<ds:Transform Algorithm="{EC}"/>'))


@refused_by(5)
def an_enveloped_signature_transform() -> bytes:
    enveloped = f'<ds:Transform Algorithm="{DS}enveloped-signature"/>'
    return text(message(transforms=enveloped + f'<ds:Transform Algorithm="{EC}"/>'))


@refused_by(5)
def no_transform() -> bytes:
    return text(message(transforms=""))


@refused_by(5)
def a_parameter_in_the_transform() -> bytes:
    return text(message(transforms=f'<ds:Transform Algorithm="{EC}"><ds:XPath>.</ds:XPath></ds:Transform>'))


@refused_by(3)
def the_certificate_of_a_stranger() -> bytes:
    return text(sign(unsigned(GOOD, cert=STRANGER_CERTIFICATE), key=STRANGER))


@refused_by(3)
def a_stranger_with_the_same_name_and_serial_number() -> bytes:
    return text(sign(unsigned(GOOD, cert=certificate(STRANGER, name="source")), key=STRANGER))


@refused_by(3)
def a_renewed_certificate_of_the_same_key_that_nobody_pinned() -> bytes:
    return text(sign(unsigned(GOOD, cert=certificate(KEY, days=90))))


@refused_by(6)
def the_key_of_a_stranger_under_the_pinned_certificate() -> bytes:
    return text(message(key=STRANGER))


@refused_by(3)
def key_info_with_a_certificate_of_its_own() -> bytes:
    root = message(key=STRANGER)
    info = find(root, ".//ds:KeyInfo")
    info.remove(info[0])
    data = etree.SubElement(info, f"{{{DS}}}X509Data")
    etree.SubElement(data, f"{{{DS}}}X509Certificate").text = token(STRANGER_CERTIFICATE)
    return text(root)


@refused_by(3)
def key_info_that_points_at_another_token() -> bytes:
    root = message(key=STRANGER)
    find(root, ".//ds:KeyInfo//wsse:Reference").set("URI", "#Y")
    other = etree.SubElement(find(root, "s:Header"), "other")
    other.set(ID, "Y")
    other.text = token(STRANGER_CERTIFICATE)
    return text(root)


@refused_by(3)
def a_key_value_beside_the_token() -> bytes:
    root = message(key=STRANGER)
    etree.SubElement(find(root, ".//ds:KeyInfo"), f"{{{DS}}}KeyValue")
    return text(root)


@refused_by(2)
def two_tokens() -> bytes:
    root = message()
    second = deepcopy(find(root, ".//wsse:BinarySecurityToken"))
    second.set(ID, "Y")
    find(root, "s:Header/wsse:Security").append(second)
    return text(root)


@refused_by(3)
def a_chain_in_place_of_the_certificate() -> bytes:
    root = message()
    find(root, ".//wsse:BinarySecurityToken").set("ValueType", OASIS + "x509-token-profile-1.0#X509PKIPathv1")
    return text(root)


@refused_by(6)
def the_body_changed_after_signing() -> bytes:
    root = message()
    find(root, "s:Body/answer").text = "EVIL"
    return text(root)


@refused_by(5)
def the_id_of_the_body_moved_to_the_payload_and_signed_there() -> bytes:
    root = unsigned(GOOD)
    body = find(root, "s:Body")
    body[0].set(ID, body.attrib.pop(ID))
    sign(root)
    body.set("Id", "B2")
    return text(root)


@refused_by(5)
def the_body_without_id() -> bytes:
    root = message()
    body = find(root, "s:Body")
    body[0].set(ID, body.attrib.pop(ID))
    return text(root)


@refused_by(6)
def an_attribute_added_to_the_body() -> bytes:
    root = message()
    find(root, "s:Body").set("class", "EVIL")
    return text(root)


@refused_by(6)
def a_namespace_swapped_below_the_body() -> bytes:
    root = message('<p:answer xmlns:p="urn:good">genuine</p:answer>')
    return text(root).replace(b"urn:good", b"urn:evil")


@refused_by(6)
def an_all_zero_signature() -> bytes:
    return text(message(value=bytes(64)))


@refused_by(6)
def a_signature_in_der_form_where_the_standard_wants_two_numbers() -> bytes:
    root = message()
    settle(root, value=KEY.sign(c14n(find(root, ".//ds:SignedInfo")), ec.ECDSA(hashes.SHA256())))
    return text(root)


@refused_by(6)
def an_empty_signature_value() -> bytes:
    return text(message(value=b""))


@refused_by(6)
def a_signature_value_that_is_no_base64() -> bytes:
    root = message()
    find(root, ".//ds:SignatureValue").text = "!!!!"
    return text(root)


# --- time ----------------------------------------------------------------------------------------------------------


@refused_by(7)
def created_long_ago() -> bytes:
    return text(sign(unsigned(GOOD, created=at(-301), expires=at(3600))))


@refused_by(7)
def past_its_expires() -> bytes:
    return text(sign(unsigned(GOOD, created=at(-60), expires=at(-1))))


@refused_by(7)
def created_in_the_future() -> bytes:
    return text(sign(unsigned(GOOD, created=at(301), expires=at(900))))


@refused_by(7)
def expires_before_created() -> bytes:
    return text(sign(unsigned(GOOD, created=at(200), expires=at(100))))


@refused_by(7)
def a_time_without_zone() -> bytes:
    return text(sign(unsigned(GOOD, created=at(0).rstrip("Z"))))


@refused_by(7)
def a_time_that_is_none() -> bytes:
    return text(sign(unsigned(GOOD, created="soon")))


@refused_by(7)
def a_timestamp_without_expires() -> bytes:
    root = unsigned(GOOD)
    find(root, ".//wsu:Timestamp").remove(find(root, ".//wsu:Expires"))
    return text(sign(root))


@refused_by(7)
def a_timestamp_with_two_createds() -> bytes:
    root = unsigned(GOOD, created=at(-900))
    extra = etree.SubElement(find(root, ".//wsu:Timestamp"), f"{{{WSU}}}Created")
    extra.text = at(0)
    return text(sign(root))


@refused_by(2)
def no_timestamp() -> bytes:
    root = unsigned(GOOD)
    timestamp = find(root, ".//wsu:Timestamp")
    timestamp.getparent().remove(timestamp)
    return text(sign(root, ("B",)))


# --- texts that two readers read differently, and work without end -------------------------------------------------


@refused_by(1)
def a_comment_in_a_value() -> bytes:
    return text(message()).replace(b"genuine", b"gen<!-- -->uine")


@refused_by(1)
def a_comment_in_created() -> bytes:
    data = text(message())
    created = at(0).encode()
    return data.replace(b">" + created, b">" + created[:10] + b"<!-- -->" + created[10:], 1)


@refused_by(1)
def a_processing_instruction_in_a_value() -> bytes:
    return text(message()).replace(b"genuine", b"gen<?x y?>uine")


@refused_by(1)
def a_comment_before_the_envelope() -> bytes:
    return b"<!-- hello -->" + text(message())


@refused_by(0)
def a_doctype() -> bytes:
    return b"<!DOCTYPE s:Envelope>" + text(message())


@refused_by(0)
def an_entity_for_the_value() -> bytes:
    return b'<!DOCTYPE a [<!ENTITY e "EVIL">]>' + text(message()).replace(b"genuine", b"&e;")


@refused_by(4)
def a_thousand_references() -> bytes:
    return text(message(parts=("T", "B") + ("B",) * 998))


@refused_by(5)
def a_thousand_transforms() -> bytes:
    return text(message(transforms=f'<ds:Transform Algorithm="{EC}"/>' * 1000))


@refused_by(6)
def a_default_namespace_in_the_prefix_list() -> bytes:
    inclusive = f'<ec:InclusiveNamespaces xmlns:ec="{EC}" PrefixList="#default"/>'
    root = message(transforms=f'<ds:Transform Algorithm="{EC}">{inclusive}</ds:Transform>')
    return text(root).replace(b"<s:Envelope ", b'<s:Envelope xmlns="urn:evil" ')
