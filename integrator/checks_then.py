"""What an answer sets going (`then:` in a service's file), held against the services it names. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from integrator.services import FollowUp, Service

Place = tuple[str | int, ...]
Said = tuple[str, Place]  # what is wrong, where in the service's file

_GIVEN = frozenset({"sender", "recipient", "day", "dayBefore"})


def of_message(service: Service, services: Mapping[str, Service]) -> Iterator[Said]:
    """Words that no answer has, writes that are none, and keys that come from nowhere."""
    later = service.later
    if later is None or later.then is None:
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
