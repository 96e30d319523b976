"""A purpose's own cases, judged; and the mutation check: an authorisation made looser must break a case.

    ask:    {organisations: [group:cpas, evere], service: person.get, eachKey: [ssin, name], at: 2026-11-23}
    expect: {deny: KEY_NOT_GRANTED}

What is known beside the question (`roles`, `assurance`, `registered`, `dossier`, `emergency`, `time` in Brussels) stands in
`ask`, or for all cases of a purpose in `given`. `answer` says what the source answers, where a line looks at that:
municipality (own, other, unknown), age in years (null = nobody knows), number of results.

`as` says in which direction, of what is delivered: sender, receiver, or each of both. `organisations` and `eachKey` put the
same question once for each too: the case holds when all of them say what is expected.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import product
from typing import Any

from integrator.policy import afterwards, looser
from integrator.policy.conditions import BRUSSELS
from integrator.policy.engine import Policies
from integrator.policy.names import expand, tops
from integrator.policy.reading import compile_purpose, everybody, is_open, members
from integrator.policy.terms import QUESTION, Ask, Decision, Denial, Facts

Offers = Mapping[str, frozenset[str]]  # of each service, the names of its fields or answers


@dataclass(frozen=True, slots=True)
class Mutant:
    """An authorisation made looser by one thing."""

    path: tuple[Any, ...]  # where in the file
    said: str  # what was loosened, for whoever has to write the case
    data: Mapping[str, Any]  # the whole purpose, loosened


def judge(
    purpose: str, case: Mapping[str, Any], policies: Policies, offers: Offers, organisations: Mapping[str, Any], given: Mapping[str, Any] | None = None
) -> tuple[Any, Any]:  # fmt: skip
    """What a case expects and what the engine says, in the same words; of several questions the first that differs.

    `given`: what the purpose says of all its cases.
    """
    wanted, got = None, None
    for decision in decided(purpose, case, policies, offers, organisations, given):
        wanted, got = _compared(case["expect"], decision)
        if wanted != got:
            break
    return wanted, got


def decided(
    purpose: str, case: Mapping[str, Any], policies: Policies, offers: Offers, organisations: Mapping[str, Any], given: Mapping[str, Any] | None = None
) -> Iterator[Decision]:  # fmt: skip
    """What the engine says of every question of a case, once the source answered as the case says."""
    for ask, now, facts in questions(purpose, case, offers, organisations, given):
        yield _afterwards(policies.decide(ask, now, facts), case.get("answer"), now)


def questions(
    purpose: str, case: Mapping[str, Any], offers: Offers, organisations: Mapping[str, Any], given: Mapping[str, Any] | None = None
) -> Iterator[tuple[Ask, float, Facts]]:  # fmt: skip
    """Every question that a case puts, its moment, and what is known beside it."""
    asked = {**(given or {}), **case["ask"]}
    facts = Facts(
        frozenset(asked.get("roles", ())), asked.get("assurance"), frozenset(asked["registered"]) if "registered" in asked else None,
        bool(asked.get("dossier")), bool(asked.get("emergency")),
    )  # fmt: skip
    named = asked.get("organisations") or [asked["organisation"]]
    ways = [frozenset({key}) for key in asked["eachKey"]] if "eachKey" in asked else [frozenset(asked["keys"])]
    fields = frozenset(asked["fields"]) if "fields" in asked else None
    said = asked.get("as", QUESTION)
    directions = [said] if isinstance(said, str) else said
    for number, keys, direction in product(_numbers(named, organisations), ways, directions):
        ask = Ask(
            number, asked.get("application", "any-app"), asked.get("purpose", purpose), asked["service"], keys,
            offers[asked["service"]], fields, bool(asked.get("history")), bool(asked.get("part")), direction,
        )  # fmt: skip
        yield ask, _moment(asked["at"], asked.get("time")), facts


def survivors(
    data: Mapping[str, Any], offers: Offers, keys: Offers, directions: Offers, organisations: Mapping[str, Any]
) -> list[Mutant]:
    """Mutants that every case lets pass. `data`: a purpose as read; `keys`, `directions`: how each service can be had."""
    code, found = data["purpose"], []
    for mutant in mutants(data, offers, keys, directions, organisations):
        policies = Policies(*_compiled(mutant.data, organisations))
        judged = (judge(code, case, policies, offers, organisations, data.get("given")) for case in data["cases"])
        if all(wanted == got for wanted, got in judged):
            found.append(mutant)
    return found


def mutants(
    data: Mapping[str, Any], offers: Offers, keys: Offers, directions: Offers, organisations: Mapping[str, Any]
) -> Iterator[Mutant]:
    """Every authorisation of a purpose, loosened by one organisation, day, application, field, key, direction, use, past or condition.

    A field is one that no other line of the authorisation gives to the same question already.
    """
    for said, changed in looser.purpose(data.get("assurance")):
        yield _loosened(data, (), *said, **changed)
    for number, entry in enumerate(data["authorisations"]):
        where = ("authorisations", number)
        yield from _wider(data, where, entry, organisations)
        for position, grant in enumerate(entry["grants"]):
            known = expand(
                frozenset().union(*(_names(one) for one in entry["grants"] if _covers(one, grant))),
                offers[grant["service"]],
            )
            yield from _deeper(data, (*where, "grants", position), grant, offers[grant["service"]] - known, keys)
            for way in sorted(directions[grant["service"]] - set(grant.get("as", ()))):
                turned = {**grant, "as": [way]}
                if not any(_covers(one, turned) and _names(grant) <= _names(one) for one in entry["grants"]):
                    both = {"as": [*grant.get("as", ()), way]}
                    yield _loosened(data, (*where, "grants", position), "direction", way, **both)


def _wider(
    data: Mapping[str, Any], where: tuple[Any, ...], entry: Mapping[str, Any], organisations: Mapping[str, Any]
) -> Iterator[Mutant]:
    inside = set(members(entry["organisations"], organisations))
    richer = _with_as_much(data, entry, organisations)
    public = everybody(organisations)
    for name, one in organisations["organisations"].items():
        if is_open(entry) is not (one["number"] in public):  # refused when it is read: no text can say it
            continue
        if one["number"] not in inside and one["number"] not in richer:
            yield _loosened(data, where, "organisation", name, organisations=[*entry["organisations"], name])
    first = _day(entry["validFrom"]) - timedelta(days=1)
    yield _loosened(data, where, "first day", str(first), validFrom=str(first))
    if "validUntil" in entry:
        last = _day(entry["validUntil"]) + timedelta(days=1)
        yield _loosened(data, where, "last day", str(last), validUntil=str(last))
    if entry.get("applications", "any") != "any":
        yield _loosened(data, where, "application", "any", applications="any")


def _deeper(
    data: Mapping[str, Any], where: tuple[Any, ...], grant: Mapping[str, Any], unknown: frozenset[str], keys: Offers
) -> Iterator[Mutant]:
    service, word = grant["service"], "answers" if "answers" in grant else "fields"
    for name in sorted(unknown):
        yield _loosened(data, where, "field", name, **{word: [*grant[word], name]})
    for name in sorted(keys[service] - set(grant["keys"])):
        yield _loosened(data, where, "key", name, keys=[*grant["keys"], name])
    if grant.get("use") == "answersOnly":
        yield _loosened(data, where, "use", "release", use="release")
    if not grant.get("historyYears"):
        yield _loosened(data, where, "past", "1 year", historyYears=1)
    for said, changed in looser.each(grant, data.get("assurance")):
        yield _loosened(data, where, *said, **changed)


def _with_as_much(
    data: Mapping[str, Any], entry: Mapping[str, Any], organisations: Mapping[str, Any]
) -> frozenset[str]:
    """Organisations to whom another authorisation of this purpose gives all of this one: adding them here loosens nothing."""
    found: set[str] = set()
    for other in data["authorisations"]:
        if other is not entry and _outlasts(other, entry) and all(_given(grant, other) for grant in entry["grants"]):
            found.update(members(other["organisations"], organisations))
    return frozenset(found)


def _outlasts(other: Mapping[str, Any], entry: Mapping[str, Any]) -> bool:
    """Whether another authorisation holds whenever this one does, for whatever application."""
    last = "9999-12-31"
    return (
        other.get("applications", "any") == "any"
        and _day(other["validFrom"]) <= _day(entry["validFrom"])
        and _day(other.get("validUntil", last)) >= _day(entry.get("validUntil", last))
    )


def _given(grant: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether one line of another authorisation gives all that a line gives, on no stricter terms."""
    plain = {"service", "keys", "fields", "answers", "use", "historyYears", "as"}
    return any(
        _covers(one, grant) and _names(grant) <= _names(one) and set(one) <= plain and set(grant) <= plain
        for one in other["grants"]
    )


def _covers(other: Mapping[str, Any], grant: Mapping[str, Any]) -> bool:
    """Whether another line of the same text already lets the same question be asked: what it gives is no secret here."""
    return bool(
        other["service"] == grant["service"]
        and set(grant["keys"]) <= set(other["keys"])
        and set(grant.get("as", ())) <= set(other.get("as", ()))
        and (grant.get("use") == "answersOnly" or other.get("use") != "answersOnly")
        and grant.get("historyYears", 0) <= other.get("historyYears", 0)
    )


def _names(grant: Mapping[str, Any]) -> frozenset[str]:
    return frozenset(grant.get("fields") or grant.get("answers") or ())


def _loosened(data: Mapping[str, Any], where: tuple[Any, ...], what: str, more: str, **changed: Any) -> Mutant:
    loose = copy.deepcopy({**data, "cases": []})
    place = loose
    for step in where:
        place = place[step]
    for word, value in changed.items():
        if value is None:
            place.pop(word)
        else:
            place[word] = value
    return Mutant(where, f"{what} {more}", loose)


def _compiled(data: Mapping[str, Any], organisations: Mapping[str, Any]) -> tuple[dict[str, Any], list[Any]]:
    purpose, grants = compile_purpose(data, "", organisations)
    return {purpose.code: purpose}, grants


def _numbers(named: list[str], organisations: Mapping[str, Any]) -> list[str]:
    known = organisations["organisations"]
    return [
        number
        for name in named
        for number in (members([name], organisations) if name.startswith("group:") or name in known else [name])
    ]


def _compared(expect: Mapping[str, Any], decision: Decision) -> tuple[Any, Any]:
    if isinstance(decision, Denial) or "deny" in expect:
        return {"deny": expect.get("deny")}, {"deny": getattr(decision, "reason", None)}
    given = _shown(decision.fields, [item.field for item in decision.withheld])
    return _shown(frozenset(expect["permit"]), expect.get("withheld")), given


def _shown(permit: frozenset[str], withheld: list[str] | None) -> dict[str, Any]:
    return {"permit": list(tops(permit)), "withheld": sorted(withheld or [])}


def _day(day: Any) -> date:
    return day if isinstance(day, date) else date.fromisoformat(str(day)[:10])


def _moment(day: Any, clock: str | None) -> float:
    """Noon UTC, or that time in Brussels."""
    if clock is None:
        return datetime.combine(_day(day), time(12), UTC).timestamp()
    return datetime.combine(_day(day), time.fromisoformat(clock), BRUSSELS).timestamp()


def _afterwards(decision: Decision, answer: Mapping[str, Any] | None, now: float) -> Decision:
    """The decision after an answer like this."""
    if isinstance(decision, Denial) or answer is None:
        return decision
    today, age = datetime.fromtimestamp(now, UTC).date(), answer.get("age")
    facts = {
        "municipality": {"own": "here", "other": "there"}.get(answer.get("municipality", "own")),
        "birthDate": None if age is None else f"{today.year - age}-01-01",
    }
    reason = afterwards.refused(decision.grant, facts, answer.get("results", 1), "here", today)
    return decision if reason is None else Denial(reason, decision.grant.authorisation, "", decision.purpose)
