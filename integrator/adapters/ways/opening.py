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
from integrator.adapters.ways.paging import RestPart, rest_part
from integrator.adapters.ways.polling import Pages, Polled
from integrator.database import Database

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from integrator.adapters.ways.rest import Rest
    from integrator.adapters.ways.sftp import SftpFolder
    from integrator.adapters.ways.ssh import Server


def open_way(
    layout: Layout, access: Path, database: Database, drop: Drop, now: Callable[[], float], tell: Told
) -> Way | None:
    """None for a folder. Raises `ConfigurationError`: no access file, or not one for this way."""
    if layout.way == "folder":
        return None
    if layout.way == "sftp":
        said = layout.data["sftp"]
        return open_sftp(access, said["folder"], drop, Looks(layout.adapter, database, now, tell), said.get("seconds"))
    return Polled(layout.adapter, open_pages(layout, access, now), database, drop, now, tell)


def open_shelf(layout: Layout, access: Path) -> Shelf | None:
    """Where files for the package are put; None for a folder of ours. Raises `ConfigurationError`."""
    if layout.way != "sftp":
        return None
    from integrator.adapters.ways.shelf import SftpShelf

    said = layout.data["sftp"]
    return SftpShelf(*_server(access, said["folder"], said.get("seconds")))


def open_sftp(access: Path, folder: str, drop: Drop, looks: Looks, seconds: float | None = None) -> SftpFolder:
    """A folder behind SFTP, of which `drop` says what is wanted. Raises `ConfigurationError`."""
    from integrator.adapters.ways.sftp import SftpFolder

    return SftpFolder(*_server(access, folder, seconds), drop, looks)


def open_view(access: Path, seconds: float) -> Engine:
    """The database of a view; a statement may take so many seconds. Raises `ConfigurationError`."""
    from integrator.adapters.ways.engines import open_engine

    return open_engine(str(read_access(access, needs=("database",))["database"]), seconds)


def open_rest(part: RestPart, access: Path, now: Callable[[], float]) -> Rest:
    """Raises `ConfigurationError`."""
    from integrator.adapters.ways.rest import Rest

    return Rest(part, read_access(access, needs=("url",), may=("headers",)), now)


def open_pages(layout: Layout, access: Path, now: Callable[[], float]) -> Pages:
    """What is asked page by page. Raises `ConfigurationError`."""
    if layout.way == "rest":
        return open_rest(rest_part(layout), access, now)
    from integrator.adapters.ways.view import View, view_part

    part = view_part(layout)
    return View(part, open_view(access, part.seconds), now)


def _server(access: Path, folder: str, seconds: float | None) -> tuple[Server, bytes]:
    from integrator.adapters.ways.ssh import SECONDS, open_server

    return open_server(access, float(seconds or SECONDS)), str(folder).rstrip("/").encode()
