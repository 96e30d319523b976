"""What the sources can know: people, homes, vehicles, enterprises, parking cards. Values only, no behaviour.

Every date is text, `YYYY-MM-DD`. A register may not know the day or the month: then it reads `00` (`1961-00-00`).
Histories are tuples, newest first. Codes are the source's own (Rijksregister, KBO, DIV), kept as text.
"""
from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Names:
    """One thing in the languages of the Region; German only where it exists."""

    nl: str
    fr: str
    de: str | None = None


# --- places -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Municipality:
    nis: str  # 21001 … 21019
    names: Names
    postcodes: tuple[str, ...]
    language_split: int = 15  # households out of 100 registered in Dutch


@dataclass(frozen=True, slots=True)
class Street:
    id: int  # BeSt objectIdentifier
    rrn_code: str  # four digits, the Rijksregister's own number for this street within the municipality
    nis: str
    postcode: str
    names: Names


@dataclass(frozen=True, slots=True)
class Address:
    id: int  # BeSt objectIdentifier
    street: Street
    number: str
    box: str | None = None
    status: str = "current"  # current | retired
    officially_assigned: bool = True
    x: float = 0.0  # Lambert 72, metres; (0, 0) = never positioned
    y: float = 0.0

    @property
    def postcode(self) -> str:
        return self.street.postcode

    @property
    def nis(self) -> str:
        return self.street.nis

    @property
    def positioned(self) -> bool:
        return (self.x, self.y) != (0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Residence:
    """Where somebody lived from `start` to `end`; without an address it says why (`kind`) and where (`country`)."""

    kind: str  # main | abroad | struck_off | absent | lost_right | reference | temporary
    address: Address | None
    country: str | None  # NIS country code when abroad (111 = France)
    text: str | None  # free text, when the address abroad is only known as text
    start: str
    end: str | None = None


# --- people -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Name:
    last: tuple[str, ...]
    first: tuple[str, ...]  # may be empty: some people have one name only
    start: str
    end: str | None = None


@dataclass(frozen=True, slots=True)
class Coded:
    """A code that held from `start` to `end`: nationality, register, legal form, status …"""

    code: str
    start: str
    end: str | None = None


@dataclass(frozen=True, slots=True)
class CivilState:
    code: str  # IT120: 10 single, 20 married, 30 widowed, 40 divorced …
    start: str
    end: str | None = None
    spouse: str | None = None  # national number, when known


@dataclass(frozen=True, slots=True)
class LegalCohabitation:
    partner: str | None
    start: str
    end: str | None = None


@dataclass(frozen=True, slots=True)
class Licence:
    category: str
    since: str
    number: str
    withdrawn: str | None = None  # date
    withdrawn_reason: str | None = None


@dataclass(frozen=True, slots=True)
class Position:
    """Place in the household: `reference` = IT140 (lists the members), `member` = IT141 (points to the reference)."""

    role: str  # reference | member
    code: str  # 01 reference, 02 spouse, 03 child, 12 not related, 22 legal cohabitant …
    since: str


@dataclass(frozen=True, slots=True)
class Death:
    date: str
    place: str  # NIS code of municipality or country


@dataclass(frozen=True, slots=True)
class LivingWage:
    cpas_cbe: str  # KBO number of the OCMW/CPAS that pays
    start: str
    end: str | None
    category: str  # 1 cohabiting, 2 single, 3 with family to support


@dataclass(frozen=True, slots=True)
class Integration:
    """A line of the KSZ reference directory: this institution keeps a file about the person, in this quality."""

    sector: int
    institution: int
    quality: int
    start: str
    end: str | None = None


# Names of harmonised social statuses this world knows; `Person.statuses` is a subset.
SOCIAL_STATUSES = (
    "increasedReimbursement",  # verhoogde tegemoetkoming / intervention majorée
    "livingWage",  # leefloon / revenu d'intégration
    "equivalentLivingWage",
    "incomeGuaranteeElderly",  # IGO / GRAPA
    "disabilityAllowance",  # inkomensvervangende tegemoetkoming / allocation de remplacement de revenus
    "disabilityRecognition",  # erkenning FOD / reconnaissance SPF
    "heatingAllowance",
)


@dataclass(frozen=True, slots=True)
class Person:
    ssin: str
    register: str  # which register answers: RR | BIS | RAD
    sex: str  # 1 male, 2 female, 0 unknown
    birth_date: str
    birth_place: tuple[str, str]  # (NIS code of municipality or country, label)
    names: tuple[Name, ...]
    nationalities: tuple[Coded, ...]
    civil_states: tuple[CivilState, ...]
    residences: tuple[Residence, ...]
    registers: tuple[Coded, ...]  # IT210: 1 foreigners, 2 population, 5 waiting …
    legal_cohabitation: LegalCohabitation | None = None
    not_communicable: bool = False
    death: Death | None = None
    licences: tuple[Licence, ...] = ()
    household_id: int | None = None
    position: Position | None = None
    parents: tuple[str | None, ...] = ()  # known parents; None = a parent without number
    children: tuple[str, ...] = ()
    language: str = "fr"  # nl | fr | de
    replaced_by: str | None = None
    replaces: str | None = None
    titles: tuple[str, ...] = ()
    living_wage: tuple[LivingWage, ...] = ()
    statuses: frozenset[str] = frozenset()
    integrations: tuple[Integration, ...] = ()

    @property
    def name(self) -> Name:
        return self.names[0]

    @property
    def residence(self) -> Residence | None:
        """The newest residence when it still holds."""
        return self.residences[0] if self.residences and self.residences[0].end is None else None

    @property
    def address(self) -> Address | None:
        """Where the person is registered today; None when abroad, struck off, deceased or unknown."""
        current = self.residence
        return current.address if current and self.death is None else None


@dataclass(frozen=True, slots=True)
class Member:
    ssin: str
    code: str
    since: str


@dataclass(frozen=True, slots=True)
class Household:
    id: int
    address: Address | None
    collective: str  # 00 ordinary, 01 care housing ("zorgwonen"), 05 community
    members: tuple[Member, ...]  # reference person first


# --- vehicles and cards -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Holder:
    """The titular of a registration: a person or an enterprise, never both."""

    ssin: str | None = None
    cbe: str | None = None


@dataclass(frozen=True, slots=True)
class Vehicle:
    plate: str  # without punctuation
    plate_type: str  # NM normal …
    vin: str
    unifier: str  # VINs are not unique: VIN + unifier is the key
    holder: Holder
    driver: str | None  # national number, when the holder is not who drives
    lease: bool
    make: str
    model: str
    category: str  # M1 car, N1 van, L3e motorbike …
    first_registration: str
    registered_since: str  # this plate, this holder
    status: str = "REG"  # REG | deregistered
    deregistered_on: str | None = None
    fuel: str = "10"
    mass: int = 1300  # kg in running order
    colour: str = "8"
    previous_plates: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Card:
    """A resident's parking card: one plate, one address."""

    plate: str
    address: Address
    holder: str | None  # national number; None for a company's card
    start: str
    end: str
    status: str = "A"  # A active, S suspended, X cancelled
    kind: str = "R"  # R resident, C car sharing, P professional


# --- enterprises ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Denomination:
    text: str
    language: str  # 1 fr, 2 nl, 3 de, 4 en (KBO)
    code: str  # 001 name, 002 abbreviation, 003 commercial name
    start: str
    end: str | None = None


@dataclass(frozen=True, slots=True)
class Situation:
    """Legal situation (rechtstoestand): 000 normal, 012 dissolution/liquidation …"""

    code: str
    start: str
    end: str | None = None
    status: str = "AC"


@dataclass(frozen=True, slots=True)
class PlacedAt:
    """An address of an enterprise: REGO seat, BAET establishment, ABBR branch, OBAD oldest active establishment."""

    kind: str
    address: Address
    start: str
    end: str | None = None


@dataclass(frozen=True, slots=True)
class Activity:
    nace: str  # Nacebel 2025
    kind: str  # MAIN | SECO | ANCI
    group: str  # 001 VAT, 003 activities, 006 NSSO
    start: str
    end: str | None = None


@dataclass(frozen=True, slots=True)
class Establishment:
    number: str  # [2-8]\\d{9}
    enterprise: str
    names: tuple[Denomination, ...]
    address: Address
    start: str
    end: str | None = None
    status: str = "AC"


@dataclass(frozen=True, slots=True)
class Enterprise:
    number: str
    kind: str  # 1 natural person, 2 legal person
    status: str  # AC active, ST stopped, AN annulled
    names: tuple[Denomination, ...]
    legal_forms: tuple[Coded, ...]
    situations: tuple[Situation, ...]
    addresses: tuple[PlacedAt, ...]
    establishments: tuple[Establishment, ...]
    start: str
    close: str | None = None
    owner_ssin: str | None = None
    activities: tuple[Activity, ...] = ()
    private_hidden: bool = False  # home address and such are withheld from the public
    replaced_by: str | None = None


# --- personas ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Persona:
    """A named case. `ssin`, `plate`, `enterprise` say what to ask; `person` is None for somebody no source knows."""

    slug: str
    title: Names
    title_en: str
    why: str  # which software breaks here, and how
    ssin: str | None
    plate: str | None
    enterprise: str | None
    tags: tuple[str, ...]
    person: Person | None
