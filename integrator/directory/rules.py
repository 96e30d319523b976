"""Which sector registers in which quality: config/directory.yaml, read. Data decide, this only looks them up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from integrator.places import read_yaml


@dataclass(frozen=True, slots=True)
class Rules:
    """Qualities by sector, and the sector of each organisation."""

    qualities: Mapping[str, frozenset[str]]  # sector -> codes; "*" = of every sector
    sectors: Mapping[str, str]  # enterprise number -> sector

    def allows(self, organisation: str, quality: str) -> bool:
        """Whether this organisation may say that it knows somebody in this quality. Nobody unknown may."""
        sector = self.sectors.get(organisation)
        if sector is None:
            return False
        return quality in self.qualities.get(sector, frozenset()) or quality in self.qualities["*"]


def load_rules(file: Path, organisations: Mapping[str, Any]) -> Rules:
    """From config/directory.yaml and config/organisations.yaml."""
    data = read_yaml(file)
    qualities = {str(sector): frozenset(map(str, codes)) for sector, codes in data["qualities"].items()}
    sectors = {
        str(one["number"]): str(one["sector"]) for one in organisations["organisations"].values() if "sector" in one
    }
    return Rules(qualities, sectors)
