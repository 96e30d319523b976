"""What operators see: counters and histograms without any person, case or trace in a label. Nothing decides by them.

An exchange counts eight things; prometheus-client's own counters take a lock and a lookup for each. These are counted by
the event loop alone, in plain dictionaries, and become prometheus-client's families when somebody looks.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, Gauge, disable_created_metrics
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

disable_created_metrics()  # type: ignore[no-untyped-call] # no families `…_created`, which tell nobody anything

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class _Counts(dict[tuple[str, ...], float]):
    """A counter: labels to number."""

    def add(self, *labels: str) -> None:
        self[labels] = self.get(labels, 0) + 1


class _Times(dict[tuple[str, ...], list[float]]):
    """A histogram in seconds: labels to one number per bucket, one beyond the last, and the sum."""

    def observe(self, seconds: float, *labels: str) -> None:
        found = self.get(labels)
        if found is None:
            found = self[labels] = [0.0] * (len(_SECONDS) + 2)
        found[bisect_left(_SECONDS, seconds)] += 1
        found[-1] += seconds


class Metrics(Collector):
    """One registry per process; everything here is written from the event loop only."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._exchanges, self._durations = _Counts(), _Times()
        self._source_calls, self._source_durations = _Counts(), _Times()
        self._last_success: dict[tuple[str, ...], float] = {}
        self._decisions, self._appends = _Counts(), _Times()
        self.circuit = Gauge(
            "integrator_source_circuit_state", "0 closed, 1 half open, 2 open.", ("source",), registry=self.registry
        )
        self.refused = Counter(
            "integrator_edge_refusals", "Knocks refused before a decision, by kind.", ("kind",), registry=self.registry
        )
        self.in_flight = Gauge(
            "integrator_exchange_in_flight", "Exchanges accepted and not yet answered.", registry=self.registry
        )
        self.emergencies = Gauge(
            "integrator_emergencies_open", "Emergencies that wait for a second person.", registry=self.registry
        )
        self.chore_failures = Counter(
            "integrator_chore_failures",
            "Turns of a chore beside answering that failed.",
            ("chore",),
            registry=self.registry,
        )
        self.build_info = Gauge("integrator_build_info", "The version that runs.", ("version",), registry=self.registry)
        self.registry.register(self)

    def exchange(self, service: str, purpose: str, outcome: str, seconds: float) -> None:
        self._exchanges.add(service, purpose, outcome)
        self._durations.observe(seconds, service)

    def decision(self, word: str) -> None:
        """`permit`, or the reason of the denial."""
        self._decisions.add(word)

    def source(self, source: str, outcome: str, seconds: float, now: float) -> None:
        self._source_calls.add(source, outcome)
        self._source_durations.observe(seconds, source)
        if outcome == "ok":
            self._last_success[(source,)] = now

    def ledger_append(self, seconds: float) -> None:
        self._appends.observe(seconds)

    def collect(self) -> Iterator[Metric]:
        """The families as they stand, for /metrics."""
        yield _counter(
            "integrator_exchange_requests",
            "Exchanges by service, purpose and outcome.",
            ("service", "purpose", "outcome"),
            self._exchanges,
        )
        yield _histogram(
            "integrator_exchange_duration_seconds",
            "From the knock to the recorded answer.",
            ("service",),
            self._durations,
        )
        yield _counter(
            "integrator_source_requests", "Calls to a source by outcome.", ("source", "outcome"), self._source_calls
        )
        yield _histogram(
            "integrator_source_duration_seconds",
            "One call to a source, retries included.",
            ("source",),
            self._source_durations,
        )
        last = GaugeMetricFamily(
            "integrator_source_last_success_timestamp_seconds", "When the source last answered.", labels=("source",)
        )
        for labels, value in self._last_success.items():
            last.add_metric(labels, value)
        yield last
        yield _counter(
            "integrator_policy_decisions",
            "Decisions: permit, or the reason of the denial.",
            ("decision",),
            self._decisions,
        )
        yield _histogram(
            "integrator_audit_append_duration_seconds", "One durable append to the ledger.", (), self._appends
        )


def _counter(name: str, help_: str, labels: tuple[str, ...], counts: _Counts) -> Metric:
    family = CounterMetricFamily(name, help_, labels=labels)
    for values, number in counts.items():
        family.add_metric(values, number)
    return family


def _histogram(name: str, help_: str, labels: tuple[str, ...], times: _Times) -> Metric:
    family = HistogramMetricFamily(name, help_, labels=labels)
    for values, numbers in times.items():
        total, buckets = 0.0, []
        for bound, number in zip((*map(str, _SECONDS), "+Inf"), numbers[:-1], strict=True):
            total += number
            buckets.append((bound, total))
        family.add_metric(values, buckets, numbers[-1])
    return family
