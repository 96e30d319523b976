"""Bilingual street names that sound right and are nobody's: a kind of street times a thing to name it after."""

from __future__ import annotations

from mock_sources.world.facts import Names
from mock_sources.world.words import lines

# French puts the kind first and needs its preposition; Dutch glues the kind to the end.
KINDS = (
    ("Rue", "straat"),
    ("Avenue", "laan"),
    ("Place", "plein"),
    ("Chaussée", "steenweg"),
    ("Clos", "hof"),
    ("Quai", "kaai"),
    ("Sentier", "pad"),
    ("Drève", "dreef"),
)


THEMES: tuple[tuple[str, str], ...] = tuple(
    (french, dutch) for french, _, dutch in (line.partition(" = ") for line in lines("street_themes"))
)
COUNT = len(KINDS) * len(THEMES)


def street_names(place: int) -> Names:
    """The name at a place in the catalogue of kinds × themes (`0 <= place < COUNT`), all different.

    >>> street_names(0)
    Names(nl='Lindestraat', fr='Rue du Tilleul', de=None)
    """
    theme, kind = divmod(place, len(KINDS))
    (french_kind, dutch_kind), (french, dutch) = KINDS[kind], THEMES[theme]
    return Names(nl=f"{dutch}{dutch_kind}", fr=f"{french_kind} {french}")
