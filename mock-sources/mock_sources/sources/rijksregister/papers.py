"""What somebody carries: TI 191 driving licences, 195 identity card."""

from __future__ import annotations

from mock_sources.sources.identity_cards import identity_card
from mock_sources.sources.rijksregister.page import Page
from mock_sources.sources.rijksregister.parts import coded, group, it, split, text
from mock_sources.world.facts import Licence


def licences(page: Page) -> str:
    """TI 191: one element per category; a withdrawn one stays, with the reason and the day it was forfeited."""
    return group(
        "DrivingLicenses",
        [it("DrivingLicense", "191", "A1", one.since, None, _licence(page, one)) for one in page.person.licences],
    )


def identity_cards(page: Page) -> str:
    """TI 195."""
    card = identity_card(page.person, page.today)
    if card is None:
        return ""
    home = page.person.address
    delivery = f"<r:Delivery>{page.place('Place', home.nis)}</r:Delivery>" if home else ""
    content = (
        f"{page.words.coded('TypeOfCard', 'card', card.kind)}{text('CardNumber', card.number)}{delivery}"
        f"<r:ExpiryDate>{split(card.expires)}</r:ExpiryDate>"
    )
    return group("IdentityCards", [it("IdentityCard", "195", "F1", card.issued, None, content)])


def _licence(page: Page, licence: Licence) -> str:
    home = page.person.address
    place = page.place("Place", home.nis) if home else ""
    return (
        f"{coded('TypeOfLicense', page.words.label('licence', licence.category), licence.category)}"
        f"{text('LicenseNumber', licence.number)}{place}{_forfeiture(page, licence)}"
    )


def _forfeiture(page: Page, licence: Licence) -> str:
    if licence.withdrawn is None:
        return ""
    reason = licence.withdrawn_reason or "01"
    return (
        f"{page.words.coded('ForfeitureReason', 'forfeiture', reason)}"
        f"<r:ForfeitureDate>{split(licence.withdrawn)}</r:ForfeitureDate>"
    )
