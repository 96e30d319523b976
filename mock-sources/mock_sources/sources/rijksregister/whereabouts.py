"""Where somebody lives: TI 001 keeper of the file, 020 address, 022 abroad, 024 reference address, 026 absence,
207 centre in charge, 252 not communicable.

With a death the last residence closes on that day, and TI 001 says so.
"""

from __future__ import annotations

from dataclasses import replace

from mock_sources.sources.rijksregister.page import Page
from mock_sources.sources.rijksregister.parts import alone, coded, group, in_language, it, split, text
from mock_sources.world.facts import Address, Residence

_ELSEWHERE = {"abroad": "992", "struck_off": "99991", "absent": "99996", "lost_right": "99997"}
_DECEASED = "99990"
_WAITING = ("5", "6")


def keeper(page: Page) -> str:
    """TI 001: the municipality that keeps the file, or the code that says why none does."""
    person = page.person
    language = "1" if person.language == "fr" else "2"
    lines: list[tuple[str, str, str | None]] = []
    if person.death:
        lines.append((_DECEASED, person.death.date, None))
    for one in _residences(page):
        code = _ELSEWHERE.get(one.kind) or (one.address.nis if one.address else "")
        if code and lines and lines[-1][0] == code and lines[-1][1] == one.end:
            lines[-1] = (code, one.start, lines[-1][2])
        elif code:
            lines.append((code, one.start, one.end))
    tail = f"<r:Fusion>0</r:Fusion><r:Language>{language}</r:Language>"
    return group(
        "FileOwner",
        [
            it("Residences", "001", "A1", start, end, coded("Residence", code, _place(page, code)) + tail)
            for code, start, end in lines
            if page.history or end is None
        ],
    )


def addresses(page: Page) -> str:
    """TI 020. Nobody abroad, struck off or dead has a current one."""
    return group(
        "LegalMainAddresses",
        [
            it("LegalMainAddress", "020", "A1", one.start, one.end, _structured(page, one.address))
            for one in page.shown(_residences(page))
            if one.address is not None and one.kind != "temporary"
        ],
    )


def abroad(page: Page) -> str:
    """TI 022: the post that keeps the file, and an address that is only text."""
    return group(
        "ResidenceAbroad",
        [
            it("ResidenceAbroad", "022", "B1", one.start, one.end, _abroad(page, one))
            for one in page.shown(_residences(page))
            if one.kind == "abroad" and one.country
        ],
    )


def reference_address(page: Page) -> str:
    """TI 024: says of the address in TI 020 that somebody is registered there without living there."""
    return group(
        "AddressReferences",
        [
            it("AddressReference", "024", "A1", one.start, one.end, "")
            for one in page.shown(_residences(page))
            if one.kind == "reference"
        ],
    )


def absences(page: Page) -> str:
    """TI 026."""
    return group(
        "TemporaryAbsences",
        [
            it("TemporaryAbsence", "026", "A1", one.start, one.end, text("Graphic1", one.text) if one.text else "")
            for one in page.shown(_residences(page))
            if one.kind == "temporary"
        ],
    )


def in_charge(page: Page) -> str:
    """TI 207: for people in the waiting register, the municipality whose CPAS helps them."""
    waiting = [one for one in page.shown(page.person.registers) if one.code in _WAITING]
    home = page.person.address
    if not waiting or home is None:
        return ""
    centre = f"<r:SocialWelfare>{page.place('Place', home.nis)}</r:SocialWelfare>"
    return group("OrganizationsInCharge", [it("OrganizationInCharge", "207", "A1", waiting[0].start, None, centre)])


def not_communicable(page: Page) -> str:
    """TI 252: the address is in the file, and may not be passed on between these two dates."""
    residence = page.person.residence
    if not page.person.not_communicable or residence is None:
        return ""
    until = f"{page.today.year + 2}-12-31"
    between = f"<r:StartDate>{split(residence.start)}</r:StartDate><r:EndDate>{split(until)}</r:EndDate>"
    return alone(it("NotCommunicable", "252", "A1", residence.start, None, between))


def _residences(page: Page) -> list[Residence]:
    person = page.person
    if person.death is None:
        return list(person.residences)
    return [one if one.end else replace(one, end=person.death.date) for one in person.residences]


def _place(page: Page, code: str) -> str:
    known = page.region.municipality(code)
    return in_language(known.names, page.words.language) if known else page.words.label("whereabouts", code)


def _structured(page: Page, address: Address) -> str:
    street = address.street
    label = in_language(street.names, page.words.language)
    box = text("Box", address.box) if address.box else ""
    return (
        f"<r:Address><r:ZipCode>{street.postcode}</r:ZipCode>"
        f"{coded('Street', street.postcode + street.rrn_code, label)}"
        f"{text('HouseNumber', address.number)}{box}</r:Address>"
    )


def _abroad(page: Page, residence: Residence) -> str:
    country = residence.country or ""
    posts = page.words.lists["diplomatic_post"]
    post = posts.get(country, posts["default"])
    free = text("Graphic1", residence.text) if residence.text else ""
    return (
        f"<r:Address><r:PosteDiplomatique><r:Code>{post}</r:Code></r:PosteDiplomatique>"
        f"<r:Territory><r:Code>{country}</r:Code></r:Territory>"
        f"<r:Address>{page.words.coded('Country', 'country', country)}{free}</r:Address></r:Address>"
    )
