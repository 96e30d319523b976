"""Each export has the form its publisher wrote down, and says nothing it should not."""

from __future__ import annotations

import csv
import io
from base64 import b64encode
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from google.protobuf import json_format
from opentelemetry.proto.trace.v1.trace_pb2 import Span, TracesData

from audit import FileKeyRing, Store, Subject
from audit.exports import View, Walk, csvtext, fsc, ldv, ocsf, usage
from audit.reports import CursorInvalid, Reports
from tests.unit.audit.exports.published import PUBLISHED, faults
from tests.unit.audit.kit import NOON
from tests.unit.audit.reports.conftest import ALWAYS, ANNA, BERT, BRUSSELS, IXELLES, MINUTE, Town

RESOURCE = {"service.name": "hub", "service.version": "1"}
PRODUCT = {"name": "hub", "vendor_name": "Example", "version": "1"}
HUB = "0308357159"
WORDS = usage.Words(lambda row: "Parking permit", lambda org: {IXELLES: "Ixelles"}.get(org))


@pytest.fixture
def everything(town: Town, walk: Callable[..., Walk]) -> Callable[..., Walk]:
    """One of each kind."""
    town.exchange(policy="rule-1", clear={"dpl.core.foreign_operation": {"trace_id": "a" * 32, "span_id": "b" * 16}})
    town.exchange(BERT, clear={"status": "Error", "reason_code": "SOURCE_UNAVAILABLE"})
    town.denied(policy="rule-2")
    town.write("audit.read", subjects=[("nrn", ANNA)], agent="dpo-1", committed={"justification": "a complaint"})
    town.write("denied", subjects=[("nrn", ANNA, "data-subject"), ("nrn", BERT, "household-member")])
    return walk


# --- LDV ----------------------------------------------------------------------------------------------------------


def parsed(line: bytes) -> list[Span]:
    """Through OpenTelemetry's own message types. OTLP/JSON writes ids in hexadecimal where protobuf's JSON has base64."""
    data = orjson.loads(line)
    for span in data["resourceSpans"][0]["scopeSpans"][0]["spans"]:
        for one in (span, *span.get("links", ())):
            one |= {
                name: b64encode(bytes.fromhex(one[name])).decode()
                for name in ("traceId", "spanId", "parentSpanId")
                if name in one
            }
    message = json_format.ParseDict(data, TracesData(), ignore_unknown_fields=False)
    assert {"hub", "1"} == {one.value.string_value for one in message.resource_spans[0].resource.attributes}
    return list(message.resource_spans[0].scope_spans[0].spans)


def test_opentelemetry_reads_every_span(everything: Callable[..., Walk], view: Callable[..., View]) -> None:
    spans = [span for line in ldv.lines(everything(), view("subject"), RESOURCE) for span in parsed(line)]

    assert 5 + 2 == len(spans)  # the last is about two persons: one action for each, under their own
    assert all(len(span.trace_id) == 16 and len(span.span_id) == 8 for span in spans)
    assert [1, 2, 2, 0] == [span.status.code for span in spans[:4]]
    assert all(0 < span.start_time_unix_nano <= span.end_time_unix_nano for span in spans)


def test_an_exchange_is_one_span_linked_to_its_caller_s(
    everything: Callable[..., Walk], view: Callable[..., View]
) -> None:
    span = next(span for line in ldv.lines(everything(), view(), RESOURCE) for span in parsed(line))

    assert ("a" * 32, "b" * 16) == (span.links[0].trace_id.hex(), span.links[0].span_id.hex())
    assert Span.SPAN_KIND_SERVER == span.kind


def test_the_read_api_answers_in_its_published_form(everything: Callable[..., Walk], view: Callable[..., View]) -> None:
    answer = {"processingActivities": list(ldv.activities(everything(), view("subject")))}

    assert [] == faults(answer, PUBLISHED["ldv_lezen"]["answer"])


def test_a_line_is_about_at_most_one_person_and_no_two_share_a_span(
    everything: Callable[..., Walk], view: Callable[..., View]
) -> None:
    first, anna, bert = list(ldv.activities(everything(), view("subject")))[-3:]

    assert "dpl.core.data_subject_id" not in first["attributes"]
    assert [ANNA, BERT] == [one["attributes"]["dpl.core.data_subject_id"] for one in (anna, bert)]
    assert [first["spanId"]] * 2 == [one["parentSpanId"] for one in (anna, bert)]
    assert 3 == len({one["spanId"] for one in (first, anna, bert)})


def test_without_an_audience_nobody_is_named(everything: Callable[..., Walk], view: Callable[..., View]) -> None:
    said = b"".join(ldv.lines(everything(), view(), RESOURCE)).decode()

    assert [] == [word for word in (ANNA, BERT, "2026/117", "agent-77", "dpo-1", "a complaint") if word in said]
    assert "blind-tag" in said


def test_the_agent_needs_an_audience_of_its_own(everything: Callable[..., Walk], view: Callable[..., View]) -> None:
    subject, agent = (
        b"".join(ldv.lines(everything(), view(*audiences), RESOURCE))
        for audiences in (("subject",), ("subject", "agent"))
    )

    assert (False, True) == (b"agent-77" in subject, b"agent-77" in agent)


def test_a_person_who_reads_their_own_lines_meets_nobody_else(
    everything: Callable[..., Walk], view: Callable[..., View]
) -> None:
    said = b"".join(ldv.lines(everything(), view("subject", only=Subject("nrn", ANNA)), RESOURCE)).decode()

    assert (True, False) == (ANNA in said, BERT in said)


def test_what_was_forgotten_says_so(
    town: Town, keyring: FileKeyRing, walk: Callable[..., Walk], view: Callable[..., View]
) -> None:
    town.exchange()
    keyring.destroy("kek-Y10-2026-11-subject")
    [one] = ldv.activities(walk(), view("subject"))

    assert (True, "blind-tag") == (
        one["attributes"]["dpl.hub.erased"],
        one["attributes"]["dpl.core.data_subject_id_type"],
    )


# --- FSC ----------------------------------------------------------------------------------------------------------


def logs(walk: Walk, peer: str, **asked: Any) -> dict[str, Any]:
    found = [one for one in fsc.records(walk, peer, HUB, **asked) if one]
    return {"records": found, "pagination": {"next_cursor": ""}}


def test_a_peer_s_log_has_its_published_form(everything: Callable[..., Walk]) -> None:
    answer = logs(everything(), IXELLES)

    assert [] == faults(answer, PUBLISHED["fsc_logging"]["answer"])
    assert 5 == len(answer["records"])


def test_a_peer_sees_only_what_concerns_it(town: Town, walk: Callable[..., Walk]) -> None:
    town.exchange(org=IXELLES)
    town.exchange(org=BRUSSELS)
    town.exchange(org=IXELLES, clear={"delegator": {"org": BRUSSELS}, "consumer": {"org": IXELLES, "app": "x"}})

    assert [2, 2, 3, 0] == [len(logs(walk(), peer)["records"]) for peer in (IXELLES, BRUSSELS, HUB, "0000000097")]


def test_somebody_who_asks_for_another_is_a_delegated_source(town: Town, walk: Callable[..., Walk]) -> None:
    town.exchange(clear={"delegator": {"org": BRUSSELS}, "consumer": {"org": IXELLES, "app": "x"}})
    answer = logs(walk(), BRUSSELS)

    assert [] == faults(answer, PUBLISHED["fsc_logging"]["answer"])
    assert {"type": "SOURCE_TYPE_DELEGATED_SOURCE", "outway_peer_id": IXELLES, "delegator_peer_id": BRUSSELS} == answer[
        "records"
    ][0]["source"]


def test_filters_of_fsc_let_through_where_either_is_true(everything: Callable[..., Walk]) -> None:
    either = logs(everything(), IXELLES, grant_hashes=frozenset(["sha256:rule-1"]), service_names=frozenset(["other"]))
    after = logs(everything(), IXELLES, after=NOON // 1_000_000 + 120)

    assert (1, 3) == (len(either["records"]), len(after["records"]))


def test_a_peer_s_log_names_nobody(everything: Callable[..., Walk]) -> None:
    assert [] == [word for word in (ANNA, BERT, "2026/117", "agent-77") if word in str(logs(everything(), IXELLES))]


# --- findUsage ----------------------------------------------------------------------------------------------------


def find(reports: Reports, until: int = ALWAYS[1], **asked: Any) -> dict[str, Any]:
    return usage.find(reports, Subject("nrn", ANNA), 0, until, WORDS, **asked)


def test_find_usage_answers_in_its_published_form(everything: Callable[..., Walk], reports: Reports) -> None:
    answer = find(reports)

    assert [] == faults(answer, PUBLISHED["find_usage"]["answer"])
    assert (2, "Ixelles", "Parking permit") == (
        len(answer["usages"]),
        answer["usages"][0]["receiverName"],
        answer["usages"][0]["action"],
    )


def test_what_gave_nothing_is_no_usage(town: Town, reports: Reports) -> None:
    town.denied()
    town.exchange(clear={"status": "Error", "reason_code": "SOURCE_UNAVAILABLE"})

    assert (0, []) == (find(reports)["totalUsages"], find(reports)["usages"])


def test_what_is_restricted_leaves_no_trace_in_the_total(town: Town, store: Store, reports: Reports) -> None:
    hidden = [record.index for record in town.exchange()]
    town.exchange()
    for index in hidden:
        store.set_vis(town.ledger.shard, index, 1)

    assert (1, 1) == (find(reports)["totalUsages"], len(find(reports)["usages"]))


def test_pages_of_usage_skip_nothing_while_the_list_grows(town: Town, reports: Reports) -> None:
    for number in range(7):
        town.exchange(app=f"app-{number}")
    seen, cursor, now = [], None, town.clock.now + 1
    while True:
        answer = find(reports, now, limit=3, cursor=cursor)
        seen += [one["receiverSystem"] for one in answer["usages"]]
        town.exchange(app="later")
        cursor = answer.get("nextCursor")
        if cursor is None:
            break

    assert [f"app-{number}" for number in range(6, -1, -1)] == seen


@pytest.mark.parametrize("offset", [0, 2, 5, 9])
def test_an_offset_is_that_many_rows_further(town: Town, reports: Reports, offset: int) -> None:
    for number in range(5):
        town.exchange(app=f"app-{number}")
    answer = find(reports, offset=offset, limit=2)

    assert (5, [f"app-{n}" for n in range(4, -1, -1)][offset : offset + 2]) == (
        answer["totalUsages"],
        [one["receiverSystem"] for one in answer["usages"]],
    )


def test_a_cursor_of_somebody_else_s_making_is_refused(reports: Reports) -> None:
    with pytest.raises(CursorInvalid):
        find(reports, cursor="WzEsMl0")


def test_period_and_heartbeat_have_their_published_form(town: Town, store: Store) -> None:
    town.denied()
    period = usage.period(store.months())

    assert [] == faults(period, PUBLISHED["find_usage"]["period"])
    assert "2026-11-01T00:00:00Z" == period["periodStart"]
    assert [] == [
        fault for well in (True, False) for fault in faults(usage.heartbeat(well), PUBLISHED["find_usage"]["heartbeat"])
    ]


# --- CSV ----------------------------------------------------------------------------------------------------------


def table(walk: Walk, view: View, **how: Any) -> list[dict[str, str]]:
    text = b"".join(csvtext.lines(walk, view, **how)).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline=""), delimiter=how.get("delimiter", ",")))


def test_a_table_has_a_line_for_each_person(everything: Callable[..., Walk], view: Callable[..., View]) -> None:
    rows = table(everything(), view("subject"))

    assert [ANNA, BERT, ANNA, ANNA, ANNA, BERT] == [row["Subject"] for row in rows]
    assert ("2026/117", "") == (rows[0]["Case"], rows[0]["Agent"])


@pytest.mark.parametrize("words", ["=HYPERLINK(1)", "+1", "-1", "@SUM(1)", " =1", "\t=1", "\r=1", "\n=1", "＝1"])
def test_a_cell_that_is_a_formula_is_disarmed(
    town: Town, walk: Callable[..., Walk], view: Callable[..., View], words: str
) -> None:
    town.write("denied", subjects=[("nrn", ANNA)], committed={"case_ref": words})
    [row] = table(walk(), view("subject"))

    assert f"'{words}" == row["Case"]


def test_a_quote_or_a_line_break_does_not_end_a_cell(
    town: Town, walk: Callable[..., Walk], view: Callable[..., View]
) -> None:
    town.write("denied", subjects=[("nrn", ANNA)], committed={"case_ref": 'a","b\r\n=1;c'})

    assert ['a","b\r\n=1;c'] == [row["Case"] for row in table(walk(), view("subject"))]


@pytest.mark.parametrize(("language", "title"), [("nl", "Betrokkene"), ("fr", "Personne concernée"), ("en", "Subject")])
def test_titles_speak_the_reader_s_language(
    everything: Callable[..., Walk], view: Callable[..., View], language: str, title: str
) -> None:
    assert ANNA == table(everything(), view("subject"), language=language, delimiter=";")[0][title]


def test_a_byte_order_mark_comes_once_and_only_when_asked(
    everything: Callable[..., Walk], view: Callable[..., View]
) -> None:
    counts = [b"".join(csvtext.lines(everything(), view(), bom=bom)).count(csvtext.BOM) for bom in (True, False)]

    assert [1, 0] == counts


# --- OCSF ---------------------------------------------------------------------------------------------------------


def test_every_event_has_its_published_form(everything: Callable[..., Walk]) -> None:
    events = [orjson.loads(line) for line in ocsf.lines(everything(), PRODUCT)]
    form = {6003: "api_activity", 6005: "datastore_activity"}

    assert [] == [fault for one in events for fault in faults(one, PUBLISHED["ocsf"][form[one["class_uid"]]])]
    assert [6003, 6003, 6003, 6005, 6003] == [one["class_uid"] for one in events]
    assert [1, 2, 2, 1, 2] == [one["status_id"] for one in events]


def test_a_monitor_gets_tags_and_never_a_person(everything: Callable[..., Walk]) -> None:
    said = b"".join(ocsf.lines(everything(), PRODUCT)).decode()

    assert [] == [word for word in (ANNA, BERT, "2026/117", "agent-77", "dpo-1", "a complaint") if word in said]


def test_one_person_asked_for_twice_has_one_tag(town: Town, walk: Callable[..., Walk]) -> None:
    for who in (ANNA, BERT, ANNA):
        town.exchange(who)
    anna, bert, again = [orjson.loads(line)["resources"][0]["uid"] for line in ocsf.lines(walk(), PRODUCT)]

    assert (True, False) == (anna == again, anna == bert)


def test_an_exchange_whose_end_nobody_knows_is_worth_a_look(town: Town, walk: Callable[..., Walk]) -> None:
    from audit import settle

    town.write("intent", subjects=[("nrn", ANNA)])
    town.clock.now += 5 * MINUTE
    settle(town.ledger)
    [event] = [orjson.loads(line) for line in ocsf.lines(walk(), PRODUCT)]

    assert (0, 3, 1) == (event["status_id"], event["severity_id"], len(event["resources"]) - 1)
