"""Whether somebody was really there: card numbers and personal data held against what the register knows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from lxml import etree

from mock_sources.soap import child_texts
from mock_sources.sources.identity_cards import identity_card
from mock_sources.sources.ksz.spelling import host
from mock_sources.world.facts import Person


@dataclass(frozen=True, slots=True)
class PersonData:
    """What the caller says about somebody."""

    last: str
    first: str | None
    middle: str | None
    birth_date: str

    def matches(self, person: Person) -> bool:
        """Compare as the host does: exactly, but in capitals without accents; absent names match any."""
        name = person.name
        given = (*name.first, "", "")
        return (
            host(self.last) == host(" ".join(name.last))
            and (self.first is None or host(self.first) in (host(given[0]), host(" ".join(name.first))))
            and (self.middle is None or host(self.middle) == host(given[1]))
            and self.birth_date == person.birth_date
        )


@dataclass(frozen=True, slots=True)
class Evidence:
    """VerificationData of IdentifyPerson and ProofOfAuthentication of ManageAccess: the same three parts."""

    sis_card: str | None
    identity_card: str | None
    data: PersonData | None

    def card_matches(self, person: Person, today: date) -> bool:
        """Say whether the identity card is this person's, and the one that is valid today."""
        card = identity_card(person, today)
        return card is not None and card.number == self.identity_card

    def holds(self, person: Person, today: date) -> bool:
        """Say whether one part at least proves the identity; a SIS card proves nothing since 2014."""
        return self.card_matches(person, today) or (self.data is not None and self.data.matches(person))


def evidence(element: etree._Element | None) -> Evidence:
    """Read the three parts; all None when the element is absent."""
    if element is None:
        return Evidence(None, None, None)
    sis, card = child_texts(element, ("SISCardNumber", "IdentityCardNumber"))
    found = next((child for child in element if etree.QName(child).localname == "PersonData"), None)
    if found is None:
        return Evidence(sis, card, None)
    last, first, middle, born = child_texts(found, ("LastName", "FirstName", "MiddleName", "BirthDate"))
    return Evidence(sis, card, PersonData(last or "", first, middle, born or ""))
