"""A room: pages that belong together. A page is one function here and one template.

room = Room("dpo", {"dpo", "hub_dpo"}, menu=("/refusals", "dpo.refusals"))

@room.get("/refusals")
async def refusals(visit: Visit) -> Response: …
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field

from starlette.responses import Response

from integrator.consoles.menu import Entry
from integrator.consoles.visit import Visit

Page = Callable[[Visit], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Door:
    """One address of a room. `roles` empty = whoever is signed in; None = anyone."""

    method: str
    path: str
    page: Page
    roles: frozenset[str] | None


@dataclass(slots=True)
class Room:
    """`name` is the first part of its addresses (empty for the hall); only people of these roles get in."""

    name: str
    roles: frozenset[str] | None
    doors: list[Door] = field(default_factory=list)
    menu: list[Entry] = field(default_factory=list)

    @property
    def prefix(self) -> str:
        return f"/{self.name}" if self.name else ""

    def get(
        self, path: str, *, menu: str | None = None, roles: Collection[str] | None = None
    ) -> Callable[[Page], Page]:
        """A page. `menu`: the word under which it stands in the menu; `roles`: fewer than the room's."""
        return self._door("GET", path, menu, roles)

    def post(self, path: str, *, roles: Collection[str] | None = None) -> Callable[[Page], Page]:
        """What a form does; the form was checked to be ours before the function runs, and is `visit.form`."""
        return self._door("POST", path, None, roles)

    def _door(self, method: str, path: str, menu: str | None, roles: Collection[str] | None) -> Callable[[Page], Page]:
        allowed = self.roles if roles is None else frozenset(roles)

        def add(page: Page) -> Page:
            self.doors.append(Door(method, self.prefix + path, page, allowed))
            if menu is not None:
                self.menu.append(Entry(self.prefix + path, menu, allowed or frozenset()))
            return page

        return add
