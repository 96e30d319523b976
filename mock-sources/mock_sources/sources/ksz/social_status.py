"""Harmonised social statuses: for each status asked by name, whether it applies. Not why, how much or from whom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from lxml import etree

from mock_sources.commonv3 import FOUND, INCOMPLETE, Status
from mock_sources.sources.ksz.projection import Found, Question

_TEXTS = {True: ("1", "Applicable"), False: ("0", "Not applicable")}
_UNKNOWN_NAME = Status("NO_RESULT", "MSG00008", "The request contains invalid data. Please check your message content.")


class SocialStatus:
    """The service's own part; `rules` is its entry in mock.yaml."""

    def __init__(self, rules: Mapping[str, Any]) -> None:
        self._names: Sequence[str] = rules["names"]
        self._unreachable = rules["unreachable"]

    def __call__(self, question: Question) -> Found:
        """Each name asked, in the order asked; a name that does not exist spoils the question."""
        asked = [child.text or "" for child in question.search if etree.QName(child).localname == "statusName"]
        unknown = [name for name in asked if name not in self._names]
        if unknown:
            return Found(replace(_UNKNOWN_NAME, information=(("statusName", unknown[0][:256]),)))
        names = list(self._names) if question.surplus else list(dict.fromkeys(asked))
        away = self._unreachable["names"] if self._unreachable["tag"] in question.tags else ()
        missing = [name for name in names if name in away]
        content = "".join(_status(question, name) for name in names if name not in missing)
        if missing:
            status = replace(INCOMPLETE, information=tuple(("statusName", name) for name in missing))
            return Found(status, content)
        return Found(FOUND, content)


def _status(question: Question, name: str) -> str:
    code, text = _TEXTS[name in question.person.statuses]
    since = "<since>2024-01-01</since>" if question.surplus and code == "1" else ""
    return (
        f"<socialStatus><name>{name}</name><result><code>{code}</code><description>{text}</description></result>"
        f"{since}</socialStatus>"
    )
