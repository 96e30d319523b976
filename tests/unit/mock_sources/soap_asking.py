"""A caller that signs as the sources agreed, and reads what they answer; for the tests of the SOAP mocks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lxml import etree

from mock_sources import credentials as kit
from mock_sources.credentials import Credentials
from mock_sources.wsse import Gate, Signer
from mock_sources.wsse.names import SOAP

Clock = Callable[[], datetime]
MUNICIPALITY, CPAS = "1992100975", "1982100968"  # Ixelles and its CPAS, as mock.yaml of ksz knows them


def new_kit(folders: Any) -> Credentials:
    """A kit of credentials in a folder of its own; `folders` is pytest's tmp_path_factory."""
    return kit.ensure(folders.mktemp("kit"))


@dataclass(frozen=True)
class Reply:
    """One HTTP answer, parsed."""

    status: int
    data: bytes

    @property
    def root(self) -> etree._Element:
        return etree.fromstring(self.data)

    @property
    def payload(self) -> etree._Element:
        return self.root.find(f"{{{SOAP}}}Body")[0]

    def all(self, name: str) -> list[etree._Element]:
        """Every element of that local name, whatever its namespace."""
        return [one for one in self.payload.iter("{*}*") if etree.QName(one).localname == name]

    def text(self, name: str) -> str | None:
        """Text of the first element of that name, None when there is none."""
        found = self.all(name)
        return found[0].text if found else None

    def texts(self, name: str) -> list[str | None]:
        """Texts of every element of that name."""
        return [one.text for one in self.all(name)]


class Caller:
    """Signs with the client's key of a kit."""

    def __init__(self, credentials: Credentials, clock: Clock) -> None:
        self._credentials = credentials
        self._clock = clock
        self.signer = Signer(credentials.client.key, credentials.client.certificate)

    def sign(self, payload: str) -> bytes:
        """A signed message of this moment."""
        return self.signer.seal(payload, self._clock())

    def ask(self, router: Any, path: str, action: str, payload: str, **fault: str | None) -> Reply:
        """Ask one question of a source that was built; `fault` and `variant` as the fault layer would set them."""
        status, data = router.services[path].answer(f'"{action}"', self.sign(payload), **fault)
        return Reply(status, data)

    def believes(self, reply: Reply, source: str) -> None:
        """Check a reply's signature against the certificate of a source; raises SecurityRefused."""
        Gate(getattr(self._credentials, source).certificate, self._clock).admit(reply.root)


def customer(cbe: str = MUNICIPALITY, context: str = "PERMIT:RESIDENT_PARKING") -> str:
    """The opening of every question of the newer kind."""
    return (
        "<informationCustomer><ticket>11111111-2222-3333-4444-555555555555</ticket>"
        "<timestampSent>2026-11-23T12:00:00Z</timestampSent><customerIdentification>"
        f"<cbeNumber>{cbe}</cbeNumber></customerIdentification></informationCustomer><legalContext>{context}</legalContext>"
    )


def some_people(world: Any, many: int) -> list[str]:
    """Numbers of derived residents, spread over the municipalities: a few streets of each, door by door."""
    found: list[str] = []
    towns = world.municipalities()
    for town in towns:
        for number in _residents(world, town.nis, 1 + many // len(towns)):
            found.append(number)
    return found[:many]


def _residents(world: Any, nis: str, many: int) -> list[str]:
    found: list[str] = []
    for street in world.streets(nis=nis):
        for address in world.addresses(street.id):
            for household in world.households_at(address.id):
                found += [member.ssin for member in household.members]
                if len(found) >= many:
                    return found[:many]
    return found
