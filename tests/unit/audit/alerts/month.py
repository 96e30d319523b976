"""A month of ordinary traffic in a region, with misuse planted in it. Made from a seed: the same month every time.

Ordinary is not tidy: agents have busy days, work late now and then, forget the case, share a surname with a citizen,
look people up again after a case closed because it was reopened. What is planted is what DPOs tell of.
"""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from audit.alerts import Finding, Judge, Known, Look, Rules

SECOND, MINUTE, HOUR, DAY = 1_000_000, 60_000_000, 3_600_000_000, 86_400_000_000
# These find what somebody did for a while: one case for each application or agent and day, not one for each look.
LASTING = {
    "ENUMERATION": 3,
    "SCRAPING": 3,
    "UNUSUAL_VOLUME": 4,
    "UNUSUAL_BREADTH": 4,
    "NIGHT": 4,
    "WITHOUT_CASE": 4,
    "NAME_BROWSING": 4,
}
SINGLE = dict.fromkeys(
    ("PROTECTED_PERSON", "OWN_DATA", "CLOSE_TO_AGENT", "AFTER_CASE_CLOSED", "AFTER_DEATH", "AFTER_MOVE"), 8
)
START = int(datetime(2026, 10, 1, tzinfo=UTC).timestamp()) * SECOND


@dataclass
class Month:
    """Looks in order of time, what others know of them, and what was planted: rule -> indices of planted looks."""

    seed: int = 7
    organisations: int = 12
    agents: int = 8  # of each organisation and application
    citizens: int = 20_000
    days: int = 30
    looks: list[Look] = field(default_factory=list)
    planted: dict[str, set[int]] = field(default_factory=dict)
    _cases: dict[int, tuple[bool, bool]] = field(default_factory=dict)  # look -> (names a case, it is open)
    _closed: dict[int, int] = field(default_factory=dict)
    _dead: dict[bytes, int] = field(default_factory=dict)
    _moved: dict[bytes, int] = field(
        default_factory=dict
    )  # of whom we know; some of them are asked about with good reason
    _mutated: set[int] = field(default_factory=set)
    _registered: set[int] = field(default_factory=set)
    _numbers: dict[bytes, int] = field(default_factory=dict)
    _protected: set[bytes] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._dice = random.Random(self.seed)
        births = sorted(self._dice.sample(range(400_000_000, 999_000_000), self.citizens))
        self._citizens = [hashlib.sha256(f"c{n}".encode()).digest()[:16] for n in range(self.citizens)]
        self._numbers = dict(zip(self._citizens, births, strict=True))
        self._protected = set(self._dice.sample(self._citizens, 15))
        self._dead = dict.fromkeys(self._dice.sample(self._citizens, 100), START - 400 * DAY)
        self._moved = {
            who: START - self._dice.choice((100, 500)) * DAY for who in self._dice.sample(self._citizens, 300)
        }
        self._ordinary()
        self._plant()
        self._sort()

    def judge(self, rules: Rules) -> list[Finding]:
        """Everything the rules say of this month."""
        judge = Judge(rules, self.known())
        return [finding for look in self.looks for finding in judge.look(look)] + list(judge.close())

    def found(self, findings: list[Finding]) -> dict[str, int]:
        """By rule, how many of the planted cases were found. One of many looks is enough for what lasted."""
        said = {(one.rule, one.look.index) for one in findings} | {
            (one.rule, self._by_day(one.look)) for one in findings if one.scope
        }
        counts: dict[str, int] = {}
        for rule, indices in self.planted.items():
            cases: dict[object, bool] = {}
            for index in indices:
                case = self._by_day(self.looks[index]) if rule in LASTING else index
                cases[case] = cases.get(case, False) or (rule, index) in said or (rule, case) in said
            counts[rule] = sum(cases.values())
        return counts

    def false(self, findings: list[Finding]) -> dict[str, int]:
        """By rule, alerts about looks of which nothing was planted. A drawn sample is a question, not an alarm."""
        planted = {index for indices in self.planted.values() for index in indices}
        days = {self._by_day(self.looks[index]) for index in planted}
        wrong = [one.rule for one in findings if one.look.index not in planted and one.rule != "RANDOM_SAMPLE"
                 and not (one.scope and self._by_day(one.look) in days)]  # fmt: skip
        return {rule: wrong.count(rule) for rule in sorted(set(wrong))}

    @staticmethod
    def _by_day(look: Look) -> tuple[str, str, bytes | None, int]:
        return look.org, look.app, look.agent, look.ts // DAY

    def known(self) -> Known:
        return Known(
            open_case=lambda look: self._cases.get(look.index, (False, False))[1],
            registration=lambda look: look.index in self._registered,
            recent_mutation=lambda look: look.index in self._mutated,
            has_case=lambda look: self._cases.get(look.index, (False, False))[0],
            case_closed=lambda look: self._closed.get(look.index),
            death=lambda look: self._dead.get(look.tags[0]) if look.tags else None,
            move=lambda look: self._moved.get(look.tags[0]) if look.tags else None,
            protected=self._protected.__contains__,
            ordinal=lambda look: self._numbers.get(look.tags[0]),
        )

    def _look(self, ts: int, org: int, app: str, agent: int | None, who: bytes, **more: object) -> int:
        index = len(self.looks)
        tag = None if agent is None else hashlib.sha256(f"a{org}/{app}/{agent}".encode()).digest()[:16]
        leaf = hashlib.sha256(f"{self.seed}/{index}".encode()).digest()
        name = str(more.pop("name", "person.get"))
        self.looks.append(Look("hub", index, None, ts, name, f"{org:010d}", app, tag, (who,), leaf, **more))  # type: ignore[arg-type]
        return index

    def _ordinary(self) -> None:
        dice = self._dice
        usual = [who for who in self._citizens if who not in self._protected and who not in self._dead]
        for day in range(self.days):
            weekend = (day + 3) % 7 >= 5  # 1 October 2026 is a Thursday
            for org in range(self.organisations):
                for app in ("counter", "social"):
                    self._agents(day, org, app, usual, weekend)
                self._counter(day, org, usual, weekend)
                for _ in range(dice.randint(5, 25)):  # citizens in sessions of their own
                    ts = START + day * DAY + dice.randint(5 * HOUR, 22 * HOUR)
                    self._look(ts, org, "eloket", None, dice.choice(usual), self_service=True)

    def _agents(self, day: int, org: int, app: str, usual: list[bytes], weekend: bool) -> None:
        dice = self._dice
        for agent in range(self.agents):
            busy = dice.lognormvariate(2.0, 0.6) * (0.05 if weekend else 1)
            late = dice.random() < 0.01  # works an evening
            for _ in range(int(busy)):
                hour = dice.gauss(20.5 if late else 11, 1 if late else 2.2)
                ts = START + day * DAY + int(max(5.0, min(21.4, hour)) * HOUR)
                index = self._look(ts, org, app, agent, dice.choice(usual), flags=self._coincidence())
                self._reason(index, ts)

    def _counter(self, day: int, org: int, usual: list[bytes], weekend: bool) -> None:
        """Citizens without their number: searched, mostly opened; now and then they leave, or the list said enough."""
        dice = self._dice
        for agent in range(self.agents):
            habit = dice.uniform(0.4, 1.0)
            for _ in range(0 if weekend else int(dice.lognormvariate(1.0, 0.8))):
                ts, who = self._noon(day), dice.choice(usual)
                self._cases[self._search(ts, org, agent, who)] = (True, True)
                if dice.random() < habit:
                    opened = self._look(ts + MINUTE, org, "counter", agent, who)
                    self._cases[opened] = (True, True)

    def _search(self, ts: int, org: int, agent: int, who: bytes) -> int:
        return self._look(ts, org, "counter", agent, who, name="person.search")

    def _coincidence(self) -> frozenset[str]:
        return frozenset(("SAME_SURNAME",)) if self._dice.random() < 0.004 else frozenset()

    def _reason(self, index: int, ts: int) -> None:
        """94 % of looks have a plain reason; most of the others at least name a case."""
        kind = self._dice.random()
        if kind < 0.7:
            self._cases[index] = (True, True)
        elif kind < 0.85:
            self._registered.add(index)
        elif kind < 0.94:
            self._mutated.add(index)
        elif kind < 0.985:
            self._cases[index] = (True, False)
            if self._dice.random() < 0.15:
                self._closed[index] = ts - self._dice.randint(1, 25) * DAY

    def _plant(self) -> None:
        self._curious()
        self._machines()
        self._outliers()

    def _planted(self, rule: str, *indices: int) -> None:
        self.planted.setdefault(rule, set()).update(indices)

    def _noon(self, day: int) -> int:
        return START + day * DAY + 10 * HOUR + self._dice.randint(0, HOUR)

    def _curious(self) -> None:
        dice, known = self._dice, sorted(self._protected)
        for number in range(8):
            who = dice.choice(self._citizens)
            self._planted(
                "PROTECTED_PERSON", self._look(self._noon(number), number, "counter", number % 8, known[number])
            )
            self._planted(
                "OWN_DATA", self._look(self._noon(number), number, "social", 1, who, flags=frozenset(("SELF",)))
            )
            near = ("SAME_HOUSEHOLD", "FAMILY", "SAME_ADDRESS", "SAME_SURNAME", "COLLEAGUE")[number % 5]
            self._planted(
                "CLOSE_TO_AGENT", self._look(self._noon(number), number, "counter", 2, who, flags=frozenset((near,)))
            )
            closed = self._look(self._noon(number), number, "social", 3, who)
            self._cases[closed], self._closed[closed] = (True, False), START - 60 * DAY
            self._planted("AFTER_CASE_CLOSED", closed)
            dead = self._look(self._noon(number), number, "social", 4, sorted(self._dead)[number])
            self._planted("AFTER_DEATH", dead)
            gone = sorted(who for who, at in self._moved.items() if at < START - 400 * DAY)[number]
            self._planted("AFTER_MOVE", self._look(self._noon(number), number, "social", 0, gone))

    def _machines(self) -> None:
        by_number = sorted(self._numbers, key=self._numbers.__getitem__)
        for number in range(3):
            base, start = self._numbers[by_number[5_000 * (number + 1)]], self._noon(9)
            for step in range(12):  # numbers that nobody has are asked too
                who = hashlib.sha256(f"e{number}/{step}".encode()).digest()[:16]
                self._numbers[who] = base + 2 * step
                self._planted("ENUMERATION", self._look(start + step * 20 * SECOND, number, "eloket-api", None, who))
            start = self._noon(12 + number)
            for step in range(600):
                self._planted(
                    "SCRAPING",
                    self._look(
                        start + step * 4 * SECOND,
                        number,
                        "report",
                        None,
                        self._citizens[(number * 5_000 + step * 7) % self.citizens],
                    ),
                )

    def _outliers(self) -> None:
        for number in range(4):
            day = 6 + number * 5
            for step in range(140):
                who = self._citizens[(number * 997 + step * 13) % self.citizens]
                index = self._look(START + day * DAY + 8 * HOUR + step * 3 * MINUTE, number, "counter", 5, who)
                self._cases[index] = (True, False)
                self._planted("UNUSUAL_VOLUME", index)
                self._planted("UNUSUAL_BREADTH", index)
            for step in range(10):
                index = self._look(
                    START + day * DAY + 23 * HOUR + step * 4 * MINUTE,
                    number,
                    "social",
                    6,
                    self._citizens[step * 31 + number],
                )
                self._cases[index] = (True, False)
                self._planted("NIGHT", index)
            for step in range(25):
                who = self._citizens[(step * 17 + number * 71) % self.citizens]
                index = self._look(START + (day + 1) * DAY + 8 * HOUR + step * 15 * MINUTE, number, "social", 7, who)
                self._planted("WITHOUT_CASE", index)
            for step in range(16):  # one of them is opened: nobody browses quite without a trace
                who = self._citizens[(step * 37 + number * 53) % self.citizens]
                index = self._search(START + (day + 2) * DAY + 9 * HOUR + step * 10 * MINUTE, number, 4, who)
                self._cases[index] = (True, True)
                self._planted("NAME_BROWSING", index)
                if step == 3:
                    opened = self._look(self.looks[index].ts + MINUTE, number, "counter", 4, who)
                    self._cases[opened] = (True, True)

    def _sort(self) -> None:
        """What is known stays tied to the look it was known of."""
        order = sorted(range(len(self.looks)), key=lambda index: self.looks[index].ts)
        place = {old: new for new, old in enumerate(order)}
        self.looks = [replace(self.looks[old], index=new) for new, old in enumerate(order)]
        self._cases = {place[old]: value for old, value in self._cases.items()}
        self._closed = {place[old]: value for old, value in self._closed.items()}
        self._mutated = {place[old] for old in self._mutated}
        self._registered = {place[old] for old in self._registered}
        self.planted = {rule: {place[old] for old in olds} for rule, olds in self.planted.items()}
