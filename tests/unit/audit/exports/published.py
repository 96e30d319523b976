"""Holds what we export against what others published (published.yaml): nothing missing, nothing unknown, nothing odd."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

PUBLISHED = yaml.safe_load(Path(__file__).with_name("published.yaml").read_text())
_TYPES = {
    "text": r".+", "any_text": r".*", "hex32": r"(?!0{32})[0-9a-f]{32}", "hex16": r"(?!0{16})[0-9a-f]{16}", "peer": r".{1,20}",
    "time": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z",
}  # fmt: skip


def faults(value: Any, rule: Any, path: str = "") -> list[str]:
    """What is wrong, in paths: [] = as published."""
    if rule == "any":
        return []
    if rule == "integer":
        return [] if type(value) is int and value >= 0 else [f"{path}: no whole number"]
    if isinstance(rule, str):
        return [] if isinstance(value, str) and re.fullmatch(_TYPES[rule], value, re.S) else [f"{path}: no {rule}"]
    if isinstance(rule, list) and isinstance(rule[0], list):
        if not isinstance(value, list):
            return [f"{path}: no list"]
        return [fault for number, one in enumerate(value) for fault in faults(one, rule[0][0], f"{path}[{number}]")]
    if isinstance(rule, list):
        return [] if value in rule else [f"{path}: not one of {rule}"]
    return _members(value, rule, path)


def _members(value: Any, rule: dict[str, Any], path: str) -> list[str]:
    if not isinstance(value, dict):
        return [f"{path}: no object"]
    rules = {name.rstrip("!"): one for name, one in rule.items()}
    missing = [f"{path}.{name[:-1]}: missing" for name in rule if name.endswith("!") and name[:-1] not in value]
    unknown = [f"{path}.{name}: not published" for name in value if name not in rules and "*" not in rules]
    return (
        missing
        + unknown
        + [fault for name in value if name in rules for fault in faults(value[name], rules[name], f"{path}.{name}")]
    )
