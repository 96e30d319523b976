"""The parts of a signed message: where each must stand, and how each is read. Which of them are believed is `wsse_verify`'s.

The numbers are those of the list in wsse_verify.py.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from datetime import datetime

from lxml import etree

from integrator.transport.envelope import SOAP, Envelope, take_apart
from integrator.transport.wsse import WSSE, WSU
from integrator.transport.wsse_sign import DS, EXC_C14N, SHA256
from integrator.transport.xml import Element, UnsafeXml, canonical

ID = f"{{{WSU}}}Id"
_SECURITY, _TOKEN, _TIMESTAMP, _SIGNATURE = (
    f"{{{WSSE}}}Security", f"{{{WSSE}}}BinarySecurityToken", f"{{{WSU}}}Timestamp", f"{{{DS}}}Signature",
)  # fmt: skip
_ONCE = (*(f"{{{SOAP}}}{name}" for name in ("Envelope", "Header", "Body")), _SECURITY, _TOKEN, _TIMESTAMP, _SIGNATURE)
_SAME_ID = etree.XPath("count(//@*[translate(local-name(),'ID','id')='id'][.=$a or .=$b or .=$c])", smart_strings=False)
_EVERY_ID = etree.XPath("//@*[translate(local-name(),'ID','id')='id']", smart_strings=False)


class SignatureRefused(UnsafeXml):
    """A message is not signed as agreed; nothing of it may be read. `rule` is the number in the list of wsse_verify."""

    def __init__(self, rule: int, why: str) -> None:
        super().__init__(f"signature rule {rule}: {why}")
        self.rule = rule


class NotSigned(SignatureRefused):
    """There is no security header at all: a gateway's fault perhaps, but never an answer."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What `positions` found, each in its one place."""

    token: Element
    timestamp: Element
    signature: Element
    envelope: Envelope


def positions(root: Element) -> Parts:
    """Rules 1 and 2. Raises `SignatureRefused`, `NotSigned`, `NotSoap`."""
    if next(root.iter(etree.Comment, etree.PI, etree.Entity), None) is not None or root.getprevious() is not None:
        raise SignatureRefused(1, "a comment or a processing instruction")
    envelope = take_apart(root)
    security = [] if envelope.header is None else envelope.header.findall(_SECURITY)
    if not security and next(root.iter(_SECURITY, _SIGNATURE), None) is None:
        raise NotSigned(2, "there is no security header")
    if len(security) != 1:
        raise SignatureRefused(2, "the Header holds one Security")
    parts = {child.tag: child for child in security[0]}
    if len(security[0]) != 3 or parts.keys() != {_TOKEN, _TIMESTAMP, _SIGNATURE}:
        raise SignatureRefused(2, "Security holds one token, one Timestamp and one Signature")
    if sum(1 for _ in root.iter(*_ONCE)) != len(_ONCE):
        raise SignatureRefused(1, "a part that occurs once occurs again")
    return Parts(parts[_TOKEN], parts[_TIMESTAMP], parts[_SIGNATURE], envelope)


def ids(data: bytes, parts: Parts) -> list[str]:
    """Rule 5: the ids of token, Timestamp and Body, each of which nothing else bears."""
    envelope = parts.envelope
    named = [part.get(ID, "") for part in (parts.token, parts.timestamp, envelope.body)]
    # Where each stands twice in the bytes (itself, and what points at it) no other element can bear it: no need to look.
    plain = b"&#" not in data and all(data.count(one.encode()) == 2 for one in named)
    same = {"a": named[0], "b": named[1], "c": named[2]}
    if not all(named) or len(set(named)) != 3 or (not plain and _SAME_ID(envelope.root, **same) != 3):
        raise SignatureRefused(5, "token, Timestamp and Body each have an id that occurs once")
    return named


def further(parts: Parts) -> dict[str, Element]:
    """Rule 5, of who may sign more: the token and the Header's other blocks, by `#id`; no id of the message occurs twice."""
    header = parts.envelope.header
    blocks = [] if header is None else [child for child in header if child.tag != _SECURITY]
    every = _EVERY_ID(parts.envelope.root)
    if len(every) != len(set(every)):
        raise SignatureRefused(5, "an id occurs twice")
    return {f"#{one.get(ID)}": one for one in (parts.token, *blocks) if one.get(ID)}


def reference(element: Element) -> tuple[tuple[str, ...], bytes]:
    """Rule 5: the prefixes and the digest of one Reference, which transforms nothing but by exc-c14n."""
    transforms, method, value = children(
        element, 5, *(f"{{{DS}}}{name}" for name in ("Transforms", "DigestMethod", "DigestValue"))
    )
    (transform,) = children(transforms, 5, f"{{{DS}}}Transform")
    if method.get("Algorithm") != SHA256 or len(method):
        raise SignatureRefused(5, "not a SHA-256 digest")
    return prefixes(transform, 5), octets(value, 5)


def prefixes(method: Element, rule: int) -> tuple[str, ...]:
    """The InclusiveNamespaces PrefixList, the only parameter that exclusive canonicalisation may have."""
    if method.get("Algorithm") != EXC_C14N:
        raise SignatureRefused(rule, "not exclusive canonicalisation without comments")
    if len(method) == 0:
        return ()
    (inclusive,) = children(method, rule, f"{{{EXC_C14N}}}InclusiveNamespaces")
    return tuple((inclusive.get("PrefixList") or "").split())


def canonical_form(part: Element, named: tuple[str, ...]) -> bytes:
    """Rule 6: the bytes that were hashed or signed."""
    try:
        return canonical(part, named)
    except UnsafeXml as error:
        raise SignatureRefused(6, str(error)) from error


def children(element: Element, rule: int, *tags: str) -> list[Element]:
    """The children of an element that holds exactly these."""
    found = list(element)
    if [child.tag for child in found] != list(tags):
        raise SignatureRefused(rule, f"{etree.QName(element).localname} is not built as agreed")
    return found


def octets(element: Element, rule: int) -> bytes:
    """An element's base64."""
    if len(element):
        raise SignatureRefused(rule, f"{etree.QName(element).localname} holds more than text")
    try:
        return base64.b64decode("".join((element.text or "").split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise SignatureRefused(rule, f"{etree.QName(element).localname} is not base64") from error


def instant(element: Element) -> float:
    """Rule 7: a moment with its zone, as epoch seconds."""
    try:
        moment = datetime.fromisoformat((element.text or "").strip())
    except ValueError as error:
        raise SignatureRefused(7, "a time that is none") from error
    if moment.tzinfo is None or len(element):
        raise SignatureRefused(7, "a time without its zone")
    return moment.timestamp()
