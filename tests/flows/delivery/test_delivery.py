"""Messages from one organisation to another through a real hub: handed in, fetched or pushed, answered days later."""

from __future__ import annotations

import http.server
import json
import queue
import threading
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import orjson
import pytest

from connectors.client import Webhook, WebhookInvalid
from integrator.cli import main
from tests.flows.sandboxes import Callers, Reply

PERSON = "84651797654"
IXELLES, CPAS = "ixelles", "cpas-ixelles"
REPORT = {
    "ssin": PERSON, "recipient": "1992100975", "dossierReference": "IX-2026-7", "content": {"field": "address", "observed": "another name on the door"},
}  # fmt: skip
SOON = (datetime.now(UTC).date() + timedelta(days=30)).isoformat()


def post(who: Callers, path: str, body: Any, organisation: str = CPAS, key: str | None = "") -> Reply:
    headers = {} if key is None else {"Idempotency-Key": key or str(uuid.uuid4())}
    return who.send("POST", path, orjson.dumps(body), purpose="file_update", organisation=organisation, headers=headers)


def subscribe(who: Callers, **wish: Any) -> str:
    made = post(
        who, "/events/v1/subscriptions/create", {"service": "person.reportDifference", "endDate": SOON, **wish}, IXELLES
    )
    assert 201 == made.status, made.payload
    return made.body["subscriptionId"]


def end(who: Callers, subscription: str) -> None:
    post(who, "/events/v1/subscriptions/end", {"subscriptionId": subscription}, IXELLES)


@pytest.fixture
def pulled(doors: Callers) -> Iterator[str]:
    subscription = subscribe(doors, mode="pull")
    yield subscription
    end(doors, subscription)


def fetch(who: Callers, subscription: str, cursor: str | None = None) -> Any:
    body = {"subscriptionId": subscription} | ({"cursor": cursor} if cursor else {})
    return post(who, "/events/v1/feed", body, IXELLES).body


def test_a_report_is_fetched_answered_and_the_answer_read(doors: Callers, pulled: str) -> None:
    sent = post(doors, "/person/v1/differences/report", REPORT)
    page = fetch(doors, pulled)
    told = {
        "deliveryId": sent.body["deliveryId"],
        "content": {"field": "address", "observed": "the door was painted over"},
    }
    answered = post(doors, "/delivery/v1/deliveries/answer", told, IXELLES)
    [seen] = post(doors, "/delivery/v1/deliveries/get", {"deliveryId": sent.body["deliveryId"]}).body["answers"][
        "items"
    ]

    assert (202, 202) == (sent.status, answered.status)
    assert [(sent.body["deliveryId"], PERSON)] == [(one["id"], one["data"]["ssin"]) for one in page["items"]]
    assert (told["deliveryId"], told["content"]) == (seen["data"]["questionId"], seen["data"]["content"])


def test_answers_to_all_messages_of_a_service_come_with_the_case_of_each(doors: Callers, pulled: str) -> None:
    post(doors, "/delivery/v1/deliveries/answers", {"service": "person.reportDifference"})
    cases = [f"IX-2026-{number}" for number in (21, 22)]
    sent = [post(doors, "/person/v1/differences/report", REPORT | {"dossierReference": case}).body["deliveryId"] for case in cases]
    fetch(doors, pulled, fetch(doors, pulled)["cursor"])  # acknowledged long before it is answered
    content = {"field": "address", "observed": "the door was painted over"}
    for one in reversed(sent):
        assert 202 == post(doors, "/delivery/v1/deliveries/answer", {"deliveryId": one, "content": content}, IXELLES).status
    mine = post(doors, "/delivery/v1/deliveries/answers", {"service": "person.reportDifference"}).body
    theirs = post(doors, "/delivery/v1/deliveries/answers", {"service": "person.reportDifference"}, IXELLES).body
    after = post(doors, "/delivery/v1/deliveries/answers", {"service": "person.reportDifference", "cursor": mine["cursor"]}).body

    told = {one["data"]["questionId"]: one["data"]["dossierReference"] for one in mine["items"]}
    assert dict(zip(sent, cases, strict=True)).items() <= told.items()
    assert ([], []) == (theirs["items"], after["items"])


def test_a_service_that_nobody_answers_has_no_answers(doors: Callers) -> None:
    for service in ("person.get", "person.changes", "nothing.there"):
        refused = post(doors, "/delivery/v1/deliveries/answers", {"service": service})

        assert (400, "/service") == (refused.status, refused.body["issues"][0]["name"])


def test_what_is_not_acknowledged_comes_again_and_what_is_does_not(doors: Callers, pulled: str) -> None:
    sent = post(doors, "/person/v1/differences/report", REPORT)
    first, again = fetch(doors, pulled), fetch(doors, pulled)
    after = fetch(doors, pulled, again["cursor"])

    assert [[sent.body["deliveryId"]]] * 2 == [[one["id"] for one in page["items"]] for page in (first, again)]
    assert [] == after["items"]


def test_the_same_key_gives_the_same_answer_and_another_content_is_a_conflict(doors: Callers, pulled: str) -> None:
    key = str(uuid.uuid4())
    first = post(doors, "/person/v1/differences/report", REPORT, key=key)
    second = post(doors, "/person/v1/differences/report", REPORT, key=key)
    other = post(
        doors, "/person/v1/differences/report", REPORT | {"content": {"field": "name", "observed": "x"}}, key=key
    )

    assert first.body == second.body
    assert (409, "urn:problem-type:integrator:idempotencyConflict") == (other.status, other.body["type"])
    assert PERSON not in str(other.headers)


def test_the_vendors_client_sends_and_sends_again(doors: Callers, pulled: str) -> None:
    client, key = doors.client("file_update", CPAS), str(uuid.uuid4())
    first, second = [client.send("person.reportDifference", key, **REPORT) for _ in range(2)]

    assert first.body == second.body


def test_without_key_nothing_is_accepted(doors: Callers, pulled: str) -> None:
    refused = post(doors, "/person/v1/differences/report", REPORT, key=None)

    assert (400, "Idempotency-Key") == (refused.status, refused.body["issues"][0]["name"])


def test_a_body_for_whom_nobody_subscribed_is_refused(doors: Callers) -> None:
    refused = post(doors, "/person/v1/differences/report", REPORT | {"recipient": "0207373429"})

    assert (400, "/recipient") == (refused.status, refused.body["issues"][0]["name"])


def test_a_purpose_that_does_not_need_it_is_denied_and_recorded(doors: Callers, pulled: str) -> None:
    refused = doors.send(
        "POST", "/person/v1/differences/report", orjson.dumps(REPORT), purpose="social_inquiry", organisation=CPAS, headers={"Idempotency-Key": str(uuid.uuid4())}
    )  # fmt: skip

    assert (403, "SERVICE_NOT_GRANTED", 1) == (refused.status, refused.body["reason"], len(refused.entries))


@pytest.mark.parametrize("path", ["/events/v1/feed", "/events/v1/subscriptions/end"])
def test_another_organisations_subscription_does_not_exist(doors: Callers, pulled: str, path: str) -> None:
    assert 404 == post(doors, path, {"subscriptionId": pulled}, CPAS).status


def test_another_organisations_message_does_not_exist(doors: Callers, pulled: str) -> None:
    sent = post(doors, "/person/v1/differences/report", REPORT)

    assert 404 == post(doors, "/delivery/v1/deliveries/get", {"deliveryId": sent.body["deliveryId"]}, "brussels").status


def test_a_subscription_says_when_it_ends(doors: Callers) -> None:
    wish = {"service": "person.changes", "mode": "pull"}

    assert 400 == post(doors, "/events/v1/subscriptions/create", wish, IXELLES).status


def test_an_announcement_reaches_nobody_who_keeps_no_file(doors: Callers) -> None:
    subscription = subscribe(doors, service="person.changes", mode="pull")
    told = post(doors, "/person/v1/changes/announce", {"ssin": PERSON, "changed": ["address"]}, "national-register")

    assert (202, []) == (told.status, fetch(doors, subscription)["items"])


def test_whoever_may_follow_changes_may_not_announce_them(doors: Callers) -> None:
    refused = post(doors, "/person/v1/changes/announce", {"ssin": PERSON, "changed": ["address"]}, CPAS)

    assert (403, "SERVICE_NOT_GRANTED") == (refused.status, refused.body["reason"])


def test_health_and_metrics_tell_of_deliveries_without_anybody(doors: Callers) -> None:
    metrics = httpx.get(f"{doors.hub}/metrics", trust_env=False).text

    assert "UP" == httpx.get(f"{doors.hub}/health", trust_env=False).json()["delivery"]["status"]
    assert 'integrator_delivery_messages{state="waiting"}' in metrics
    assert PERSON not in metrics


# --- push -----------------------------------------------------------------------------------------------------------------


class Receiver:
    """A receiver of webhooks on loopback: remembers, and answers as it is told."""

    def __init__(self) -> None:
        self.got: queue.Queue[tuple[dict[str, str], bytes]] = queue.Queue()
        self.answers: list[int] = []
        outer = self

        class Door(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.got.put((dict(self.headers), body))
                self.send_response(outer.answers.pop(0) if outer.answers else 204)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args: Any) -> None:
                """Quiet."""

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Door)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/hook"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    opened = Receiver()
    yield opened
    opened.close()


@pytest.fixture
def pushed(doors: Callers, receiver: Receiver, settings_file: str) -> Iterator[str]:
    assert 0 == main(["delivery", "endpoint", "--settings", settings_file, IXELLES, receiver.url])
    subscription = subscribe(doors, mode="push", url=receiver.url)
    yield subscription
    end(doors, subscription)


@pytest.fixture
def settings_file(doors: Callers, tmp_path) -> str:
    path = tmp_path / "settings.yaml"
    chosen = doors.settings
    path.write_text(json.dumps({"mode": "sandbox", "state": str(chosen.state), "port": chosen.port}), encoding="utf-8")
    return str(path)


def test_a_report_is_pushed_signed_for_this_subscription(doors: Callers, receiver: Receiver, pushed: str) -> None:
    sent = post(doors, "/person/v1/differences/report", REPORT)
    headers, body = receiver.got.get(timeout=30)
    keys = [one["key"] for one in httpx.get(f"{doors.hub}/events/v1/keys", trust_env=False).json()["items"]]
    event = Webhook(keys, subscription=pushed).verify(headers, body)

    assert (sent.body["deliveryId"], PERSON, REPORT["content"]) == (
        event["id"],
        event["data"]["ssin"],
        event["data"]["content"],
    )
    with pytest.raises(WebhookInvalid):
        Webhook(keys, subscription="another").verify(headers, body)
    assert PERSON not in str(headers)


def test_what_a_receiver_refuses_for_good_is_a_dead_letter_that_can_be_sent_once_more(
    doors: Callers, receiver: Receiver, pushed: str, settings_file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    receiver.answers = [422]
    sent = post(doors, "/person/v1/differences/report", REPORT).body["deliveryId"]
    receiver.got.get(timeout=30)
    wait_for(doors, sent, "dead")
    words = ["--settings", settings_file, "--delivery", sent, "--reason", "RECEIVER_MENDED"]
    codes = [main(["delivery", "redrive", *words])]
    headers, _ = receiver.got.get(timeout=30)
    wait_for(doors, sent, "delivered")
    codes.append(main(["delivery", "show", "--settings", settings_file, sent]))

    assert ([0, 0], sent) == (codes, {name.lower(): value for name, value in headers.items()}["webhook-id"])
    assert PERSON not in capsys.readouterr().out


def test_an_address_is_ended_by_order_and_only_where_it_was_registered(
    receiver: Receiver, pushed: str, settings_file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["delivery", "endpoint", "--settings", settings_file, IXELLES]

    assert [0, 1] == [main([*words, receiver.url, "--end"]), main([*words, receiver.url, "--end"])]
    assert "no such address" in capsys.readouterr().err


def wait_for(who: Callers, uid: str, state: str) -> None:
    for _ in range(200):
        found = post(who, "/delivery/v1/deliveries/get", {"deliveryId": uid}).body["state"]
        if found == state:
            return
        threading.Event().wait(0.1)
    raise AssertionError(f"{found}, not {state}")
