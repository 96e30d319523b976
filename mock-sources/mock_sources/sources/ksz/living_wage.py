"""Living wage: who paid it, from when to when, in which category. Amounts are another service's, and nobody's here."""

from __future__ import annotations

from datetime import date, timedelta

from lxml import etree

from mock_sources.commonv3 import FOUND, NO_DATA
from mock_sources.soap import child_texts
from mock_sources.sources.ksz.projection import Found, Question
from mock_sources.world.facts import LivingWage as Grant


class LivingWage:
    """The service's own part."""

    def __init__(self, lag_days: int) -> None:
        self._lag = timedelta(days=lag_days)

    def __call__(self, question: Question) -> Found:
        """The grants that overlap with the period asked, or with today; those too young are not there yet."""
        start, end = _period(question.search, question.today)
        decided = (question.today - self._lag).isoformat()
        grants = [
            one
            for one in question.person.living_wage
            if one.start <= decided and one.start <= (end or one.start) and (one.end is None or one.end >= start)
        ]
        if not grants:
            return Found(NO_DATA)
        payer_hidden = "livingWage/cpas" in question.hidden
        content = "".join(_grant(question, one, payer_hidden and not question.surplus) for one in grants)
        return Found(FOUND, content, ("livingWage/cpas",) if payer_hidden else ())


def _period(search: etree._Element, today: date) -> tuple[str, str | None]:
    found = next((child for child in search if etree.QName(child).localname == "period"), None)
    if found is None:
        return today.isoformat(), today.isoformat()
    start, end = child_texts(found, ("beginDate", "endDate"))
    return start or "", end


def _grant(question: Question, grant: Grant, payer_hidden: bool) -> str:
    payer = "" if payer_hidden else f"<cpas>{grant.cpas_cbe}</cpas>"
    closed = f"<endDate>{grant.end}</endDate>" if grant.end else ""
    amounts = '<amount currency="EUR">1314.20</amount><bankAccount>BE00000000000000</bankAccount>'
    extension = f"<extension>{amounts}</extension>" if question.surplus else ""
    return (
        f"<livingWage><ssin>{question.person.ssin}</ssin>{payer}<period><beginDate>{grant.start}</beginDate>{closed}"
        f"</period><categoryCode>{grant.category}</categoryCode>{extension}</livingWage>"
    )
