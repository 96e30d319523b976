"""Asking a hub to enrol an application. The private key never leaves its file; the hub gets the public half and a proof."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx

from connectors.client import keys
from connectors.client.replies import HubUnreachable, problem_of


def request(
    url: str, name: str, path: Path, *, organisation: str, purposes: Sequence[str], contact: str, title: str, certificate_bound: bool = False,
    algorithm: str = "ES256",
) -> dict[str, Any]:  # fmt: skip
    """Make a key in a new file, and ask. The file also keeps the request's id and its secret, for `status`.

    Raises `Problem`, `HubUnreachable`, `FileExistsError`: a key is never overwritten.
    """
    url = url.rstrip("/")
    issuer = str(_send("GET", f"{url}/.well-known/oauth-authorization-server")["issuer"])
    jwk = keys.new_key(issuer.rpartition("/")[2], algorithm)
    content = {**jwk, "client_id": name, "hub": url}
    if not keys.keep(path, content):
        raise FileExistsError(path)
    body = {
        "application": name, "title": title, "organisation": organisation, "purposes": list(purposes), "key": keys.public(jwk),
        "proof": keys.sign(jwk, "key-proof+jwt", name, issuer), "contact": contact, "certificateBound": certificate_bound,
    }  # fmt: skip
    try:
        asked = _send("POST", f"{url}/enrolment/v1/requests", body)
    except BaseException:
        path.unlink()
        raise
    _put(path, content | {"request": {"requestId": asked["requestId"], "secret": asked["secret"]}})
    return asked


def status(path: Path) -> dict[str, Any]:
    """How far the request of a key file is; once approved, the name the application was given stands in the file."""
    content = json.loads(path.read_text(encoding="utf-8"))
    told = _send("POST", f"{content['hub']}/enrolment/v1/requests/status", content["request"])
    if told["state"] == "approved" and content["client_id"] != told["clientId"]:
        _put(path, content | {"client_id": told["clientId"]})
    return told


def _put(path: Path, content: Mapping[str, Any]) -> None:
    aside = path.with_name(path.name + ".new")
    aside.unlink(missing_ok=True)
    keys.keep(aside, content)
    aside.replace(path)


def _send(method: str, url: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
    try:
        reply = httpx.request(method, url, json=body, timeout=15.0, trust_env=False)
    except httpx.TransportError as error:
        raise HubUnreachable(f"no answer from {url}: {type(error).__name__}") from error
    if reply.is_error:
        raise problem_of(reply)
    answer: dict[str, Any] = reply.json()
    return answer
