"""Names people here could have. Surnames are put together from parts; nobody's file was looked at to make them."""

from __future__ import annotations

from mock_sources.world.words import words

_BEFORE = ("", "Van ", "De ", "Van den ", "Ver", "Ter ")
_STEMS = (
    "Brouck",
    "Linde",
    "Meer",
    "Heuvel",
    "Beeck",
    "Velde",
    "Houtman",
    "Molen",
    "Dael",
    "Kerk",
    "Winter",
    "Zomer",
    "Vos",
    "Haas",
    "Bos",
    "Steen",
    "Laer",
    "Weyer",
    "Poel",
    "Eyck",
    "Hoeck",
    "Straet",
    "Bergh",
    "Kamp",
    "Mey",
)
_AFTER = ("", "s", "mans", "aert")

_FRENCH = words("surnames_french")
_WORLD = words("surnames_world")

_DUTCH = tuple(
    f"{before}{stem.lower() if before == 'Ver' else stem}{after}"
    for before in _BEFORE
    for stem in _STEMS
    for after in _AFTER
)
SURNAMES: tuple[str, ...] = (*_DUTCH, *_FRENCH, *_WORLD)

# Where in SURNAMES a household's name is drawn from: (first, how many).
DUTCH_SURNAMES = (0, len(_DUTCH))
FRENCH_SURNAMES = (len(_DUTCH), len(_FRENCH))
WORLD_SURNAMES = (len(_DUTCH) + len(_FRENCH), len(_WORLD))

FIRST_NAMES: dict[str, tuple[str, ...]] = {"1": words("first_names_men"), "2": words("first_names_women")}
