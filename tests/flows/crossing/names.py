"""What a property of the API names: whose object it may be, or that it names nobody's. Every name is in here, or a test fails.

OBJECTS   an object that belongs to an organisation: the property is tried with another organisation's, and with nobody's
PLAIN     names no object of an organisation; the value that a request has there when something else is tried
          (… = what the description shows as its example, or nothing where it may be left out)
A name that means different things in different rooms stands under the beginning of its address.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.flows.questions import SERVICES

OBJECTS: Mapping[str, Mapping[str, str]] = {
    "": {
        "dossierReference": "dossier", "Idempotency-Key": "message", "traceId": "trace", "entries": "entries", "receipt": "receipt",
        "subscriptionId": "subscription", "deliveryId": "delivery", "requestId": "enrolment", "secret": "secret", "order": "order",
    },
    "/directory/v1/registrations": {"ssin": "filed", "after": "registration"},
    "/events/v1": {"cursor": "cursor"},
    "/delivery/v1": {"cursor": "cursor"},
    "/oauth": {"client_assertion": "assertion", "subject_token": "vouched", "actor_token": "vouched"},
    "/case/v1": {"ssin": "filed"},
    "/access/v1": {"id": "application"},
    "/scim/v2/Users": {"id": "user"},
    "/scim/v2/Groups": {"id": "group"},
    "/agents/v1/delegations": {"to": "user", "id": "delegation"},
    "/audit/v1": {
        "id": "person", "index": "index", "place": "place", "application": "application", "agent": "user", "organisation": "organisation",
        "userCode": "person", "attributes": "attributes", "person": "person", "holder": "person", "cursor": "page",
    },
    "/audit/v1/requests": {"id": "file", "subject": "person", "name": "paper"},
    "/audit/v1/orders": {"id": "order_on_keeping"},
    "/audit/v1/contests": {"id": "contest"},
    "/audit/v1/reveals": {"id": "reveal"},
    "/audit/v1/mandates": {"id": "mandate"},
    "/audit/v1/emergencies": {"id": "emergency"},
    "/fsc/v1": {"cursor": "page", "transaction_ids": "trace", "service_name": "application"},
    "/policy/v1/proposals": {"id": "proposal"},
    "/policy/v1/suspensions": {"id": "suspension", "organisation": "organisation"},
}  # fmt: skip


def handed_in() -> set[str]:
    """Every name in the content of a message or an answer, at any depth."""
    kinds = [
        kind.schema
        for service in SERVICES.values()
        if service.later is not None
        for kind in (*service.later.content.values(), *service.later.reply.values())
    ]
    own = {
        name
        for service in SERVICES.values()
        if service.later is not None
        for name in (*service.later.content, *service.later.reply)
    }
    return own.union(*(_properties(schema) for schema in kinds))


def _properties(schema: Mapping[str, Any]) -> set[str]:
    inner = schema.get("properties", {})
    return set(inner).union(
        _properties(schema["items"]) if "items" in schema else (), *map(_properties, inner.values())
    )


REASON = "the officer of another organisation looks around"
PLAIN: Mapping[str, Any] = {
    # what is handed in and answered: the sender's own words, and what they say of their parts
    **dict.fromkeys(sorted(handed_in()), ...),
    # figures for everybody
    **dict.fromkeys(("indicator", "period", "version"), ...),
    # what a source is asked about: the source's own, the same for everybody who may ask
    **dict.fromkeys((
        "ssin", "plateNumber", "vin", "unifier", "enterpriseNumber", "addressId", "identityCardNumber", "familyName", "givenName", "birthDate",
        "gender", "toleranceDays", "category", "statuses", "postCode", "streetName", "municipalityCode", "streetRrnCode", "houseNumber",
        "boxNumber", "quality", "day", "knownOn", "startDate", "endDate", "mistakenStartDate", "origin", "name", "recipient", "changed",
        "content", "field", "observed", "registrations", "parcelId", "taxYear", "begin", "end",
    ), ...),
    # how much, in which form, which part
    **dict.fromkeys((
        "page", "pageSize", "fields", "history", "emergencyJustification", "isTrial", "isAtomic", "size", "startIndex", "count", "sortBy",
        "sortOrder", "attributes", "excludedAttributes", "offset", "limit", "names", "byteOrderMark", "delimiter", "byDay", "sort_order",
    ), ...),
    **dict.fromkeys(("since", "until", "from", "periodStart", "periodEnd", "startTime", "endTime", "after", "before", "effective"), ...),
    # names of what is the hub's, and open to everybody: services, purposes, texts, codes, roles, shards
    **dict.fromkeys((
        "purpose", "purposes", "kind", "processingActivity", "reasonCode", "authorisation", "role", "roles", "keys", "dossier", "allPurposes",
        "evaluations", "evaluations_semantic", "properties", "context", "resource", "grant_type", "client_assertion_type",
        "authorization_details", "subject_token_type", "actor_token_type", "grant_hash", "If-Match", "schemas", "filter", "If-None-Match",
        "as",
    ), ...),
    "service": "person.get", "shard": "$shard", "type": "nrn", "policyVersion": "sha256:" + "0" * 64, "texts": ["purpose: nothing"],
    # words, days and choices of who asks
    "urn": "urn:problem-type:belgif:badRequest", "world": "sandbox", "reason": REASON, "why": REASON, "words": REASON, "answer": REASON, "remark": REASON, "days": 1, "language": "fr", "format": "csv",
    "received": "2026-11-02", "addressee": "Rue des Essais 1, 1050 Ixelles", "channel": "letter", "agent": "", "scope": ["look"],
    "ends": "2027-01-31", "action": "restrict", "ground": "crime", "authority": "controller", "reference": "", "review": "2027-06-01",
    "mode": "pull", "url": ..., "step": ..., "act": ..., "organisation": ..., "title": ..., "contact": ..., "key": ..., "proof": ...,
    "application": ..., "certificateBound": ..., "id": ..., "cursor": ..., "class": ..., "month": ..., "method": ..., "checks": ..., "decisions": ...,
    "sha256": ..., "how": ..., "person": ..., "holder": ..., "subject": ...,
}  # fmt: skip


def object_of(path: str, name: str) -> str | None:
    """The kind of object that a property names, by the longest beginning of the address that knows it; None = nobody's.

    Raises `KeyError` for a name that nobody classified.
    """
    for beginning in sorted((one for one in OBJECTS if path.startswith(one)), key=len, reverse=True):
        if name in OBJECTS[beginning]:
            return OBJECTS[beginning][name]
    PLAIN[name]
    return None
