"""Long work in a process of its own, at a low priority: no exchange waits for it, and it takes no interpreter from callers."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


async def apart(work: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
    """`work(*arguments)`, which must be a function of a module; what it raises is raised here."""
    if named:
        raise TypeError("what goes to another process goes by place")
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, context, initializer=os.nice, initargs=(5,)) as pool:
        return await asyncio.get_running_loop().run_in_executor(pool, work, *arguments)
