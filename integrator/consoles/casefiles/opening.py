"""The office of a hub that runs: over the consoles' desk, database and vault, under the purposes in force."""

from __future__ import annotations

from collections.abc import Mapping

from integrator.consoles.casefiles.cabinet import Cabinet
from integrator.consoles.casefiles.guard import Guard
from integrator.consoles.casefiles.office import Office
from integrator.consoles.casefiles.papers import Bundle
from integrator.consoles.disclosing import Purpose
from integrator.consoles.web import Consoles


def open_office(consoles: Consoles, purposes: Mapping[str, Purpose], bundle: Bundle | None) -> Office:
    """The office; pages find it as `consoles.extras["casefiles"]`."""
    guard = Guard(purposes.values(), lambda: int(consoles.now() * 1_000_000))
    office = Office(
        consoles.desk, Cabinet(consoles.database, consoles.vault), guard, consoles.book, consoles.now, bundle
    )
    consoles.extras["casefiles"] = office
    return office
