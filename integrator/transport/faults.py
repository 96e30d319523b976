"""A source's own fault codes as errors of ours: `faults.yaml` of a room, read at start, data instead of if-chains.

"30001": {error: SubjectNotFound}
"40005": {error: SourceRefused, reason: NO_PERMISSION}
"99995": {error: SourceThrottled, retryAfter: 10}
"*":     {error: SourceFault, reason: FAULT}          # every code that is not named; a room without it is refused
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from integrator import places
from integrator.errors import (
    ConfigurationError,
    SourceError,
    SourceFault,
    SourceRefused,
    SourceThrottled,
    SourceUnavailable,
    SubjectNotFound,
)

_PLAIN: Final[dict[str, type[SourceUnavailable]]] = {
    "SourceUnavailable": SourceUnavailable,
    "SourceThrottled": SourceThrottled,
}
_REASONED: Final[dict[str, type[SourceFault] | type[SourceRefused]]] = {
    "SourceFault": SourceFault,
    "SourceRefused": SourceRefused,
}
_WORDS: Final = frozenset({"error", "reason", "retryAfter", "why"})


class Faults:
    """The faults of one source. `error(code)` makes the error to raise; nothing of the source's text goes into it."""

    def __init__(self, source: str, table: Mapping[str, Mapping[str, Any]]) -> None:
        if "*" not in table:
            raise ConfigurationError(f"connectors/{source}/faults.yaml: needs '*', for the codes nobody told us about")
        self._source = source
        self._table = {str(code): dict(entry) for code, entry in table.items()}
        for code in self._table:
            self.error(code)  # a wrong line is found at start

    @classmethod
    def load(cls, source: str, path: Path) -> Faults:
        """Read a room's faults.yaml. Raises `ConfigurationError` for a line that is none."""
        table = places.read_yaml(path)
        if not isinstance(table, dict):
            raise ConfigurationError(f"connectors/{source}/faults.yaml: a mapping of codes is expected")
        return cls(source, table)

    def __contains__(self, code: str) -> bool:
        return code in self._table

    def error(self, code: str) -> SourceError:
        """The error for a code of the source; the code itself is told only when the room names it.

        >>> Faults("div", {"*": {"error": "SourceFault", "reason": "FAULT"}}).error("77").reason
        'FAULT'
        """
        known = code in self._table and code != "*"
        entry = self._table[code if known else "*"]
        if set(entry) - _WORDS:
            raise ConfigurationError(f"connectors/{self._source}/faults.yaml, {code}: only {', '.join(sorted(_WORDS))}")
        error = self._make(entry, f"the source says {code}" if known else "the source says something we do not know")
        if "retryAfter" in entry and isinstance(error, SourceUnavailable):
            error.retry_after = int(entry["retryAfter"])
        return error

    def _make(self, entry: Mapping[str, Any], message: str) -> SourceError:
        name = str(entry.get("error"))
        if name == "SubjectNotFound":
            return SubjectNotFound(self._source, message)
        if name in _PLAIN:
            return _PLAIN[name](self._source, message)
        if name in _REASONED and "reason" in entry:
            return _REASONED[name](self._source, str(entry["reason"]), message)
        raise ConfigurationError(
            f"connectors/{self._source}/faults.yaml: {name!r} is no SourceError, or lacks `reason`"
        )
