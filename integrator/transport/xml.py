"""The only door through which XML enters the hub: no DTD, no entities, no network, no surprises of encoding.

A DOCTYPE is refused before libxml2 sees the document, because lxml's hardened parser still reads one; the encodings
are those our sources use, because an exotic one could hide what the bytes say. How many bytes may come is the caller's
to know: memory is about thirty times the document for the worst shapes.
"""

from __future__ import annotations

import re
from copy import deepcopy
from typing import Any

from lxml import etree

_DECLARED = re.compile(rb"""\A(?:\xef\xbb\xbf)?<\?xml[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")
_ENCODINGS = frozenset({b"utf-8", b"us-ascii", b"ascii", b"iso-8859-1", b"iso-8859-15", b"windows-1252"})
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_SPECIAL = re.compile('[&<>"\t\n\r]')
_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#xD;"}
_IN_ATTRIBUTE = {"&": "&amp;", "<": "&lt;", '"': "&quot;", "\t": "&#x9;", "\n": "&#xA;", "\r": "&#xD;"}

Element = Any  # an lxml element (lxml ships no types)


class UnsafeXml(ValueError):
    """The bytes are no XML that we are willing to read (or a text is none that XML can carry). Never holds content."""


def parse(data: bytes, limit: int, *, comments: bool = False) -> Element:
    """Parse one document of at most `limit` bytes and return its root; raises `UnsafeXml` for anything odd.

    Comments and processing instructions are dropped, so that no reader sees half of a text that one of them splits;
    `comments=True` keeps them, for the signature check that refuses them.

    >>> parse(b"<a><b/></a>", 100).tag
    'a'
    >>> parse(b"<!DOCTYPE a><a/>", 100)
    Traceback (most recent call last):
    integrator.transport.xml.UnsafeXml: a DOCTYPE is never read
    """
    _refuse_odd_bytes(data, limit)
    try:
        root = etree.fromstring(data, _KEEPING if comments else _PARSER)
    except etree.XMLSyntaxError as error:
        raise UnsafeXml(f"not well-formed XML (line {error.lineno})") from None  # libxml2 quotes what it read
    if root.getroottree().docinfo.doctype:
        raise UnsafeXml("a DOCTYPE is never read")
    return root


def escape(text: str) -> str:
    """Text as canonical XML writes it between tags (Canonical XML 1.0 §2.3).

    Raises `UnsafeXml` for what XML cannot carry.

    >>> escape("l'Été & <fils>"), escape("a" + chr(13))
    ("l'Été &amp; &lt;fils&gt;", 'a&#xD;')
    """
    if _ILLEGAL.search(text):
        raise UnsafeXml("a text holds characters that XML cannot carry")
    return _SPECIAL.sub(lambda found: _ESCAPES.get(found[0], found[0]), text) if _SPECIAL.search(text) else text


def escape_attribute(text: str) -> str:
    """Text as canonical XML writes it between double quotes.

    >>> escape_attribute('rue "du" Puits')
    'rue &quot;du&quot; Puits'
    """
    if _ILLEGAL.search(text):
        raise UnsafeXml("a text holds characters that XML cannot carry")
    return _SPECIAL.sub(lambda found: _IN_ATTRIBUTE.get(found[0], found[0]), text)


def canonical(element: Element, prefixes: tuple[str, ...] = ()) -> bytes:
    """Exclusive canonical form of one element, without comments; `prefixes` is an InclusiveNamespaces PrefixList.

    >>> canonical(parse(b'<a xmlns:x="urn:x" xmlns:y="urn:y"><x:b  c="1"/></a>', 100)[0])
    b'<x:b xmlns:x="urn:x" c="1"></x:b>'
    """
    if "#default" in prefixes and None in element.nsmap:
        raise UnsafeXml("a PrefixList names a default namespace, which lxml cannot carry over")
    if not prefixes:
        return bytes(etree.tostring(element, method="c14n", exclusive=True, with_comments=False))
    # lxml canonicalises a subtree as if it stood alone, so what an ancestor declares must be brought along.
    alone = etree.Element(element.tag, dict(element.attrib), nsmap=element.nsmap)
    alone.text = element.text
    for child in element:
        alone.append(deepcopy(child))
    alone_as = {"method": "c14n", "exclusive": True, "with_comments": False, "inclusive_ns_prefixes": list(prefixes)}
    return bytes(etree.tostring(alone, **alone_as))


def _refuse_odd_bytes(data: bytes, limit: int) -> None:
    if len(data) > limit:
        raise UnsafeXml(f"longer than {limit} bytes")
    if not data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<") or b"\x00" in data:
        raise UnsafeXml("not XML in an encoding that is read here")
    declared = _DECLARED.match(data)
    if declared and declared[1].lower() not in _ENCODINGS:
        raise UnsafeXml("not XML in an encoding that is read here")
    if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        raise UnsafeXml("a DOCTYPE is never read")


def _parser(*, drop: bool) -> etree.XMLParser:
    return etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False, attribute_defaults=False,
        huge_tree=False, remove_comments=drop, remove_pis=drop,
    )  # fmt: skip


_PARSER, _KEEPING = _parser(drop=True), _parser(drop=False)
