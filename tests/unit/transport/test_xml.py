"""The door for XML: everything that is not a plain document in a plain encoding stays outside."""

from __future__ import annotations

import pytest

from integrator.transport.xml import UnsafeXml, canonical, parse

LAUGHS = '<!DOCTYPE a [<!ENTITY b "ha"><!ENTITY c "&b;&b;&b;">]><a>&c;</a>'


@pytest.mark.parametrize(
    "data",
    [
        LAUGHS.encode(),
        LAUGHS.encode("utf-16"),
        b'<!DOCTYPE a SYSTEM "file:///etc/hostname"><a/>',
        b'<!DOCTYPE a PUBLIC "p" "http://127.0.0.1:9/a.dtd"><a/>',
        b"<a>&unknown;</a>",
        b'<?xml version="1.0" encoding="UTF-7"?><a/>',
        '<?xml version="1.0" encoding="IBM037"?><a/>'.encode("cp037"),
        "<a/>".encode("utf-16-le"),
        "<a/>".encode("utf-32"),
        b"",
        b"   ",
        b"{}",
        b"<a>",
        b"<a/><b/>",
        b"<a>\x00</a>",
        b"<a>\xff</a>",
        b"<a b='1' b='2'/>",
        b"<p:a/>",
        b"<a>" * 5000 + b"</a>" * 5000,
        b"<a>" + b" " * 2000 + b"</a>",
    ],
    ids=[
        "billion_laughs", "billion_laughs_utf16", "external_file", "external_address", "unknown_entity", "utf7",
        "ebcdic", "utf16_without_mark", "utf32", "empty", "blank", "json", "cut_off", "two_roots", "nul", "not_utf8",
        "attribute_twice", "prefix_unbound", "very_deep", "too_long",
    ],
)  # fmt: skip
def test_what_is_not_plain_xml_stays_outside(data):
    limit = 100_000 if data.startswith(b"<a><a>") else 1000

    with pytest.raises(UnsafeXml):
        parse(data, limit)


@pytest.mark.parametrize("encoding", ["UTF-8", "ISO-8859-1", "windows-1252"])
def test_the_encodings_of_our_sources_are_read(encoding):
    data = f'<?xml version="1.0" encoding="{encoding}"?><a>é</a>'.encode(encoding)

    assert "é" == parse(data, 1000).text


def test_a_comment_cannot_cut_a_value_in_two():
    assert "85660812341" == parse(b"<a>85660<!-- x -->812341</a>", 1000).text


def test_an_error_never_quotes_the_document():
    with pytest.raises(UnsafeXml) as caught:
        parse(b"<geheim></anders>", 1000)

    assert "geheim" not in str(caught.value)


def test_xinclude_is_left_alone():
    root = parse(b'<a xmlns:i="http://www.w3.org/2001/XInclude"><i:include href="file:///etc/hostname"/></a>', 1000)

    assert "{http://www.w3.org/2001/XInclude}include" == root[0].tag


def test_canonical_form_of_a_part_keeps_only_the_namespaces_it_uses():
    root = parse(b'<p:a xmlns:p="urn:p" xmlns:q="urn:q"><p:b/></p:a>', 1000)

    assert b'<p:b xmlns:p="urn:p"></p:b>' == canonical(root[0])


def test_canonical_form_brings_the_prefixes_of_ancestors_that_the_list_names():
    root = parse(b'<p:a xmlns:p="urn:p" xmlns:q="urn:q"><p:b>1<p:c/>2</p:b></p:a>', 1000)

    assert b'<p:b xmlns:p="urn:p" xmlns:q="urn:q">1<p:c></p:c>2</p:b>' == canonical(root[0], ("q", "#default"))


def test_a_default_namespace_that_cannot_be_carried_over_is_refused_rather_than_lost():
    root = parse(b'<p:a xmlns:p="urn:p" xmlns="urn:d"><p:b/></p:a>', 1000)

    with pytest.raises(UnsafeXml):
        canonical(root[0], ("#default",))
