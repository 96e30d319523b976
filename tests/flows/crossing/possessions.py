"""Everything an organisation can have at the hub, one of each kind; and how it stands, as its owner sees it."""

from __future__ import annotations

import base64
import secrets
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from connectors.client import enrolment
from integrator.database import Database
from integrator.emergency.store import Emergency, Most, Store
from integrator.governing.texts import digest
from integrator.ids import new_id
from tests.flows.crossing.operations import NOTHING
from tests.flows.crossing.people import Body, Pair, citizen, letters, like, session

WORDS = "only the owner of this may ever read the word kwartelkoning"  # in everything that takes words
MARK = "kwartelkoning"
SOON = (datetime.now(UTC) + timedelta(hours=4)).strftime("%Y-%m-%dT%H:%M:%SZ")
LATER = (datetime.now(UTC).date() + timedelta(days=30)).isoformat()
SCHOOL = Path(__file__).resolve().parents[3] / "policies" / "school_enrolment.yaml"


@dataclass(slots=True)
class Things:
    """What is tried, by kind; texts that no answer to anybody else may hold; and looks at what is owned."""

    pairs: dict[str, Pair] = field(default_factory=dict)
    secrets: set[str] = field(default_factory=set)
    looks: dict[str, Callable[[], Any]] = field(default_factory=dict)
    shard: str = ""

    def state(self) -> dict[str, Any]:
        return {name: look() for name, look in self.looks.items()}

    def own(self, kind: str, theirs: str, nobodys: str | None = None) -> None:
        """An id that only its owner knows."""
        self.pairs[kind] = Pair(theirs, nobodys or like(theirs))
        self.secrets.add(theirs)


def gather(owner: Body, centre: Body, people: list[str], folder: Path) -> Things:
    """`owner` (a municipality) and `centre` (an OCMW/CPAS, for what only those have) make one of everything."""
    things = Things()
    things.secrets.add(MARK)
    _asked(things, owner, people)
    _filed(things, centre, people)
    _delivered(things, owner, centre, people)
    _let_in(things, owner, folder)
    _staffed(things, owner)
    _on_the_desk(things, owner, people)
    _governed(things, owner)
    _urgent(things, centre)
    things.pairs["message"] = Pair(centre.own["message"], str(uuid.uuid4()))
    things.pairs |= {"soon": Pair(SOON, SOON), NOTHING: Pair("", "")}
    return things


def _asked(things: Things, owner: Body, people: list[str]) -> None:
    """Exchanges: by trace, by entries, by receipt, by place."""
    case = "CROSS-2026-A1"
    reply = owner.post(
        "/person/v1/persons/get", {"ssin": people[0], "dossierReference": case}, purpose="administrative_fine"
    )
    assert 200 == reply.status, reply.payload
    entries, receipt = reply.headers["integrator-ledger-entries"], reply.headers["audit-receipt"]
    shard, _, indices = entries.rpartition("/")
    index = int(indices.rpartition(",")[2])
    things.shard = shard
    things.own("trace", reply.trace)
    things.pairs |= {
        "entries": Pair(entries, f"{shard}/987654321"), "receipt": Pair(receipt, _elsewhere(receipt)), "index": Pair(index, 987654321),
        "place": Pair(f"{shard}/{index}", f"{shard}/987654321"), "person": Pair(people[0], people[1]),
        "attributes": Pair({"dpl.core.data_subject_id": people[0]}, {"dpl.core.data_subject_id": people[1]}),
        "dossier": Pair(case, "CROSS-2026-A2"), "organisation": Pair(owner.number, "1992999905"),
        "application": Pair(owner.application, "test-nobodyx"), "paper": Pair("letter.pdf", "letter.txt"),
    }  # fmt: skip
    owner.own["entry"] = (shard, index)
    opened = owner.post("/case/v1/cases/open", {"dossierReference": case}, purpose="administrative_fine")
    assert 200 == opened.status, opened.payload
    told = {"dossierReference": case}
    things.looks["case"] = lambda: owner.post("/case/v1/cases/open", told, purpose="administrative_fine").body["status"]
    _until(
        lambda: owner.officer("POST", "/audit/v1/exchange", {"reason": WORDS, "traceId": reply.trace}).json()["items"]
    )


def _filed(things: Things, centre: Body, people: list[str]) -> None:
    """A registration in the directory of references."""
    row = {"ssin": people[2], "quality": "1", "startDate": "2026-01-01", "dossierReference": "CROSS-2026-F1"}
    made = centre.post("/directory/v1/registrations/register", row)
    assert 200 == made.status, made.payload
    things.own("registration", made.body["registration"]["id"])
    things.pairs["filed"] = Pair(people[2], people[3])
    things.secrets.add("CROSS-2026-F1")
    things.looks["registrations"] = lambda: centre.post("/directory/v1/registrations/list", {"ssin": people[2]}).body[
        "items"
    ]


def _delivered(things: Things, owner: Body, centre: Body, people: list[str]) -> None:
    """A subscription, a message in it, a page of its feed."""
    aim = "file_update"
    wish = {"service": "person.reportDifference", "mode": "pull", "endDate": LATER}
    made = owner.post("/events/v1/subscriptions/create", wish, purpose=aim, key=str(uuid.uuid4()))
    assert 201 == made.status, made.payload
    subscription = made.body["subscriptionId"]
    report = {
        "ssin": people[4], "recipient": owner.number, "dossierReference": "CROSS-2026-D1", "content": {"field": "address", "observed": WORDS},
    }  # fmt: skip
    centre.own["message"] = str(uuid.uuid4())
    sent = centre.post("/person/v1/differences/report", report, purpose=aim, key=centre.own["message"])
    assert 202 == sent.status, sent.payload
    page = owner.post("/events/v1/feed", {"subscriptionId": subscription}, purpose=aim).body
    things.own("subscription", subscription)
    things.own("delivery", sent.body["deliveryId"])
    things.own("cursor", page["cursor"])
    things.looks["subscriptions"] = lambda: owner.post("/events/v1/subscriptions/list", {}, purpose=aim).body
    asked = {"deliveryId": sent.body["deliveryId"]}
    things.looks["delivery"] = lambda: [
        owner.post("/delivery/v1/deliveries/get", asked, purpose=aim).status,
        {
            name: value
            for name, value in centre.post("/delivery/v1/deliveries/get", asked, purpose=aim).body.items()
            if name in ("state", "answer")
        },
    ]
    things.looks["feed"] = lambda: [
        one["id"] for one in owner.post("/events/v1/feed", {"subscriptionId": subscription}, purpose=aim).body["items"]
    ]


def _let_in(things: Things, owner: Body, folder: Path) -> None:
    """A request to be enrolled, keys, and statements that another signs in its name."""
    file = folder / "waiting.jwk"
    asked = enrolment.request(
        owner.one.hub, "waiting-desk", file, organisation=owner.number, purposes=["parking_control"],
        contact="integrations@vendor.example", title="Waiting desk",
    )  # fmt: skip
    things.own("enrolment", asked["requestId"])
    things.own("secret", asked["secret"])
    issuer = f"{owner.one.hub}/sandbox"
    kid = owner.client().key["kid"]

    def order(name: str) -> Callable[[Body], str]:
        return lambda thief: thief.signed("key-order+jwt", name, issuer, act="revoke", kid=kid)

    def assertion(name: str) -> Callable[[Body], str]:
        return lambda thief: thief.signed("JWT", name, f"{owner.one.hub}/oauth/token")

    def revocation(which: str) -> Callable[[Body], str]:
        return lambda thief: thief.signed("key-order+jwt", thief.application, issuer, act="revoke", kid=which)

    things.pairs |= {
        "order": Pair(order(owner.application), order("test-nobodyx")), "assertion": Pair(assertion(owner.application), assertion("test-nobodyx")),
        "revocation": Pair(revocation(kid), revocation("sandbox." + "x" * 22)),
        "vouched": Pair(lambda thief: thief.id_token(owner.vouched), lambda thief: thief.id_token("elif.yilmaz")),
    }  # fmt: skip
    things.looks["enrolment"] = lambda: enrolment.status(file)
    things.looks["keys"] = lambda: owner.post("/enrolment/v1/keys/list", {}).body


def _staffed(things: Things, owner: Body) -> None:
    """People and a group that HR told of, and a delegation between two of them."""
    base = "urn:ietf:params:scim:schemas:core:2.0:"
    colleague = owner.hr(
        "POST",
        "/Users",
        {"schemas": [f"{base}User"], "userName": "chantal.dubois", "roles": [{"value": "social_worker"}]},
    ).json()
    group = owner.hr(
        "POST",
        "/Groups",
        {"schemas": [f"{base}Group"], "displayName": f"team {MARK}", "members": [{"value": owner.own["user"]}]},
    ).json()
    wish = {"to": colleague["id"], "roles": ["social_worker"], "until": SOON}
    delegation = owner.ask("POST", "/agents/v1/delegations", wish, bearer=owner.agent)
    assert 201 == delegation.status_code, delegation.text
    for kind, one in (("user", owner.own["user"]), ("group", group["id"]), ("delegation", delegation.json()["id"])):
        things.own(kind, one, letters(one))
    things.own("username", owner.own["username"], "no.body")
    things.own("external", owner.own["external"], "hr-no.body")
    things.own("groupname", f"team {MARK}", "team nobody")
    things.looks["staff"] = lambda: [owner.hr("GET", path).json()["Resources"] for path in ("/Users", "/Groups")]
    things.looks["delegations"] = lambda: owner.ask(
        "POST", "/agents/v1/delegations/list", {}, bearer=owner.token("staff_directory")
    ).json()


def _on_the_desk(things: Things, owner: Body, people: list[str]) -> None:
    """What its data protection officer has under way: a file, a mandate, a reveal, an order, a contest, a page."""
    shard, index = owner.own["entry"]
    opening = {
        "subject": people[5], "language": "fr", "received": "2026-11-02", "addressee": f"Rue {MARK} 1, 1050 Ixelles", "channel": "letter",
    }  # fmt: skip
    file = owner.officer("POST", "/audit/v1/requests", opening)
    mandate = owner.officer("POST", "/audit/v1/mandates", {
        "holder": people[6], "person": people[7], "kind": "attorney", "scope": ["look"], "ends": LATER, "reason": WORDS})  # fmt: skip
    reveal = owner.officer("POST", "/audit/v1/reveals", {"shard": shard, "index": index, "reason": WORDS})
    wanted = {
        "action": "restrict",
        "place": f"{shard}/{index}",
        "ground": "crime",
        "authority": "controller",
        "review": LATER,
        "reason": WORDS,
    }
    order = owner.officer("POST", "/audit/v1/orders/prepare", wanted)
    contest = owner.ask(
        "POST", "/audit/v1/contests", {"shard": shard, "index": index, "kind": "wrong", "words": WORDS},
        bearer=session(owner.one, citizen(people[0])),
    )  # fmt: skip
    for kind, made in (
        ("file", file),
        ("mandate", mandate),
        ("reveal", reveal),
        ("order_on_keeping", order),
        ("contest", contest),
    ):
        assert 201 == made.status_code, (kind, made.text)
        things.own(kind, made.json()["id"])
    sent = owner.officer("POST", "/audit/v1/orders/ask", {"id": order.json()["id"]})
    assert 200 == sent.status_code, sent.text
    page = owner.officer(
        "POST", "/audit/v1/about", {"reason": WORDS, "subject": {"type": "nrn", "id": people[0]}, "limit": 1}
    ).json()
    position = page.get("nextCursor") or base64.urlsafe_b64encode(b"[1795440600123456]").decode().rstrip("=")
    things.pairs["page"] = Pair(position, base64.urlsafe_b64encode(b"[1]").decode().rstrip("="))
    for name in ("requests", "mandates", "reveals", "contests"):
        things.looks[name] = lambda name=name: owner.officer("GET", f"/audit/v1/{name}").json()
    things.looks["orders"] = lambda: owner.officer("POST", "/audit/v1/orders/list", {}).json()


def _governed(things: Things, owner: Body) -> None:
    """A proposal, and an authorisation that its officer suspended for his own organisation."""
    before = SCHOOL.read_bytes()
    proposal = owner.officer("POST", "/policy/v1/proposals", {
        "texts": [before.decode().replace("address, language, parents", "address, parents")],
        "from": {SCHOOL.stem: f"sha256:{digest(before)}"}, "reason": "the school needs it no longer"})  # fmt: skip
    suspension = owner.officer("POST", "/policy/v1/suspensions", {
        "authorisation": "school_enrolment@2026-1", "organisation": owner.number, "reason": "nobody asks for it here"})  # fmt: skip
    for kind, made in (("proposal", proposal), ("suspension", suspension)):
        assert 201 == made.status_code, (kind, made.text)
        things.pairs[kind] = Pair(made.json()["id"], new_id(16))
    things.looks["suspensions"] = lambda: owner.officer("GET", "/policy/v1/suspensions").json()


def _urgent(things: Things, centre: Body) -> None:
    """An emergency that waits for its second person, laid in its register as an exchange does."""
    now = time.time()
    one = Emergency(
        secrets.token_hex(8), secrets.token_hex(16), centre.number, centre.application, centre.own["user"], "youth_support", "person.get",
        "OUTSIDE_HOURS", now, now + 86_400,
    )  # fmt: skip
    database = Database(str(centre.one.settings.emergency["database"]), "emergency")
    try:
        assert Store(database).add(one, since=0, of_agent=Most(9, 9), of_application=Most(9, 9))
    finally:
        database.close()
    things.own("emergency", one.id)
    things.secrets |= {one.trace, centre.own["user"]}
    things.looks["emergencies"] = lambda: centre.officer("GET", "/audit/v1/emergencies").json()


def _elsewhere(receipt: str) -> str:
    """A receipt for an entry that is not there."""
    note = base64.urlsafe_b64decode(receipt + "=" * (-len(receipt) % 4)).decode()
    first, origin, _, *rest = note.split("\n")
    return base64.urlsafe_b64encode("\n".join([first, origin, "987654321", *rest]).encode()).decode().rstrip("=")


def _until(fact: Callable[[], Any], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not fact():
        assert time.monotonic() < end, "the ledger does not show it"
        time.sleep(0.2)
