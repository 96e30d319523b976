"""From draft to leaf: the schema, the commitments, and what must never stand in a leaf."""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import urlsafe_b64encode
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit.canonical import leaf_hash
from audit.draft import Draft, Subject
from audit.entry import Prepared, prepare
from audit.errors import EntryRefused
from audit.keys import FileKeyRing
from audit.seal import Sealer
from tests.unit.audit.kit import NOON, PERSON, SPAN, TRACE, a_draft, a_full_draft


@pytest.fixture
def sealer(keyring: FileKeyRing) -> Sealer:
    return Sealer(keyring)


def entry_of(prepared: Prepared) -> dict[str, Any]:
    entry: dict[str, Any] = json.loads(prepared.body)
    return entry


def disclosures_of(prepared: Prepared, sealer: Sealer) -> list[bytes]:
    found = []
    for part in prepared.parts:
        for audience, sealed, wrapped in zip(("subject", "agent", "technical"), part.sealed, part.wrapped, strict=True):
            if sealed is not None and wrapped is not None:
                text = sealer.open(sealed, wrapped, prepared.leaf, "Y10", prepared.month, audience)
                found += text.split(b"~")
    return found


def test_the_clear_part_has_the_names_of_the_schema(sealer: Sealer) -> None:
    entry = entry_of(prepare(a_draft(), sealer, NOON))

    expected = {
        "v": 1,
        "type": "intent",
        "trace_id": TRACE,
        "span_id": SPAN,
        "name": "person.get",
        "ts": NOON,
        "ret": "Y10",
        "kid": "Y10-2026-11",
        "op": "dpv:Consult",
        "consumer": {"app": "housing-allowance", "org": "0207446759"},
        "dpl.core.processing_activity_id": "https://ropa.example.brussels/a/7f1c/v3",
    }
    assert expected == entry


def test_the_leaf_hash_is_over_the_stored_bytes(sealer: Sealer) -> None:
    prepared = prepare(a_full_draft(), sealer, NOON)

    assert leaf_hash(prepared.body) == prepared.leaf


def test_digests_are_sorted_so_their_order_tells_nothing(sealer: Sealer) -> None:
    digests = entry_of(prepare(a_full_draft(), sealer, NOON))["_sd"]

    assert sorted(digests) == digests


def test_each_digest_is_that_of_sd_jwt_over_its_disclosure(sealer: Sealer) -> None:
    prepared = prepare(a_full_draft(), sealer, NOON)
    recomputed = [
        urlsafe_b64encode(hashlib.sha256(disclosure).digest()).rstrip(b"=").decode()
        for disclosure in disclosures_of(prepared, sealer)
    ]

    assert sorted(recomputed) == entry_of(prepared)["_sd"]


def test_each_value_has_a_salt_of_its_own(sealer: Sealer) -> None:
    from audit.disclosure import _unpadded

    disclosures = disclosures_of(prepare(a_full_draft(), sealer, NOON), sealer)
    salts = [json.loads(_unpadded(disclosure))[0] for disclosure in disclosures]

    assert len(disclosures) == len(set(salts))


def test_a_salt_has_at_least_128_bits(sealer: Sealer) -> None:
    from audit.disclosure import _unpadded

    [disclosure] = disclosures_of(prepare(a_draft(committed={"case_ref": "x"}), sealer, NOON), sealer)

    assert 128 <= 8 * len(_unpadded(json.loads(_unpadded(disclosure))[0].encode()))


def test_the_same_draft_never_gives_the_same_digests_twice(sealer: Sealer) -> None:
    first, second = (entry_of(prepare(a_full_draft(), sealer, NOON))["_sd"] for _ in range(2))

    assert set() == set(first) & set(second)


def test_no_committed_value_stands_in_the_leaf(sealer: Sealer) -> None:
    body = prepare(a_full_draft(committed={"case_ref": "2026/117"}), sealer, NOON).body

    assert [] == [secret for secret in (PERSON, "2026/117", "agent-77", "clerk") if secret.encode() in body]


def test_the_blind_tag_never_stands_in_the_leaf(sealer: Sealer) -> None:
    prepared = prepare(a_full_draft(), sealer, NOON)
    tag = prepared.parts[0].tag or b""

    assert [] == [form for form in (tag, tag.hex().encode(), urlsafe_b64encode(tag)[:20]) if form in prepared.body]


def test_subject_and_agent_with_one_identifier_have_unlike_tags(sealer: Sealer) -> None:
    prepared = prepare(a_draft(subjects=[("nrn", PERSON)], agent=PERSON), sealer, NOON)

    assert prepared.agent_tag != prepared.parts[0].tag


def test_the_tag_of_a_subject_is_the_hmac_written_down(sealer: Sealer, keyring: FileKeyRing) -> None:
    part = prepare(a_full_draft(), sealer, NOON).parts[0]
    key = keyring.get("idx-subject-2026")

    assert hmac.digest(key, b"idx1|nrn|" + PERSON.encode(), "sha256")[:16] == part.tag


def test_the_tag_of_an_agent_is_the_hmac_written_down(sealer: Sealer, keyring: FileKeyRing) -> None:
    tag = prepare(a_full_draft(), sealer, NOON).agent_tag

    assert hmac.digest(keyring.get("idx-agent-2026"), b"agent1|agent-77", "sha256")[:16] == tag


def test_one_identifier_in_two_years_has_unlike_tags(sealer: Sealer) -> None:
    later = NOON + 366 * 86_400 * 1_000_000
    first, second = (prepare(a_full_draft(), sealer, ts).parts[0].tag for ts in (NOON, later))

    assert first != second


def test_one_identifier_of_two_kinds_has_unlike_tags(sealer: Sealer) -> None:
    first, second = (prepare(a_draft(subjects=[(kind, "1")]), sealer, NOON).parts[0].tag for kind in ("kbo", "vin"))

    assert first != second


def test_one_row_for_each_subject(sealer: Sealer) -> None:
    prepared = prepare(a_draft(subjects=[Subject("vin", str(n)) for n in range(12)]), sealer, NOON)

    assert list(range(12)) == [part.part for part in prepared.parts]


def test_an_entry_about_nobody_still_has_its_row(sealer: Sealer) -> None:
    [part] = prepare(a_draft(), sealer, NOON).parts

    assert (0, None, (None, None, None), (None, None, None)) == part


def test_up_to_64_subjects_stand_in_the_entry_one_by_one(sealer: Sealer) -> None:
    entry = entry_of(prepare(a_draft(subjects=[("vin", str(n)) for n in range(64)]), sealer, NOON))

    assert (64, False) == (len(entry["_sd"]), "subjects_root" in entry)


def test_more_than_64_subjects_have_one_root(sealer: Sealer) -> None:
    subjects = [("vin", str(n)) for n in range(65)]
    entry = entry_of(prepare(a_draft(subjects=subjects, agent="a"), sealer, NOON))

    assert (1, 43) == (len(entry["_sd"]), len(entry["subjects_root"]))


def test_a_thousand_subjects_fit_one_entry(sealer: Sealer) -> None:
    prepared = prepare(a_draft(subjects=[("vin", str(n)) for n in range(1_000)]), sealer, NOON)

    assert 1_000 > len(prepared.body)


def test_an_outcome_carries_the_index_of_its_intent(sealer: Sealer) -> None:
    assert 7 == prepare(a_draft("outcome", clear={"intent_ref": 7}), sealer, NOON).ref


@pytest.mark.parametrize("size", [65_536, 200_000])
def test_an_entry_too_big_for_the_tree_is_refused(sealer: Sealer, size: int) -> None:
    with pytest.raises(EntryRefused, match="at most 65535"):
        prepare(a_draft(clear={"reason_code": "x" * size}), sealer, NOON)


def test_the_largest_entry_is_taken(sealer: Sealer) -> None:
    smallest = len(prepare(a_draft(clear={"reason_code": ""}), sealer, NOON).body)

    assert 65_535 == len(prepare(a_draft(clear={"reason_code": "x" * (65_535 - smallest)}), sealer, NOON).body)


_CLEAR_WOUNDS = {
    "number_as_text": {"reason_code": PERSON},
    "number_within_text": {"reason_code": f"file of {PERSON}, closed"},
    "number_with_dots": {"reason_code": "85.61.01-001.47"},
    "number_as_integer": {"http": int(PERSON)},
    "number_in_list": {"categories": ["name", PERSON]},
    "number_as_key": {"source": {PERSON: "x"}},
    "number_in_url": {"dpl.core.processing_activity_id": f"https://x.example/{PERSON}/v1"},
}


@pytest.mark.parametrize("wound", list(_CLEAR_WOUNDS))
def test_a_national_number_in_clear_is_refused(sealer: Sealer, wound: str) -> None:
    with pytest.raises(EntryRefused, match="looks like a national number") as refusal:
        prepare(a_draft(clear=_CLEAR_WOUNDS[wound]), sealer, NOON)

    assert PERSON not in str(refusal.value)


@pytest.mark.parametrize(
    "innocent",
    [
        {"consumer": {"org": "0207446759", "app": "a"}},
        {"start_time": NOON},
        {"policy": {"ver": "sha256:" + "12345678901" * 5, "id": "p", "decision": "permit"}},
        {"parent_span_id": "1234567890123456"},
        {"dpl.core.foreign_operation": {"trace_id": "12345678901a" + "0" * 20}},
    ],
    ids=["enterprise_number", "time", "digest", "span", "trace"],
)
def test_digits_that_are_no_national_number_pass(sealer: Sealer, innocent: dict[str, Any]) -> None:
    assert prepare(a_draft(clear=innocent), sealer, NOON).body


def drafts_wounded() -> dict[str, tuple[dict[str, Any], str]]:
    return {
        "type_unknown": ({"type": "guess"}, "type:"),
        "trace_upper_case": ({"trace_id": "0192F3A47C1E7D3A9B5E2F6A8C4D1E70"}, "trace_id:"),
        "trace_all_zero": ({"trace_id": "0" * 32}, "trace_id:"),
        "trace_with_newline": ({"trace_id": TRACE + "\n"}, "trace_id:"),
        "span_short": ({"span_id": "abc"}, "span_id:"),
        "name_with_space": ({"name": "person get"}, "name:"),
        "retention_leaves_the_folder": ({"retention": "../Y10"}, "retention:"),
        "clear_field_unknown": ({"clear": {"remark": "x"}}, "clear: not a field of the clear part: remark"),
        "clear_field_ours": ({"clear": {"ts": 1}}, "clear: not a field of the clear part: ts"),
        "committed_unknown": ({"committed": {"remark": "x"}}, "committed.remark: no audience"),
        "subject_committed_by_hand": ({"committed": {"subject": {}}}, "committed.subject: give it as Draft.subjects"),
        "committed_float": ({"committed": {"fields": ["a", 1.5]}}, "fields.1: a float"),
        "committed_null": ({"committed": {"case_ref": None}}, "case_ref: null"),
        "subject_without_id": ({"subjects": [("nrn", "")]}, "subject.id:"),
        "subject_id_a_number": ({"subjects": [("nrn", 85610100147)]}, "subject.id:"),
        "agent_without_id": ({"agent": {"role": "clerk"}}, "agent.id:"),
        "outcome_without_intent": ({"type": "outcome"}, "intent_ref:"),
        "unknown_without_intent": ({"type": "unknown"}, "intent_ref:"),
        "outcome_of_truth": ({"type": "outcome", "clear": {"intent_ref": True}}, "intent_ref:"),
        "nul_in_a_column": ({"clear": {"op": "a\0"}}, "consumer.org,"),
        "too_many_subjects": ({"subjects": [("vin", "1")] * 1_001}, "subjects: more than"),
    }


@pytest.mark.parametrize("wound", list(drafts_wounded()))
def test_a_wounded_draft_is_refused_and_the_field_named(sealer: Sealer, wound: str) -> None:
    changes, message = drafts_wounded()[wound]
    with pytest.raises(EntryRefused) as refusal:
        prepare(a_draft(**changes), sealer, NOON)

    assert str(refusal.value).startswith(message)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_is_committed_or_refused_but_never_written_otherwise(sealer: Sealer, text: str) -> None:
    draft = Draft(
        type="intent", trace_id=TRACE, span_id=SPAN, name="a.b", retention="Y10", committed={"case_ref": text}
    )
    try:
        [disclosure] = disclosures_of(prepare(draft, sealer, NOON), sealer)
    except EntryRefused:
        return
    from audit.disclosure import reveal

    assert ("case_ref", text) == reveal(disclosure)
