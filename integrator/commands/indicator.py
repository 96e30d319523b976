"""`integrator indicator list | count | hand-in`: figures for policy, counted where the files are.

    count     a package's file ─► how many; shows it, writes nothing
    hand-in   the same, then the one small file that leaves the house goes to --to

No person's number is shown, written or sent by either.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from integrator import places, settings
from integrator.adapters.layout import load
from integrator.errors import ConfigurationError
from integrator.figures.suppression import ALL
from integrator.indicators.aggregates import hand_in, render
from integrator.indicators.counting import figures_of
from integrator.indicators.definitions import PERIOD, Version, load_indicators, load_words


def add(words: Any) -> None:
    parser = words.add_parser(
        "indicator", help="figures for policy: counted by one definition, by packages that differ"
    )
    verbs = parser.add_subparsers(dest="verb", required=True)
    known = verbs.add_parser("list", help="the indicators, and what each version of them counts")
    known.add_argument("--language", choices=("nl", "fr", "en"), default="en")
    known.set_defaults(run=run_list)
    for verb, told in (
        ("count", "what would leave the house"),
        ("hand-in", "put it where the hub reads it, once a month"),
    ):
        one = verbs.add_parser(verb, help=told)
        one.add_argument("file", type=Path, help="the package's own file")
        one.add_argument(
            "--adapter", required=True, help="folder in connectors/ with its adapter.yaml and indicators.yaml"
        )
        one.add_argument("--indicator", required=True, help="as `list` shows it")
        one.add_argument("--period", required=True, metavar="YYYY-MM")
        one.add_argument("--organisation", required=True, help="KBO number or short name of config/organisations.yaml")
        if verb == "hand-in":
            one.add_argument(
                "--to", type=Path, help="default: the folder of the hub's settings (sources.welfare_counts)"
            )
        one.add_argument("--settings", type=Path)
        one.set_defaults(run=run)


def run_list(chosen: argparse.Namespace) -> int:
    for one in load_indicators(places.folder("config") / "indicators").values():
        print(f"{one.name}  {one.title.in_(chosen.language)}")
        for version in one.versions:
            print(f"  {version.number}  from {version.since}  {version.text.in_(chosen.language)}")
    return 0


def run(chosen: argparse.Namespace) -> int:
    loaded = settings.load(chosen.settings)
    room = places.folder("connectors") / chosen.adapter
    if not (room / "adapter.yaml").exists():
        raise ConfigurationError(f"no adapter {chosen.adapter}", advice="A folder of connectors/ with an adapter.yaml.")
    organisation, version = _number(chosen.organisation), _version(chosen.indicator, chosen.period)
    layout = load(room / "adapter.yaml", sandbox=loaded.named_numbers if loaded.sandbox else None)
    try:
        figures = figures_of(layout, load_words(room), _found(chosen.file), version, chosen.period)
    except OSError as error:
        raise ConfigurationError(f"the file cannot be read: {type(error).__name__}") from error
    if chosen.verb == "count":
        print(render(organisation, version, chosen.period, figures).decode())
        return 0
    folder = chosen.to or _folder(loaded)
    hand_in(folder, organisation, version, chosen.period, figures)
    told = figures.get(ALL)
    print(
        f"handed in: {version.indicator} of {chosen.period}: {f'fewer than {version.at_least}' if told is None else told}"
    )
    return 0


def _found(file: Path) -> Path:
    """Where the reader stands, or in the rooms: the examples of packages lie in connectors/."""
    return file if file.exists() or file.is_absolute() else places.home() / file


def _version(indicator: str, period: str) -> Version:
    known = load_indicators(places.folder("config") / "indicators")
    if indicator not in known:
        raise ConfigurationError(f"no indicator {indicator}", advice=f"One of {', '.join(known)}.")
    version = known[indicator].at(period) if PERIOD.fullmatch(period) else None
    if version is None:
        raise ConfigurationError(
            "no version of the definition is for that month", advice="--period YYYY-MM; see `indicator list`."
        )
    return version


def _number(organisation: str) -> str:
    known = settings.organisations()["organisations"]
    number = str(known.get(organisation, {}).get("number", organisation))
    if number not in {one["number"] for one in known.values()}:
        raise ConfigurationError(
            "no such organisation", advice="A KBO number or short name of config/organisations.yaml."
        )
    return number


def _folder(loaded: settings.Settings) -> Path:
    """Of the one source that is a folder of figures. Raises `ConfigurationError`."""
    found = [one["folder"] for one in loaded.sources.values() if "folder" in one and "centres" in one]
    if len(found) != 1:
        raise ConfigurationError("the settings name no folder for figures", advice="Say --to FOLDER.")
    return Path(found[0])
