"""How a plan walks a document: one pass, a step per name, a leaf per value. Pure; made by `mapping.Plan`, used by nobody else."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol

from integrator.errors import ConfigurationError
from integrator.mapping_readers import READERS, Reader

Spec = Mapping[str, Any]
Out = dict[str, Any]
Leaf = Callable[[Any, Out], None]


class Words(Protocol):
    """What the compiler needs of a sheet."""

    name: str
    xml: bool
    codes: Mapping[str, Mapping[str, Spec]]

    def path(self, written: str) -> tuple[str, ...]: ...


@dataclass(slots=True)
class Step:
    """One name of the document on the way to a field: what to do there, and where to go on."""

    leaves: list[Leaf] = field(default_factory=list)
    children: dict[str, Step] = field(default_factory=dict)

    def at(self, path: tuple[str, ...]) -> Step:
        step = self
        for name in path:
            step = step.children.setdefault(name, Step())
        return step


class Compiler:
    """Turns field specs into steps; one per plan, so that history is decided once and not per value."""

    def __init__(self, sheet: Words, *, history: bool, since: str | None) -> None:
        self._sheet, self._history, self._since = sheet, history, since

    def record(self, top: Step, fields: Spec) -> None:
        for name, spec in fields.items():
            if "const" in spec:
                continue
            written = spec.get("at", ".")
            for place in written if isinstance(written, list) else [written]:
                path = self._sheet.path(place)
                attribute = path[-1][1:] if path and path[-1].startswith("@") else None
                step = top.at(path[:-1] if attribute else path)
                step.leaves.append(self._leaf(name, spec, attribute))

    def _leaf(self, name: str, spec: Spec, attribute: str | None) -> Leaf:
        many = bool(spec.get("many"))
        if "record" in spec or "spread" in spec:
            inner = Step()
            self.record(inner, spec.get("record") or spec["spread"])
            return partial(
                _take_record if "record" in spec else _take_spread,
                name, many, inner, walk_xml if self._sheet.xml else walk_json, self._keep(spec),
            )  # fmt: skip
        read = self._reader(spec, attribute)
        keep = self._keep(spec)
        return partial(_take_many if many else _take_first, name, read, keep)

    def _reader(self, spec: Spec, attribute: str | None) -> Reader:
        word = spec.get("read", "text")
        value = self._sheet.path(spec.get("value", "."))  # below `at`, where `current`, `ended` and `when` are judged
        below = bool(value) and value[-1].startswith("@")
        read = READERS[word][0 if self._sheet.xml and not attribute and not below else 1]
        if read is None:
            raise ConfigurationError(f"mapping {self._sheet.name}: reader {word!r} cannot read this kind of document")
        if attribute:
            read = _chain(lambda element: element.get(attribute), read)
        if value:
            find = _find_xml if self._sheet.xml else _find_json
            read = _chain(lambda element: find(element, value), read)
        if "values" in spec:
            translations = {str(key): value for key, value in spec["values"].items()}
            read = _chain(read, lambda value: translations.get(str(value)))
        if "code" in spec:
            labels = {
                str(code): {"code": str(code), "label": dict(label)}
                for code, label in self._sheet.codes[spec["code"]].items()
            }
            read = _chain(read, lambda value: labels.get(str(value)) or {"code": str(value)})
        return read

    def _keep(self, spec: Spec) -> Callable[[Any], bool] | None:
        tests: list[Callable[[Any], bool]] = []
        find = _find_xml if self._sheet.xml else _find_json
        for written, wanted in spec.get("when", {}).items():
            tests.append(partial(_equals, find, self._sheet.path(written), str(wanted)))
        if "current" in spec:  # what holds today, history or not: somebody struck off has no address
            tests.append(partial(_open, self._end(spec["current"])))
        if "ended" in spec:
            end = self._end(spec["ended"])
            tests.append(partial(_open, end) if not self._history else partial(_since, end, self._since))
        if not tests:
            return None
        return tests[0] if len(tests) == 1 else lambda element: all(test(element) for test in tests)

    def _end(self, written: str | Spec) -> Reader:
        """How to find the end of a record: a path, or `{read: …}` for a source that does not write it down."""
        if isinstance(written, str):
            find, path = _find_xml if self._sheet.xml else _find_json, self._sheet.path(written)
            return lambda element: find(element, path)
        read = READERS[written["read"]][0 if self._sheet.xml else 1]
        if read is None:
            raise ConfigurationError(
                f"mapping {self._sheet.name}: reader {written['read']!r} cannot read this document"
            )
        return read


# --- what happens at a leaf -------------------------------------------------------------------------------------------


def _take_first(name: str, read: Reader, keep: Callable[[Any], bool] | None, element: Any, out: Out) -> None:
    if name not in out and (keep is None or keep(element)):
        value = read(element)
        if value is not None:
            out[name] = value


def _take_many(name: str, read: Reader, keep: Callable[[Any], bool] | None, element: Any, out: Out) -> None:
    if keep is None or keep(element):
        value = read(element)
        if value is not None:
            out.setdefault(name, []).append(value)


def _take_record(
    name: str,
    many: bool,
    inner: Step,
    walk: Callable[..., None],
    keep: Callable[[Any], bool] | None,
    element: Any,
    out: Out,
) -> None:
    if (not many and name in out) or (keep is not None and not keep(element)):
        return
    record: Out = {}
    for leaf in inner.leaves:
        leaf(element, record)
    walk(inner.children, element, record)
    if record:
        if many:
            out.setdefault(name, []).append(record)
        else:
            out[name] = record


def _take_spread(
    name: str,
    many: bool,
    inner: Step,
    walk: Callable[..., None],
    keep: Callable[[Any], bool] | None,
    element: Any,
    out: Out,
) -> None:
    if keep is None or keep(element):
        record: Out = {}
        for leaf in inner.leaves:
            leaf(element, record)
        walk(inner.children, element, record)
        for key, value in record.items():
            out.setdefault(key, value)


def walk_xml(children: Mapping[str, Step], element: Any, out: Out) -> None:
    for child in element:
        step = children.get(child.tag)
        if step is not None:
            for leaf in step.leaves:
                leaf(child, out)
            if step.children:
                walk_xml(step.children, child, out)


def walk_json(children: Mapping[str, Step], value: Any, out: Out) -> None:
    if not isinstance(value, dict):
        return
    for name, step in children.items():
        found = value.get(name)
        for item in found if isinstance(found, list) else (() if found is None else (found,)):
            for leaf in step.leaves:
                leaf(item, out)
            if step.children:
                walk_json(step.children, item, out)


def starts(document: Any, root: tuple[str, ...], xml: bool) -> Iterator[Any]:
    if not root:
        yield document
    elif xml:
        found = document.find("/".join(root))
        if found is not None:
            yield found
    else:
        found = _find_json(document, root)
        if found is not None:
            yield found


def _find_xml(element: Any, path: tuple[str, ...]) -> Any:
    if path and path[-1].startswith("@"):
        holder = element.find("/".join(path[:-1])) if path[:-1] else element
        return None if holder is None else holder.get(path[-1][1:])
    return element.find("/".join(path))


def _find_json(value: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _string(found: Any) -> str:
    return (found if isinstance(found, str) else getattr(found, "text", None) or str(found)).strip()


def _equals(find: Callable[..., Any], path: tuple[str, ...], wanted: str, element: Any) -> bool:
    found = find(element, path)
    return found is not None and _string(found) == wanted


def _open(end: Reader, element: Any) -> bool:
    return end(element) is None


def _since(end: Reader, since: str | None, element: Any) -> bool:
    """Keep a closed record when it ended on or after `since`; an end that cannot be read counts as too old."""
    found = end(element)
    if found is None or since is None:
        return True
    read = READERS["rrn_date"][0] if not isinstance(found, str) and len(found) else READERS["date"][1]
    ended = read(found if isinstance(found, str) or len(found) else found.text) if read else None
    return ended is not None and ended >= since


def _chain(first: Reader, second: Reader) -> Reader:
    def both(value: Any) -> Any:
        between = first(value)
        return None if between is None else second(between)

    return both
