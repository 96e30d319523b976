"""What a source says when nothing is wrong: `answers.yaml` of a room, beside its faults.yaml; data, not if-chains.

DATA_FOUND:      {answer: found}
INCOMPLETE_DATA: {answer: found, incomplete: true}    # some of what exists could not be reached
NO_DATA_FOUND:   {answer: nothing}
MSG00006:        {answer: replaced, by: newSSIN}      # `by`: the name under which the source tells the new key
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from integrator import places
from integrator.errors import ConfigurationError
from integrator.transport.faults import Faults

_KINDS = frozenset({"found", "nothing", "replaced"})


@dataclass(frozen=True, slots=True)
class Verdict:
    """How an answer is to be read."""

    answer: str  # found | nothing | replaced
    incomplete: bool = False
    by: str = ""


class Answers:
    """Status words of one source: `verdict` for those that are answers, the room's faults for all others."""

    def __init__(self, verdicts: dict[str, Verdict], faults: Faults) -> None:
        self._verdicts, self._faults = verdicts, faults

    @classmethod
    def load(cls, path: Path, faults: Faults) -> Answers:
        """Read a room's answers.yaml; raises `ConfigurationError` for a line that is none."""
        verdicts = {}
        for word, line in places.read_yaml(path).items():
            if set(line) - {"answer", "incomplete", "by", "why"} or line.get("answer") not in _KINDS:
                raise ConfigurationError(f"{path.parent.name}/answers.yaml, {word}: answer: found | nothing | replaced")
            verdicts[str(word)] = Verdict(line["answer"], bool(line.get("incomplete")), line.get("by", ""))
        return cls(verdicts, faults)

    def read(self, *words: str) -> Verdict:
        """The verdict of the first word that is known, most telling word first; raises that word's fault instead.

        A word that neither table knows is the room's fault "*": a status nobody told us about is never a "nothing".
        """
        for word in words:
            if word in self._verdicts:
                return self._verdicts[word]
            if word in self._faults:
                raise self._faults.error(word)
        raise self._faults.error("")

    def incomplete(self, words: list[str]) -> bool:
        """Whether one of these words, said beside an answer, means that there is more."""
        return any(self._verdicts[word].incomplete for word in words if word in self._verdicts)
