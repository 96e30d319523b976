"""People for the tests of the consoles, and a desk over a real ledger."""

from __future__ import annotations

from dataclasses import dataclass

from audit import Subject

ANNA, BERT = Subject("nrn", "85610100147"), Subject("nrn", "84651797654")
IXELLES, BRUSSELS = "1992100975", "0207373429"
WHY = "complaint of the person herself"


@dataclass(frozen=True)
class Someone:
    id: str
    roles: frozenset[str]
    org: str | None = None
    subject: Subject | None = None


CITIZEN = Someone("account-1", frozenset({"citizen"}), subject=ANNA)
DPO = Someone("account-2", frozenset({"dpo"}), org=IXELLES)
HUB_DPO = Someone("account-3", frozenset({"hub_dpo"}))
AUDITOR = Someone("account-4", frozenset({"auditor"}))
PEOPLE = {"citizen": CITIZEN, "dpo": DPO, "hub_dpo": HUB_DPO, "auditor": AUDITOR}
