"""Bodies that a description cannot say: steps of an address, and objects inside texts. `$kind` is what is tried.

`$own:kind` is one's own, where a foreign object is tried beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.flows.crossing.names import REASON

_CORE = "urn:ietf:params:scim:schemas:core:2.0:"
_MESSAGE = "urn:ietf:params:scim:api:messages:2.0:"
_USER, _GROUP = [f"{_CORE}User"], [f"{_CORE}Group"]
_OFF = {
    "schemas": [f"{_MESSAGE}PatchOp"],
    "Operations": [{"op": "replace", "path": "active", "value": False}],
}
_RENAME = {
    "schemas": [f"{_MESSAGE}PatchOp"],
    "Operations": [{"op": "replace", "path": "displayName", "value": "taken over"}],
}


def _search(text: str) -> dict[str, Any]:
    return {"schemas": [f"{_MESSAGE}SearchRequest"], "filter": text}


def _many(method: str, path: str, data: Any = None) -> dict[str, Any]:
    one = {"method": method, "path": path} | ({"data": data} if data is not None else {})
    return {"schemas": [f"{_MESSAGE}BulkRequest"], "Operations": [one]}


def _evaluation(kind: str, id_: str, **properties: Any) -> dict[str, Any]:
    return {
        "subject": {"type": kind, "id": id_, **({"properties": properties} if properties else {})},
        "action": {"name": "person.get"}, "resource": {"type": "fields", "id": "*"}, "context": {"purpose": "social_inquiry"},
    }  # fmt: skip


_KNOCK = {
    "grant_type": "client_credentials", "purpose": "social_inquiry",
    "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
}  # fmt: skip
_EXCHANGE = {
    **_KNOCK, "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange", "client_assertion": "$own:assertion",
}  # fmt: skip
_ID_TOKEN = "urn:ietf:params:oauth:token-type:id_token"
_DELEGATION = "urn:integrator:params:oauth:token-type:delegation"
_ROW = {"ssin": "$filed", "quality": "1", "startDate": "2026-01-01"}

# "METHOD /path" -> bodies; of a request that has its object in the address, the first one goes with it
BODIES: Mapping[str, list[Any]] = {
    "POST /oauth/token": [
        {**_KNOCK, "client_assertion": "$assertion"},
        {**_KNOCK, "client_assertion": "$own:assertion", "client_id": "$application"},
        {**_EXCHANGE, "subject_token": "$vouched", "subject_token_type": _ID_TOKEN},
        {**_EXCHANGE, "subject_token": "$delegation", "subject_token_type": _DELEGATION, "actor_token": "$own:vouched", "actor_token_type": _ID_TOKEN},
    ],
    "POST /directory/v1/registrations/list": [
        {"ssin": "$filed"}, {"ssin": "$filed", "knownOn": "2099-01-01"}, {"after": "$registration"}, {"dossierReference": "$dossier"},
    ],
    "POST /directory/v1/registrations/register": [{**_ROW, "isTrial": True}, {**_ROW, "ssin": "$own:filed", "isTrial": True, "dossierReference": "$dossier"}],
    "POST /directory/v1/registrations/unregister": [
        {"ssin": "$filed", "quality": "1", "endDate": "2026-06-30"}, {"ssin": "$filed", "quality": "1", "mistakenStartDate": "2026-01-01"},
    ],
    "POST /directory/v1/registrations/bulk": [
        {"action": "unregister", "registrations": [{"ssin": "$filed", "quality": "1", "endDate": "2026-06-30"}]},
        {"action": "register", "registrations": [{**_ROW, "isTrial": True}]},
    ],
    "POST /case/v1/cases/open": [{"dossierReference": "$dossier"}, {"dossierReference": "$dossier", "ssin": "$own:filed"}],
    "POST /case/v1/cases/close": [{"dossierReference": "$dossier"}],
    "POST /events/v1/feed": [
        {"subscriptionId": "$subscription"}, {"subscriptionId": "$subscription", "cursor": "$own:cursor"},
        {"subscriptionId": "$own:subscription", "cursor": "$cursor"},
    ],
    "POST /delivery/v1/deliveries/get": [
        {"deliveryId": "$delivery"}, {"deliveryId": "$own:delivery", "cursor": "$cursor"},
    ],
    "POST /delivery/v1/deliveries/answer": [
        {"deliveryId": "$delivery", "content": {"field": "address", "observed": "answered by somebody else"}},
    ],
    "POST /enrolment/v1/requests": [],  # anybody may ask for any organisation: two people decide
    "POST /enrolment/v1/requests/status": [
        {"requestId": "$enrolment", "secret": "$own:secret"}, {"requestId": "$own:enrolment", "secret": "$secret"},
    ],
    "POST /enrolment/v1/keys/rotate": [{"order": "$order", "proof": "$own:order"}],
    "POST /enrolment/v1/keys/revoke": [{"order": "$order"}, {"order": "$revocation"}],
    "POST /authorisation/v1/decisions/explain": [
        {"traceId": "$trace"}, {"entries": "$entries"}, {"receipt": "$receipt"},
    ],
    "POST /access/v1/evaluation": [
        _evaluation("application", "$application"), _evaluation("organisation", "$organisation"),
        _evaluation("agent", "$user"), _evaluation("agent", "somebody", application="$application"),
    ],
    "POST /access/v1/evaluations": [
        {**_evaluation("application", "$application"), "evaluations": [{}]},
        {"evaluations": [_evaluation("agent", "$user", application="$application")]},
    ],
    "GET /scim/v2/Users": [None],
    "POST /scim/v2/Users": [{"schemas": _USER, "userName": "$username"}, {"schemas": _USER, "userName": "new.$external", "externalId": "$external"}],
    "POST /scim/v2/Users/.search": [_search('id eq "$user"'), _search('userName eq "$username"'), _search('externalId eq "$external"')],
    "PUT /scim/v2/Users/{id}": [{"schemas": _USER, "userName": "taken.over"}],
    "PATCH /scim/v2/Users/{id}": [_OFF],
    "DELETE /scim/v2/Users/{id}": [None],
    "POST /scim/v2/Groups": [{"schemas": _GROUP, "displayName": "$groupname"}, {"schemas": _GROUP, "displayName": "mine", "members": [{"value": "$user"}]}],
    "POST /scim/v2/Groups/.search": [_search('id eq "$group"'), _search('members.value eq "$user"'), _search('displayName eq "$groupname"')],
    "PUT /scim/v2/Groups/{id}": [{"schemas": _GROUP, "displayName": "taken over"}],
    "PATCH /scim/v2/Groups/{id}": [_RENAME],
    "DELETE /scim/v2/Groups/{id}": [None],
    "POST /scim/v2/.search": [_search('id eq "$user"'), _search('id eq "$group"')],
    "POST /scim/v2/Bulk": [
        _many("DELETE", "/Users/$user"), _many("DELETE", "/Groups/$group"), _many("PATCH", "/Users/$user", _OFF),
        _many("PUT", "/Users/$user", {"schemas": _USER, "userName": "taken.over"}),
    ],
    "POST /agents/v1/delegations": [{"to": "$user", "roles": ["social_worker"], "until": "$soon"}],
    "POST /audit/v1/export": [
        {"format": form, "reason": REASON} | more
        for form in ("ldv", "csv", "ocsf") for more in ({}, {"names": True}, {"organisation": "$organisation"}, {"cursor": "$page"})
        if not (form == "ocsf" and "names" in more)
    ],
    "POST /audit/v1/orders/prepare": [
        {"action": action, "place": f"${place}", "ground": ground, "authority": "controller", "reason": REASON}
        | ({"review": "2027-06-01"} if action == "restrict" else {})
        for action, ground in (("restrict", "crime"), ("release", "access")) for place in ("trace", "place")
    ],
    "POST /audit/v1/proof": [{"reason": REASON, "shard": "$shard", "index": "$index"}],
    "POST /audit/v1/byAgent": [{"reason": REASON, "agent": "$user"}, {"reason": REASON, "agent": "$own:user", "organisation": "$organisation"}],
    "POST /audit/v1/mandates": [
        {"holder": "$own:person", "person": "$own:person", "kind": "attorney", "scope": ["look"], "ends": "2027-01-31", "reason": REASON},
    ],
    "POST /audit/v1/requests": [],  # opens a file of one's own, about anybody who asks
    "POST /policy/v1/suspensions": [{"authorisation": "social_inquiry@2026-1", "organisation": "$organisation", "reason": REASON}],
}  # fmt: skip

# address that ends with a step -> step -> its body
_WHY = {"why": REASON}
STEPS: Mapping[str, Mapping[str, Any]] = {
    "/audit/v1/requests/{id}/{step}": {
        **dict.fromkeys(("ask_proof", "extend", "withdraw", "refuse", "send_back"), _WHY), **{key: {} for key in ("collect", "prepare", "resume")},
        "identify": {"method": "known", "checks": ["number"], "remark": REASON}, "decide": {"decisions": [], "remark": REASON},
        "release": {"sha256": "0" * 64}, "send": {"how": "letter"},
    },
    "/audit/v1/requests/{id}/papers/{name}": dict.fromkeys(("letter.pdf", "lines.csv", "attachments.zip")),
    "/audit/v1/contests/{id}/{step}": {"take": {}, "answer": {"answer": REASON}, "withdraw": {}},
    "/audit/v1/reveals/{id}/{step}": {"grant": {}, "refuse": _WHY},
    "/audit/v1/emergencies/{id}/{step}": {"confirm": {}, "reject": {}},
}  # fmt: skip
_ORDER = {"id": "$order_on_keeping"}
ACTS: Mapping[str, Mapping[str, Any]] = {
    "/audit/v1/orders/{act}": {
        **dict.fromkeys(("ask", "agree", "withdraw", "read"), _ORDER),
        "refuse": {**_ORDER, "reason": REASON},
    },
}
