"""A text with fewer fields: the names go out of the lines, the cases say what the engine now says; nothing else moves.

The text is changed where YAML says the names stand, so comments and layout survive. Cases are not thrown away when they
can be kept true: what a case expects is written anew only where the narrower text answers otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import yaml

from integrator.governing.texts import digest
from integrator.places import YamlLoader, parse_yaml
from integrator.policy import Denial, Permit, Policies, tops
from integrator.policy.cases import decided, questions
from integrator.policy.reading import compile_purpose, is_open
from integrator.policy.terms import Decision

Idle = Mapping[str, Mapping[str, frozenset[str]]]  # authorisation -> service -> names to leave out
Offers = Mapping[str, frozenset[str]]


class Cut(NamedTuple):
    """Characters from `start` up to `end` become `to`."""

    start: int
    end: int
    to: str


def narrowed(text: bytes, idle: Idle, offers: Offers, organisations: Mapping[str, Any]) -> bytes:
    """The same text without the names. A line of which nothing would be left stays as it is."""
    data, written = parse_yaml("text", text), text.decode()
    lines = _apply(written, _lines(written, data, idle))
    narrow = parse_yaml("narrowed text", lines.encode())
    purpose, grants = compile_purpose(narrow, digest(lines.encode()), organisations)
    policies = Policies({purpose.code: purpose}, grants)
    said = _apply(lines, _cases(lines, narrow, policies, offers, organisations))
    return (said.rstrip("\n") + "\n" + _closing(lines, data, narrow, policies, offers, organisations)).encode()


def _lines(text: str, data: Mapping[str, Any], idle: Idle) -> Iterator[Cut]:
    root = yaml.compose(text, Loader=YamlLoader)
    for number, entry in enumerate(data["authorisations"]):
        for position, grant in enumerate(entry["grants"]):
            names = idle.get(entry["id"], {}).get(grant["service"], frozenset())
            word = "answers" if "answers" in grant else "fields"
            node = _at(root, ("authorisations", number, "grants", position, word))
            kept = [name for name in grant[word] if name not in names]
            if kept and len(kept) < len(grant[word]):  # whether a whole line is needed is no question of fields
                yield from _without(text, node, names)


def _without(text: str, node: Any, names: frozenset[str]) -> Iterator[Cut]:
    items = node.value
    if not node.flow_style:  # one name on a line of its own
        for item in items:
            if item.value in names:
                start = text.rindex("\n", 0, item.start_mark.index)
                yield Cut(
                    start,
                    text.find("\n", item.end_mark.index) if "\n" in text[item.end_mark.index :] else len(text),
                    "",
                )
        return
    kept = [item for item in items if item.value not in names]
    shown = ", ".join(text[item.start_mark.index : item.end_mark.index] for item in kept)
    yield Cut(node.start_mark.index, node.end_mark.index, f"[{shown}]")


def _cases(
    text: str, data: Mapping[str, Any], policies: Policies, offers: Offers, organisations: Mapping[str, Any]
) -> Iterator[Cut]:
    """What the engine now says, where it is another thing than the case expects."""
    root = yaml.compose(text, Loader=YamlLoader)
    for number, case in enumerate(data["cases"]):
        wanted = case["expect"]
        said = decided(data["purpose"], case, policies, offers, organisations, data.get("given"))
        told = {_expected(one) for one in said}
        if len(told) == 1 and told != {_of_case(wanted)}:
            node = _at(root, ("cases", number, "expect"))
            yield Cut(node.start_mark.index, _end(text, node), told.pop())


def _closing(
    text: str,
    old: Mapping[str, Any],
    data: Mapping[str, Any],
    policies: Policies,
    offers: Offers,
    organisations: Mapping[str, Any],
) -> str:
    """One case more for each line that gives what went no longer, or never did while another one gave it: so that whoever
    widens it breaks one."""
    indent = " " * (_at(yaml.compose(text, Loader=YamlLoader), ("cases", 0)).start_mark.column - 2)
    told = ""
    for before, entry in zip(old["authorisations"], data["authorisations"], strict=True):
        went: dict[str, list[str]] = {grant["service"]: [] for grant in entry["grants"]}
        for was, grant in zip(before["grants"], entry["grants"], strict=True):
            went[grant["service"]] += [name for name in _names(was) if name not in _names(grant)]
        for number, grant in enumerate(entry["grants"], start=1):
            gone = [name for name in dict.fromkeys(went[grant["service"]]) if name not in _names(grant)]
            line = f"{entry['id']}#{number}"
            ask = _put_to(line, entry, data, policies, offers, organisations) if gone else None
            if ask is None:
                continue
            ask = {**ask, "keys": _keys(grant["service"], ask, data), "fields": gone}
            said = decided(data["purpose"], {"ask": ask}, policies, offers, organisations, data.get("given"))
            expected = {_expected(one) for one in said}
            if len(expected) == 1:
                told += f"{indent}- why: nobody used {', '.join(gone)}, so it was taken out\n"
                told += f"{indent}  ask: {_flow(ask)}\n{indent}  expect: {expected.pop()}\n"
    return told


def _names(grant: Mapping[str, Any]) -> list[str]:
    """The fields or answers of a line, as written."""
    return list(grant["answers" if "answers" in grant else "fields"])


def _put_to(
    line: str,
    entry: Mapping[str, Any],
    data: Mapping[str, Any],
    policies: Policies,
    offers: Offers,
    organisations: Mapping[str, Any],
) -> Mapping[str, Any] | None:
    """The question of a case that this line decides, of everyone it names when that can be put: a wider line beside it could
    be given to any of them."""
    asks: list[Mapping[str, Any]] = [case["ask"] for case in data["cases"] if not case["ask"].get("history")]
    for ask in (*(_of_all(entry, ask) for ask in asks), *asks):
        put = questions(data["purpose"], {"ask": ask}, offers, organisations, data.get("given"))
        said = [policies.decide(*one) for one in put]
        if all(isinstance(one, Permit) and one.grant.id == line for one in said):
            return ask
    return None


def _keys(service: str, ask: Mapping[str, Any], data: Mapping[str, Any]) -> list[str]:
    """Keys that every line of the service can be asked by, when there are: a wider one is not to be escaped by another key."""
    lines = [grant["keys"] for entry in data["authorisations"] for grant in entry["grants"] if grant["service"] == service]
    asked = ask["keys"] if "keys" in ask else ask["eachKey"][:1]
    return [key for key in asked if all(key in line for line in lines)] or list(asked)


def _of_all(entry: Mapping[str, Any], ask: Mapping[str, Any]) -> Mapping[str, Any]:
    if is_open(entry):
        return ask
    rest = {name: value for name, value in ask.items() if name not in ("organisation", "organisations")}
    return {"organisations": list(entry["organisations"]), **rest}


def _flow(ask: Mapping[str, Any]) -> str:
    """On one line, as the other cases are written."""
    dumped: str = yaml.safe_dump(dict(ask), default_flow_style=True, sort_keys=False, width=10_000, allow_unicode=True)
    return dumped.strip()


def _expected(decision: Decision) -> str:
    if isinstance(decision, Denial):
        return f"{{deny: {decision.reason}}}"
    withheld = sorted(item.field for item in decision.withheld)
    more = f", withheld: [{', '.join(withheld)}]" if withheld else ""
    return f"{{permit: [{', '.join(tops(decision.fields))}]{more}}}"


def _of_case(expect: Mapping[str, Any]) -> str:
    if "deny" in expect:
        return f"{{deny: {expect['deny']}}}"
    withheld = sorted(expect.get("withheld") or ())
    more = f", withheld: [{', '.join(withheld)}]" if withheld else ""
    return f"{{permit: [{', '.join(tops(frozenset(expect['permit'])))}]{more}}}"


def _at(node: Any, path: tuple[Any, ...]) -> Any:
    for step in path:
        node = node.value[step] if isinstance(step, int) else {key.value: each for key, each in node.value}[step]
    return node


def _end(text: str, node: Any) -> int:
    """The end of a node as written; a block mapping ends where the next one starts, so what is blank is left."""
    end: int = node.end_mark.index
    while end > node.start_mark.index and text[end - 1].isspace():
        end -= 1
    return end


def _apply(text: str, cuts: Iterator[Cut]) -> str:
    for cut in sorted(cuts, reverse=True):
        text = text[: cut.start] + cut.to + text[cut.end :]
    return text
