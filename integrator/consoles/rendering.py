"""Templates and words. Words stand in words/pages/<room>.yaml, each in every language; a page asks `t("room.name", n=3)`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from integrator.errors import ConfigurationError
from integrator.places import read_yaml

LANGUAGES = ("nl", "fr", "en")
_HERE = Path(__file__).parent
_BRUSSELS = ZoneInfo("Europe/Brussels")
Texts = Mapping[str, Mapping[str, str]]


@cache
def words() -> Texts:
    """Every text: `room.name` -> language -> text. Raises `ConfigurationError` when one lacks a language."""
    texts: dict[str, Mapping[str, str]] = {}
    for path in sorted((_HERE / "words" / "pages").glob("*.yaml")):
        for name, text in (read_yaml(path) or {}).items():
            if set(text) != set(LANGUAGES):
                raise ConfigurationError(f"words/pages/{path.name}: {name} is wanted in {', '.join(LANGUAGES)}")
            texts[f"{path.stem}.{name}"] = text
    return texts


@dataclass(frozen=True, slots=True)
class Speech:
    """Words, numbers and dates in one language."""

    language: str

    def __call__(self, name: str, /, **values: object) -> str | Markup:
        """A text with its blanks filled. A text with markup has a name that ends in `_html`; blanks are escaped."""
        text = words()[name][self.language]
        if name.endswith("_html"):
            return Markup(text).format(**values)  # noqa: S704 - our own file; format() escapes what is filled in
        return text.format(**values) if values else text

    def has(self, name: str) -> bool:
        return name in words()

    def day(self, moment: int | date) -> str:
        """A day in words, of a date or a time in µs.

        >>> Speech("en").day(1_795_440_600_123_456), Speech("fr").day(date(2026, 12, 1))
        ('23 November 2026', '1er décembre 2026')
        """
        one = moment if isinstance(moment, date) else _local(moment).date()
        number = "1er" if self.language == "fr" and one.day == 1 else str(one.day)
        return f"{number} {self('shell.months').split()[one.month - 1]} {one.year}"

    def time(self, micros: int) -> str:
        """Day and hour in Brussels.

        >>> Speech("nl").time(1_795_440_600_123_456)
        '23 november 2026, 14:30'
        """
        return f"{self.day(micros)}, {_local(micros):%H:%M}"

    def month(self, number: int) -> str:
        """A month given as yyyymm.

        >>> Speech("nl").month(203611)
        'november 2036'
        """
        return f"{self('shell.months').split()[number % 100 - 1]} {number // 100}"

    def number(self, value: int) -> str:
        """Thousands apart, as the language does; the gap is a narrow no-break space.

        >>> Speech("nl").number(1234567).replace("\\u202f", "_")
        '1_234_567'
        """
        return f"{value:,}".replace(",", "," if self.language == "en" else "\u202f")

    def length(self, seconds: float) -> str:
        """About how long, in the largest unit that fits."""
        for unit, size in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
            if seconds >= 2 * size:
                return str(self(f"shell.{unit}", n=round(seconds / size)))
        return str(self("shell.seconds", n=round(seconds)))


def render(template: str, language: str, **values: Any) -> str:
    """A page as text. A name that is missing in a template is an error, never a blank."""
    speech = Speech(language)
    return _environment().get_template(template).render(lang=language, t=speech, languages=LANGUAGES, **values)


def iso(micros: int) -> str:
    """For `<time datetime>`."""
    return datetime.fromtimestamp(micros / 1e6, UTC).isoformat(timespec="seconds")


def _local(micros: int) -> datetime:
    return datetime.fromtimestamp(micros / 1e6, _BRUSSELS)


@cache
def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters: dict[str, Callable[..., Any]] = {"iso": iso}
    made.filters.update(filters)
    return made
