"""What an answer sets going (`then:`) and says again (`repeats:`), how a relay finds its recipient (`find:`) and in which
direction something is delivered (`as:` of a text), held against what they name. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from integrator.keytypes import KeyType
from integrator.services import FollowUp, Later, Service

Place = tuple[str | int, ...]
Said = tuple[str, Place]  # what is wrong, where in the service's file

_GIVEN = frozenset({"sender", "recipient", "day", "dayBefore"})


def of_direction(said: str | list[str] | None, service: Service) -> Iterator[str]:
    """What is wrong with `as:` where it stands in a text about this service, or does not stand."""
    named = frozenset([said] if isinstance(said, str) else said or ())
    if not named and service.directions:
        yield f"{service.name} is delivered: say `as:` {' or '.join(sorted(service.directions))}"
    for direction in sorted(named - service.directions):
        yield f"nobody is {direction} of {service.name}" if service.directions else f"{service.name} is asked, not delivered: no `as:`"


def of_message(service: Service, services: Mapping[str, Service]) -> Iterator[Said]:
    """Words that no answer has, writes that are none, and keys that come from nowhere."""
    later = service.later
    if later is None:
        return
    yield from ((said, ("delivery", "repeats")) for said in _of_repeats(later))
    if later.then is None:
        return
    place: Place = ("delivery", "then")
    if later.kind != "message" or later.answer is None:
        yield "an answer sets it going, and none is awaited", place
        return
    for name, word in later.then.when.items():
        kind = later.reply.get(name)
        if kind is None or word not in kind.schema.get("enum", ()):
            yield f"no answer says {name}: {word}", (*place, "when")
    known = _GIVEN | {f"question.{name}" for name in {**service.keys, **later.content}}
    known |= {f"answer.{name}" for name in later.reply}
    for number, one in enumerate(later.then.writes):
        for said in _of_write(one, services.get(one.service), known):
            yield said, (*place, "writes", number)


def _of_repeats(later: Later) -> Iterator[str]:
    """What an answer cannot say again, or not as the message says it."""
    if later.repeats and (later.kind != "message" or later.answer is None):
        yield "an answer repeats it, and none is awaited"
        return
    for name in later.repeats:
        said, again = later.content.get(name), later.reply.get(name)
        if said is None or again is None or not (said.required and again.required):
            yield f"{name}: message and answer both need it"
        elif _form(said) != _form(again):
            yield f"{name}: message and answer write it otherwise"


def _form(kind: KeyType) -> dict[str, object]:
    return {word: value for word, value in kind.schema.items() if word not in ("description", "example", "examples")}


def _of_write(one: FollowUp, service: Service | None, known: frozenset[str]) -> Iterator[str]:
    if service is None or service.later is None or not service.later.follows:
        yield f"no service {one.service!r} that `follows`"
        return
    kinds = {**service.keys, **service.later.content}
    for name, at in one.bound.items():
        if name not in kinds:
            yield f"{one.service} has no {name}"
        if at not in known:
            yield f"{name}: nothing is called {at}"
    for name, kind in kinds.items():
        if kind.required and name not in one.bound:
            yield f"{one.service} needs {name}"


def of_relay(service: Service, services: Mapping[str, Service], numbers: frozenset[str]) -> Iterator[Said]:
    """A relay whose question, letter or organisations are not there."""
    later = service.later
    find = later.find if later is not None else None
    if later is None or find is None:
        return
    place: Place = ("delivery", "find")
    asked, letter = services.get(find.service), services.get(later.to or "")
    if asked is None or asked.later is not None or not set(find.keys) <= asked.keys.keys() & service.keys.keys():
        yield f"no service {find.service!r} that answers by these keys at once", place
        return
    if letter is None or letter.later is None or letter.later.kind != "message" or not letter.later.follows:
        yield f"no service {later.to!r} of messages that `follows`", place
        return
    yield from (
        (f"nobody in config/organisations.yaml is {one}", place) for one in {find.organisation, find.mailbox} - numbers
    )
    yield from (
        (f"{asked.name} offers no {path}", place) for path in find.recipient.values() if path not in asked.offers
    )
    yield from ((f"{letter.name} has no key {key}", place) for key in find.recipient if key not in letter.keys)
    known = {**service.keys, **later.content}
    yield from (
        (f"{letter.name} needs {name}", place)
        for name, kind in letter.later.content.items()
        if kind.required and name not in known
    )
