"""Why nothing comes over a way now. The position stays where it was; the next look begins there again."""

from __future__ import annotations

from integrator.adapters.findings import ADVICE
from integrator.errors import HubError


class WayFailed(HubError):
    """`reason` is a code of `findings.ADVICE`. No address, no name of a file and no value is in it."""

    code, where = "WAY_FAILED", "A2"

    def __init__(self, reason: str, *, retry_after: float = 0.0) -> None:
        super().__init__(reason, advice=ADVICE[reason])
        self.reason, self.later = reason, retry_after  # seconds before it makes sense to look again
