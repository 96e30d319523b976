"""What a source answers in JSON: a document of the agreed shape, or an error that its room has words for (belgif problems)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from integrator.contract import HttpAnswer
from integrator.errors import SourceError, SourceFault
from integrator.transport.faults import Faults
from integrator.transport.jsonbody import NotJson, Shape, ShapeError, read

_JSON: Final = frozenset({"application/json", "application/problem+json"})


@dataclass(frozen=True, slots=True)
class Answers:
    """The answers of one source, read in one way."""

    source: str
    faults: Faults

    def read(self, answer: HttpAnswer, shape: Shape) -> dict[str, Any]:
        """The document of a 200. Raises `SourceFault` for what cannot be believed, and what `error` makes of any other status."""
        if answer.status != 200:
            raise self.error(answer)
        if answer.content_type != "application/json":
            raise SourceFault(self.source, "CONTENT_TYPE", "not JSON by its own word")
        try:
            document = read(answer.body)
            shape.check(document)
        except NotJson:
            raise SourceFault(self.source, "MALFORMED") from None
        except ShapeError as error:
            raise SourceFault(self.source, "SCHEMA", str(error)) from None
        checked: dict[str, Any] = document
        return checked

    def error(self, answer: HttpAnswer) -> SourceError:
        """By the last part of the problem's `type` where faults.yaml names it, else by `httpSTATUS`; never by its text."""
        try:
            document = read(answer.body) if answer.content_type in _JSON else None
        except NotJson:
            document = None
        said = str(document.get("type", "")).rpartition(":")[2] if isinstance(document, dict) else ""
        return self.faults.error(said if said in self.faults else f"http{answer.status}")
