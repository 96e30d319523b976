"""From a source's words to canonical words: sheets (mappings/*.yaml) compiled to extraction plans. Data in, value out.

A plan is made for one set of permitted fields. It walks the document once and descends only where a permitted field
(or a fact the hub itself must check) can be: what is not permitted is never read, whatever the source sent along.

    sheet ──select(permitted)──► tree of steps ──one pass──► Extracted(values, facts)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from integrator.errors import ConfigurationError, WrongSubject
from integrator.fixed import fixed
from integrator.mapping_steps import Compiler, Out, Spec, Step, starts, walk_json, walk_xml
from integrator.places import read_yaml

_FACT, _ABOUT, _ITEM = "\x00fact.", "\x00about.", "\x00item"  # slots that never leave this module


@fixed
class Extracted:
    """What a plan took out of one document: canonical values, and facts for the hub's own checks."""

    values: Out
    facts: Mapping[str, Any]
    guarded: tuple[str, ...] = ()  # fields dropped because a fact guards them


class Plan:
    """A sheet compiled for one set of permitted fields; call `extract` with a document and the keys asked."""

    def __init__(
        self, sheet: Sheet, fields: Spec, *, history: bool, since: str | None, wanted: frozenset[str] = frozenset()
    ) -> None:
        self._facts = {name: spec for name, spec in sheet.facts.items() if spec.get("onlyFor") in (None, *wanted)}
        self._sheet = sheet
        self.history = history  # closed records are wanted from the source
        compiler = Compiler(sheet, history=history, since=since)
        self._top = Step()
        compiler.record(self._top, fields)
        compiler.record(self._top, {_FACT + name: spec for name, spec in self._facts.items()})
        compiler.record(self._top, {_ABOUT + rule["key"]: {**rule, "many": True} for rule in sheet.about})
        if sheet.item_path is not None:
            compiler.record(self._top, {_ITEM: {"at": sheet.item_path, "many": True, "read": "present"}})
        self._constants = {name: spec["const"] for name, spec in fields.items() if "const" in spec}
        self._lists = tuple(name for name, spec in fields.items() if spec.get("always"))
        self._guards = tuple((name, spec["guard"]) for name, spec in _guarded(fields))
        self.groups = frozenset(_groups(fields)) | frozenset(_groups(self._facts))
        self._root = sheet.root_path
        self._walk = walk_xml if sheet.xml else walk_json

    def extract(self, document: Any, keys: Mapping[str, Any], *, lifts: frozenset[str] = frozenset()) -> Extracted:
        """Permitted values and facts of one document. Raises `WrongSubject` when it is not about `keys`."""
        out: Out = {}
        for start in starts(document, self._root, self._sheet.xml):
            for leaf in self._top.leaves:
                leaf(start, out)
            self._walk(self._top.children, start, out)
        self._check_about(out, keys)
        facts = {name: out.pop(_FACT + name, None) for name in self._facts}
        out.pop(_ITEM, None)
        if self._constants and out:
            out.update(self._constants)
        for name in self._lists:  # somebody found who has none of these: an empty list says so, no answer would not
            out.setdefault(name, [])
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
        self._plans: dict[tuple[frozenset[str] | None, bool, str | None, frozenset[str]], Plan] = {}

    def path(self, written: str) -> tuple[str, ...]:
        """`r:Names/r:Name` as Clark names; `.` is the element itself."""
        return tuple(self._clark(part) for part in written.split("/") if part not in ("", "."))

    def plan(
        self, permitted: frozenset[str] | None, *, history: bool = False, since: str | None = None, wanted: frozenset[str] = frozenset()
    ) -> Plan:  # fmt: skip
        """The plan for exactly these fields (None = all of them: golden cases only).

        `since`: closed records that ended before this ISO date are skipped (the history depth granted).
        `wanted`: checks whose facts (`onlyFor`) are needed; nobody else's question reads or asks them.
        """
        key = (permitted, history, since, wanted)
        plan = self._plans.get(key)
        if plan is None:
            if len(self._plans) >= 512:  # `since` moves with the calendar; old days must not pile up
                self._plans.clear()
            fields = self.fields if permitted is None else select(self.fields, permitted)
            plan = self._plans[key] = Plan(self, fields, history=history, since=since, wanted=wanted)
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
