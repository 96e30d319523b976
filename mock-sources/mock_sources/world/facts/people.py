"""People and their households, as the Rijksregister and the Crossroads Bank know them."""

from __future__ import annotations

from dataclasses import dataclass

from mock_sources.world.facts.places import Address


@dataclass(frozen=True, slots=True)
class Residence:
    """Where somebody lived from `start` to `end`; without an address it says why (`kind`) and where (`country`)."""

    kind: str  # main | abroad | struck_off | absent | lost_right | reference | temporary
    address: Address | None
    country: str | None  # NIS country code when abroad (111 = France)
    text: str | None  # free text, when the address abroad is only known as text
    start: str
    end: str | None = None


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
