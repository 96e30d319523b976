"""The three operations: read an enterprise, read an establishment unit, find enterprises by name.

A number that is not in the register is a SOAP fault (users of the service know errors as `faultstring`);
a search without hits is an answer with nothing in it.
"""

from __future__ import annotations

from lxml import etree

from mock_sources.memo import Memo
from mock_sources.soap import SoapFault
from mock_sources.sources.kbo import render
from mock_sources.sources.kbo.names import FIND, MESSAGES, READ_ENTERPRISE
from mock_sources.world import World
from mock_sources.world.facts import Enterprise, Establishment

_MAXIMUM = 25
_REMEMBERED = 4096
_THROTTLED = (
    "<mes:Uitzonderingen><mes:Uitzondering><mes:Identificatie>99996</mes:Identificatie>"
    "<mes:Oorsprong>MAGDA</mes:Oorsprong><mes:Type>FOUT</mes:Type>"
    "<mes:Diagnose>Te veel gelijktijdige bevragingen</mes:Diagnose></mes:Uitzondering></mes:Uitzonderingen>"
)


class Operations:
    """Answers valid questions from the world."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._decoys: tuple[Enterprise, ...] | None = None
        self._records: Memo[str | None] = Memo(_REMEMBERED, lambda: world.today)

    def answer(self, question: etree._Element, language: str, fault: str | None) -> str:
        """The reply element, without namespace declarations; raises SoapFault for a number that does not exist."""
        if fault == "throttled":
            name = etree.QName(question).localname.replace("Request", "Response")
            return f"<mes:{name}>{_THROTTLED}</mes:{name}>"
        if question.tag == READ_ENTERPRISE:
            return self._enterprise(value(question, "EnterpriseNumber"), language, fault)
        if question.tag == FIND:
            return self._find(question, language, fault)
        return self._unit(value(question, "EstablishmentUnitNumber"), language, fault)

    def _enterprise(self, number: str, language: str, fault: str | None) -> str:
        key = _checked(number), language, fault
        record = self._records.get(key, lambda: self._record(number, language, fault))
        if record is None:
            raise _refused("EnterpriseNotFound", "No enterprise has this number.")
        return f"<mes:ReadEnterpriseResponse>{record}</mes:ReadEnterpriseResponse>"

    def _record(self, number: str, language: str, fault: str | None) -> str | None:
        found = self._world.enterprise(number)
        if found is not None and fault == "wrong_subject":
            found = self._decoy(number)
        over = fault == "over_delivery"
        return None if found is None else render.enterprise(self._world, found, language, over=over)

    def _unit(self, number: str, language: str, fault: str | None) -> str:
        found = self._world.establishment(_checked(number))
        if found is None:
            raise _refused("EstablishmentUnitNotFound", "No establishment unit has this number.")
        if fault == "wrong_subject":
            found = self._decoy_unit(found)
        owner = self._world.enterprise(found.enterprise)
        record = render.unit(self._world, found, owner, language)
        return f"<mes:ReadEstablishmentUnitResponse>{record}</mes:ReadEstablishmentUnitResponse>"

    def _find(self, question: etree._Element, language: str, fault: str | None) -> str:
        maximum = int(value(question, "MaximumNumberOfResults") or _MAXIMUM)
        found = self._world.enterprises_named(value(question, "Name").strip(), maximum + 1)
        shown = [self._decoy(found[0].number)] if found and fault == "wrong_subject" else found[:maximum]
        if fault == "over_delivery":
            records = [render.enterprise(self._world, one, language, over=True) for one in shown]
        else:
            records = [render.summary(one, language) for one in shown]
        cut = "true" if len(found) > maximum else "false"
        inside = f"<mes:MoreResults>{cut}</mes:MoreResults>{''.join(records)}"
        return f"<mes:FindByEnterpriseNameResponse>{inside}</mes:FindByEnterpriseNameResponse>"

    def _decoy(self, number: str) -> Enterprise:
        """Another enterprise, active and well formed."""
        if self._decoys is None:
            numbers = [one.enterprise for one in self._world.personas.values() if one.enterprise]
            known = [self._world.enterprise(one) for one in numbers]
            self._decoys = tuple(one for one in known if one is not None and one.status == "AC")
        return next(one for one in self._decoys if one.number != number)

    def _decoy_unit(self, asked: Establishment) -> Establishment:
        """A unit of another enterprise; the asked one under another number where no decoy has units."""
        self._decoy(asked.enterprise)
        units = [unit for one in self._decoys or () if one.number != asked.enterprise for unit in one.establishments]
        return units[0]


def value(parent: etree._Element, name: str) -> str:
    """The text of a child of a valid element, "" where absent; a comment inside it is no part of the text."""
    child = parent.find(f"{{*}}{name}")
    return "" if child is None else "".join((child.text or "", *(inner.tail or "" for inner in child)))


def _checked(number: str) -> str:
    """The number, when its check digits hold: the last two are 97 minus the rest modulo 97."""
    if int(number[8:]) != 97 - int(number[:8]) % 97:
        raise _refused("InvalidNumber", "The check digits of the number do not hold.")
    return number


def _refused(code: str, text: str) -> SoapFault:
    inside = f'<mes:ServiceFault xmlns:mes="{MESSAGES}"><mes:Code>{code}</mes:Code></mes:ServiceFault>'
    return SoapFault("Client", text, inside)
