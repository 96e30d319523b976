"""The way that an adapter.yaml names, opened with what stands in its access file. What a way needs is imported when it is used."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from integrator.adapters.drops import Drop
from integrator.adapters.layout import Layout
from integrator.adapters.posts import Told, Way
from integrator.adapters.shelves import Shelf
from integrator.adapters.ways.access import read_access
from integrator.adapters.ways.looks import Looks
from integrator.adapters.ways.polling import Pages, Polled
from integrator.database import Database
from integrator.errors import ConfigurationError

if TYPE_CHECKING:
    from integrator.adapters.ways.ssh import Server


def open_way(
    layout: Layout, access: Path, database: Database, drop: Drop, now: Callable[[], float], tell: Told
) -> Way | None:
    """None for a folder. Raises `ConfigurationError`: no access file, or not one for this way."""
    if layout.way == "folder":
        return None
    if layout.way == "sftp":
        from integrator.adapters.ways.sftp import SftpFolder

        return SftpFolder(*_server(layout, access), drop, Looks(layout.adapter, database, now, tell))
    return Polled(layout.adapter, open_pages(layout, access, now), database, drop, now, tell)


def open_shelf(layout: Layout, access: Path) -> Shelf | None:
    """Where files for the package are put; None for a folder of ours. Raises `ConfigurationError`."""
    if layout.way == "folder":
        return None
    if layout.way != "sftp":
        raise ConfigurationError(f"{layout.adapter}: deliver: nothing is put into a {layout.way}")
    from integrator.adapters.ways.shelf import SftpShelf

    return SftpShelf(*_server(layout, access))


def _server(layout: Layout, access: Path) -> tuple[Server, bytes]:
    from integrator.adapters.ways.ssh import SECONDS, open_server

    said = layout.data["sftp"]
    return open_server(access, float(said.get("seconds", SECONDS))), str(said["folder"]).rstrip("/").encode()


def open_pages(layout: Layout, access: Path, now: Callable[[], float]) -> Pages:
    """What is asked page by page. Raises `ConfigurationError`."""
    if layout.way == "rest":
        from integrator.adapters.ways.rest import Rest, rest_part

        return Rest(rest_part(layout), read_access(access, needs=("url",), may=("headers",)), now)
    from integrator.adapters.ways.engines import open_engine
    from integrator.adapters.ways.view import View, view_part

    part = view_part(layout)
    return View(part, open_engine(str(read_access(access, needs=("database",))["database"]), part.seconds))
