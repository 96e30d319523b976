"""From method and path to a service: one dictionary, made at start from the services' own data."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote_to_bytes

from integrator.api.headers import holds_number
from integrator.api.hub import Question, Service
from integrator.api.problems import EdgeRefusal
from integrator.errors import ConfigurationError, Issue, MalformedRequest

_TEMPLATE = re.compile(r"(/[\w/.-]*/)\{(\w+)\}")
_IN_BODY = (
    "A national number never stands in an address: POST it in the JSON body, as the service's page in /docs shows."
)


@dataclass(frozen=True, slots=True)
class Route:
    """One service at one address; `parameter` is the key that stands in the path, if any."""

    service: Service
    parameter: str | None = None

    def read(self, value: str | None, query: bytes) -> Question:
        """The question of a GET. Raises `MalformedRequest`; its issues say `path` or `query`."""
        values = _query(query, self.service)
        if value is not None and self.parameter is not None:
            values[self.parameter] = value
        try:
            return self.service.read(values, where="query")
        except MalformedRequest as error:
            raise MalformedRequest(*(self._placed(issue) for issue in error.issues), status=error.status) from None

    def _placed(self, issue: Issue) -> Issue:
        name = issue.name.removeprefix("/")
        return Issue(
            issue.kind, "path" if name == self.parameter else "query", name or "query", issue.detail, issue.extra
        )


class Routes:
    """Every service by address. Raises `ConfigurationError` for two services at one address."""

    def __init__(self, services: Mapping[str, Service]) -> None:
        self._exact: dict[bytes, dict[str, Route]] = {}
        self._under: dict[bytes, dict[str, Route]] = {}
        for service in services.values():
            template = _TEMPLATE.fullmatch(service.path)
            if template is None and "{" in service.path:
                raise ConfigurationError(f"{service.name}: only the last part of a route may be a {{key}}")
            if template is not None and template[2] not in service.keys:
                raise ConfigurationError(f"{service.name}: the route names {template[2]!r}, which is no key")
            table, path = (self._under, template[1]) if template else (self._exact, service.path)
            methods = table.setdefault(path.encode(), {})
            if service.method in methods:
                raise ConfigurationError(
                    f"{service.name}: {service.method} {service.path} is another service's already"
                )
            methods[service.method] = Route(service, template[2] if template else None)

    def find(self, method: str, raw_path: bytes, query: bytes) -> tuple[Route, str | None] | None:
        """(route, path value), or None when the address is not a service's.

        Raises `EdgeRefusal`: 400 for a national number in the address, 405 for another method.
        """
        methods = self._exact.get(raw_path)
        if methods is not None and not query:
            return _chosen(methods, method), None
        refuse_number(raw_path, query)
        if methods is not None:
            return _chosen(methods, method), None
        head, _, last = raw_path.rpartition(b"/")
        methods = self._under.get(head + b"/")
        if methods is None or not last:
            return None
        return _chosen(methods, method), _text(last)


def refuse_number(raw_path: bytes, query: bytes) -> None:
    """Raises `EdgeRefusal` when path or query hold what looks like a national number, encoded or not."""
    if holds_number(_plain(raw_path)) or (query and holds_number(_plain(query.replace(b"+", b" ")))):
        raise EdgeRefusal("badRequest", _IN_BODY)


def _chosen(methods: Mapping[str, Route], method: str) -> Route:
    route = methods.get(method)
    if route is None:
        allowed = ", ".join(methods)
        raise EdgeRefusal("methodNotAllowed", f"Use {allowed} here.", headers=((b"allow", allowed.encode()),))
    return route


def _plain(raw: bytes) -> str:
    """Decoded until nothing changes: %2538 is an 8 to somebody behind us."""
    for _ in range(3):
        decoded = unquote_to_bytes(raw)
        if decoded == raw:
            break
        raw = decoded
    return raw.decode("utf-8", "replace")


def _text(raw: bytes) -> str:
    try:
        return unquote_to_bytes(raw).decode("utf-8")
    except UnicodeDecodeError:
        raise EdgeRefusal("badRequest", "Percent-encode the address as UTF-8.") from None


def _query(query: bytes, service: Service) -> dict[str, Any]:
    """Parameters as the service reads them: whole numbers, true and false by the key's own schema, fields by comma."""
    if not query:
        return {}
    try:
        pairs = parse_qsl(
            query.decode("ascii"), keep_blank_values=True, strict_parsing=True, errors="strict", max_num_fields=50
        )
    except ValueError:
        raise MalformedRequest(
            Issue("schemaViolation", "query", "query", "write it as name=value&name=value")
        ) from None
    if len({name for name, _ in pairs}) != len(pairs):
        raise MalformedRequest(Issue("schemaViolation", "query", "query", "each parameter at most once"))
    return {name: _typed(name, value, service) for name, value in pairs}


def _typed(name: str, value: str, service: Service) -> Any:
    if name == "fields":
        return value.split(",")
    key = service.keys.get(name)
    kind = "boolean" if name == "history" else None if key is None else key.schema.get("type")
    if kind == "boolean":
        return {"true": True, "false": False}.get(value, value)
    if kind == "integer" and re.fullmatch(r"-?[0-9]{1,9}", value):
        return int(value)
    return value
