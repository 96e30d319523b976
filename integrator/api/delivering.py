"""What stands behind the doors of deliveries: each method is one thing an application does, through the one way."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from integrator.api.hub import Hub
from integrator.delivery.announcing import Announcement
from integrator.delivery.consequences import consequences
from integrator.delivery.depositing import Message, uid_of
from integrator.delivery.subscriptions import Ending, Following, Subscription
from integrator.delivery.webhooks.cloudevents import event
from integrator.delivery.withdrawing import Withdrawal
from integrator.errors import Issue, MalformedRequest, NoSuchDelivery, NotAsAsked
from integrator.model import RECEIVER, SENDER, Answer, Caller, Request, Trace

_KEY = re.compile(r"[!-~]{8,128}")
_NUMBER = re.compile(r"\d{11}")
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")  # one in a hundred ends in eleven digits


class Counter:
    """Over the hub's dispatch; refuses where there is none (`NoSuchDelivery`)."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    @property
    def keys(self) -> tuple[str, ...]:
        """Public keys of pushes, newest first."""
        keys: tuple[str, ...] = self._dispatch.keys
        return keys

    async def deposit(
        self, service: Any, body: dict[str, Any], key: str, caller: Caller, trace: Trace, language: str, dossier: str | None = None
    ) -> Answer:  # fmt: skip
        """What a body hands in, whichever façade read it. `dossier`: the case that the caller's token is bound to."""
        handed = body.pop("changed" if service.later.kind == "announcement" else "content", None)
        if dossier is not None:
            body.setdefault("dossierReference", dossier)
        read = service.read(body)
        if dossier is not None and read.dossier not in (None, dossier):
            raise _issue("equalExpected", "/dossierReference", "the token is bound to another case")
        question = Request(service.name, caller, read.keys, trace, None, read.dossier, False, language)
        if service.later.kind == "announcement":
            return await self.announce(service, question, key, handed)
        return await self.hand_in(service, question, key, service.later.read(handed))

    async def hand_in(self, service: Any, request: Request, key: str, content: Mapping[str, Any]) -> Answer:
        """A message for an organisation, or an effect at a source."""
        later, dispatch = service.later, self._dispatch
        request = replace(request, fields=frozenset(content), direction=SENDER)
        caller = request.caller
        to = service.name if later.kind == "relay" else later.to
        mode, recipient, receiver = "effect", to, (caller.organisation, caller.application, caller.purpose)
        if later.kind == "message":
            found = await self._recipient(service, str(request.keys[later.to]), caller.purpose)
            mode, recipient = found.mode, found.uid
            receiver = (found.organisation, found.application, found.purpose)
        message = Message(
            dispatch.outbox, uid_of(dispatch.outbox, request, key), later.kind, mode, recipient, receiver, request, content,
            service.subject(request.keys), later.expires, later.answer,
        )  # fmt: skip
        return await self._accept(request, message)

    async def announce(self, service: Any, request: Request, key: str, changed: Any) -> Answer:
        """That something changed about somebody: told to whoever keeps a file and follows."""
        if not isinstance(changed, list) or not changed or not all(one in service.offers for one in changed):
            raise _issue("schemaViolation", "/changed", f"some of: {', '.join(sorted(service.offers))}")
        request = replace(request, fields=frozenset(changed), direction=SENDER)
        announcer, outbox = self._dispatch.announcers[service.later.to], self._dispatch.outbox
        return await self._accept(request, Announcement(announcer, uid_of(outbox, request, key), request))

    async def follow(
        self, request: Request, key: str, mode: str, url: str | None, fields: frozenset[str], ends: int
    ) -> Answer:
        dispatch, request = self._dispatch, replace(request, direction=RECEIVER)
        endpoint = None
        if url is not None:
            endpoint = await dispatch.subscriptions.endpoint(url, request.caller.organisation)
            if endpoint is None:
                raise _issue("referencedResourceNotFound", "/url", "the operator registers addresses first")
        uid = uid_of(dispatch.outbox, request, f"subscription:{key}")
        return await self._accept(request, Following(dispatch.subscriptions, uid, fields, mode, endpoint, ends))

    async def followed(self, caller: Caller) -> list[dict[str, Any]]:
        mine = await self._dispatch.subscriptions.mine(caller.organisation, caller.application)
        return [one.json() for one in mine if one.purpose == caller.purpose]

    async def leave(self, caller: Caller, uid: str) -> dict[str, Any]:
        """What waits for it is dead from now on, with the reason; ending twice is ending once."""
        found = await self._own(caller, uid)
        trace = Trace(os.urandom(16).hex(), os.urandom(8).hex())
        request = Request(found.service, caller, {}, trace, direction=RECEIVER)
        answer = await self._accept(request, Ending(self._dispatch.subscriptions, uid))
        return dict(answer.body)

    async def fetch(self, caller: Caller, uid: str, cursor: str | None, size: int) -> dict[str, Any]:
        found = await self._own(caller, uid)
        if found.mode != "pull":
            raise NoSuchDelivery
        return await self._page(uid, cursor, size)

    async def waiting(self, caller: Caller, service: str, cursor: str | None, size: int) -> dict[str, Any]:
        """The same, for whoever names the service and keeps no list of subscriptions. Raises `NoSuchDelivery`."""
        followers: list[Subscription] = await self._dispatch.subscriptions.followers(service, [caller.organisation])
        mine = [one.uid for one in followers if (*_who(caller), "pull") == (*_receiver(one), one.mode)]
        if not mine:
            raise NoSuchDelivery
        return await self._page(mine[0], cursor, size)

    async def look(self, caller: Caller, uid: str, cursor: str | None) -> dict[str, Any]:
        """How it stands with a message of one's own, and what was answered to it."""
        row = await self._dispatch.outbox.find(uid)
        if row is None or (row["sender_org"], row["sender_app"]) != (caller.organisation, caller.application):
            raise NoSuchDelivery
        told = {"deliveryId": uid, "state": row["state"], "attempts": row["attempts"], "reason": row["reason"]}
        if row["answer"] is not None:
            told["answer"] = row["answer"]
            if row["answer"] == "answered":
                told |= {"answers": await self._page(self._mailbox(caller, row["service"]), cursor, 100, question=uid)}
        follows = await self._dispatch.outbox.after(row["question"] or uid)
        if follows:
            told["follows"] = [
                {"service": service, "state": state} | ({"reason": reason} if reason else {})
                for _, service, state, reason in follows
            ]
        return {name: value for name, value in told.items() if value is not None}

    async def answered(self, caller: Caller, service: str, cursor: str | None, size: int) -> dict[str, Any]:
        """What was answered to one's own messages of a service, for whoever keeps no list of them."""
        found = self._hub.services.get(service)
        if found is None or found.later is None or found.later.answer is None:
            raise _issue("referencedResourceNotFound", "/service", "a service whose messages are answered: see /docs")
        return await self._page(self._mailbox(caller, service), cursor, size)

    async def answer(self, caller: Caller, uid: str, key: str, content: Any, trace: Trace) -> Answer:
        """An answer to a message that one's own subscription received: kept until the sender comes for it."""
        outbox = self._dispatch.outbox
        row = await outbox.find(uid)
        if row is None or (row["org"], row["app"], row["purpose"]) != _who(caller) or row["state"] not in ("delivered", "waiting"):  # fmt: skip
            raise NoSuchDelivery
        if row["answer"] in (None, "expired"):
            raise _issue("referencedResourceNotFound", "/deliveryId", "no answer is awaited, or no longer")
        is_letter = (
            row["kind"] == "message" and row["question"] is not None
        )  # what is answered is the notice it came from
        row = await outbox.find(row["question"]) if is_letter else row
        if row is None or row["answer"] in (None, "expired"):
            raise _issue("referencedResourceNotFound", "/deliveryId", "no answer is awaited, or no longer")
        service = self._hub.services[row["service"]]
        later = service.later
        if later is None:
            raise NoSuchDelivery
        read = later.read_reply(content)
        held = outbox.held(row, "")
        case = None if is_letter else held.dossier  # of what it answers; neither end of a relay learns the other's
        request = Request(service.name, caller, {}, trace, frozenset(read), case, direction=RECEIVER)
        # For the sender's purpose; a message of before it was kept was for the receiver's.
        sender = (row["sender_org"], row["sender_app"], row["sender_purpose"] or row["purpose"])
        asker = Caller(*sender, held.agent)
        other = _compared(later.repeats, held.content, read) if row["sealed"] else None
        then = consequences(outbox, self._hub.services, held, asker, request, read) if row["sealed"] else []
        message = Message(
            outbox, uid_of(outbox, request, f"answer:{key}"), "answer", "pull", self._mailbox(Caller(*sender), service.name),
            sender, request, read, None, later.expires, question=row["uid"], then=then,
            once=later.once, also=(uid,) if is_letter else (), other=other,
        )  # fmt: skip
        return await self._accept(request, message)

    async def withdraw(self, caller: Caller, uid: str, trace: Trace) -> Answer:
        """Take back a message of one's own that is not answered. Raises `AnsweredAlready`."""
        row = await self._dispatch.outbox.find(uid)
        sender = caller.organisation, caller.application
        if row is None or row["kind"] != "message" or (row["sender_org"], row["sender_app"]) != sender:
            raise NoSuchDelivery
        dossier = self._dispatch.outbox.held(row, "").dossier
        request = Request(row["service"], caller, {}, trace, None, dossier, direction=SENDER)
        return await self._accept(request, Withdrawal(self._dispatch.outbox, uid))

    # ---

    @property
    def _dispatch(self) -> Any:
        dispatch = self._hub.dispatch
        if dispatch is None:
            raise NoSuchDelivery
        return dispatch

    async def _accept(self, request: Request, deposit: Any) -> Answer:
        answer: Answer = await self._hub.exchange.accept(request, deposit)
        self._dispatch.wake()
        return answer

    async def _recipient(self, service: Any, organisation: str, purpose: str) -> Subscription:
        """The oldest that follows for the same purpose; where none does, the oldest."""
        followers: list[Subscription] = await self._dispatch.subscriptions.followers(service.name, [organisation])
        if not followers:
            raise _issue(
                "referencedResourceNotFound", f"/{service.later.to}", "this organisation receives none of these"
            )
        return next((one for one in followers if one.purpose == purpose), followers[0])

    async def _own(self, caller: Caller, uid: str) -> Subscription:
        found: Subscription = await self._dispatch.subscriptions.own(uid, caller.organisation, caller.application)
        if found.purpose != caller.purpose:
            raise NoSuchDelivery
        return found

    def _mailbox(self, caller: Caller, service: str) -> str:
        """Where the answers to an application's messages of one service lie, for one purpose."""
        who = caller.organisation, caller.application, caller.purpose
        return f"answers:{self._dispatch.outbox.sealing.tag('answers', *who, service).hex()}"

    async def _page(self, recipient: str, cursor: str | None, size: int, question: str | None = None) -> dict[str, Any]:
        page = await self._dispatch.feed.fetch(recipient, cursor, size, question=question)
        issuer = self._hub.settings.issuer
        return {
            "items": [event(held, content, issuer=issuer, type_=self._type(held)) for held, content in page.messages],
            "cursor": page.cursor,
        }

    def _type(self, held: Any) -> str:
        service = self._hub.services.get(held.service)
        return service.later.type if service is not None and service.later is not None else str(held.service)


def read_key(key: str, where: str, name: str) -> str:
    """An Idempotency-Key, from where the façade has it. Raises `MalformedRequest`."""
    if not _KEY.fullmatch(key) or (_NUMBER.search(key) and not _UUID.fullmatch(key)):
        raise MalformedRequest(
            Issue("requiredInput", where, name, "8 to 128 visible characters, new for each message; a UUID will do")
        )
    return key


def _compared(repeats: Iterable[str], asked: Mapping[str, Any], answered: Mapping[str, Any]) -> NotAsAsked | None:
    """What an answer says otherwise than the message: each part by its name, no value repeated. None: it answers the message."""
    other = [name for name in repeats if answered.get(name) != asked.get(name)]
    advice = "not as the message says it: compare, then answer again"
    issues = (Issue("equalExpected", "body", f"/content/{name}", advice) for name in other)
    return NotAsAsked(*issues) if other else None


def _receiver(one: Subscription) -> tuple[str, str, str]:
    return one.organisation, one.application, one.purpose


def _who(caller: Caller) -> tuple[str, str, str]:
    return caller.organisation, caller.application, caller.purpose


def _issue(kind: str, name: str, advice: str) -> MalformedRequest:
    return MalformedRequest(Issue(kind, "body", name, advice))
