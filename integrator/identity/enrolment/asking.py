"""A request for enrolment, read strictly: who the application would be, for whom, for which purposes, with which key.

{"application": "social-desk", "title": "Social desk", "organisation": "1982100968", "purposes": ["social_inquiry"],
 "key": {public JWK}, "proof": "…", "contact": "integrations@vendor.example", "certificateBound": false}
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from integrator.errors import ConfigurationError, Issue, MalformedRequest
from integrator.identity import keys
from integrator.identity.applications import NAME
from integrator.identity.assertions import NotBelieved
from integrator.identity.enrolment import proofs

_TITLE = re.compile(r"[^\x00-\x1f\x7f<>]{3,120}")
# One word before the @: a role has such an address (integrations@, ict@), a person rarely (first.last@).
_MAILBOX = re.compile(r"[a-z][a-z-]{1,30}@(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.){1,5}[a-z]{2,24}")
_NUMBER = re.compile(r"\d[\d. /-]{9,}\d")
_KEYS = frozenset({"application", "title", "organisation", "purposes", "key", "proof", "contact"})
_OPTIONAL = frozenset({"certificateBound"})


@dataclass(frozen=True, slots=True)
class Rooms:
    """What a request is held against."""

    world: str
    issuer: str  # audience of every proof
    organisations: Collection[str]  # enterprise numbers of the participants
    purposes: Callable[[], Collection[str]]  # codes there are now


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that can be laid before people; its key is held by whoever asks."""

    name: str
    title: str
    organisation: str
    purposes: tuple[str, ...]
    jwk: Mapping[str, Any]
    contact: str
    certificate_bound: bool
    jti: str
    expires: float

    @property
    def kid(self) -> str:
        return str(self.jwk["kid"])


def read_request(body: Mapping[str, Any], rooms: Rooms, now: float) -> Asked:
    """Raises `MalformedRequest` with every issue found; the key is looked at once everything else is right."""
    issues = [*_shape(body), *(issue for issue in _values(body, rooms) if issue is not None)]
    if issues:
        raise MalformedRequest(*issues)
    pinned = read_key(body["key"], rooms.world, "/key")
    try:
        jti, expires = proofs.check_proof(body["proof"], pinned, body["application"], rooms.issuer, now)
    except NotBelieved as error:
        raise MalformedRequest(Issue("rejectedInput", "body", "/proof", str(error))) from None
    return Asked(
        body["application"], body["title"].strip(), body["organisation"], tuple(sorted(set(body["purposes"]))),
        pinned.jwk, body["contact"], body.get("certificateBound", False), jti, expires,
    )  # fmt: skip


def read_key(jwk: Any, world: str, where: str) -> keys.PublicKey:
    """A public key as somebody sends it. Raises `MalformedRequest`."""
    try:
        if not isinstance(jwk, dict):
            raise ConfigurationError("a public key is a JWK object")
        pinned = keys.read_public(jwk, world)
        if pinned.kid != f"{world}.{keys.thumbprint(pinned.jwk)[:22]}":
            raise ConfigurationError(
                f"the key's `kid` is {world}. and the first 22 characters of its RFC 7638 thumbprint"
            )
    except ConfigurationError as error:
        raise MalformedRequest(Issue("rejectedInput", "body", where, error.detail)) from None
    return pinned


def _shape(body: Mapping[str, Any]) -> list[Issue]:
    missing = [Issue("requiredInput", "body", f"/{name}", "is wanted") for name in sorted(_KEYS - body.keys())]
    unknown = [
        Issue("unknownInput", "body", "/", f"beside {', '.join(sorted(_KEYS | _OPTIONAL))} there is nothing to say")
    ]
    return missing + (unknown if body.keys() - _KEYS - _OPTIONAL else [])


def _values(body: Mapping[str, Any], rooms: Rooms) -> list[Issue | None]:
    purposes = body.get("purposes", ["-"])
    several = isinstance(purposes, list) and 0 < len(purposes) <= 50 and all(isinstance(one, str) for one in purposes)
    return [
        _wrong(body, "application", lambda it: NAME.fullmatch(it) and not _NUMBER.search(it),
               "3 to 64 lower case letters, digits and -, a letter first"),
        _wrong(body, "title", lambda it: _TITLE.fullmatch(it.strip()) and not _NUMBER.search(it), "3 to 120 characters, no numbers of people"),
        _wrong(body, "organisation", lambda it: it in rooms.organisations, "the enterprise number of a participant of this hub"),
        _wrong(body, "contact", lambda it: len(it) <= 120 and _MAILBOX.fullmatch(it),
               "the mailbox of a role, with one word before the @ (integrations@…): no person's address is kept here"),
        _wrong(body, "proof", lambda it: len(it) <= 4096, "a compact JWS signed with the key"),
        None if several else Issue("schemaViolation", "body", "/purposes", "a list of 1 to 50 purpose codes"),
        None if not several or "purposes" not in body or set(purposes) <= set(rooms.purposes())
        else Issue("referencedResourceNotFound", "body", "/purposes", "codes of purposes there are; /docs lists them"),
        None if isinstance(body.get("certificateBound", False), bool)
        else Issue("schemaViolation", "body", "/certificateBound", "true or false"),
    ]  # fmt: skip


def _wrong(body: Mapping[str, Any], name: str, fits: Callable[[str], Any], advice: str) -> Issue | None:
    value = body.get(name)
    if name not in body or (isinstance(value, str) and fits(value)):
        return None
    return Issue("schemaViolation", "body", f"/{name}", advice)
