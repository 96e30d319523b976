"""Questions of packages inside the hub: each goes through the one way as if the package's application had asked over the API."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from integrator.adapters.asking import Asking, of_answer, settle_of
from integrator.adapters.drops import Drop
from integrator.adapters.inquiry import Ask, Inquiry, Said
from integrator.adapters.intake import Intake
from integrator.adapters.layout import Layout
from integrator.adapters.posts import Outgoing, Post
from integrator.adapters.serving import Serving
from integrator.adapters.shelves import Folder
from integrator.adapters.ways.opening import open_way
from integrator.api.hub import Hub
from integrator.consoles.vault import open_vault
from integrator.database import Database
from integrator.errors import IntegratorError, MalformedRequest, PolicyDenied, SourceError, SubjectNotFound
from integrator.logs import log
from integrator.model import Caller, Request, Trace
from integrator.settings import Settings


class AsksHub:
    """`Ask` of an inquiry. Raises what is wrong with the hub, not with the question."""

    def __init__(
        self, hub: Hub, part: Asking, caller: Callable[[], Caller], refusal: Callable[[IntegratorError], str | None]
    ) -> None:
        """`refusal`: why a question is refused for good; None: the hub cannot answer now."""
        self._hub, self._part, self._caller, self._refusal = hub, part, caller, refusal
        self._service: Any = hub.services[part.service]

    async def __call__(self, body: Mapping[str, Any]) -> Said:
        caller, service = self._caller(), self._service
        try:
            read = service.read(dict(body))
            trace = Trace(os.urandom(16).hex(), os.urandom(8).hex())
            answer = await self._hub.exchange.answer(
                Request(service.name, caller, read.keys, trace, read.fields, read.dossier)
            )
        except SubjectNotFound as error:
            return Said("notFound", nobody_knows(service), error.code)
        except SourceError as error:
            return Said("unknown", nobody_knows(service), error.code)
        except (MalformedRequest, PolicyDenied) as error:
            reason = self._refusal(error)
            if reason is None:
                raise
            return Said("refused", nobody_knows(service), reason)
        return said(service, answer.body)


def said(service: Any, body: Mapping[str, Any]) -> Said:
    """What an answer of the API says."""
    known, told = of_answer(service, body)
    return Said("answered", told) if known else Said("unknown", told, "NOT_KNOWN")


def nobody_knows(service: Any) -> dict[str, Any]:
    """`answer.NAME` while there is no answer: of a composition unknown, else nothing."""
    return {service.answer_name: "unknown"} if service.checks else {}


def open_inquiry(
    settings: Settings, layout: Layout, part: Asking, ask: Ask, database: Database, now: Callable[[], float], access: Path
) -> Post:  # fmt: skip
    """A post whose rows are questions, and which writes their answers into `out` of its folder."""
    chosen, vault = settings.adapters, open_vault(settings.state)
    root = Path(chosen["folders"]) / part.adapter
    inquiry = Inquiry(part, layout.key, database, ask, seal=vault.seal, unseal=vault.open, tag=vault.tag, now=now)
    intake = Intake(layout, database, inquiry, seal=vault.seal, unseal=vault.open, now=now)
    drop = Drop(root, *settle_of(layout), layout.max_bytes)
    serving = Serving(part.answers, part.out, Folder(root / "out"), database, inquiry.fetch, vault.seal, now)
    waiting = float(chosen.get("waitingDays", 90))
    outgoing = Outgoing(part.adapter, drop, serving, log.info, waiting)

    async def answers() -> None:
        await inquiry.turn()
        await outgoing.turn()

    way = open_way(layout, access, database, drop, now, log.info)
    return Post(
        part.adapter,
        drop,
        intake,
        database,
        now,
        log.info,
        way,
        float(chosen.get("keepDays", 7)),
        waiting,
        then=answers,
    )
