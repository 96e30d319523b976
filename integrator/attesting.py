"""Who outside vouches for the hub's ledger: witnesses of the anchor log and time stamping authorities, from settings.

Both work in threads of their own after each anchor checkpoint; no exchange ever waits for them. Only when nobody has
stamped for hours are new exchanges refused (`audit.stopAfterHours`), and only when a witness has seen a longer log than
we have at the start does the hub not start.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from audit import LedgerError
from audit.log.publication import Publication
from audit.timestamps import Stamper, Tsa, load_roots
from audit.waiting import anchor_of
from audit.witness import WitnessClient, Witnessing
from integrator import clock
from integrator.errors import ConfigurationError, StampsOverdue
from integrator.logs import log
from integrator.settings import Settings

HOUR = 3600.0
Policy = tuple[tuple[str, ...], str]  # lines of a tlog-policy, name of the quorum


class Publishes(Protocol):
    """What is asked of the publisher: audit.log.publisher.Publisher."""

    on_anchor: list[Any]

    def cosigned(self, note: bytes) -> None: ...


class Attesting:
    """Both of them: `check_restored` before anything is signed, then `attach`, `start`, and `close` in the end."""

    def __init__(self, stamper: Stamper, witnessing: Witnessing, publication: Publication, policy: Policy) -> None:
        self.stamper, self.witnessing = stamper, witnessing
        self._publication, self._policy = publication, policy

    def check_restored(self, anchor: str) -> None:
        """Ask every witness how far it has seen the anchor; waits ten seconds at most.

        Raises `ConfigurationError` when one has cosigned more than we have: an older copy was restored.
        """
        newest = self._published(anchor)
        if newest is None:
            return
        ours = anchor_of(newest).size
        ahead = {name: size for name, size in self.witnessing.sizes(newest).items() if size is not None and size > ours}
        if ahead:
            name, size = max(ahead.items(), key=lambda one: one[1])
            raise ConfigurationError(
                f"the anchor log ends at {ours}, but witness {name} has cosigned {size}",
                advice="An older copy was restored. Bring back the newest one; when it is lost: "
                "integrator audit resume --after-restore (docs/operators.md, Backup).",
            )

    def attach(self, publisher: Publishes, anchor: str) -> None:
        """Hear of every new anchor checkpoint, and of the one that stands there now."""
        newest = self._published(anchor)
        if newest is not None:
            self.on_anchor(newest)
        publisher.on_anchor.append(self.on_anchor)
        self.witnessing.on_cosigned.append(publisher.cosigned)

    def policy(self) -> Policy:
        """The witnesses as lines of a tlog-policy, and the name of the quorum."""
        return self._policy

    def on_anchor(self, note: bytes) -> None:
        self.stamper.on_anchor(note)
        self.witnessing.on_anchor(note)

    def start(self) -> None:
        self.stamper.start()
        self.witnessing.start()

    def close(self) -> None:
        self.stamper.close()
        self.witnessing.close()

    def admit(self) -> None:
        """Raise `StampsOverdue` when nobody has stamped for so long that no new exchange may begin."""
        if self.stamper.overdue():
            raise StampsOverdue("no time stamp for too long")

    @property
    def overdue(self) -> bool:
        return self.stamper.overdue()

    @property
    def alarm(self) -> bool:
        return self.stamper.status().alarm or self.witnessing.status().alarm

    def health(self) -> dict[str, dict[str, str]]:
        """For /health: each authority and witness by name. Empty where none is configured."""
        stamps = {tsa.name: "DOWN" if tsa.alarm else "UP" for tsa in self.stamper.status().tsas}
        status = self.witnessing.status()
        witnesses = {one.name: one.alarm or ("DOWN" if one.reason else "UP") for one in status.witnesses}
        return {name: found for name, found in (("timeStamps", stamps), ("witnesses", witnesses)) if found}

    def _published(self, anchor: str) -> bytes | None:
        try:
            return self._publication.read(f"{anchor}/checkpoint")
        except FileNotFoundError:
            return None


def open_attesting(settings: Settings, publication: Publication, now: clock.Now) -> Attesting:
    """Read the settings; asks nobody yet. Raises `ConfigurationError`."""
    chosen = settings.audit
    state = Path(str(chosen["signedState"])) / "stamps"
    try:
        tsas = [
            Tsa(str(one["name"]), str(one["url"]), Path(str(one["roots"]))) for one in chosen.get("timestamps") or ()
        ]
        witnesses = [
            WitnessClient(str(one["url"]), one["vkey"], name=str(one["name"])) for one in chosen.get("witnesses") or ()
        ]
        stamper = Stamper(
            tsas, publication, state, clock=now, tell=_tell, stop_after=float(chosen.get("stopAfterHours", 4)) * HOUR
        )
        if not settings.sandbox:
            _ready_for_production(settings, tsas)
        witnessing = Witnessing(
            witnesses, publication, quorum=chosen.get("quorum"), keep=stamper.concerns, clock=now, tell=_tell
        )
        return Attesting(stamper, witnessing, publication, _policy(witnesses, witnessing.quorum))
    except (LedgerError, ValueError, TypeError, KeyError) as error:
        raise ConfigurationError(
            f"settings audit.witnesses, audit.quorum or audit.timestamps: {error}",
            advice="A witness has name, url and vkey (one, or a list); an authority has name, url and roots (a PEM file).",
        ) from error


def _ready_for_production(settings: Settings, tsas: Sequence[Tsa]) -> None:
    """Roots that cannot be read are refused now, not found out by an alarm; who is missing is said at each start."""
    for tsa in tsas:
        load_roots(tsa.roots)
    for setting in missing(settings):
        log.warning("nobody_vouches", setting=setting)


def _policy(witnesses: Sequence[WitnessClient], quorum: int) -> Policy:
    """`witness …` and `group …` lines: any key of a witness is that witness; `quorum` of them suffice.

    >>> _policy([], 0)
    ((), 'none')
    """
    lines = []
    for one in witnesses:
        names = [one.name] if len(one.vkeys) == 1 else [f"{one.name}-key-{n}" for n in range(1, len(one.vkeys) + 1)]
        lines += [f"witness {name} {vkey} {one.url}" for name, vkey in zip(names, one.vkeys, strict=True)]
        lines += [f"group {one.name} any {' '.join(names)}"] * (len(names) > 1)
    if not witnesses:
        return (), "none"
    return (*lines, f"group hub-quorum {quorum} {' '.join(one.name for one in witnesses)}"), "hub-quorum"


def _tell(level: str, event: str, **fields: Any) -> None:
    getattr(log, level)(event, **fields)


class AttestingFigures(Collector):
    """How witnesses and authorities do, for /metrics."""

    def __init__(self, attesting: Attesting) -> None:
        self._attesting = attesting

    def collect(self) -> Iterator[Metric]:
        yield from _stamps(self._attesting.stamper)
        yield from _witnesses(self._attesting.witnessing)


def _stamps(stamper: Stamper) -> Iterator[Metric]:
    age = GaugeMetricFamily(
        "integrator_timestamp_age_seconds", "Since this authority last stamped the anchor.", labels=("tsa",)
    )
    waiting = GaugeMetricFamily(
        "integrator_timestamp_waiting_seconds",
        "How long an anchor checkpoint has waited for its stamp.",
        labels=("tsa",),
    )
    failures = CounterMetricFamily("integrator_timestamp_failures", "Stamps that failed.", labels=("tsa",))
    status = stamper.status()
    for tsa in status.tsas:
        if tsa.age is not None:
            age.add_metric((tsa.name,), tsa.age)
        waiting.add_metric((tsa.name,), tsa.waiting)
        failures.add_metric((tsa.name,), tsa.failures)
    overdue = GaugeMetricFamily(
        "integrator_timestamp_overdue", "1 while new exchanges are refused for want of a stamp.", value=status.overdue
    )
    yield from (age, waiting, failures, overdue)


def _witnesses(witnessing: Witnessing) -> Iterator[Metric]:
    status = witnessing.status()
    size = GaugeMetricFamily("integrator_witness_size", "Anchor size this witness cosigned last.", labels=("witness",))
    failures = CounterMetricFamily("integrator_witness_failures", "Cosignatures not had.", labels=("witness",))
    alarm = GaugeMetricFamily(
        "integrator_witness_alarm", "1 once this witness has seen another or a longer history.", labels=("witness",)
    )
    for one in status.witnesses:
        size.add_metric((one.name,), one.size)
        failures.add_metric((one.name,), one.failures)
        alarm.add_metric((one.name,), bool(one.alarm))
    waiting = GaugeMetricFamily(
        "integrator_witness_waiting_seconds",
        "How long an anchor checkpoint has waited for its quorum.",
        value=status.waiting,
    )
    yield from (size, failures, alarm, waiting)


def missing(settings: Settings) -> Mapping[str, str]:
    """What a production hub ought to have and has not: setting to advice."""
    found = {}
    if not settings.audit.get("timestamps"):
        found["audit.timestamps"] = "Nobody outside says when: name a time stamping authority, better two."
    if not settings.audit.get("witnesses"):
        found["audit.witnesses"] = "Nobody outside sees that the log only grows: ask another integrator to witness it."
    return found
