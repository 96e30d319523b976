"""What a line may ask for beside the question itself: who asks, how surely, when, about whom, in which case.

    roles           the agent has one of these                        ROLE_NOT_ALLOWED
    assurance       the agent was identified at least this surely     ASSURANCE_TOO_LOW
    hours           it is one of these hours, in Brussels             OUTSIDE_HOURS
    dossier         a case is named                                   DOSSIER_MISSING
    registration    the subject is in the files, in one of these      NOT_REGISTERED, or REGISTRATION_UNKNOWN
                    qualities (directory of references)               when nobody could look

Pure: everything is decided from `Facts`. A fact that is not known never meets a condition.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

BRUSSELS = ZoneInfo("Europe/Brussels")
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
LEVELS = ("low", "substantial", "high")  # eIDAS, regulation (EU) 910/2014 art. 8
_LEVEL = {name: level for level, name in enumerate(LEVELS, start=1)}

# Of each kind of condition the reason it is refused with, in the order in which reasons are told.
REASON_OF = {
    "roles": "ROLE_NOT_ALLOWED", "assurance": "ASSURANCE_TOO_LOW", "hours": "OUTSIDE_HOURS", "dossier": "DOSSIER_MISSING",
    "registration": "NOT_REGISTERED",
}  # fmt: skip
UNKNOWN = "REGISTRATION_UNKNOWN"  # told as 503: nobody could say, which is not a no
KIND_OF = {reason: kind for kind, reason in REASON_OF.items()} | {UNKNOWN: "registration", "QUOTA_EXCEEDED": "limits"}


@dataclass(frozen=True, slots=True)
class Facts:
    """What a condition may look at beside the question: known before the decision, so that deciding stays pure."""

    roles: frozenset[str] = frozenset()  # of the agent
    assurance: str | None = None  # of the agent's identification (eIDAS): low | substantial | high
    registered: frozenset[str] | None = (
        None  # quality codes under which the subject is in the files; None = nobody looked
    )
    dossier: bool = False  # a case was named
    emergency: bool = False  # a justified emergency: conditions that a line lets be broken are passed
    any_hour: bool = False  # its hour is waited for later, when it goes out
    asked: float | None = None  # when it was asked (epoch seconds), where that is not when it is decided: a replay


NO_FACTS = Facts()


@dataclass(frozen=True, slots=True)
class Hours:
    """A part of some days of the week, by the clocks of Brussels; minutes since midnight, the end not included."""

    days: frozenset[int]  # 0 = Monday
    start: int = 0
    end: int = 1440

    def hold(self, now: float) -> bool:
        """Whether this moment (epoch seconds) is within."""
        day, minute = _wall(int(now // 60))
        return day in self.days and self.start <= minute < self.end

    def nearest(self, now: float, first: float, last: float) -> float | None:
        """The first moment within, from `now` on; else the last one before it. Between `first` and `last`, both included.

        Thirty days are looked at either way: the hours when clocks are changed are not there every week.
        """
        for step in (*range(31), *range(-1, -31, -1)):
            begin, end = self._of(datetime.fromtimestamp(now, BRUSSELS) + timedelta(days=step))
            moment = min(max(begin, now), last) if step >= 0 else max(end - 1, first)
            if first <= moment <= last and begin <= moment < end and self.hold(moment):
                return moment
        return None

    def _of(self, day: datetime) -> tuple[float, float]:
        midnight = datetime.combine(day.date(), time(), BRUSSELS)
        begin, end = (
            midnight + timedelta(minutes=minute) for minute in (self.start, self.end)
        )  # on the wall, not elapsed
        return begin.timestamp(), end.timestamp()

    def __str__(self) -> str:
        days = ", ".join(name for number, name in enumerate(DAYS) if number in self.days)
        return f"{days} {_clock(self.start)}–{_clock(self.end)}"


@dataclass(frozen=True, slots=True)
class Conditions:
    """All conditions of one line. Nothing said = nothing asked for."""

    roles: frozenset[str] = frozenset()
    assurance: str | None = None
    hours: Hours | None = None
    dossier: bool = False
    registration: frozenset[str] = frozenset()
    breakable: frozenset[str] = frozenset()  # kinds that a justified emergency passes; `limits` may be among them

    @property
    def kinds(self) -> frozenset[str]:
        """The kinds of fact that these look at."""
        return frozenset(kind for kind in REASON_OF if getattr(self, kind))

    def broken(self) -> Conditions:
        """What is left of these in a justified emergency."""
        nothing = Conditions()
        return replace(self, **{kind: getattr(nothing, kind) for kind in self.kinds & self.breakable})

    def unmet(self, facts: Facts, now: float) -> str | None:
        """The reason of the first one that is not met, in the order of REASON_OF; None when all are."""
        passed = self.breakable if facts.emergency else ()
        if self.roles and self.roles.isdisjoint(facts.roles) and "roles" not in passed:
            return "ROLE_NOT_ALLOWED"
        if self.assurance and level(facts.assurance) < level(self.assurance) and "assurance" not in passed:
            return "ASSURANCE_TOO_LOW"
        at = now if facts.asked is None else facts.asked
        if self.hours is not None and not facts.any_hour and "hours" not in passed and not self.hours.hold(at):
            return "OUTSIDE_HOURS"
        if self.dossier and not facts.dossier and "dossier" not in passed:
            return "DOSSIER_MISSING"
        if self.registration and "registration" not in passed:
            if facts.registered is None:
                return UNKNOWN
            if self.registration.isdisjoint(facts.registered):
                return "NOT_REGISTERED"
        return None


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a line may be used. None = no limit of that kind."""

    per_minute: int | None = None  # of one application
    per_day: int | None = None  # of one application, UTC day
    per_agent_per_day: int | None = None  # of one agent with that application: his fair share
    results: int | None = None  # in one answer; one more and nothing is given

    @property
    def counted(self) -> bool:
        """Whether a question under this line is counted at all."""
        return (self.per_minute, self.per_day, self.per_agent_per_day) != (None, None, None)

    def text(self) -> tuple[int, ...]:
        """For comparing: less is stricter."""
        return tuple(
            1 << 60 if limit is None else limit
            for limit in (self.per_minute, self.per_day, self.per_agent_per_day, self.results)
        )


NO_LIMITS = Limits()


def week_minute(now: float) -> int:
    """Minutes since Monday midnight, by the clocks of Brussels: all of a moment that hours look at."""
    day, minute = _wall(int(now // 60))
    return day * 1440 + minute


def moment_of(minute: int) -> float:
    """A moment (epoch seconds) of that minute of the week, in a week in which no clock is changed.

    >>> week_minute(moment_of(8_040)), week_minute(moment_of(0))
    (8040, 0)
    """
    return datetime(2026, 6, 1, tzinfo=BRUSSELS).timestamp() + minute * 60


@lru_cache(maxsize=64)  # nearly always the same minute
def _wall(minutes: int) -> tuple[int, int]:
    """Minutes since 1970 to the day of the week and the minute of the day, by the clocks of Brussels."""
    local = datetime.fromtimestamp(minutes * 60, BRUSSELS)
    return local.weekday(), local.hour * 60 + local.minute


def level(name: str | None) -> int:
    """0 for an agent who was not identified, or nobody knows how.

    >>> [level(name) for name in (None, "low", "substantial", "high", "gold")]
    [0, 1, 2, 3, 0]
    """
    return _LEVEL.get(name or "", 0)


def strictest(*names: str | None) -> str | None:
    """Of levels of assurance the highest; None when there is none."""
    return max(names, key=level) or None


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"
