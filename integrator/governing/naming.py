"""Names as people know them, for sentences about texts; a code that has no name stays as it is written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from integrator.policy import Purpose
from integrator.policy.telling import Naming
from integrator.services import Service


def naming(
    purposes: Mapping[str, Purpose], services: Mapping[str, Service], organisations: Mapping[str, Any]
) -> Naming:
    names = {one["number"]: one["names"] for one in organisations["organisations"].values()}

    def name(kind: str, code: str, language: str) -> str:
        if kind == "organisation" and code in names:
            return str(names[code][language])
        if kind == "purpose" and code in purposes:
            return f"{purposes[code].title.in_(language)} ({code})"
        if kind == "service" and code in services:
            return f"{services[code].title.in_(language)} ({code})"
        return code

    return name
