"""The last thing made of something: made once, in a thread, whoever asks for it and however many do."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

T = TypeVar("T")


class Latest(Generic[T]):
    """One value, and what it was made of. What cannot be made is not kept: the next who asks tries again."""

    def __init__(self) -> None:
        self._turn = asyncio.Lock()
        self._found: tuple[Hashable, T] | None = None

    async def of(self, key: Hashable, make: Callable[[], T]) -> T:
        """What `make` gives for this key. Raises what `make` raises."""
        async with self._turn:
            if self._found is None or self._found[0] != key:
                self._found = key, await asyncio.to_thread(make)
            return self._found[1]
