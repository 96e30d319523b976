"""Values that nobody changes once they are made, for what every exchange makes anew.

A frozen dataclass sets each of its fields through object.__setattr__, which takes five times as long as a plain slot: an
exchange makes a hundred such fields. So here the checker of types refuses a change, before anything runs, and nobody
pays for it while it runs. What lives longer than one exchange, or is handed to strangers, is a frozen dataclass.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def fixed(cls: type[T]) -> type[T]:
    """A class of slots, compared and hashed by its values, like `@dataclass(frozen=True, slots=True)`."""
    return dataclass(slots=True, unsafe_hash=True)(cls)
