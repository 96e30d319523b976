"""Every case of connectors/kbo/cases, played without a network, and zeep's own reading of the same bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from connectors.kbo.client import CONTRACT, Kbo
from integrator.contract import Send
from integrator.transport.soap import Contract
from tests.contract import cases as played

CASES = played.cases("kbo")
FOUND = [path for path in CASES if path.stem.startswith(("found", "natural", "stopped", "abroad", "current", "over"))]
ROOM = played.ROOT / "connectors" / "kbo"


@pytest.mark.parametrize("path", CASES, ids=[path.stem for path in CASES])
async def test_case(path, with_send: Callable[[Send], Kbo]):
    case = played.load(path)
    send = played.FakeSend.of(case, path.parent)

    told = await played.play(case, with_send(send))

    assert case["expect"] == played.as_expected(case["expect"], told)
    played.check_sent(case, send)


@pytest.fixture(scope="module")
def contract() -> Contract:
    return Contract.load(ROOM / CONTRACT)


def under(name: str, value: Any) -> Iterator[Any]:
    """Everything that zeep found under this name, wherever it stands."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == name and inner is not None:
                yield from inner if isinstance(inner, list) else [inner]
            yield from under(name, inner)
    elif isinstance(value, list):
        for inner in value:
            yield from under(name, inner)


def own(value: Any) -> Any:
    """The enterprise without its establishment units, which have names and statuses too."""
    if isinstance(value, dict):
        return {key: own(inner) for key, inner in value.items() if key != "EstablishmentUnit"}
    return [own(inner) for inner in value] if isinstance(value, list) else value


@pytest.mark.parametrize("path", FOUND, ids=[path.stem for path in FOUND])
async def test_zeep_reads_the_same_names_forms_and_units(path, contract: Contract, with_send: Callable[[Send], Kbo]):
    case = played.load(path)
    case["question"]["history"] = True
    told = (await played.play(case, with_send(played.FakeSend.of(case, path.parent))))["values"]
    zeep = contract.decode("ReadEnterprise", case["answer"]["body"].encode())

    mine = own(zeep)
    names = [text["Value"] for name in under("Denomination", mine) for text in under("Description", name)]
    assert sorted(names) == sorted(
        name["name"] for kind in ("legalName", "abbreviatedName", "commercialName") for name in told.get(kind, ())
    )
    forms = [code for form in under("JuridicalForm", mine) for code in under("Code", form)]
    assert sorted(forms) == sorted(form["type"]["code"] for form in told.get("legalForms", ()))
    units = [number for unit in under("EstablishmentUnit", zeep) for number in under("EstablishmentUnitNumber", unit)]
    assert units == [unit["establishmentUnitNumber"] for unit in told.get("establishmentUnits", ())]
