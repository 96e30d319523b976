"""How the classic host writes names: capitals, no accents, nothing but what an old terminal could show."""

from __future__ import annotations

from functools import lru_cache
from unicodedata import combining, normalize

_APART = str.maketrans({"Ł": "L", "Ø": "O", "Đ": "D", "Æ": "AE", "Œ": "OE", "Þ": "TH", "’": "'", "ʼ": "'", "‘": "'"})


@lru_cache(maxsize=4096)
def host(text: str) -> str:
    """Write a name as the host does.

    >>> host("Łukasz d’Été-Groß")
    "LUKASZ D'ETE-GROSS"
    """
    bare = "".join(letter for letter in normalize("NFD", text.upper()) if not combining(letter))
    return bare.translate(_APART)
