"""How much may come in, and how long it may take. Limits count requests in flight, never idle connections."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar

from integrator.errors import ConfigurationError, HubBusy
from integrator.strict_json import DEPTH


@dataclass(frozen=True, slots=True)
class Limits:
    """The `limits:` of the settings; names there are camelCase."""

    in_flight: int = 512  # questions being worked on, all callers together
    public_in_flight: int = 128  # token requests, documentation, probes: apart, so that strangers cannot take places
    per_application: int = 12  # of one application
    body_bytes: int = 65_536
    body_seconds: float = 10.0  # for the whole body, from its first wait
    body_depth: int = DEPTH  # levels of JSON
    head_bytes: int = 16_384  # request line and headers
    head_fields: int = 100  # headers
    head_seconds: float = 10.0  # from the first byte to the empty line
    idle_seconds: float = 75.0  # a connection without a request
    write_seconds: float = 30.0  # for the caller to take an answer
    early_bytes: int = 65_536  # of a body that is read only to throw it away before an early answer
    early_seconds: float = 2.0
    notice_seconds: float = 0.0  # between "not ready" and no longer accepting, for load balancers
    drain_seconds: float = 25.0  # for accepted requests after SIGTERM
    deadline_seconds: float = 10.0  # for a whole exchange; the exchange's own, not the edge's

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> Limits:
        """From settings. Raises `ConfigurationError` for an unknown name or a value that permits nothing.

        >>> Limits.read({"perApplication": 3}).per_application
        3
        """
        names = {_camel(field.name): field for field in fields(cls)}
        read: dict[str, Any] = {}
        for name, value in values.items():
            field = names.get(name)
            if field is None:
                raise ConfigurationError(f"limits: no such limit {name!r}; there are {', '.join(sorted(names))}")
            if (
                isinstance(value, bool)
                or not isinstance(value, int | float)
                or value < 0
                or (value == 0 and name != "noticeSeconds")
            ):
                raise ConfigurationError(f"limits: {name} must be a number above 0")
            read[field.name] = int(value) if isinstance(field.default, int) else float(value)
        return cls(**read)


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


class TooManyRequests(HubBusy):
    """One application has as many requests in flight as it may; the others must not feel it (429)."""

    code: ClassVar[str] = "TOO_MANY_REQUESTS"
    advice: ClassVar[str] = "Wait for answers before asking more, at most `limit` at once; ask again after Retry-After."

    def __init__(self, limit: int) -> None:
        super().__init__("one application has too many requests in flight")
        self.limit = limit


KNOWN = "integrator.known"  # in a request's scope: its asker has a place of his own by now, no longer a stranger's


class InFlight:
    """Counts what is being worked on: in all, per application, and apart for strangers. One event loop, so no lock."""

    __slots__ = ("_all", "_each", "_limits", "_public")

    def __init__(self, limits: Limits) -> None:
        self._all = 0
        self._public = 0
        self._each: dict[str, int] = {}
        self._limits = limits

    @property
    def count(self) -> int:
        return self._all

    def enter(self, application: str) -> None:
        """Before anything that costs. Raises `HubBusy`, `TooManyRequests`."""
        if self._all >= self._limits.in_flight:
            raise HubBusy("more questions in flight than this process accepts")
        count = self._each.get(application, 0)
        if count >= self._limits.per_application:
            raise TooManyRequests(self._limits.per_application)
        self._all += 1
        self._each[application] = count + 1

    def leave(self, application: str) -> None:
        self._all -= 1
        count = self._each[application] - 1
        if count:
            self._each[application] = count
        else:
            del self._each[application]  # memory follows what is in flight, not who ever came

    def enter_public(self) -> None:
        """For what needs no token. Raises `HubBusy`."""
        if self._public >= self._limits.public_in_flight:
            raise HubBusy("more public requests in flight than this process accepts")
        self._public += 1

    def leave_public(self) -> None:
        self._public -= 1
