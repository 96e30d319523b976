"""From settings to stamps and witnesses: what the hub refuses, shows and counts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from audit.errors import TrustInsufficient
from audit.log.publication import Publication
from audit.posting import Unreachable
from audit.tree.cosignature import Cosigner, MldsaCosigner
from audit.tree.trust import Trust
from audit.witness import WitnessConflict
from audit.witness.cosigned import with_lines
from integrator import settings
from integrator.attesting import Attesting, AttestingFigures, missing, open_attesting
from integrator.errors import ConfigurationError, StampsOverdue
from tests.unit.audit.witness.conftest import ORIGIN, Log

HOUR = 3600.0
KEY = Cosigner.from_seed("witness.example/w1", b"w" * 32).vkey
WITNESS = {"name": "w1", "url": "http://127.0.0.1:9", "vkey": KEY}
TSA = {"name": "clock", "url": "http://127.0.0.1:9", "roots": "absent.pem"}


class Clock:
    now = 1_795_000_000.0

    def __call__(self) -> float:
        return self.now


class Publisher:
    def __init__(self) -> None:
        self.on_anchor: list[Any] = []

    def cosigned(self, note: bytes) -> None: ...


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def publication(tmp_path: Path) -> Publication:
    return Publication(tmp_path / "log")


@pytest.fixture
def attesting(tmp_path: Path, publication: Publication, clock: Clock) -> Callable[..., Attesting]:
    def make(**audit: Any) -> Attesting:
        chosen = settings.load(None, state=str(tmp_path), audit={"timestamps": [], **audit})
        return open_attesting(chosen, publication, clock)

    return make


def test_the_sandbox_is_stamped_by_the_mocks_authority(tmp_path: Path, publication: Publication, clock: Clock) -> None:
    stamper = open_attesting(settings.load(None, state=str(tmp_path)), publication, clock).stamper

    assert ["sandbox"] == [tsa.name for tsa in stamper.status().tsas]


def test_a_production_hub_that_keeps_the_sandbox_authority_is_told_by_name(tmp_path: Path) -> None:
    assert "audit.timestamps" in settings.load(None, state=str(tmp_path)).mocked
    assert "audit.timestamps" not in settings.load(None, state=str(tmp_path), audit={"timestamps": [TSA]}).mocked


def test_four_hours_without_a_stamp_refuse_new_exchanges_and_zero_hours_never_do(
    attesting: Callable[..., Attesting], clock: Clock
) -> None:
    four, never = attesting(timestamps=[TSA]), attesting(timestamps=[TSA | {"name": "other"}], stopAfterHours=0)
    for one in (four, never):
        one.on_anchor(Log().grow_to(5))
        one.admit()
    clock.now += 4 * HOUR + 1

    with pytest.raises(StampsOverdue):
        four.admit()
    never.admit()
    assert (True, False) == (four.overdue, never.overdue)
    assert {"timeStamps": {"clock": "DOWN"}} == four.health()


def test_a_hub_whose_witness_has_seen_more_does_not_start(
    attesting: Callable[..., Attesting], publication: Publication, monkeypatch: pytest.MonkeyPatch
) -> None:
    def further(*_: object) -> None:
        raise WitnessConflict(500)

    publication.write(f"{ORIGIN}/checkpoint", Log().grow_to(300))
    one = attesting(witnesses=[WITNESS])
    monkeypatch.setattr("audit.witness.client.WitnessClient.cosign", further)

    with pytest.raises(ConfigurationError, match="ends at 300, but witness w1 has cosigned 500") as refused:
        one.check_restored(ORIGIN)
    assert "resume --after-restore" in refused.value.hint


def test_a_hub_whose_witness_is_down_or_stands_where_we_do_starts(
    attesting: Callable[..., Attesting], publication: Publication, monkeypatch: pytest.MonkeyPatch
) -> None:
    publication.write(f"{ORIGIN}/checkpoint", Log().grow_to(300))
    for answer in (Unreachable("down"), WitnessConflict(300), WitnessConflict(7)):

        def said(*_: object, answer: Exception = answer) -> None:
            raise answer

        monkeypatch.setattr("audit.witness.client.WitnessClient.cosign", said)
        one, publisher = attesting(witnesses=[WITNESS]), Publisher()
        one.check_restored(ORIGIN)
        one.attach(publisher, ORIGIN)

        assert [one.on_anchor] == publisher.on_anchor


def test_a_log_that_was_never_published_asks_no_witness(
    attesting: Callable[..., Attesting], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("audit.witness.client.WitnessClient.cosign", lambda *_: 1 / 0)

    attesting(witnesses=[WITNESS]).check_restored(ORIGIN)


def test_the_policy_asks_for_the_quorum_and_takes_any_key_of_a_witness(attesting: Callable[..., Attesting]) -> None:
    log, pq = Log(), MldsaCosigner.from_seed("witness.example/w1", b"w" * 32)
    others = [Cosigner.from_seed(f"witness.example/w{n}", bytes([n]) * 32) for n in (2, 3)]
    parties = [WITNESS | {"vkey": [KEY, pq.vkey]}]
    parties += [
        {"name": f"w{n}", "url": "http://127.0.0.1:9", "vkey": o.vkey} for n, o in zip((2, 3), others, strict=True)
    ]
    lines, quorum = attesting(witnesses=parties).policy()
    trust = Trust.parse("\n".join([f"log {log.signer.vkey}", *lines, f"quorum {quorum}", ""]))
    note = log.grow_to(5)
    text = note.decode().partition("\n\n")[0] + "\n"
    one = with_lines(note, [pq.line(text, 1), Cosigner.from_seed("witness.example/w1", b"w" * 32).line(text, 1)])

    with pytest.raises(TrustInsufficient):
        trust.verify(one)  # two keys of one witness are one witness
    assert text == trust.verify(with_lines(one, [others[0].line(text, 1)])).text
    assert ((), "none") == attesting().policy()


def test_a_cosigned_note_that_is_not_kept_is_gone_from_the_publication_and_may_be_gone_already(
    publication: Publication,
) -> None:
    publication.write(f"{ORIGIN}/witnessed/5", b"note")
    for _ in range(2):
        publication.remove(f"{ORIGIN}/witnessed/5")

    with pytest.raises(FileNotFoundError):
        publication.read(f"{ORIGIN}/witnessed/5")


def test_what_stood_there_at_the_start_is_still_stamped(
    attesting: Callable[..., Attesting], publication: Publication
) -> None:
    publication.write(f"{ORIGIN}/checkpoint", Log().grow_to(300))
    one = attesting(timestamps=[TSA])
    one.attach(Publisher(), ORIGIN)
    one.stamper.step()

    assert "RootsMissing" == one.stamper.status().tsas[0].reason  # it tried, with roots that are not there


@pytest.mark.parametrize(
    "wrong",
    [
        {"witnesses": [{"name": "w1", "url": "http://w"}]},
        {"witnesses": [WITNESS | {"vkey": "rubbish"}]},
        {"witnesses": [WITNESS | {"vkey": []}]},
        {"witnesses": [WITNESS], "quorum": 2},
        {"witnesses": [WITNESS], "quorum": 0},
        {"timestamps": [{"name": "a", "url": "http://t"}]},
        {"timestamps": [TSA | {"name": "../a"}]},
        {"timestamps": "http://t"},
        {"stopAfterHours": "soon"},
    ],
    ids=lambda wrong: "-".join(wrong),
)
def test_settings_that_cannot_be_meant_are_refused_at_the_start(
    wrong: dict[str, Any], attesting: Callable[..., Attesting]
) -> None:
    with pytest.raises(ConfigurationError, match="audit"):
        attesting(**wrong)


def test_the_figures_name_each_authority_and_witness(attesting: Callable[..., Attesting], clock: Clock) -> None:
    one = attesting(timestamps=[TSA], witnesses=[WITNESS])
    one.on_anchor(Log().grow_to(5))
    one.stamper.step()
    clock.now += 100
    registry = CollectorRegistry()
    registry.register(AttestingFigures(one))

    shown = generate_latest(registry).decode()
    for line in (
        'integrator_timestamp_waiting_seconds{tsa="clock"} 100.0',
        'integrator_timestamp_failures_total{tsa="clock"} 1.0',
        "integrator_timestamp_overdue 0.0",
        'integrator_witness_alarm{witness="w1"} 0.0',
        "integrator_witness_waiting_seconds 100.0",
    ):
        assert line in shown


def test_a_production_hub_is_refused_over_roots_it_cannot_read(
    tmp_path: Path, publication: Publication, clock: Clock
) -> None:
    chosen = settings.load(None, mode="production", state=str(tmp_path), audit={"timestamps": [TSA]})

    with pytest.raises(ConfigurationError, match="roots"):
        open_attesting(chosen, publication, clock)


def test_a_hub_that_nobody_vouches_for_is_told_what_it_misses(tmp_path: Path) -> None:
    alone = settings.load(None, state=str(tmp_path), audit={"timestamps": []})
    accompanied = settings.load(None, state=str(tmp_path), audit={"timestamps": [TSA], "witnesses": [WITNESS]})

    assert {"audit.timestamps", "audit.witnesses"} == set(missing(alone))
    assert {} == missing(accompanied)
