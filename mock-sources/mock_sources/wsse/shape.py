"""What every check here stands on: the refusal, the clock's window, the memory for replays, the canonical form.

SecurityRefused            one way to say no; `code` is the fault code of WS-Security 1.0 §12
  InvalidSecurity          the header is not built as agreed (missing, doubled, misplaced, wrapped)
  UnsupportedAlgorithm     another transform, digest or signature than the agreed ones
  InvalidSecurityToken     a certificate that this source never issued
  FailedCheck              a digest, signature or nonce that does not hold
  FailedAuthentication     an unknown user or a wrong password
  MessageExpired           created too long ago, in the future, or past its own end
"""

from __future__ import annotations

from collections import OrderedDict
from copy import deepcopy
from datetime import datetime, timedelta

from lxml import etree

from mock_sources.wsse import names

WINDOW = timedelta(minutes=5)
AHEAD = timedelta(minutes=1)  # how far a sender's clock may run before ours


class SecurityRefused(Exception):
    """The security header of a message does not hold; raised before anything in the body is believed."""

    def __init__(self, code: str, why: str) -> None:
        super().__init__(f"{code}: {why}")
        self.code = code
        self.why = why


class Replays:
    """Remembers what was accepted during one window; memory stays bounded because the window does.

    >>> from datetime import UTC, datetime
    >>> seen = Replays()
    >>> noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
    >>> [seen.is_new("a", noon), seen.is_new("a", noon), seen.is_new("a", noon + 3 * WINDOW)]
    [True, False, True]
    """

    def __init__(self, keep: timedelta = 2 * WINDOW) -> None:
        self._keep = keep
        self._until: OrderedDict[object, datetime] = OrderedDict()

    def is_new(self, key: object, now: datetime) -> bool:
        """Say whether `key` was not seen in this window, and remember it."""
        self._forget(now)
        if key in self._until:
            return False
        self._until[key] = now + self._keep
        return True

    def _forget(self, now: datetime) -> None:
        # Insertion order is expiry order, so the dead ones are all in front.
        while self._until and next(iter(self._until.values())) <= now:
            self._until.popitem(last=False)


def instant(text: str) -> datetime:
    """Read an xsd:dateTime that names its zone; `MessageExpired` when it is none, because it proves no freshness.

    >>> instant("2026-01-01T12:00:00.250Z").isoformat()
    '2026-01-01T12:00:00.250000+00:00'
    """
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise SecurityRefused("MessageExpired", "a time in the security header is no xsd:dateTime") from error
    if moment.tzinfo is None:
        raise SecurityRefused("MessageExpired", "a time in the security header names no zone")
    return moment


def check_fresh(timestamp: etree._Element, now: datetime) -> None:
    """Refuse a wsu:Timestamp whose Created, Expires or length falls outside the agreed five minutes."""
    if [child.tag for child in timestamp] != [f"{{{names.WSU}}}Created", f"{{{names.WSU}}}Expires"]:
        raise SecurityRefused("InvalidSecurity", "the Timestamp must hold Created, then Expires, and nothing else")
    created, expires = (instant(child.text or "") for child in timestamp)
    if created > now + AHEAD:
        raise SecurityRefused("MessageExpired", "the message was created in the future")
    if now - created > WINDOW or now >= expires:
        raise SecurityRefused("MessageExpired", "the message is older than five minutes or past its Expires")
    if not timedelta() < expires - created <= WINDOW:
        raise SecurityRefused("MessageExpired", "a message may live for five minutes at most")


def canonical(element: etree._Element, prefixes: list[str] | None = None) -> bytes:
    """Exclusive canonical form without comments; `prefixes` is an InclusiveNamespaces PrefixList.

    lxml canonicalises a subtree on its own, so prefixes that an ancestor declares are brought along by hand.
    """
    if prefixes:
        element = _with_namespaces_in_scope(element)
    octets: bytes = etree.tostring(
        element, method="c14n", exclusive=True, with_comments=False, inclusive_ns_prefixes=prefixes or None
    )
    return octets


def _with_namespaces_in_scope(element: etree._Element) -> etree._Element:
    copy = etree.Element(element.tag, dict(element.attrib), nsmap=element.nsmap)
    copy.text = element.text
    copy.extend(deepcopy(child) for child in element)
    return copy
