"""`integrator demo`: the main job on one screen. Every line is measured from the outside: HTTP answers and the ledger.

Three questions about one test person: for the purpose that allows it, for one that does not, and while a source is down.
"""

from __future__ import annotations

import argparse
import json
import signal
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from rich.console import Console
from rich.table import Table

from integrator import places, settings
from integrator.commands import apps, ledger, mock, sandbox
from integrator.errors import ConfigurationError

PERSONA = "vrolijke-eekhoorn"
SERVICE = "parking.residentPermit.checkEligibility"
ALLOWED, NOT_ALLOWED = "resident_permit", "building_permit"
CHECKS = ("livesAtAddress", "vehicleRegistered", "holdsValidLicence", "alive", "cardsBelowLimit")
VERDICT_WORDS = frozenset({"eligible", "checks", "code", "result", "source", "ms", "reason", "retryAfterSec"})

TEXTS = {
    "en": {
        "title": "Integrator demo · sandbox · invented people · nothing leaves this machine",
        "ask": "May this resident have a parking card?", "question": "question", "answer": "answer", "source": "source", "time": "time",
        "released": "released", "eligible": "Eligible", "fields": "fields of the sources given to the application",
        "before": "ledger entries were durable before the answer left",
        "receipt": "signed receipt, checked with the published key: entry {} of", "other": "The same question, for a purpose that does not allow it",
        "refused": "refused", "rule": "rule", "advice": "what to do", "down": "The same question, while the DIV (vehicles) is down",
        "never": "unknown is not a no: nobody is refused because a source is down", "retry": "ask again in {} s", "open": "Open",
        "stop": "Ctrl-C stops everything.", "yes": "yes", "no": "no", "unknown": "unknown", "starting": "starting",
    },
    "fr": {
        "title": "Démonstration · bac à sable · personnes inventées · rien ne quitte cette machine",
        "ask": "Cet habitant peut-il avoir une carte de riverain ?", "question": "question", "answer": "réponse", "source": "source", "time": "durée",
        "released": "communiqué", "eligible": "Y a droit", "fields": "données des sources communiquées à l’application",
        "before": "inscriptions au registre étaient durables avant le départ de la réponse",
        "receipt": "reçu signé, vérifié avec la clé publiée : inscription {} de",
        "other": "La même question, pour une finalité qui ne la permet pas",
        "refused": "refusé", "rule": "règle", "advice": "que faire", "down": "La même question, pendant que la DIV (véhicules) est en panne",
        "never": "inconnu n’est pas non : personne n’est refusé parce qu’une source est en panne", "retry": "redemander dans {} s", "open": "Ouvrir",
        "stop": "Ctrl-C arrête tout.", "yes": "oui", "no": "non", "unknown": "inconnu", "starting": "démarrage",
    },
    "nl": {
        "title": "Demo · zandbak · verzonnen mensen · niets verlaat deze machine",
        "ask": "Mag deze inwoner een bewonerskaart hebben?", "question": "vraag", "answer": "antwoord", "source": "bron", "time": "duur",
        "released": "meegedeeld", "eligible": "Heeft er recht op", "fields": "gegevens van de bronnen aan de toepassing gegeven",
        "before": "inschrijvingen in het logboek waren duurzaam voor het antwoord vertrok",
        "receipt": "ondertekend ontvangstbewijs, gecontroleerd met de gepubliceerde sleutel: inschrijving {} van",
        "other": "Dezelfde vraag, voor een doel dat ze niet toelaat",
        "refused": "geweigerd", "rule": "regel", "advice": "wat te doen", "down": "Dezelfde vraag, terwijl de DIV (voertuigen) niet antwoordt",
        "never": "onbekend is geen nee: niemand wordt geweigerd omdat een bron stil ligt", "retry": "vraag opnieuw over {} s", "open": "Openen",
        "stop": "Ctrl-C stopt alles.", "yes": "ja", "no": "nee", "unknown": "onbekend", "starting": "start",
    },
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Result:
    """What the three questions gave, in the words of `--json`."""

    eligible: str
    checks: list[dict[str, Any]]
    fields_released: int
    entries: list[dict[str, Any]]
    recorded_before_answer: bool
    receipt: dict[str, Any]
    refused: dict[str, Any]
    unknown: dict[str, Any]

    def json(self) -> dict[str, Any]:
        return {
            "eligible": self.eligible, "checks": self.checks, "fieldsReleased": self.fields_released, "entries": self.entries,
            "recordedBeforeAnswer": self.recorded_before_answer, "receipt": self.receipt, "refused": self.refused, "unknown": self.unknown,
        }  # fmt: skip

    def wrong(self) -> list[str]:
        """Every line that differs from what is expected; empty = the demonstration holds."""
        said = [
            (self.eligible == "yes", f"eligible: expected yes, got {self.eligible}"),
            (
                tuple(check["code"] for check in self.checks) == CHECKS,
                "the five questions of the regional plan, in order",
            ),
            (all(check["result"] == "yes" for check in self.checks), "each check: expected yes"),
            (self.fields_released == 0, f"fields released: expected 0, got {self.fields_released}"),
            (self.recorded_before_answer, "an intent and an outcome of every call, durable before the answer"),
            (self.receipt["index"] in {one["index"] for one in self.entries}, "a receipt for one of these entries"),
            (self.refused["status"] == 403, f"the other purpose: expected 403, got {self.refused['status']}"),
            (
                self.unknown["eligible"] == "unknown",
                f"while DIV is down: expected unknown, got {self.unknown['eligible']}",
            ),
            (not any(check["result"] == "no" for check in self.unknown["checks"]), "while DIV is down: never a no"),
        ]
        return [words for holds, words in said if not holds]


def add(words: Any) -> None:
    parser = words.add_parser("demo", help="start sources and hub, ask three questions, show what happened")
    parser.add_argument(
        "--once", action="store_true", help="stop after the questions; exit 1 when a line is not as expected"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a screen")
    parser.add_argument("--lang", choices=sorted(TEXTS), default="en")
    parser.add_argument(
        "--state",
        type=Path,
        help="default: that of the settings, so that `app create` enrols here; with --once one that is thrown away",
    )
    parser.add_argument("--port", type=int, default=8080)
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    console = Console(stderr=chosen.json, highlight=False)
    screen = Screen(console, chosen.lang)
    signal.signal(signal.SIGTERM, _stopped)  # else sources and hub would outlive us
    with _state(chosen.state or (None if chosen.once else settings.load().state)) as state:
        screen.title()
        with sandbox.running(state, hub_port=chosen.port) as running:
            screen.running(running)
            result = _ask(running, screen)
            if chosen.json:
                print(json.dumps(result.json(), ensure_ascii=False, indent=2))
            wrong = result.wrong()
            for words in wrong:
                console.print(f"[bold red]✘[/] {words}")
            if not chosen.once:
                screen.addresses(running)
                _wait(running)
    return 1 if wrong else 0


def _ask(running: sandbox.Sandbox, screen: Screen) -> Result:
    from connectors.client import Hub, Problem  # the vendor's own client: the demo is an application like any other

    question = _persona(running.mocks)
    chosen = settings.load(
        None, state=str(running.state), port=int(running.hub.rpartition(":")[2]), mocks=running.mocks
    )
    key = running.state / "demo.jwk"
    key.unlink(missing_ok=True)
    (running.state / "applications" / "demo-counter.json").unlink(missing_ok=True)
    apps.create(chosen, "demo-counter", "ixelles", [ALLOWED, NOT_ALLOWED], key)
    with Hub.from_key(key, purpose=ALLOWED, url=running.hub) as hub:
        answer = hub.ask(SERVICE, **question)
        arrived = time.time()
        entries = ledger.named(chosen, answer.entries or "")
        released = _released(answer.body, entries)
        recorded = _recorded(entries, arrived)
        promised = hub.check_receipt(answer.receipt or "")
        receipt = {"log": promised.log, "index": promised.index}
        screen.answered(answer.body, released, entries if recorded else [], receipt)
        with Hub.from_key(key, purpose=NOT_ALLOWED, url=running.hub) as other:
            try:
                other.ask(SERVICE, **question)
                refused: dict[str, Any] = {"status": 200, "type": "", "reason": "", "rule": "", "advice": ""}
            except Problem as problem:
                refused = {
                    "status": problem.status, "type": problem.type, "reason": problem.body.get("reason", ""),
                    "rule": problem.body.get("rule", ""), "advice": problem.detail,
                }  # fmt: skip
        screen.refused(refused)
        with _ill(running.mocks, "div"):
            down = hub.ask(SERVICE, **question)
        unknown = {"eligible": down["eligible"], "checks": down["checks"], "retryAfterSec": down.retry_after}
        screen.unknown(unknown)
    return Result(answer["eligible"], answer["checks"], released, entries, recorded, receipt, refused, unknown)


def _persona(mocks: str) -> dict[str, Any]:
    """The question about the demo's person, from the mocks' own words."""
    found = mock.call("GET", f"{mocks}/mock/personas?find=slug%3D%3D%22{PERSONA}%22")["items"]
    if not found:
        raise ConfigurationError(f"the mocks know no persona {PERSONA}")
    one = found[0]
    home = one["address"]
    address = {"postCode": home["postCode"], "streetName": home["streetName"]["fr"], "houseNumber": home["houseNumber"]}
    if home.get("boxNumber"):
        address["boxNumber"] = home["boxNumber"]
    return {
        "ssin": one["ssin"],
        "plateNumber": one["plates"][0],
        "address": address,
        "dossierReference": "DEMO-2026-17",
    }


def _released(value: Any, entries: list[dict[str, Any]]) -> int:
    """How many fields of the sources the application got: any property that is no word of a verdict, or recorded as given."""
    given = sum(not name.startswith("answer:") for entry in entries for name in entry.get("categories", ()))

    def count(value: Any) -> int:
        if isinstance(value, list):
            return sum(count(item) for item in value)
        if isinstance(value, dict):
            return sum((name not in VERDICT_WORDS) + count(item) for name, item in value.items())
        return 0

    return given + count(value)


def _recorded(entries: list[dict[str, Any]], arrived: float) -> bool:
    """Whether every intent the answer names has its outcome, one trace, all before the answer came."""
    intents = {entry["index"] for entry in entries if entry["type"] == "intent"}
    outcomes = {entry["intent_ref"] for entry in entries if entry["type"] == "outcome"}
    one_trace = len({entry["trace_id"] for entry in entries}) == 1
    in_time = all(entry["ts"] <= arrived * 1_000_000 for entry in entries)
    return bool(intents) and intents == outcomes and in_time and one_trace


@contextmanager
def _ill(mocks: str, source: str) -> Iterator[None]:
    mock.call("PUT", f"{mocks}/mock/faults/{source}", {"kind": "reset"})
    try:
        yield
    finally:
        mock.call("DELETE", f"{mocks}/mock/faults/{source}")


def _stopped(_signal: int, _frame: object) -> NoReturn:
    raise SystemExit(143)


@contextmanager
def _state(chosen: Path | None) -> Iterator[Path]:
    if chosen is not None:
        yield chosen
        return
    with tempfile.TemporaryDirectory(prefix="integrator-demo-") as folder:
        yield Path(folder)


def _wait(running: sandbox.Sandbox) -> None:
    try:
        while all(process.poll() is None for process in running.processes):
            time.sleep(0.5)
    except KeyboardInterrupt:
        return


class Screen:
    """What a person reads while it runs."""

    def __init__(self, console: Console, language: str) -> None:
        self._console, self._language, self._words = console, language, TEXTS[language]

    def title(self) -> None:
        self._console.print(f"[bold]{self._words['title']}[/]\n")

    def running(self, running: sandbox.Sandbox) -> None:
        sources = " · ".join(sorted(places.source_names()))
        self._console.print(
            f" [green]✔[/] {running.mocks}  [dim]{sources}[/]\n [green]✔[/] {running.hub}  [dim]hub[/]\n"
        )

    def answered(
        self, body: Mapping[str, Any], released: int, entries: list[dict[str, Any]], receipt: dict[str, Any]
    ) -> None:
        words = self._words
        self._console.print(f"[bold]1  {words['ask']}[/]  [dim]{ALLOWED}[/]")
        self._console.print(self._table(body["checks"]))
        tick = "[green]✔[/]" if entries else "[red]✘[/]"
        self._console.print(
            f"   [bold]{words['eligible']}: {self._result(body['eligible'])}[/] · {words['fields']}: [bold]{released}[/]"
        )
        self._console.print(f"   {tick} {len(entries)} {words['before']}: {_in_words(entries)}")
        self._console.print(f"   [green]✔[/] {words['receipt'].format(receipt['index'])} [dim]{receipt['log']}[/]\n")

    def refused(self, refused: dict[str, Any]) -> None:
        words = self._words
        self._console.print(f"[bold]2  {words['other']}[/]  [dim]{NOT_ALLOWED}[/]")
        self._console.print(
            f"   [bold yellow]{words['refused']}[/] {refused['status']} {refused['type'].rpartition(':')[2]} · {refused['reason']}"
        )
        self._console.print(f"   {words['rule']}: {refused['rule'] or '–'}")
        self._console.print(f"   {words['advice']}: {refused['advice']}\n")

    def unknown(self, unknown: dict[str, Any]) -> None:
        words = self._words
        self._console.print(f"[bold]3  {words['down']}[/]")
        self._console.print(self._table(unknown["checks"]))
        retry = words["retry"].format(unknown["retryAfterSec"]) if unknown["retryAfterSec"] else ""
        self._console.print(f"   [bold]{words['eligible']}: {self._result(unknown['eligible'])}[/] · {retry}")
        self._console.print(f"   [dim]{words['never']}[/]\n")

    def addresses(self, running: sandbox.Sandbox) -> None:
        words = self._words
        for path in ("/docs", "/console", "/log/policy", "/health", "/metrics", "/openapi.json"):
            self._console.print(f"   {words['open']}  {running.hub}{path}")
        self._console.print(f"   {words['open']}  {running.mocks}/mock/personas")
        self._console.print(f"\n   {words['stop']}")

    def _table(self, checks: list[dict[str, Any]]) -> Table:
        words, titles = self._words, _titles(self._language)
        table = Table(box=None, padding=(0, 1, 0, 1), header_style="dim")
        table.add_column(words["question"], min_width=34)
        for name in ("answer", "source", "time", "released"):
            table.add_column(words[name], justify="right" if name == "time" else "left", no_wrap=True)
        for check in checks:
            reason = f"\n[dim]→ {check['reason']}[/]" if "reason" in check else ""
            table.add_row(
                titles[check["code"]] + reason,
                self._result(check["result"]),
                check["source"],
                f"{check['ms']:.0f} ms",
                str(_released(check, [])),
            )
        return table

    def _result(self, result: str) -> str:
        colour = {"yes": "green", "no": "red", "unknown": "yellow"}[result]
        return f"[{colour}]{self._words[result]}[/]"


def _titles(language: str) -> dict[str, str]:
    data = places.read_yaml(places.folder("config") / "services" / f"{SERVICE}.yaml")
    return {check["code"]: check["title"][language] for check in data["checks"]}


def _in_words(entries: list[dict[str, Any]]) -> str:
    counted: dict[str, int] = {}
    for entry in entries:
        counted[entry["type"]] = counted.get(entry["type"], 0) + 1
    return " + ".join(f"{count} {kind}" for kind, count in counted.items())
