"""Asks one body what somebody owes it: one question, or one for each page, to the package that the settings name for it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import orjson

from connectors.debts.layout import Layout, Unreadable, about
from integrator.contract import HttpAnswer, Question, Reply, Send, Tools
from integrator.errors import ConfigurationError, SourceFault, SubjectNotFound, WrongSubject
from integrator.transport.faults import Faults
from integrator.transport.jsonanswer import Answers

_PAGES: Final = 20  # of one body; who has more is asked by nobody here, and is unknown rather than cut


class Debts:
    """The connector. `document` is {"bodies": [{"items": […]}]}: what the one body lists that the question names."""

    def __init__(self, tools: Tools, layouts: Mapping[str, Layout], bodies: Mapping[str, Mapping[str, Any]]) -> None:
        self._sends, self._sandbox = tools.sends, tools.sandbox
        self._answers = Answers("debts", Faults.load("debts", tools.room / "faults.yaml"))
        try:
            self._layouts = {number: layouts[body["package"]] for number, body in bodies.items()}
            self._tokens = {number: _token(Path(body["credentials"])) for number, body in bodies.items()}
        except KeyError as error:
            raise ConfigurationError(f"connectors/debts: {error} is missing, or no package of that name") from None

    async def ask(self, question: Question) -> Reply:
        """Raises `SourceFault` when one item cannot be believed: a sum of the others would look whole."""
        number = str(question.body)
        if number not in self._layouts:
            raise SourceFault("debts", "QUESTION", "no such body is named in the settings")
        try:
            return Reply(
                {"bodies": [{"items": await self._items(self._layouts[number], self._sends[number], question)}]}
            )
        except SubjectNotFound:
            return Reply(None)

    async def check(self) -> None:
        """Nothing to prove without asking about somebody: a token is a fixed one, and no package has a door for less."""

    async def _items(self, layout: Layout, send: Send, question: Question) -> list[dict[str, str]]:
        page = await self._page(layout, send, question, 1)
        items = list(page[layout.items])
        if layout.pages is not None:
            many, count = page[layout.pages.of], page[layout.pages.count]
            if many > _PAGES:
                raise SourceFault("debts", "TOO_MANY_PAGES")
            for number in range(2, many + 1):
                following = await self._page(layout, send, question, number)
                if (following[layout.pages.of], following[layout.pages.count]) != (many, count):
                    raise SourceFault("debts", "PAGES_CHANGED", "the list changed between two of its pages")
                items += following[layout.items]
            if len(items) != count:
                raise SourceFault("debts", "PAGES_CHANGED", "there are not as many items as it says")
        try:
            return [layout.item(item) for item in items]
        except Unreadable as error:
            raise SourceFault("debts", str(error), "it says something that cannot be true") from None

    async def _page(self, layout: Layout, send: Send, question: Question, number: int) -> dict[str, Any]:
        asked: dict[str, Any] = {layout.ask: str(question.keys["ssin"])}
        if layout.pages is not None:
            asked[layout.pages.number] = number
        document = self._answers.read(await self._send(layout.path, send, asked, question), layout.shape)
        if about(document, layout) != str(question.keys["ssin"]):
            raise WrongSubject("debts")
        if layout.pages is not None and document[layout.pages.number] != number:
            raise SourceFault("debts", "CORRELATION", "it answers with another page")
        return document

    async def _send(self, path: str, send: Send, asked: Mapping[str, Any], question: Question) -> HttpAnswer:
        headers = {
            "Authorization": self._tokens[str(question.body)], "Accept": "application/json",
            "Content-Type": "application/json", "BelGov-Trace-Id": question.ticket,
        }  # fmt: skip
        if question.scenario and self._sandbox:
            headers["Integrator-Test-Scenario"] = question.scenario
        return await send("POST", path, body=orjson.dumps(asked), headers=headers, deadline=question.deadline)


def _token(path: Path) -> str:
    """The Authorization header that a body gave us. Raises `ConfigurationError`, KeyError."""
    try:
        return f"Bearer {json.loads(path.read_bytes())['token']}"
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"connectors/debts: credentials cannot be read ({type(error).__name__})") from None
