"""What the ledger says of applications and their keys: who, which application, which key; no mailbox, no person in clear."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Literal

from audit import Draft

RETENTION = "Y10"
ACTIVITY = "https://ropa.integrator.example/enrolment/v1"
Initiator = Literal["official", "system"]


def entry(
    name: str, organisation: str | None, application: str | None, *, kid: str | None = None, agent: Mapping[str, str] | None = None,
    words: str | None = None, reason: str | None = None, trace: str | None = None,
) -> Draft:  # fmt: skip
    """One act. `agent`: {id, role} of the person who ordered it, sealed; none where the application did so itself.

    `words`: why, sealed too; `reason`: a code; `trace`: the trace id its caller was told.
    """
    clear: dict[str, Any] = {
        "status": "Ok", "initiator": "official" if agent else "system", "dpl.core.processing_activity_id": ACTIVITY,
    }  # fmt: skip
    if organisation is not None:
        clear["consumer"] = {"org": organisation, "app": application}
    if kid is not None:
        clear["policy"] = {"id": f"key:{kid}"}
    if reason is not None:
        clear["reason_code"] = reason
    return Draft(
        type="key" if name.startswith(("application.key", "certificate")) else "admin", trace_id=trace or os.urandom(16).hex(), span_id=os.urandom(8).hex(),
        name=name, retention=RETENTION, clear=clear, committed={"justification": words} if words else {}, agent=agent,
    )  # fmt: skip
