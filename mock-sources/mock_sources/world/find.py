"""Find a test person by property: `household.size>=4 and vehicles.count==2 and municipality=="21009"`.

The language is a corner of Python's: comparisons, `and`, `or`, `not`, `in`, literals and the words of `PROPERTIES`. It
is parsed, never run: a tree with anything else in it is refused by name. Personas are tried first, then derived
people in a fixed scattered order, so the same question finds the same people everywhere.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Iterator
from typing import Any

from mock_sources.world.arithmetic import Shuffle
from mock_sources.world.blocks import BLOCKS, PEOPLE_IN_BLOCK
from mock_sources.world.facts import Address
from mock_sources.world.subject import PROPERTIES, Subject
from mock_sources.world.world import World

SCAN = 20_000  # derived people looked at before giving up: a few seconds at worst
_LENGTH = 2000  # characters of a question
_DEPTH = 20

Test = Callable[[Subject], Any]

_COMPARISONS: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt,
    ast.GtE: operator.ge, ast.In: lambda item, many: item in many, ast.NotIn: lambda item, many: item not in many,
}  # fmt: skip


class QuestionError(ValueError):
    """The question cannot be read; the message says where and what may be written instead."""


def find(world: World, question: str, limit: int = 10, scan: int = SCAN) -> Iterator[dict[str, Any]]:
    """Whoever fits, as plain documents, at most `limit`; an empty question means every persona.

    Raises `QuestionError` at once for a question that cannot be read.
    """
    if limit < 1:
        raise QuestionError("limit must be 1 or more")
    test = compile_question(question) if question.strip() else None
    return _answers(world, test, limit, scan)


def _answers(world: World, test: Test | None, limit: int, scan: int) -> Iterator[dict[str, Any]]:
    left = limit
    for subject in _subjects(world, scan if test else 0):
        if left and (test is None or _holds(test, subject)):
            yield document(subject)
            left -= 1
        if not left:
            return


def _subjects(world: World, scan: int) -> Iterator[Subject]:
    for persona in world.personas.values():
        yield Subject(world, persona)
    order = Shuffle(BLOCKS * PEOPLE_IN_BLOCK, key=0)
    for place in range(scan):
        yield Subject(world, index=order[place])


def _holds(test: Test, subject: Subject) -> bool:
    try:
        return bool(test(subject))
    except TypeError as error:
        raise QuestionError(f"that cannot be compared: {error}") from error


def compile_question(question: str) -> Test:
    """A test from a question. Raises `QuestionError`.

    >>> compile_question("household.size >= 4 and __import__('os')")
    Traceback (most recent call last):
    ...
    mock_sources.world.find.QuestionError: a call cannot be asked, at character 25; write comparisons, and, or, not, in
    """
    if len(question) > _LENGTH:
        raise QuestionError(f"a question has at most {_LENGTH} characters")
    try:
        tree = ast.parse(question.strip(), mode="eval")
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        where = getattr(error, "offset", None)
        raise QuestionError(f"this is no question{f', at character {where}' if where else ''}: {question!r}") from error
    return _compile(tree.body, 0)


def _compile(node: ast.expr, depth: int) -> Test:
    if depth > _DEPTH:
        raise QuestionError(f"a question goes at most {_DEPTH} levels deep")
    match node:
        case ast.BoolOp(op=ast.And(), values=values):
            tests = [_compile(value, depth + 1) for value in values]
            return lambda subject: all(test(subject) for test in tests)
        case ast.BoolOp(values=values):
            tests = [_compile(value, depth + 1) for value in values]
            return lambda subject: any(test(subject) for test in tests)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            denied = _compile(operand, depth + 1)
            return lambda subject: not denied(subject)
        case ast.Compare(left=left, ops=ops, comparators=others):
            return _comparison([left, *others], ops, depth)
        case ast.Constant() | ast.List() | ast.Tuple() | ast.Set() | ast.UnaryOp(op=ast.USub()):
            literal = _literal(node)
            return lambda subject: literal
        case ast.Name() | ast.Attribute():
            return _property(node)
        case _:
            raise QuestionError(
                f"{_named(node)} cannot be asked, at character {node.col_offset + 1}; "
                "write comparisons, and, or, not, in"
            )


def _comparison(sides: list[ast.expr], ops: list[ast.cmpop], depth: int) -> Test:
    if any(type(op) not in _COMPARISONS for op in ops):
        raise QuestionError("write == for is, != for is not")
    values = [_compile(side, depth + 1) for side in sides]
    steps = [(left, _COMPARISONS[type(op)], right) for left, op, right in zip(values, ops, values[1:], strict=False)]

    def compare(subject: Subject) -> bool:
        # What somebody does not have (no address, no spouse) is None: equal to nothing asked, before and after nothing.
        for left, op, right in steps:
            one, other = left(subject), right(subject)
            if (one is None or other is None) and op not in (operator.eq, operator.ne):
                return False
            if not op(one, other):
                return False
        return True

    return compare


def _property(node: ast.expr) -> Test:
    name = _dotted(node)
    found = PROPERTIES.get(name)
    if found is None:
        raise QuestionError(f"nobody has a {name!r}; there are: {', '.join(PROPERTIES)}")
    return found.value


def _dotted(node: ast.expr) -> str:
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=value, attr=name):
            return f"{_dotted(value)}.{name}"
        case _:
            raise QuestionError(f"{_named(node)} has no properties here, at character {node.col_offset + 1}")


def _literal(node: ast.expr) -> Any:
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError) as error:
        raise QuestionError(f"a list holds only words and numbers, at character {node.col_offset + 1}") from error


def _named(node: ast.expr) -> str:
    words = {ast.Call: "a call", ast.Lambda: "a lambda", ast.BinOp: "a sum", ast.Subscript: "an index"}
    return words.get(type(node), type(node).__name__)


def document(subject: Subject) -> dict[str, Any]:
    """What a tester needs to ask the sources about somebody: keys, home, plates. No nulls."""
    person, persona = subject.person, subject.persona
    shown: dict[str, Any] = {
        "slug": persona and persona.slug,
        "title": persona and {"nl": persona.title.nl, "fr": persona.title.fr, "en": persona.title_en},
        "why": persona and persona.why,
        "tags": list(persona.tags) if persona else None,
        "ssin": subject.ssin,
        "name": " ".join((*person.name.first, *person.name.last)) if person else None,
        "birthDate": person and person.birth_date,
        "address": _address(subject),
        "plates": subject.plates or None,
        "enterpriseNumbers": subject.enterprise_numbers or None,
        "household": {"size": len(subject.household.members)} if subject.household else None,
    }
    return {name: value for name, value in shown.items() if value is not None}


def _address(subject: Subject) -> dict[str, Any] | None:
    address: Address | None = subject.address
    if address is None:
        return None
    names = address.street.names
    shown = {
        "municipality": address.nis,
        "postCode": address.postcode,
        "streetName": {"nl": names.nl, "fr": names.fr},
        "houseNumber": address.number,
        "boxNumber": address.box,
    }
    return {name: value for name, value in shown.items() if value is not None}
