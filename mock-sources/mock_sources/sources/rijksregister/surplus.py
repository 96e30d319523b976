"""Types of information that no question of ours needs; they only travel when the source over-delivers.

TI 070 occupation (repealed 2015), 192 organ donation, 199 passport, 247 contact data.
"""

from __future__ import annotations

from mock_sources.sources.rijksregister.page import Page
from mock_sources.sources.rijksregister.parts import act_number, coded, group, it, text


def occupation(page: Page) -> str:
    """TI 070."""
    content = coded("Occupation", "20928", "Employé(e)") + coded("SocialCategory", "4", "(Sal.)")
    return group("Occupations", [it("Occupation", "070", "A1", "2012-05-01", None, content)])


def organ_donation(page: Page) -> str:
    """TI 192."""
    content = coded("Declaration", "20", "Accord exprès")
    return group("OrganDonations", [it("OrganDonation", "192", "A1", "2014-03-03", None, content)])


def passport(page: Page) -> str:
    """TI 199."""
    number = text("PassportNumber", "EZ" + act_number("passport", page.person.ssin))
    content = (
        "<r:Status><r:Code>0</r:Code></r:Status><r:PassportIdent><r:PassportType><r:Code>0</r:Code></r:PassportType>"
        f"{number}</r:PassportIdent><r:Issuer>{page.place('Place', '21004')}</r:Issuer>"
    )
    return group("Passports", [it("Passport", "199", "C1", "2022-01-31", None, content)])


def contact_data(page: Page) -> str:
    """TI 247."""
    contacts = "<r:Contacts><r:MobileNumber>+32470000000</r:MobileNumber></r:Contacts>"
    return group("ContactsData", [it("ContactData", "247", "A1", "2023-06-01", None, contacts)])


GROUPS = (occupation, organ_donation, passport, contact_data)
