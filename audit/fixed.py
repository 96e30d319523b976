"""Values that nobody changes once they are made, for what every append makes anew.

A frozen dataclass sets each of its fields through object.__setattr__, which takes five times as long as a plain slot. Here
the checker of types refuses a change, before anything runs. (integrator.fixed is the same: neither of us knows the other.)
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def fixed(cls: type[T]) -> type[T]:
    """A class of slots, compared and hashed by its values, like `@dataclass(frozen=True, slots=True)`."""
    return dataclass(slots=True, unsafe_hash=True)(cls)
