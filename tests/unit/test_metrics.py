"""Metrics say what Prometheus expects, and never a person."""

from __future__ import annotations

from prometheus_client import generate_latest

from integrator.metrics import Metrics


def shown(metrics):
    return generate_latest(metrics.registry).decode()


def test_an_exchange_is_counted_and_timed_cumulatively():
    metrics = Metrics()
    for seconds in (0.0005, 0.003, 20.0):
        metrics.exchange("person.get", "school", "answered", seconds)
    text = shown(metrics)

    assert 'integrator_exchange_requests_total{outcome="answered",purpose="school",service="person.get"} 3.0' in text
    assert 'integrator_exchange_duration_seconds_bucket{le="0.001",service="person.get"} 1.0' in text
    assert 'integrator_exchange_duration_seconds_bucket{le="10.0",service="person.get"} 2.0' in text
    assert 'integrator_exchange_duration_seconds_bucket{le="+Inf",service="person.get"} 3.0' in text
    assert 'integrator_exchange_duration_seconds_count{service="person.get"} 3.0' in text


def test_only_an_answer_moves_the_last_success_of_a_source():
    metrics = Metrics()
    metrics.source("register", "ok", 0.1, 100.0)
    metrics.source("register", "timeout", 6.0, 200.0)

    assert 'integrator_source_last_success_timestamp_seconds{source="register"} 100.0' in shown(metrics)


def test_every_family_has_the_prefix_and_no_label_beyond_the_few():
    metrics = Metrics()
    metrics.exchange("person.get", "school", "answered", 1.0)
    metrics.decision("permit")
    metrics.ledger_append(0.001)
    families = list(metrics.registry.collect())

    assert all(family.name.startswith("integrator_") for family in families)
    assert {label for family in families for sample in family.samples for label in sample.labels} <= {
        "service", "purpose", "outcome", "source", "decision", "kind", "version", "le",
    }  # fmt: skip
