"""`integrator new connector ID`: a room with everything a room must have, ready to be filled; then it is checked."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import Any

from integrator import places
from integrator.errors import ConfigurationError

_FILES = {
    "connector.yaml": """\
# yaml-language-server: $schema=../../config/schema/connector.schema.json
connector: {id}
title: {{nl: "{id}", fr: "{id}", en: "{id}"}}
role: source            # source | legacy
protocol: rest          # soap | rest | file
owner: "who answers for this source"
legal: "the law or protocol that lets us ask"
operations:
  get: {{keys: [key], title: {{nl: "opvragen", fr: "consulter", en: "get"}}, about: key}}
limits: {{timeout: 6, connect: 1, concurrency: 50, answerBytes: 1000000, attempts: 2}}
""",
    "faults.yaml": '"*": {{error: SourceFault, reason: FAULT}}\n',
    "quality.yaml": "contract: todo\nfaults: todo\ncases: todo\nmapping: todo\n",
    "README.md": "# {id}\n\nWhat it is, whose it is, and where each claim about it comes from.\n",
    "__init__.py": '''\
"""The connector of {id}: a question out, an answer in, every fault named."""

from __future__ import annotations

from integrator.contract import Connector, Tools

from connectors.{id}.client import Client


def build(tools: Tools) -> Connector:
    return Client(tools)
''',
    "client.py": '''\
"""Asks {id} and reads what it says; never decides on the HTTP status alone."""

from __future__ import annotations

import json

from integrator.contract import Question, Reply, Tools
from integrator.errors import ConfigurationError, SourceFault, SourceRefused, SubjectNotFound


class Client:
    """One source over REST. Raises the `SourceError` family."""

    def __init__(self, tools: Tools) -> None:
        if tools.send is None:
            raise ConfigurationError("{id} needs a url in settings")
        self._source, self._send = tools.source, tools.send

    async def ask(self, question: Question) -> Reply:
        answer = await self._send("GET", "/", query={{"key": str(question.keys["key"])}}, deadline=question.deadline)
        if answer.status == 404:
            raise SubjectNotFound(self._source)
        if answer.status in (401, 403):
            raise SourceRefused(self._source, "NO_PERMISSION")
        if answer.status != 200 or answer.content_type != "application/json":
            raise SourceFault(self._source, "FAULT", f"status {{answer.status}}")
        try:
            return Reply(json.loads(answer.body))
        except ValueError as error:
            raise SourceFault(self._source, "MALFORMED") from error

    async def check(self) -> None:
        """Nothing to prove yet; ask something harmless here."""
''',
    "cases/found.yaml": """\
why: the source knows the subject
question: {{operation: get, keys: {{key: "1"}}}}
answer: {{status: 200, contentType: application/json, body: '{{"key": "1"}}'}}
expect: {{reply: {{document: {{key: "1"}}}}}}
""",
    "cases/unknown.yaml": """\
why: the source has no file under this key
question: {{operation: get, keys: {{key: "2"}}}}
answer: {{status: 404, contentType: application/json, body: "{{}}"}}
expect: {{error: SubjectNotFound}}
""",
    "cases/down.yaml": """\
why: the source does not answer
question: {{operation: get, keys: {{key: "1"}}}}
answer: {{raises: SourceUnavailable}}
expect: {{error: SourceUnavailable}}
""",
}


def add(words: Any) -> None:
    parser = words.add_parser("new", help="scaffold a room")
    parser.add_argument("kind", choices=["connector"])
    parser.add_argument("id", help="lower case letters, digits and _")
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    for path in write(places.folder("connectors"), chosen.id):
        print(path)
    print("Next: fill it in, add its mapping and a service, then `integrator check` and `make test`.")
    return 0


def write(folder: Path, name: str) -> list[Path]:
    """The files of a new room. Raises `ConfigurationError` for a bad or taken name; writes all or nothing."""
    if not re.fullmatch(r"[a-z][a-z0-9_]{1,40}", name):
        raise ConfigurationError("a connector is named by lower case letters, digits and _")
    room = folder / name
    if room.exists():
        raise ConfigurationError(f"connectors/{name} exists already")
    written = []
    for relative, text in _FILES.items():
        path = room / relative
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.format(id=name), encoding="utf-8")
        written.append(path)
    return written
