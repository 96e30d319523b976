"""The directory of references for a data protection officer: which files the organisation says that it keeps.

Counts name nobody. Whoever is looked up by number is looked at: the reason is asked, and the look is in the ledger first.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from starlette.responses import Response

from audit import Subject
from integrator.consoles.dpo import asking
from integrator.consoles.dpo.room import OFFICERS, room
from integrator.consoles.dpo.search import number_of
from integrator.consoles.rights import Right, may
from integrator.consoles.visit import Visit
from integrator.directory import DirectoryUnavailable, Registration

_SOON = timedelta(days=60)
_RIGHTS = "directory.yaml"


@room.get("/files", menu="dpo.files", roles=OFFICERS)
async def files(visit: Visit) -> Response:
    return await _page(visit)


@room.post("/files", roles=OFFICERS)
async def about(visit: Visit) -> Response:
    """The registrations about one person; shown once, and not again by going back."""
    number, reason = number_of(visit, "nrn", visit.form["number"]), visit.form["reason"]
    short = not asking.say_why(visit, "files_about", reason)
    if number is None or short:
        return await _page(visit, wrong=number is None, short=short, words=reason)
    directory, subject = visit.consoles.extras["directory"], Subject("nrn", number)

    def make(right: Right, seen: Any) -> tuple[list[Registration], Sequence[Subject]]:
        return directory.about(number, organisation=right.org), [subject]

    try:
        found = await visit.consoles.desk.export(
            visit.person, "files_about", make, reason, subject=subject, table=_RIGHTS
        )  # fmt: skip
    except DirectoryUnavailable:
        return await _page(visit)
    return visit.page("dpo/files_person.html", rows=[_row(visit, one) for one in found], ending=number[-2:])


async def _page(visit: Visit, *, wrong: bool = False, short: bool = False, words: str = "") -> Response:
    right = may(visit.person, "files_kept", table=_RIGHTS)
    day = asking.today(visit)
    try:
        counts = await visit.consoles.extras["directory"].counts(day, soon=day + _SOON, organisation=right.org)
    except DirectoryUnavailable:
        return visit.page("dpo/files.html", status=503, rows=None, wrong=False, short=False, words="", heads=[])
    heads = ["shell.organisation", "shell.purpose", "dpo.files_quality", "shell.count", "dpo.files_ending"]
    rows = [
        (*_names(visit, one.organisation, one.purpose, one.quality), one.registrations, one.ending) for one in counts
    ]
    return visit.page(
        "dpo/files.html", status=400 if wrong or short else 200, heads=heads, rows=rows, wrong=wrong, short=short, words=words
    )  # fmt: skip


def _row(visit: Visit, one: Registration) -> tuple[str, ...]:
    end = one.period.end
    return (
        *_names(visit, one.key.organisation, one.key.purpose, one.key.quality),
        visit.t.day(one.period.starts),
        str(visit.t("dpo.files_open")) if end is None else visit.t.day(end),
        " · ".join(filter(None, (one.origin, str(visit.t("dpo.files_replaced")) if one.replaced_by else ""))),
    )


def _names(visit: Visit, organisation: str, purpose: str, quality: str) -> tuple[str, str, str]:
    book, language = visit.consoles.book, visit.language
    aim, label = book.purpose(purpose), book.qualities.get(quality)
    return (
        book.organisation(organisation, language),
        aim.title.in_(language) if aim else purpose,
        f"{quality} {label.in_(language)}" if label else quality,
    )
