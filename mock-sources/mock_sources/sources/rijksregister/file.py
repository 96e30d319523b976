"""A person's whole file, every type of information that the register has, in the order of their numbers."""

from __future__ import annotations

from collections.abc import Callable

from mock_sources.sources.rijksregister import family, identity, papers, surplus, whereabouts
from mock_sources.sources.rijksregister.page import Page

Renderer = Callable[[Page], str]

GROUPS: tuple[Renderer, ...] = (
    identity.number,
    whereabouts.keeper,
    identity.names,
    identity.nobility,
    whereabouts.addresses,
    whereabouts.abroad,
    whereabouts.reference_address,
    whereabouts.absences,
    identity.nationalities,
    identity.birth,
    family.parents,
    family.children,
    family.civil_states,
    family.cohabitation,
    family.household,
    identity.death,
    papers.licences,
    papers.identity_cards,
    whereabouts.in_charge,
    identity.registers,
    identity.earlier_number,
    whereabouts.not_communicable,
    identity.bookkeeping,
)


def file_info(page: Page) -> str:
    """The content of rrn_it_implicit."""
    return "".join(render(page) for render in GROUPS)


def surplus_info(page: Page) -> str:
    """The same and more than anybody asked: what the fault over_delivery sends."""
    return file_info(page) + "".join(render(page) for render in surplus.GROUPS)
