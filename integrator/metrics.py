"""What operators see: counters and histograms without any person, case or trace in a label. Nothing decides by them."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """One registry per process; child counters are looked up once and kept, since labels() costs more than inc()."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "integrator_exchange_requests",
            "Exchanges by service, purpose and outcome.",
            ("service", "purpose", "outcome"),
            registry=self.registry,
        )
        self._duration = Histogram(
            "integrator_exchange_duration_seconds",
            "From the knock to the recorded answer.",
            ("service",),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._source_requests = Counter(
            "integrator_source_requests", "Calls to a source by outcome.", ("source", "outcome"), registry=self.registry
        )
        self._source_duration = Histogram(
            "integrator_source_duration_seconds",
            "One call to a source, retries included.",
            ("source",),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.circuit = Gauge(
            "integrator_source_circuit_state", "0 closed, 1 half open, 2 open.", ("source",), registry=self.registry
        )
        self._last_success = Gauge(
            "integrator_source_last_success_timestamp_seconds",
            "When the source last answered.",
            ("source",),
            registry=self.registry,
        )
        self._decisions = Counter(
            "integrator_policy_decisions",
            "Decisions: permit, or the reason of the denial.",
            ("decision",),
            registry=self.registry,
        )
        self.ledger_append = Histogram(
            "integrator_audit_append_duration_seconds",
            "One durable append to the ledger.",
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.refused = Counter(
            "integrator_edge_refusals", "Knocks refused before a decision, by kind.", ("kind",), registry=self.registry
        )
        self.in_flight = Gauge(
            "integrator_exchange_in_flight", "Exchanges accepted and not yet answered.", registry=self.registry
        )
        self.build_info = Gauge("integrator_build_info", "The version that runs.", ("version",), registry=self.registry)
        self._children: dict[tuple[object, ...], object] = {}

    def exchange(self, service: str, purpose: str, outcome: str, seconds: float) -> None:
        self._child(self._requests, service, purpose, outcome).inc()
        self._child(self._duration, service).observe(seconds)

    def decision(self, word: str) -> None:
        self._child(self._decisions, word).inc()

    def source(self, source: str, outcome: str, seconds: float, now: float) -> None:
        self._child(self._source_requests, source, outcome).inc()
        self._child(self._source_duration, source).observe(seconds)
        if outcome == "ok":
            self._child(self._last_success, source).set(now)

    def _child(self, metric: Counter | Gauge | Histogram, *labels: str):  # type: ignore[no-untyped-def]
        key = (id(metric), *labels)
        child = self._children.get(key)
        if child is None:
            child = self._children[key] = metric.labels(*labels)
        return child
