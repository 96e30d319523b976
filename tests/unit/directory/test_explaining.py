"""What alerts ask the directory: did this organisation keep a file about this person on that day, whatever for."""

from __future__ import annotations

from integrator.alerting import registered_in
from integrator.directory import Directory
from tests.unit.directory.kit import ANN, BEA, CENTRE, TOWN, day, key, period


async def test_a_file_explains_looks_of_its_days_by_its_organisation_and_no_others(directory: Directory) -> None:
    await directory.register(key(ANN), period("03-01", "06-30"))
    registered = registered_in(directory)

    asked = [(CENTRE, ANN, "03-01"), (CENTRE, ANN, "07-01"), (TOWN, ANN, "03-01"), (CENTRE, BEA, "03-01")]

    assert [True, False, False, False] == [registered(org, number, day(then)) for org, number, then in asked]


async def test_a_number_that_was_replaced_leads_to_the_same_file(directory: Directory) -> None:
    await directory.register(key(ANN), period("03-01"))
    await directory.replaced(ANN, BEA)

    assert registered_in(directory)(CENTRE, BEA, day("04-01"))
