"""Extraction: only what is permitted is ever taken out, whatever the source sent along."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from integrator.errors import ConfigurationError, WrongSubject
from integrator.mapping import Sheet, select

CODES = {"civil": {"20": {"nl": "gehuwd", "fr": "marié", "en": "married"}}}
FILE = b"""<reply xmlns:r="urn:r"><file>
  <r:Number>71000000001</r:Number>
  <r:Names><r:Name><r:Last> Dupont </r:Last><r:First>Ann</r:First><r:First>Bea</r:First></r:Name>
           <r:Name><r:DelDate><r:Century>19</r:Century><r:Year>99</r:Year></r:DelDate><r:Last>Peeters</r:Last></r:Name></r:Names>
  <r:Address kind="main"><r:Zip>1050</r:Zip><r:Street>Zomer</r:Street></r:Address>
  <r:Civil><r:Code>20</r:Code></r:Civil><r:Civil><r:Code>77</r:Code></r:Civil>
  <r:Secret/>
  <!-- a comment is no element -->
</file></reply>"""


def sheet(**changes):
    return Sheet({
        "mapping": "m", "source": "register", "operation": "get", "document": "xml", "namespaces": {"r": "urn:r"}, "root": "file",
        "about": {"key": "ssin", "at": "r:Number"}, "facts": {"secret": {"at": "r:Secret", "read": "present"}},
        "fields": {
            "ssin": {"at": "r:Number"},
            "name": {"at": "r:Names/r:Name", "ended": "r:DelDate", "spread": {"familyName": {"at": "r:Last"}, "givenNames": {"at": "r:First", "many": True}}},
            "formerNames": {"at": "r:Names/r:Name", "many": True, "ended": "r:DelDate", "record": {"familyName": {"at": "r:Last"}, "endDate": {"at": "r:DelDate", "read": "rrn_date"}}},
            "address": {"at": "r:Address", "guard": "secret", "group": "020", "record": {"postCode": {"at": "r:Zip"}, "kind": {"at": "@kind", "values": {"main": "mainResidence"}}}},
            "civilStatuses": {"at": "r:Civil", "many": True, "record": {"status": {"at": "r:Code", "code": "civil"}}},
            "source": {"const": "RR"},
        },
    } | changes, CODES)  # fmt: skip


def extract(permitted=None, *, keys=None, history=False, since=None, lifts=(), document=FILE):
    plan = sheet().plan(None if permitted is None else frozenset(permitted), history=history, since=since)
    return plan.extract(etree.fromstring(document), keys or {"ssin": "71000000001"}, lifts=frozenset(lifts))


def test_an_answer_with_everything_gives_only_what_is_permitted():
    assert {"familyName": "Dupont"} == extract({"familyName"}).values


def test_a_permitted_record_brings_all_of_it_and_a_permitted_part_only_itself():
    assert {"address": {"postCode": "1050", "kind": "mainResidence"}} == extract({"address"}, lifts={"secret"}).values
    assert {"address": {"postCode": "1050"}} == extract({"address.postCode"}, lifts={"secret"}).values


def test_a_guarded_field_is_dropped_and_named():
    extracted = extract({"address", "familyName"})

    assert ({"familyName": "Dupont"}, ("address",)) == (extracted.values, extracted.guarded)


def test_somebody_with_none_of_them_gets_an_empty_list_not_an_empty_answer():
    struck_off = sheet(
        fields={"addresses": {"at": "r:Gone", "many": True, "always": True, "record": {"zip": {"at": "r:Zip"}}}}
    )

    extracted = struck_off.plan(frozenset({"addresses.zip"})).extract(etree.fromstring(FILE), {"ssin": "71000000001"})

    assert {"addresses": []} == extracted.values


def test_what_is_current_stays_so_when_history_is_granted():
    closed = FILE.replace(b"<r:Zip>", b"<r:DelDate/><r:Zip>")
    fields = {"address": {"at": "r:Address", "current": "r:DelDate", "record": {"postCode": {"at": "r:Zip"}}}}
    plan = sheet(fields=fields).plan(None, history=True)

    assert {} == plan.extract(etree.fromstring(closed), {"ssin": "71000000001"}).values


def test_a_value_may_stand_below_the_element_that_is_judged():
    fields = {
        "former": {"at": "r:Names/r:Name", "when": {"r:Last": "Peeters"}, "value": "r:DelDate", "read": "rrn_date"},
        "givenNames": {"at": "r:Names/r:Name/r:First", "many": True, "current": "../r:DelDate"},
    }
    plan = sheet(fields=fields).plan(None, history=True)
    found = {"former": "1999-00-00", "givenNames": ["Ann", "Bea"]}

    assert found == plan.extract(etree.fromstring(FILE), {"ssin": "71000000001"}).values


SERIES = b"""<reply xmlns:r="urn:r"><file>
  <r:Number>71000000001</r:Number>
  <r:Home><r:Date><r:Century>20</r:Century><r:Year>15</r:Year></r:Date><r:Zip>1050</r:Zip></r:Home>
  <r:Home><r:Date><r:Century>19</r:Century><r:Year>98</r:Year></r:Date><r:Zip>1000</r:Zip></r:Home>
  <r:Home><r:Date><r:Century>19</r:Century><r:Year>90</r:Year></r:Date><r:DelDate><r:Century>19</r:Century>
     <r:Year>95</r:Year></r:DelDate><r:Zip>1190</r:Zip></r:Home>
</file></reply>"""


def homes(**options):
    fields = {
        "homes": {
            "at": "r:Home", "many": True, "ended": {"read": "rrn_end_date"},
            "record": {"zip": {"at": "r:Zip"}, "end": {"at": ".", "read": "rrn_end_date"}},
        },
    }  # fmt: skip
    plan = sheet(fields=fields).plan(None, **options)
    return plan.extract(etree.fromstring(SERIES), {"ssin": "71000000001"}).values["homes"]


def test_what_was_merely_overtaken_is_not_current():
    assert [{"zip": "1050"}] == homes()


def test_what_was_overtaken_ended_when_the_newer_began():
    assert ["2015-00-00", "1995-00-00"] == [home["end"] for home in homes(history=True)[1:]]


def test_history_depth_counts_for_what_was_overtaken_too():
    assert ["1050", "1000"] == [home["zip"] for home in homes(history=True, since="2001-01-01")]


def test_one_list_may_stand_in_two_places():
    fields = {"words": {"at": ["r:Address/r:Street", "r:Civil/r:Code"], "many": True}}
    plan = sheet(fields=fields).plan(None)

    assert {"words": ["Zomer", "20", "77"]} == plan.extract(etree.fromstring(FILE), {"ssin": "71000000001"}).values


def test_a_closed_record_is_not_current():
    assert ["Dupont"] == [name["familyName"] for name in extract({"formerNames"}).values["formerNames"]]


def test_history_brings_closed_records_back_with_their_incomplete_end():
    former = extract({"formerNames"}, history=True).values["formerNames"]

    assert {"familyName": "Peeters", "endDate": "1999-00-00"} == former[1]


def test_history_stops_at_the_depth_granted():
    assert 1 == len(extract({"formerNames"}, history=True, since="2000-01-01").values["formerNames"])


def test_a_code_gets_its_label_and_an_unknown_code_stays_a_code():
    statuses = extract({"civilStatuses"}).values["civilStatuses"]

    assert [{"code": "20", "label": CODES["civil"]["20"]}, {"code": "77"}] == [one["status"] for one in statuses]


@pytest.mark.parametrize(
    "wound",
    [FILE.replace(b"71000000001", b"71000000002"), FILE.replace(b"<r:Number>71000000001</r:Number>", b"")],
    ids=["another person", "nobody named"],
)
def test_an_answer_about_somebody_else_is_not_looked_at(wound):
    with pytest.raises(WrongSubject) as raised:
        extract({"familyName"}, document=wound)

    assert "7100000000" not in str(raised.value)


def test_only_the_groups_of_permitted_fields_are_asked():
    assert frozenset({"020"}) == sheet().plan(frozenset({"address"})).groups
    assert frozenset() == sheet().plan(frozenset({"familyName"})).groups


def test_nothing_found_is_nothing_not_a_constant():
    assert (
        {}
        == extract(
            {"source", "civilStatuses"},
            document=b'<reply xmlns:r="urn:r"><file><r:Number>71000000001</r:Number></file></reply>',
        ).values
    )


JSON = {
    "items": [
        {"plate": "1ABC123", "holder": {"ssin": "A", "name": ["X", "Y"]}, "secret": 1},
        {"plate": "1abc123", "holder": None},
    ],
    "total": 2,
}


def listing(about_each=True):
    return Sheet({
        "mapping": "j", "source": "div", "operation": "get", "document": "json",
        "about": [{"key": "plateNumber", "at": "items/plate", "each": about_each}], "facts": {"people": {"at": "items/holder/ssin", "many": True}},
        "fields": {"items": {"at": "items", "many": True, "record": {"plateNumber": {"at": "plate", "read": "upper"}, "holder": {"at": "holder", "record": {"ssin": {"at": "ssin"}, "familyName": {"at": "name"}}}}}},
    }, {})  # fmt: skip


def test_items_of_a_list_are_trimmed_each():
    extracted = listing().plan(frozenset({"items.plateNumber"})).extract(JSON, {"plateNumber": "1ABC123"})

    assert {"items": [{"plateNumber": "1ABC123"}, {"plateNumber": "1ABC123"}]} == extracted.values
    assert ["A"] == extracted.facts["people"]


@pytest.mark.parametrize(
    "wound", [{"plate": "2XYZ999"}, {"holder": {"ssin": "B"}}], ids=["one item of another", "one item without"]
)
def test_one_item_about_another_spoils_the_whole_list(wound):
    document = {"items": [*JSON["items"], wound]}
    with pytest.raises(WrongSubject):
        listing().plan(frozenset({"items.plateNumber", "items.holder"})).extract(document, {"plateNumber": "1ABC123"})


def test_an_empty_list_is_about_the_subject_asked():
    assert {} == listing().plan(None).extract({"items": []}, {"plateNumber": "1ABC123"}).values


@pytest.mark.parametrize(
    "wound",
    [{"fields": {"a": {"at": "q:X"}}}, {"fields": {"a": {"at": "r:X", "read": "localized"}}}],
    ids=["unknown prefix", "json reader for xml"],
)
def test_a_sheet_that_cannot_work_stops_the_start(wound):
    with pytest.raises(ConfigurationError):
        sheet(**wound).plan(None)


NAMES = sorted(sheet().names)


@given(st.sets(st.sampled_from(NAMES)))
def test_no_value_comes_out_that_is_not_under_a_permitted_name(permitted):
    out = extract(permitted, history=True, lifts={"secret"}).values

    def paths(value, prefix=""):
        for name, inner in value.items():
            yield prefix + name
            for record in inner if isinstance(inner, list) else [inner]:
                if isinstance(record, dict) and "code" not in record:
                    yield from paths(record, prefix + name + ".")

    for path in paths(out):
        assert any(path == one or path.startswith(one + ".") or one.startswith(path + ".") for one in permitted)


@given(st.sets(st.sampled_from(NAMES)), st.sets(st.sampled_from(NAMES)))
def test_selecting_twice_is_selecting_what_both_permit(first, second):
    fields = sheet().fields
    leaves = lambda tree: {name for name in NAMES if name in names_of(tree)}

    assert leaves(select(fields, frozenset(first))) | leaves(select(fields, frozenset(second))) == leaves(
        select(fields, frozenset(first | second))
    )


def names_of(tree, prefix=""):
    for name, spec in tree.items():
        if "spread" in spec:
            yield from names_of(spec["spread"], prefix)
        else:
            yield prefix + name
            yield from names_of(spec.get("record", {}), prefix + name + ".")
