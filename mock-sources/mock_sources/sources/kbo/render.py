"""An enterprise and its establishment units as XML, with the privacy rules of the public service.

Natural persons: the home address is never shown. The oldest active establishment unit stands in for it (OBAD),
without one the privacy text does. Who had the data hidden gets the privacy text in any case, and a unit that is at
home is hidden with it.
"""

from __future__ import annotations

import zlib

from mock_sources.sources.kbo import words
from mock_sources.world import World
from mock_sources.world.facts import Activity, Address, Enterprise, Establishment, Situation

_NATURAL = "1"
_NACE = "2025"
_MANAGER = "10006"  # zaakvoerder / gérant


def enterprise(world: World, facts: Enterprise, language: str, over: bool = False) -> str:
    """The public record; `over` adds what the register holds but this service must not give."""
    homes = _every_home(world, facts, language) if over else ""
    return (
        f"<dat:Enterprise>{_head(facts, language)}"
        f"{''.join(_situation(one, language) for one in facts.situations)}"
        f"{''.join(_form(one.code, one.start, one.end, language) for one in facts.legal_forms)}"
        f"{''.join(map(words.denomination, facts.names))}"
        f"{_addresses(world, facts, language)}{homes}"
        f"{''.join(_activity(one, language) for one in facts.activities)}"
        f"{''.join(unit(world, one, facts, language) for one in facts.establishments)}"
        f"{_withheld(facts) if over else ''}</dat:Enterprise>"
    )


def summary(facts: Enterprise, language: str) -> str:
    """One line of a search result: number, kind, status and names."""
    return f"<dat:Enterprise>{_head(facts, language)}{''.join(map(words.denomination, facts.names))}</dat:Enterprise>"


def unit(world: World, facts: Establishment, owner: Enterprise | None, language: str) -> str:
    """One establishment unit; its address is withheld where it is a home that had to be hidden."""
    span = words.validity(facts.start, facts.end)
    if owner is not None and _is_hidden_home(world, facts.address, owner):
        place = words.private_address("BAET", language)
    else:
        place = words.address(world, "BAET", facts.address, span, language)
    ended = "" if facts.end is None else words.text("EndDate", words.day(facts.end))
    return (
        f"<dat:EstablishmentUnit>{words.text('EstablishmentUnitNumber', facts.number)}"
        f"{words.text('EnterpriseNumber', facts.enterprise)}"
        f"<dat:Status>{words.coded('Status', facts.status, language)}</dat:Status>"
        f"{words.text('StartDate', words.day(facts.start))}{ended}"
        f"{''.join(map(words.denomination, facts.names))}{place}</dat:EstablishmentUnit>"
    )


def _head(facts: Enterprise, language: str) -> str:
    heir = "" if facts.replaced_by is None else words.text("ReplacedBy", facts.replaced_by)
    closed = "" if facts.close is None else words.text("CloseDate", words.day(facts.close))
    return (
        f"{words.text('EnterpriseNumber', facts.number)}{heir}"
        f"<dat:TypeOfEnterprise>{words.coded('TypeOfEnterprise', facts.kind, language)}</dat:TypeOfEnterprise>"
        f"<dat:Status>{words.coded('Status', facts.status, language)}</dat:Status>"
        f"{words.text('StartDate', words.day(facts.start))}{closed}"
    )


def _situation(one: Situation, language: str) -> str:
    code = words.coded("JuridicalSituation", one.code, language)
    number, _, described = code.partition("</dat:Code>")
    status = f"<dat:Status>{words.coded('Status', one.status, language)}</dat:Status>"
    span = words.validity(one.start, one.end)
    return f"<dat:JuridicalSituation>{number}</dat:Code>{status}{described}{span}</dat:JuridicalSituation>"


def _form(code: str, start: str, end: str | None, language: str) -> str:
    shown = words.coded("JuridicalForm", code, language)
    return f"<dat:JuridicalForm>{shown}{words.validity(start, end)}</dat:JuridicalForm>"


def _activity(one: Activity, language: str) -> str:
    return (
        f"<dat:Activity><dat:ActivityGroup>{words.coded('ActivityGroup', one.group, language)}</dat:ActivityGroup>"
        f"{words.text('NaceVersion', _NACE)}{words.text('NaceCode', one.nace)}"
        f"<dat:Classification>{words.coded('Classification', one.kind, language)}</dat:Classification>"
        f"{words.validity(one.start, one.end)}</dat:Activity>"
    )


def _addresses(world: World, facts: Enterprise, language: str) -> str:
    if facts.kind != _NATURAL:
        return words.private_address("REGO", language) if facts.private_hidden else _seats(world, facts, language)
    oldest = _oldest_active(facts)
    hidden = words.private_address("REGO", language) if facts.private_hidden or oldest is None else ""
    if oldest is None or _is_hidden_home(world, oldest.address, facts):
        return hidden
    return hidden + words.address(world, "OBAD", oldest.address, words.validity(oldest.start, None), language)


def _oldest_active(facts: Enterprise) -> Establishment | None:
    active = [one for one in facts.establishments if one.status == "AC" and one.end is None]
    return min(active, key=lambda one: one.start, default=None)


def _is_hidden_home(world: World, place: Address, owner: Enterprise) -> bool:
    """Whether this is where the owner lives, of an enterprise whose private data are hidden."""
    return owner.private_hidden and place in _homes(world, owner)


def _homes(world: World, facts: Enterprise) -> list[Address]:
    """The seat, and where the person behind a natural person's enterprise is registered."""
    owner = None if facts.owner_ssin is None else world.person(facts.owner_ssin)
    homes = [one.address for one in facts.addresses if one.kind == "REGO"]
    return homes if owner is None or owner.address is None else [*homes, owner.address]


def _seats(world: World, facts: Enterprise, language: str) -> str:
    return "".join(
        words.address(world, one.kind, one.address, words.validity(one.start, one.end), language)
        for one in facts.addresses
    )


def _every_home(world: World, facts: Enterprise, language: str) -> str:
    """The addresses that the public record keeps back, as the register has them."""
    span = words.validity(facts.start, facts.close)
    return "".join(words.address(world, "REGO", one, span, language) for one in _homes(world, facts))


def _withheld(facts: Enterprise) -> str:
    """Who runs it, how to call it, where its money is; nothing of this is public."""
    held = "" if facts.owner_ssin is None else words.text("HeldByPerson", facts.owner_ssin)
    function = held and f"<dat:Function>{words.text('Code', _MANAGER)}{held}</dat:Function>"
    contact = words.text("Type", "TEL") + words.text("Value", "+3225550100")
    account = words.text("BankAccount", f"BE{zlib.crc32(facts.number.encode()):014d}")
    return f"{function}<dat:ContactInformation>{contact}</dat:ContactInformation>{account}"
