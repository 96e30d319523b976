"""Who somebody is: TI 000 number, 010 names, 012 title of nobility, 031 nationality, 100 birth, 150 death."""

from __future__ import annotations

from mock_sources.sources.rijksregister.page import Page
from mock_sources.sources.rijksregister.parts import (
    act_number,
    alone,
    coded,
    dabs_number,
    group,
    it,
    name_xml,
    number_xml,
    text,
)


def number(page: Page) -> str:
    """TI 000. Absent when the sex is not known: the schema has no word for that."""
    if page.person.sex not in ("1", "2"):
        return ""
    return alone(f'<r:NationalNumber Structure="A1" Type="000">{number_xml(page.person)}</r:NationalNumber>')


def names(page: Page) -> str:
    """TI 010, with the earlier names when history is asked."""
    return group(
        "Names", [it("Name", "010", "A1", one.start, one.end, name_xml(one)) for one in page.shown(page.person.names)]
    )


def nobility(page: Page) -> str:
    """TI 012."""
    born = page.person.birth_date
    return group(
        "NobilityTitles",
        [
            it("NobilityTitle", "012", "A1", born, None, coded("NobilityTitle", f"{at:02d}", title))
            for at, title in enumerate(page.person.titles, start=1)
        ],
    )


def nationalities(page: Page) -> str:
    """TI 031."""
    return group(
        "Nationalities",
        [
            it("Nationality", "031", "B1", one.start, one.end, page.words.coded("Nationality", "country", one.code))
            for one in page.shown(page.person.nationalities)
        ],
    )


def birth(page: Page) -> str:
    """TI 100: one element, whatever is asked; a birth has no history."""
    person = page.person
    code, label = person.birth_place
    act = text("ActNumber", act_number("birth", person.ssin)) + dabs_number(person.birth_date, "birth", person.ssin)
    return alone(it("BirthPlace", "100", "A1", person.birth_date, None, act + page.where(code, label)))


def death(page: Page) -> str:
    """TI 150."""
    person = page.person
    if person.death is None:
        return ""
    act = text("ActNumber", act_number("death", person.ssin)) + dabs_number(person.death.date, "death", person.ssin)
    decease = f"<r:Decease>{act}{page.where(person.death.place)}</r:Decease>"
    return group("Deceases", [it("Decease", "150", "A1", person.death.date, None, decease)])


def registers(page: Page) -> str:
    """TI 210."""
    return group(
        "RegistrationRegisters",
        [
            it(
                "RegistrationRegister",
                "210",
                "A1",
                one.start,
                one.end,
                page.words.coded("RegistrationRegister", "register", one.code),
            )
            for one in page.shown(page.person.registers)
        ],
    )


def earlier_number(page: Page) -> str:
    """TI 250: the number that this one replaced."""
    person = page.person
    if person.replaces is None:
        return ""
    number = f"<r:NationalNumber><r:NationalNumber>{person.replaces}</r:NationalNumber></r:NationalNumber>"
    return group("ReferencedFiles", [it("ReferencedFile", "250", "A1", person.birth_date, None, number)])


def bookkeeping(page: Page) -> str:
    """TI 253 and 254: when the file was opened, and when it last changed."""
    person = page.person
    starts = [one.start for one in person.residences] + [one.start for one in person.names]
    starts += [one.start for one in person.civil_states] + [one.start for one in person.nationalities]
    starts += [person.death.date] if person.death else []
    opened, changed = min(starts, default=person.birth_date), max(starts, default=person.birth_date)
    return alone(it("CreationDate", "253", "A1", opened, None, "")) + alone(
        it("LastUpdateDate", "254", "A1", changed, None, "")
    )
