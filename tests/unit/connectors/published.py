"""The published contracts, where they lie beside the project; tests that need them are skipped where they do not."""

from __future__ import annotations

from pathlib import Path

import pytest
from lxml import etree

CBSS = Path(__file__).resolve().parents[3].parent / "shared" / "contracts" / "cbss"
needed = pytest.mark.skipif(not CBSS.is_dir(), reason="the published contracts are not beside this project")


def schema(*imports: tuple[str, str]) -> etree.XMLSchema:
    """One schema of several namespaces: (namespace, path below contracts/cbss)."""
    lines = (
        f'<xs:import namespace="{namespace}" schemaLocation="{(CBSS / path).as_uri()}"/>' for namespace, path in imports
    )
    driver = f'<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">{"".join(lines)}</xs:schema>'
    return etree.XMLSchema(etree.fromstring(driver))


def errors(found: etree.XMLSchema, element: etree._Element) -> list[str]:
    found.validate(element)
    return [entry.message for entry in found.error_log]


def sixty_months_younger(rendered: bytes, ssin: str) -> bytes:
    """Published schemas know no test numbers (month 61–72): take the sixty off."""
    return rendered.replace(ssin.encode(), f"{ssin[:2]}{int(ssin[2:4]) - 60:02d}{ssin[4:]}".encode())
