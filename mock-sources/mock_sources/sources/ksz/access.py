"""ManageAccess: a member of the network says about whom it keeps a file (integration), in which quality, from when."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lxml import etree

from mock_sources.soap import Call, child_texts
from mock_sources.sources.ksz.network import Directory, Place, Registration
from mock_sources.sources.ksz.proof import evidence
from mock_sources.sources.ksz.ssdn import COMMON, Detail, Reasons, Told, User
from mock_sources.sources.strangers import stranger
from mock_sources.world import World
from mock_sources.world.facts import Person
from mock_sources.world.identifiers import birth_year

NAMESPACE = "http://www.ksz-bcss.fgov.be/XSD/SSDN/OCMW_CPAS/ManageAccess"


class Asked:
    """A ManageAccessRequest, read."""

    def __init__(self, request: etree._Element) -> None:
        parts = {etree.QName(child).localname: child for child in request}
        names = ("SSIN", "Purpose", "Action", "Sector", "QueryRegister")
        ssin, purpose, action, sector, register = child_texts(request, names)
        self.ssin = ssin or ""
        self.purpose = int(purpose) if purpose else None
        self.action = action or ""
        self.sector = int(sector) if sector else None
        self.register = register or "ALL"
        start, self.end = child_texts(parts["Period"], ("StartDate", "EndDate"))
        self.start = start or ""
        self.proof = evidence(parts["ProofOfAuthentication"])


class ManageAccess:
    """The service OCMWCPASManageAccess."""

    def __init__(self, world: World, directory: Directory, manual: Mapping[str, Any]) -> None:
        self._world = world
        self._directory = directory
        self._reasons = Reasons(manual["reasons"])
        self._qualities = manual["ssdn"]["quality_codes"]

    def __call__(self, request: etree._Element, user: User, call: Call) -> Told:
        """Answer one valid ManageAccessRequest."""
        asked = Asked(request)
        if birth_year(asked.ssin) is None:
            return self._reasons.refuse("misformed_ssin", ("SSIN", asked.ssin))
        person = self._world.person(asked.ssin)
        if person is None:
            return self._reasons.refuse("unknown_ssin", ("SSIN", asked.ssin))
        if person.replaced_by is not None:
            return self._reasons.refuse("replaced_ssin", ("SSIN", asked.ssin), ("newSSIN", person.replaced_by))
        if asked.action == "LIST":
            return self._list(asked, user, call)
        return self._change(asked, person, user, call)

    def _list(self, asked: Asked, user: User, call: Call) -> Told:
        sector = user.place.sector if asked.sector is None else asked.sector
        lines = [
            one
            for one in self._directory.lines(asked.ssin)
            if one.overlaps(asked.start, asked.end)
            and one.place.sector == sector
            and asked.purpose in (None, one.quality)
        ]
        shown = "".join(_registration(one, register) for one in lines for register in _registers(asked, one, user))
        return Told((), self._reply(asked, shown, call))

    def _change(self, asked: Asked, person: Person, user: User, call: Call) -> Told:
        purpose = asked.purpose
        if purpose is None:
            return self._reasons.refuse("no_purpose")
        if purpose not in self._qualities.get(user.place.sector, []) + self._qualities["*"]:
            return self._reasons.refuse("wrong_purpose", ("Purpose", str(purpose)))
        if not asked.proof.holds(person, call.clock().date()):
            return self._reasons.refuse("no_proof", ("SSIN", asked.ssin))
        overlapping = [
            one
            for one in self._directory.lines(asked.ssin)
            if one.place == user.place and one.overlaps(asked.start, asked.end)
        ]
        if asked.action == "UNREGISTER":
            if not self._directory.close(asked.ssin, user.place, purpose, asked.start, asked.end, user.org_unit):
                return self._reasons.refuse("not_registered", ("Purpose", str(purpose)))
            return Told((), self._reply(asked, "", call))
        details: tuple[Detail, ...] = ()
        if any(one.quality == purpose and one.of(user.place, user.org_unit) for one in overlapping):
            details = (self._reasons.detail("already_registered", ("Purpose", str(purpose))),)
        else:
            line = Registration(asked.ssin, user.place, purpose, asked.start, asked.end, user.org_unit)
            self._directory.add(line)
        return Told(details, self._reply(asked, "".join(_registration(one, "PRIMARY") for one in overlapping), call))

    def _reply(self, asked: Asked, registrations: str, call: Call) -> str:
        ssin = stranger(self._world, asked.ssin).ssin if call.fault == "wrong_subject" else asked.ssin
        if call.fault == "over_delivery":  # what somebody else of the sector registered
            registrations += _registration(_STRANGERS_LINE, "PRIMARY") + _registration(_STRANGERS_LINE, "SECONDARY")
        register = f"<ns3:Register>{asked.register}</ns3:Register>" if asked.action == "LIST" else ""
        return (
            f'<ns3:ManageAccessReply xmlns:ns3="{NAMESPACE}"><ns3:OriginalRequest><ns3:SSIN>{ssin}</ns3:SSIN>'
            f"<ns3:Purpose>{asked.purpose or 0}</ns3:Purpose>{_period(asked.start, asked.end)}"
            f"<ns3:Action>{asked.action}</ns3:Action>{register}</ns3:OriginalRequest>{registrations}"
            "</ns3:ManageAccessReply>"
        )


_STRANGERS_LINE = Registration("", Place(17, 1), 4, "2025-01-01", None, "1982100374")


def _registers(asked: Asked, line: Registration, user: User) -> list[str]:
    """In which registers a line stands: the Bank's for all to see, the sector's for whoever is of that sector."""
    shown = ["PRIMARY"] if asked.register in ("PRIMARY", "ALL") else []
    if asked.register in ("SECONDARY", "ALL") and line.place == user.place and line.org_unit:
        shown.append("SECONDARY")
    return shown


def _registration(line: Registration, register: str) -> str:
    unit = line.org_unit if register == "SECONDARY" and line.org_unit else str(line.place.sector)
    return (
        f"<ns3:Registrations><ns3:Purpose>{line.quality}</ns3:Purpose>{_period(line.start, line.end)}"
        f"<ns3:OrgUnit>{unit}</ns3:OrgUnit><ns3:Register>{register}</ns3:Register></ns3:Registrations>"
    )


def _period(start: str, end: str | None) -> str:
    """The dates of a period are of the common namespace, the element round them is of the service's."""
    closed = f"<m:EndDate>{end}</m:EndDate>" if end else ""
    return f'<ns3:Period xmlns:m="{COMMON}"><m:StartDate>{start}</m:StartDate>{closed}</ns3:Period>'
