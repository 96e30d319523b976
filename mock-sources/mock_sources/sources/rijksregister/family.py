"""Whom somebody belongs to: TI 110 parents, 114 children, 120 civil status, 123 cohabitation, 140/141 household."""

from __future__ import annotations

from dataclasses import replace

from mock_sources.sources.rijksregister.page import Page
from mock_sources.sources.rijksregister.parts import (
    act_number,
    dabs_number,
    group,
    it,
    name_xml,
    number_xml,
    split,
    text,
)
from mock_sources.world.facts import CivilState, Name, Person

_ACT_DRAWN_UP = ("20", "30", "40", "41", "50", "51")


def parents(page: Page) -> str:
    """TI 110. A parent without a number has a name all the same; the child's is the only one we know."""
    person = page.person
    if not person.parents:
        return ""
    known = "".join(
        f"<r:Parent{at}>{_named(page, ssin, person.name)}</r:Parent{at}>"
        for at, ssin in enumerate(person.parents[:2], start=1)
    )
    act = text("ActNumber", act_number("birth", person.ssin))
    content = page.words.coded("FiliationType", "filiation", "00") + known + act
    return group("Filiations", [it("Filiation", "110", "C1", person.birth_date, None, content)])


def children(page: Page) -> str:
    """TI 114: one element per child, eldest first as the world lists them."""
    found = [child for child in map(page.region.person, page.person.children) if child is not None]
    kind = page.words.coded("FiliationType", "filiation", "00")
    return group(
        "DescendentFiliations",
        [
            it(
                "DescendentFiliation",
                "114",
                "A1",
                child.birth_date,
                None,
                f"{kind}<r:Child>{number_xml(child)}{name_xml(child.name)}</r:Child>",
            )
            for child in found
        ],
    )


def civil_states(page: Page) -> str:
    """TI 120."""
    return group(
        "CivilStates",
        [
            it(
                "CivilState",
                "120",
                "B1" if one.spouse else "A1",
                one.start,
                one.end,
                page.words.coded("CivilState", "civil_state", one.code) + _spouse(page, one) + _act(page, one),
            )
            for one in page.shown(page.person.civil_states)
        ],
    )


def cohabitation(page: Page) -> str:
    """TI 123: a declaration, and when it is over a cessation that is itself the current element."""
    found = page.person.legal_cohabitation
    partner = page.region.person(found.partner) if found and found.partner else None
    if found is None or partner is None:
        return ""
    home = page.person.address
    place = page.place("Place", home.nis if home else "21004")
    declared = (
        f"<r:Declaration><r:RegistrationDate>{split(found.start)}</r:RegistrationDate>"
        f"<r:Partner>{number_xml(partner)}{name_xml(partner.name)}</r:Partner>{place}</r:Declaration>"
    )
    lines = []
    if found.end:
        reason = "<r:Reason><r:Code>02</r:Code><r:Label>Declaration</r:Label></r:Reason>"
        ended = f"<r:Cessation>{reason}{place}</r:Cessation>"
        lines.append(it("LegalCohabitation", "123", "B1", found.end, None, ended))
    if page.history or not found.end:
        lines.append(it("LegalCohabitation", "123", "A1", found.start, found.end, declared))
    return group("LegalCohabitations", lines)


def household(page: Page) -> str:
    """TI 140 for the reference person: every member. TI 141 for a member: the reference person, nobody else."""
    person = page.person
    found = page.region.household(person.household_id) if person.household_id is not None else None
    if found is None or person.position is None or person.death is not None:
        return ""
    housing = "" if found.collective == "00" else page.words.coded("Housing", "housing", found.collective)
    if person.position.role == "reference":
        others = [one for one in found.members if one.ssin != person.ssin]
        lines = [_family_member(page, one.ssin, one.code, one.since, housing) for one in others]
        alone = housing + page.words.coded("FamilyRole", "family_role", "01")
        return group("FamilyMembers", lines or [it("FamilyMember", "140", "A1", person.position.since, None, alone)])
    role = housing + page.words.coded("FamilyRole", "family_role", person.position.code)
    head = role + _numbered(page, found.members[0].ssin)
    return group("HeadOfFamily", [it("HeadOfFamily", "141", "A1", person.position.since, None, head)])


def _family_member(page: Page, ssin: str, code: str, since: str, housing: str) -> str:
    role = housing + page.words.coded("FamilyRole", "family_role", code)
    return it("FamilyMember", "140", "B1", since, None, role + _numbered(page, ssin))


def _spouse(page: Page, state: CivilState) -> str:
    return f"<r:Spouse>{_numbered(page, state.spouse)}</r:Spouse>" if state.spouse else ""


def _act(page: Page, state: CivilState) -> str:
    if state.code not in _ACT_DRAWN_UP:
        return ""
    # Both spouses' files carry the same act: its number is made from the day and the two of them, in one order.
    pair = "/".join(sorted((page.person.ssin, state.spouse or "")))
    home = page.person.address
    where = f"<r:Lieu>{page.where(home.nis)}</r:Lieu>" if home else ""
    return f"{where}{text('ActNumber', act_number(state.start, pair))}{dabs_number(state.start, pair)}"


def _numbered(page: Page, ssin: str) -> str:
    """NationalNumber and Name of somebody; the bare number when the register has no file behind it."""
    person = page.region.person(ssin)
    if person is None:
        return f"<r:NationalNumber><r:NationalNumber>{ssin}</r:NationalNumber></r:NationalNumber>"
    return number_xml(person) + name_xml(person.name)


def _named(page: Page, ssin: str | None, of_child: Name) -> str:
    person: Person | None = page.region.person(ssin) if ssin else None
    if person is None:
        return name_xml(replace(of_child, first=()))
    return number_xml(person) + name_xml(person.name)
