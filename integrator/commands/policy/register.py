"""`integrator policy register`: the register of processing (GDPR art. 30), made of the texts in force."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from integrator import clock, settings
from integrator.commands.policy.house import in_force, word
from integrator.consoles.book import open_book
from integrator.consoles.governing.register import names_of
from integrator.consoles.rendering import Speech
from integrator.governing.proving import load_all_services
from integrator.governing.register import POINTS, PROCESSOR, make_register
from integrator.policy.telling import LANGUAGES


def add(verbs: Any) -> None:
    parser = word(verbs, "register", "the register of processing (GDPR art. 30)", run)
    parser.add_argument("--language", choices=LANGUAGES, default="en")
    parser.add_argument("--json", action="store_true", help="all languages")
    parser.add_argument("--settings", type=Path)


def run(chosen: argparse.Namespace) -> int:
    texts, _ = in_force(settings.load(chosen.settings))
    made = make_register(
        texts, load_all_services(), settings.organisations(), names_of(open_book()), clock.today(clock.system())
    )
    if chosen.json:
        print(json.dumps(made.json(), ensure_ascii=False, indent=2))
        return 0
    language, t = chosen.language, Speech(chosen.language)
    print(f"# {t('texts.register')}\n\n{t('texts.register_lead', day=t.day(made.day))}")
    for one in made.activities:
        print(f"\n## {one.title.in_(language)}\n\n{one.activity}")
        for name in POINTS:
            print(f"\n{t('texts.point_' + name)}")
            print("\n".join(f"- {line.in_(language)}" for line in one.points[name]))
    print(f"\n## {t('texts.as_processor')}")
    for name in PROCESSOR:
        print(f"\n{t('texts.processor_' + name)}")
        print("\n".join(f"- {line.in_(language)}" for line in made.processor[name]))
    return 0
