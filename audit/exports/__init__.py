"""The ledger in the words of other systems: each export is a stream of processings, rendered one by one.

    walk = Walk(tables, since, until, org="0207446759")      what is walked: ended exchanges, intent and outcome merged
    view = View(store, keyring, audiences=("subject",))      what may be opened; without audiences only blind tags
    for line in ldv.lines(walk, view): …                     or csvtext.lines, ocsf.lines, fsc.records, usage.find
    walk.cursor                                              where the next run goes on

Memory stays flat however long the range; nothing here checks rights: whoever calls fixes `org` and `audiences`.
"""

from __future__ import annotations

from audit.exports.view import View
from audit.exports.walk import Processing, Walk, processing_at

__all__ = ["Processing", "View", "Walk", "processing_at"]
