"""What a person reads while a scenario plays: who does what, what came back, what was recorded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from connectors.client import Problem
from integrator.commands.sandbox import Sandbox
from integrator.commands.scenario.script import Case, Scenario, Step

LANGUAGES = ("en", "fr", "nl")
_WIDE = 150  # signs of an answer that are shown
_WORDS = {
    "en": {"running": "sandbox · invented people · nothing leaves this machine", "refused": "refused", "left": "left in the ledger",
           "nothing": "nothing", "well": "Everything went as the scenario says.", "wrong": "{} things went otherwise.",
           "organisation": "organisation", "about": "about", "entries": "entries"},
    "fr": {"running": "bac à sable · personnes inventées · rien ne quitte cette machine", "refused": "refusé", "left": "inscrit au registre",
           "nothing": "rien", "well": "Tout s’est passé comme le dit le scénario.", "wrong": "{} choses se sont passées autrement.",
           "organisation": "organisation", "about": "objet", "entries": "inscriptions"},
    "nl": {"running": "zandbak · verzonnen mensen · niets verlaat deze machine", "refused": "geweigerd", "left": "in het logboek",
           "nothing": "niets", "well": "Alles verliep zoals het scenario zegt.", "wrong": "{} dingen verliepen anders.",
           "organisation": "organisatie", "about": "over", "entries": "inschrijvingen"},
}  # fmt: skip


class Screen:
    """Writes as it goes, so that long work shows where it is."""

    def __init__(self, console: Console, language: str) -> None:
        self._console, self._language, self._words = console, language, _WORDS[language]

    def running(self, running: Sandbox) -> None:
        self._console.print(f"[dim]{self._words['running']} · {running.hub} · {running.mocks}[/]")

    def begins(self, scenario: Scenario) -> None:
        self._console.print(f"\n[bold]{escape(scenario.title[self._language])}[/]  [dim]{scenario.name}[/]")
        self._console.print(escape(scenario.story[self._language]))

    def case(self, case: Case) -> None:
        self._console.print(f"\n [bold cyan]▸ {escape(case.title[self._language])}[/]")

    def step(self, step: Step, answer: Any, well: bool) -> None:
        tick = "[green]✔[/]" if well else "[red]✘[/]"
        self._console.print(f"   {tick} {escape(step.say[self._language])}")
        if isinstance(answer, Problem):
            told = " · ".join(str(part) for part in (answer.status, answer.body.get("reason"), answer.detail) if part)
            self._console.print(f"     [yellow]{self._words['refused']}[/] {escape(told)}")
        elif step.verb not in ("fault", "heal", "pause", "crash", "drop", "act") and answer not in (None, "", {}):
            self._console.print(f"     [dim]{escape(_short(answer))}[/]", soft_wrap=True)

    def left(self, found: Mapping[tuple[str, str, str], int]) -> None:
        """The entries of a case: one line for each organisation and thing."""
        table = Table(box=None, padding=(0, 2, 0, 4), header_style="dim", title=None)
        for name in ("organisation", "about", "entries"):
            table.add_column(self._words[name], overflow="fold")
        rows: dict[tuple[str, str], list[str]] = {}
        for (organisation, about, kind), count in sorted(found.items()):
            rows.setdefault((organisation, about), []).append(f"{count} {kind}")
        for (organisation, about), kinds in rows.items():
            table.add_row(organisation, about, " + ".join(kinds))
        self._console.print(f"   [dim]{self._words['left']}:[/]" + ("" if rows else f" {self._words['nothing']}"))
        if rows:
            self._console.print(table)

    def differs(self, words: str) -> int:
        self._console.print(f"   [bold red]✘[/] {escape(words)}", soft_wrap=True)
        return 1

    def ended(self, wrong: int) -> None:
        words = self._words["wrong"].format(wrong) if wrong else self._words["well"]
        self._console.print(f"\n[bold {'red' if wrong else 'green'}]{words}[/]")


def _short(answer: Any) -> str:
    text = answer if isinstance(answer, str) else orjson.dumps(answer, default=str).decode()
    return text if len(text) <= _WIDE else text[: _WIDE - 1] + "…"
