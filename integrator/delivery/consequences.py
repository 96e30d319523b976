"""What an answer sets going (`then:` in a service's file): writes that are accepted in the transaction of the answer.

    question ─► answer of these words ─► write 1 ─► write 2 …       one after the other, each decided and recorded when it goes

Either the answer and all of them are durable, or nothing is. Their names hang on the question alone: however often an answer
is sent, each of them is there once.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from integrator import clock
from integrator.delivery.depositing import Message
from integrator.delivery.outbox import Outbox
from integrator.delivery.terms import Held
from integrator.errors import Issue, MalformedRequest
from integrator.model import SENDER, Caller, Request, Trace
from integrator.services import FollowUp, Service


def consequences(
    outbox: Outbox, services: Mapping[str, Any], held: Held, sender: Caller, answer: Request, content: Mapping[str, Any]
) -> list[Message]:  # fmt: skip
    """The writes that this answer to `held` sets going, in their order; none when its words are others.

    Raises `MalformedRequest` when the answer lacks what one of them needs.
    """
    later = services[held.service].later
    then = later.then if later is not None else None
    if then is None or any(content.get(name) != word for name, word in then.when.items()):
        return []
    today = clock.today(outbox.ms() / 1000)
    known: dict[str, Any] = {"sender": sender.organisation, "recipient": answer.caller.organisation}
    known |= {"day": today.isoformat(), "dayBefore": (today - timedelta(days=1)).isoformat()}
    known |= {f"question.{name}": value for name, value in {**held.keys, **held.content}.items()}
    known |= {f"answer.{name}": value for name, value in content.items()}
    return [
        _write(outbox, services[one.service], one, number, held, sender if one.of == "sender" else answer.caller, answer, known)
        for number, one in enumerate(then.writes)
    ]  # fmt: skip


def _write(
    outbox: Outbox, service: Service, one: FollowUp, number: int, held: Held, caller: Caller, answer: Request, known: Mapping[str, Any]
) -> Message:  # fmt: skip
    later = service.later
    if later is None or later.to is None:
        raise ValueError(f"{service.name} is no write")  # integrator check says so before
    kinds = {**service.keys, **later.content}
    missing = [one.bound[name] for name, kind in kinds.items() if kind.required and one.bound[name] not in known]
    if missing:
        where = [name.partition(".")[2] for name in missing]
        raise MalformedRequest(
            *(Issue("requiredInput", "body", f"/content/{name}", "this answer needs it: add it") for name in where)
        )
    values = {name: kinds[name].read(known[at], f"/content/{at}") for name, at in one.bound.items() if at in known}
    content = {name: value for name, value in values.items() if name in later.content}
    keys = {name: value for name, value in values.items() if name in service.keys}
    trace = Trace(os.urandom(16).hex(), os.urandom(8).hex(), answer.trace.trace_id)
    dossier = held.dossier if one.of == "sender" else None
    request = Request(service.name, caller, keys, trace, frozenset(content) or None, dossier, direction=SENDER)
    uid = outbox.name_after(held.uid, number)
    return Message(
        outbox, uid, later.kind, "effect", later.to, (caller.organisation, caller.application, caller.purpose), request, content,
        service.subject(keys), later.expires, question=held.uid, lane=("then", held.uid),
    )  # fmt: skip
