"""`integrator policy why`: a question or a recorded exchange, told to whoever asks why."""

from __future__ import annotations

import itertools

import pytest

import audit
from integrator.cli import main
from integrator.commands.policy.rooms import open_rooms
from integrator.errors import PolicyDenied, SourceUnavailable
from integrator.exchange import Exchange
from integrator.metrics import Metrics
from integrator.model import Caller, Request, Trace
from integrator.recording import Recorder

NUMBER = "85610100147"
NOW = 1_795_435_200.0  # 2026-11-23 12:00 UTC
IXELLES, CPAS = "1992100975", "1982100968"
FINE = (
    "--organisation",
    "ixelles",
    "--purpose",
    "administrative_fine",
    "--service",
    "vehicle.registrations",
    "--at",
    "2026-11-23",
)
traces = itertools.count(1)


class Down:
    async def ask(self, question):
        raise SourceUnavailable("rijksregister")

    async def check(self):
        return None


@pytest.fixture
def ask(tmp_path, monkeypatch):
    """Ask the hub as shipped, its sources being down; the trace id of what was recorded, and the refusal."""
    monkeypatch.setenv("INTEGRATOR_STATE", str(tmp_path))
    store, rooms = audit.open_store(f"sqlite:///{tmp_path}/ledger.db"), open_rooms()
    with audit.Ledger(
        store, audit.FileKeyRing(tmp_path / "keys"), shard="hub/test/t/2026", clock=lambda: int(NOW * 1e6)
    ) as ledger:
        hub = Exchange(
            rooms.services, rooms.policies, {"rijksregister": Down(), "ksz": Down()}, Recorder(ledger, Metrics()), Metrics(),
            lambda: NOW, lambda organisation: None,
        )  # fmt: skip

        async def asked(service, purpose, organisation=IXELLES, **more):
            trace = Trace(f"{next(traces):032x}", f"{next(traces):016x}")
            request = Request(
                service, Caller(organisation, "counter", purpose), {"ssin": NUMBER}, trace, dossier="case/1", **more
            )
            with pytest.raises((PolicyDenied, SourceUnavailable)) as refused:
                await hub.answer(request)
            return trace.trace_id, refused.value

        yield asked
    store.close()


def why(*words):
    return main(["policy", "why", *words])


def test_a_question_is_told_in_three_languages(capsys):
    assert 0 == why(*FINE, "--keys", "ssin")
    said = capsys.readouterr().out

    assert "nl  – zoek met plateNumber in plaats van ssin" in said
    assert "fr  – cherchez par plateNumber au lieu de ssin" in said
    assert "en  – search by plateNumber instead of ssin" in said


def test_a_composition_is_told_with_its_parts(capsys):
    words = (
        "--purpose",
        "resident_permit",
        "--service",
        "parking.residentPermit.checkEligibility",
        "--keys",
        "ssin,plateNumber,address",
    )
    assert 0 == why("--organisation", "ixelles", *words, "--language", "en")
    said = capsys.readouterr().out

    assert "part household" in said
    assert 0 == said.count("Refused")


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ((*FINE, "--keys", "shoeSize"), "has no key 'shoeSize'"),
        ((*FINE, "--keys", "ssin", "--fields", "shoeSize"), "has no field 'shoeSize'"),
        (("--organisation", "ghent", "--purpose", "x", "--service", "person.get"), "no such organisation"),
        (("--organisation", "ixelles", "--purpose", "x", "--service", "person.gets"), "no such service"),
        (("--organisation", "ixelles"), "--purpose, --service"),
    ],
    ids=["key", "field", "organisation", "service", "nothing asked"],
)
def test_a_slip_is_answered_with_what_there_is(words, complaint, capsys):
    assert 1 == why(*words)
    assert complaint in capsys.readouterr().err


async def test_a_recorded_refusal_is_told_by_its_trace(ask, capsys):
    await ask("person.get", "administrative_fine")  # another exchange beside it
    trace, _ = await ask("person.get", "social_inquiry")

    assert 0 == why(trace, "--language", "en")
    said = capsys.readouterr().out
    assert "Refused. No authorisation names Municipality of Ixelles" in said
    assert "One thing would turn the answer round" in said
    assert NUMBER not in said and "case/1" not in said


async def test_what_is_sealed_is_said_to_be_sealed(ask, capsys):
    trace, _ = await ask("person.get", "administrative_fine", fields=frozenset({"nationalities"}))

    assert 0 == why(trace, "--language", "en")
    assert "is sealed in the record" in capsys.readouterr().out


async def test_an_exchange_that_was_allowed_names_its_text_and_its_entry_does_too(ask, capsys):
    trace, failed = await ask("person.get", "administrative_fine")

    for named in (trace, failed.recorded):
        assert 0 == why(named, "--language", "nl")
        assert "Toegelaten. administrative_fine@2026-1 geeft: –." in capsys.readouterr().out


async def test_an_exchange_that_nobody_recorded_is_said_to_be_missing(ask, capsys):
    assert 1 == why("f" * 32)
    assert "no entry of this ledger" in capsys.readouterr().err


async def test_a_refusal_carries_what_would_turn_it_round_and_names_nobody_else(ask):
    _, history = await ask("person.get", "administrative_fine", history=True)
    _, stranger = await ask("livingWage.get", "social_inquiry")

    assert [("history", "en")] == [(change["kind"], [*change["text"]][-1]) for change in history.changes]
    assert "organisation" in [change["kind"] for change in stranger.changes]
    assert CPAS not in str(stranger.changes) and NUMBER not in str(stranger.changes)
