"""The code lists of DIV with their Dutch texts, read once from labels.yaml."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

_LISTS: dict[str, dict[str, str]] = yaml.safe_load(Path(__file__).with_name("labels.yaml").read_text("utf-8"))


def coded(code_list: str, code: str) -> dict[str, Any]:
    """A code as DIV writes it; without description when the list does not know the code.

    >>> coded("plateType", "NM")
    {'code': 'NM', 'description': 'Normaal'}
    >>> coded("plateType", "??")
    {'code': '??'}
    """
    text = label(code_list, code)
    return {"code": code} if text is None else {"code": code, "description": text}


def label(code_list: str, code: str) -> str | None:
    """The text of a code, or None when the list does not know it."""
    return _LISTS[code_list].get(code)
