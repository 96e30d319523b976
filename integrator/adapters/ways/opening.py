"""The way that an adapter.yaml names, opened with what stands in its access file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from integrator.adapters.drops import Drop
from integrator.adapters.layout import Layout
from integrator.adapters.posts import Told, Way
from integrator.adapters.ways.access import read_access
from integrator.adapters.ways.engines import open_engine
from integrator.adapters.ways.polling import Pages, Polled
from integrator.adapters.ways.view import View, view_part
from integrator.database import Database


def open_way(
    layout: Layout, access: Path, database: Database, drop: Drop, now: Callable[[], float], tell: Told
) -> Way | None:
    """None for a folder. Raises `ConfigurationError`: no access file, or not one for this way."""
    if layout.way == "folder":
        return None
    return Polled(layout.adapter, open_pages(layout, access), database, drop, now, tell)


def open_pages(layout: Layout, access: Path) -> Pages:
    """Raises `ConfigurationError`."""
    part = view_part(layout)
    return View(part, open_engine(str(read_access(access, needs=("database",))["database"]), part.seconds))
