"""From a source's words to canonical words: sheets (mappings/*.yaml) compiled to extraction plans. Data in, value out.

A plan is made for one set of permitted fields. It walks the document once and descends only where a permitted field
(or a fact the hub itself must check) can be: what is not permitted is never read, whatever the source sent along.

    sheet ──select(permitted)──► tree of steps ──one pass──► Extracted(values, facts)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from integrator.errors import ConfigurationError, WrongSubject
from integrator.mapping_readers import READERS, Reader
from integrator.places import read_yaml

Spec = Mapping[str, Any]
Out = dict[str, Any]
Leaf = Callable[[Any, Out], None]

_FACT, _ABOUT, _ITEM = "\x00fact.", "\x00about.", "\x00item"  # slots that never leave this module


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


@dataclass(frozen=True, slots=True)
class Extracted:
    """What a plan took out of one document: canonical values, and facts for the hub's own checks."""

    values: Out
    facts: Mapping[str, Any]
    guarded: tuple[str, ...] = ()  # fields dropped because a fact guards them


class Plan:
    """A sheet compiled for one set of permitted fields; call `extract` with a document and the keys asked."""

    def __init__(self, sheet: Sheet, fields: Spec, *, history: bool, since: str | None) -> None:
        self._sheet = sheet
        self.history = history  # closed records are wanted from the source
        compiler = _Compiler(sheet, history=history, since=since)
        self._top = Step()
        compiler.record(self._top, fields)
        compiler.record(self._top, {_FACT + name: spec for name, spec in sheet.facts.items()})
        compiler.record(self._top, {_ABOUT + rule["key"]: {**rule, "many": True} for rule in sheet.about})
        if sheet.item_path is not None:
            compiler.record(self._top, {_ITEM: {"at": sheet.item_path, "many": True, "read": "present"}})
        self._constants = {name: spec["const"] for name, spec in fields.items() if "const" in spec}
        self._guards = tuple((name, spec["guard"]) for name, spec in _guarded(fields))
        self.groups = frozenset(_groups(fields)) | frozenset(_groups(sheet.facts))
        self._root = sheet.root_path
        self._walk = _walk_xml if sheet.xml else _walk_json

    def extract(self, document: Any, keys: Mapping[str, Any], *, lifts: frozenset[str] = frozenset()) -> Extracted:
        """Permitted values and facts of one document. Raises `WrongSubject` when it is not about `keys`."""
        out: Out = {}
        for start in _starts(document, self._root, self._sheet.xml):
            for leaf in self._top.leaves:
                leaf(start, out)
            self._walk(self._top.children, start, out)
        self._check_about(out, keys)
        facts = {name: out.pop(_FACT + name, None) for name in self._sheet.facts}
        out.pop(_ITEM, None)
        if self._constants and out:
            out.update(self._constants)
        dropped = tuple(name for name, fact in self._guards if facts.get(fact) and fact not in lifts)
        for name in dropped:
            _drop(out, name.split("."))
        return Extracted(out, facts, dropped)

    def _check_about(self, out: Out, keys: Mapping[str, Any]) -> None:
        for rule in self._sheet.about:
            said = out.pop(_ABOUT + rule["key"], [])
            asked = keys.get(rule["key"])
            if asked is None:
                continue
            wanted = len(out.get(_ITEM, ())) if rule.get("each") else 1
            if len(said) < wanted or any(_plain(value) != _plain(asked) for value in said):
                raise WrongSubject(self._sheet.source)


class Sheet:
    """One mappings/*.yaml, checked and ready to make plans from (plans are remembered per permitted set)."""

    def __init__(self, data: Spec, codes: Mapping[str, Mapping[str, Spec]]) -> None:
        self.name: str = data["mapping"]
        self.source: str = data["source"]
        self.operation: str = data["operation"]
        self.xml: bool = data["document"] == "xml"
        self.codes = codes
        self._namespaces: Mapping[str, str] = data.get("namespaces", {})
        self.root_path = self.path(data.get("root", ""))
        about = data.get("about") or []
        self.about: tuple[Spec, ...] = tuple(_about_rules(about if isinstance(about, list) else [about]))
        self.facts: Spec = data.get("facts", {})
        self.fields: Spec = data["fields"]
        self.item_path: str | None = self.fields["items"]["at"] if "items" in self.fields else None
        self.names: frozenset[str] = frozenset(_names(self.fields))
        self._plans: dict[tuple[frozenset[str] | None, bool, str | None], Plan] = {}

    def path(self, written: str) -> tuple[str, ...]:
        """`r:Names/r:Name` as Clark names; `.` is the element itself."""
        return tuple(self._clark(part) for part in written.split("/") if part not in ("", "."))

    def plan(self, permitted: frozenset[str] | None, *, history: bool = False, since: str | None = None) -> Plan:
        """The plan for exactly these fields (None = all of them: golden cases only).

        `since`: closed records that ended before this ISO date are skipped (the history depth granted).
        """
        key = (permitted, history, since)
        plan = self._plans.get(key)
        if plan is None:
            if len(self._plans) >= 512:  # `since` moves with the calendar; old days must not pile up
                self._plans.clear()
            fields = self.fields if permitted is None else select(self.fields, permitted)
            plan = self._plans[key] = Plan(self, fields, history=history, since=since)
        return plan

    def _clark(self, name: str) -> str:
        prefix, colon, local = name.partition(":")
        if not colon or name.startswith("@"):
            return name
        if prefix not in self._namespaces:
            raise ConfigurationError(f"mapping {self.name}: prefix {prefix!r} is not declared in `namespaces`")
        return f"{{{self._namespaces[prefix]}}}{local}"


def load_sheets(folder: Path) -> dict[str, Sheet]:
    """Every sheet of mappings/, by name. Raises `ConfigurationError` naming the file."""
    codes = {path.stem: read_yaml(path)["codes"] for path in sorted((folder / "codes").glob("*.yaml"))}
    sheets = {}
    for path in sorted(folder.glob("*.yaml")):
        try:
            sheet = Sheet(read_yaml(path), codes)
            sheet.plan(None, history=True)
        except KeyError as error:
            raise ConfigurationError(f"{path.name}: {error} is missing or unknown") from error
        if sheet.name != path.stem:
            raise ConfigurationError(f"{path.name}: `mapping:` says {sheet.name!r}, not the file's name")
        sheets[sheet.name] = sheet
    return sheets


def select(fields: Spec, permitted: frozenset[str], prefix: str = "") -> Spec:
    """The part of a field tree that is permitted; granting a record grants all that is in it.

    >>> sorted(select({"a": {"at": "A"}, "b": {"at": "B", "record": {"c": {}, "d": {}}}}, frozenset({"b.c"}))["b"]["record"])
    ['c']
    """
    kept: dict[str, Any] = {}
    for name, spec in fields.items():
        dotted = prefix + name
        if "spread" in spec:
            inner = select(spec["spread"], permitted, prefix)
            if inner:
                kept[name] = {**spec, "spread": inner}
        elif dotted in permitted:
            kept[name] = spec
        elif "record" in spec:
            inner = select(spec["record"], permitted, dotted + ".")
            if inner:
                kept[name] = {**spec, "record": inner}
    return kept


class _Compiler:
    """Turns field specs into steps; one per plan, so that history is decided once and not per value."""

    def __init__(self, sheet: Sheet, *, history: bool, since: str | None) -> None:
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
                name, many, inner, _walk_xml if self._sheet.xml else _walk_json, self._keep(spec),
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


def _walk_xml(children: Mapping[str, Step], element: Any, out: Out) -> None:
    for child in element:
        step = children.get(child.tag)
        if step is not None:
            for leaf in step.leaves:
                leaf(child, out)
            if step.children:
                _walk_xml(step.children, child, out)


def _walk_json(children: Mapping[str, Step], value: Any, out: Out) -> None:
    if not isinstance(value, dict):
        return
    for name, step in children.items():
        found = value.get(name)
        for item in found if isinstance(found, list) else (() if found is None else (found,)):
            for leaf in step.leaves:
                leaf(item, out)
            if step.children:
                _walk_json(step.children, item, out)


# --- small helpers ----------------------------------------------------------------------------------------------------


def _starts(document: Any, root: tuple[str, ...], xml: bool) -> Iterator[Any]:
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


def _about_rules(written: list[Spec]) -> Iterator[Spec]:
    for rule in written:
        keys = rule["key"] if isinstance(rule["key"], list) else [rule["key"]]
        for key in keys:
            yield {**rule, "key": key}


def _names(fields: Spec, prefix: str = "") -> Iterator[str]:
    for name, spec in fields.items():
        if "spread" in spec:
            yield from _names(spec["spread"], prefix)
            continue
        yield prefix + name
        if "record" in spec:
            yield from _names(spec["record"], prefix + name + ".")


def _groups(fields: Spec) -> Iterator[str]:
    for spec in fields.values():
        if "group" in spec:
            yield str(spec["group"])
        yield from _groups(spec.get("record") or spec.get("spread") or {})


def _guarded(fields: Spec, prefix: str = "") -> Iterator[tuple[str, Spec]]:
    for name, spec in fields.items():
        if "spread" in spec:
            yield from _guarded(spec["spread"], prefix)
        elif "guard" in spec:
            yield prefix + name, spec
        elif "record" in spec:
            yield from _guarded(spec["record"], prefix + name + ".")


def _drop(out: Any, path: list[str]) -> None:
    for item in out if isinstance(out, list) else [out]:
        if isinstance(item, dict):
            if len(path) == 1:
                item.pop(path[0], None)
            elif path[0] in item:
                _drop(item[path[0]], path[1:])


def _plain(value: Any) -> str:
    return str(value).strip().upper()
