"""The decision itself: a look-up, a few comparisons, and memory of what was decided today."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from integrator.model import Withheld
from integrator.policy.conditions import UNKNOWN, Conditions
from integrator.policy.names import expand, granted, tops
from integrator.policy.terms import ADVICE, NO_FACTS, Ask, Decision, Denial, Facts, Grant, Permit, Purpose

_REMEMBERED = 4096  # permits; the oldest goes first
# Of a grant that fails for several reasons the last in this order is said; of several grants the one that came furthest.
# REGISTRATION_UNKNOWN is last of all: when another reason is said, no registration would have helped.
_ORDER = (
    "EXPIRED", "NOT_YET_VALID", "APPLICATION_NOT_NAMED", "DIRECTION_NOT_GRANTED", "ANSWERS_ONLY", "KEY_NOT_GRANTED", "HISTORY_NOT_GRANTED",
    "NOTHING_GRANTED", "ROLE_NOT_ALLOWED", "ASSURANCE_TOO_LOW", "OUTSIDE_HOURS", "DOSSIER_MISSING", "NOT_REGISTERED", UNKNOWN,
)  # fmt: skip
_NARROWER = {"any": 0, "exclude": 1, "only": 2}
_NOTHING: frozenset[str] = frozenset()
_NONE = Conditions()
_FURTHER = {reason: place for place, reason in enumerate(_ORDER)}


class Policies:
    """All grants, indexed by (purpose, organisation, service); `decide` touches only the few that could matter."""

    def __init__(
        self,
        purposes: Mapping[str, Purpose],
        grants: Iterable[Grant],
        suspended: frozenset[tuple[str, str]] = frozenset(),
    ) -> None:
        """`grants` in any order: what decides never depends on it.

        `suspended`: (authorisation, organisation) whose lines apply to nothing; they MUST be among `grants` as lines
        that end before they begin, so that a refusal can name them. See integrator.governing.suspending.
        """
        self.purposes = purposes
        self.suspended = suspended
        self._grants: dict[tuple[str, str, str], tuple[Grant, ...]] = {}
        self._held: dict[tuple[str, str], tuple[Grant, ...]] = {}
        # A dict would look for its oldest one past all that went before.
        self._permits: OrderedDict[tuple[Ask, Grant, float], Permit] = OrderedDict()
        needs: dict[tuple[str, str, str], frozenset[str]] = {}
        index: dict[tuple[str, str, str], list[Grant]] = {}
        held: dict[tuple[str, str], list[Grant]] = {}
        services: dict[str, list[Grant]] = {}
        for grant in sorted(grants, key=_rank):
            services.setdefault(grant.service, []).append(grant)
            for organisation in grant.organisations:
                index.setdefault((grant.purpose, organisation, grant.service), []).append(grant)
                held.setdefault((grant.purpose, organisation), []).append(grant)
                if grant.conditions is not None:
                    key = (grant.purpose, organisation, grant.service)
                    needs[key] = needs.get(key, _NOTHING) | grant.conditions.kinds
        self._grants = {key: tuple(found) for key, found in index.items()}
        self._held = {key: tuple(sorted(found, key=_place)) for key, found in held.items()}
        self._needs = needs
        self._conditional = frozenset(
            key for key, found in held.items() if any(grant.conditions or grant.limits.counted or grant.pseudonymise for grant in found)
        )  # fmt: skip
        self._services = {service: tuple(found) for service, found in services.items()}

    def needs(self, ask: Ask) -> frozenset[str]:
        """The kinds of fact that could matter for this question: whoever has none of them need not look any up."""
        return self._needs.get((ask.purpose, ask.organisation, ask.service), _NOTHING)

    def conditional(self, purpose: str, organisation: str) -> bool:
        """Whether any line of an organisation for a purpose looks at facts, is counted or hides numbers.

        Where none does a permit is a permit, and nobody need ask for anything else.
        """
        return (purpose, organisation) in self._conditional

    def met(self, purpose: str, organisation: str) -> Facts:
        """Facts that meet every condition of an organisation's lines for a purpose, but for its hours.

        For judging a question whose facts are not at hand: one weighed beforehand, carried later, or recorded long ago.
        """
        lines = [line.conditions for line in self._held.get((purpose, organisation), ()) if line.conditions is not None]
        roles = _NOTHING.union(*(one.roles for one in lines))
        return Facts(roles, "high", _NOTHING.union(*(one.registration for one in lines)), True)

    def decide(self, ask: Ask, now: float, facts: Facts = NO_FACTS) -> Decision:
        """Permit or denial for one question. Never raises: what cannot be decided is denied."""
        candidates = self._grants.get((ask.purpose, ask.organisation, ask.service), ())
        best: Permit | None = None
        for grant in candidates:
            if (
                grant.starts <= now < grant.ends
                and (grant.applications is None or ask.application in grant.applications)
                and ask.direction in grant.directions
                and (ask.part or not grant.answers_only)
                and ask.keys <= grant.keys
                and (not ask.history or grant.history_years)
                and (grant.conditions is None or grant.conditions.unmet(facts, now) is None)
            ):
                decision = self._permit(ask, grant, now)
                if decision is not None and (best is None or len(decision.fields) > len(best.fields)):
                    best = decision  # grants are never added up: each stands alone
        return best or self._denial(ask, candidates, now, facts)

    def grants(self, purpose: str, organisation: str) -> Iterator[Grant]:
        """Every grant of an organisation for a purpose, in force or not (introspection, checks)."""
        yield from self._held.get((purpose, organisation), ())

    def held(self) -> Iterable[tuple[str, str, str]]:
        """(purpose, organisation, service) of everything that anybody was granted, in force or not."""
        return self._grants.keys()

    def of_service(self, service: str) -> tuple[Grant, ...]:
        """Every line that grants a service, whoever's it is (explanations, checks)."""
        return self._services.get(service, ())

    def _permit(self, ask: Ask, grant: Grant, now: float) -> Permit | None:
        """What this line gives of what is asked; None when that is nothing."""
        key = (ask, grant, now // 86400 if ask.history else 0)  # how far back is counted from today
        permit = self._permits.get(key)
        if permit is not None:
            return permit
        given = granted(grant.fields, ask.offers)
        wanted = given if ask.fields is None else expand(ask.fields, ask.offers)
        fields = given & wanted
        if not fields:
            return None
        beyond = () if ask.fields is None else wanted - given
        if len(self._permits) >= _REMEMBERED:
            self._permits.popitem(last=False)
        permit = self._permits[key] = Permit(
            grant,
            self.purposes[ask.purpose],
            fields,
            tops(fields),
            tuple([_not_granted(name) for name in tops(beyond)]) if beyond else (),
            _since(grant, now) if ask.history else None,
            len(fields) != len(given),
        )
        return permit

    def _denial(self, ask: Ask, candidates: tuple[Grant, ...], now: float, facts: Facts) -> Denial:
        purpose = self.purposes.get(ask.purpose)
        if purpose is None:
            return Denial("UNKNOWN_PURPOSE", None, ADVICE["UNKNOWN_PURPOSE"])
        if not candidates:
            held = self._held.get((ask.purpose, ask.organisation))
            if held:
                return Denial("SERVICE_NOT_GRANTED", held[0].authorisation, ADVICE["SERVICE_NOT_GRANTED"], purpose)
            return Denial("NO_AUTHORISATION", None, ADVICE["NO_AUTHORISATION"], purpose)
        reason, rule = max(
            ((_missed(ask, grant, now, facts), grant.authorisation) for grant in candidates),
            key=lambda miss: _FURTHER[miss[0]],
        )
        if (rule, ask.organisation) in self.suspended:
            reason = "SUSPENDED"
        return Denial(reason, rule, ADVICE[reason], purpose)


@lru_cache(maxsize=16_384)
def _not_granted(name: str) -> Withheld:
    return Withheld(name, "NOT_GRANTED")


def _rank(grant: Grant) -> tuple[object, ...]:
    """Of two grants that give equally many fields the more generous decides, then the smaller text; never the order of lines."""
    return (
        -grant.history_years,
        grant.territory_own,
        _NARROWER[grant.minors],
        grant.pseudonymise,
        -len(grant.lifts),
        grant.answers_only,
        len(grant.notify),
        tuple(-limit for limit in grant.limits.text()),
        grant.authorisation,
        *_text(grant),
    )


def _place(grant: Grant) -> tuple[object, ...]:
    return (grant.authorisation, grant.service, *_text(grant))


def _text(grant: Grant) -> tuple[object, ...]:
    return (
        sorted(grant.keys), sorted(grant.fields), grant.starts, grant.ends, sorted(grant.applications or ()), sorted(grant.notify),
        sorted(grant.directions),
        *_said(grant.conditions or _NONE),
    )  # fmt: skip


def _said(conditions: Conditions) -> tuple[object, ...]:
    hours = conditions.hours
    return (
        sorted(conditions.roles), conditions.assurance or "", str(hours or ""), conditions.dossier,
        sorted(conditions.registration), sorted(conditions.breakable),
    )  # fmt: skip


def _since(grant: Grant, now: float) -> str:
    day = datetime.fromtimestamp(now, UTC).date()
    return (day - timedelta(days=round(365.25 * grant.history_years))).isoformat()


def _missed(ask: Ask, grant: Grant, now: float, facts: Facts) -> str:
    if now >= grant.ends:
        return "EXPIRED"
    if now < grant.starts:
        return "NOT_YET_VALID"
    if grant.applications is not None and ask.application not in grant.applications:
        return "APPLICATION_NOT_NAMED"
    if ask.direction not in grant.directions:
        return "DIRECTION_NOT_GRANTED"
    if grant.answers_only and not ask.part:
        return "ANSWERS_ONLY"
    if not ask.keys <= grant.keys:
        return "KEY_NOT_GRANTED"
    if ask.history and not grant.history_years:
        return "HISTORY_NOT_GRANTED"
    given = granted(grant.fields, ask.offers)
    if not given or (ask.fields is not None and given.isdisjoint(expand(ask.fields, ask.offers))):
        return "NOTHING_GRANTED"
    unmet = None if grant.conditions is None else grant.conditions.unmet(facts, now)
    return unmet or "NOTHING_GRANTED"
