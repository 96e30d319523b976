"""What governing says of itself, in the field's words: states, steps, reasons of refusal."""

from __future__ import annotations

from typing import Any

from integrator.errors import RequestRefused

ACTIVITY = "https://ropa.integrator.example/policy_change/v1"
RETENTION = "Y30"  # the steps outlive what was decided under the text
REASON = (10, 500)  # characters

ADVICE = {
    "OWN_PROPOSAL": "Whoever proposed a text does not approve it. Ask two others, one of them a data protection officer.",
    "NEEDS_OFFICER": "Of the two who approve, one is a data protection officer of the hub, or of an organisation that each of the texts concerns.",
    "ALREADY_SAID": "You approved this before; a second person is needed.",
    "SETTLED": "Somebody decided about this by now. Read it again.",
    "REBASE": "It is not written (`from`) from the newest text of its purpose. Take that one (integrator policy history), change that, and propose it.",
    "TOO_EARLY": "The text it stands on takes effect later. Choose a day from then on.",
    "NOT_SOUND": "The machine found errors: see `findings`. Mend them and propose again.",
    "NOT_YOURS": "Only who proposed it, or a data protection officer of the hub, takes it back.",
    "STOOD_UPON": "Another approved text was written from this one. Withdraw that one first.",
    "UNCHANGED": "The text is the one in force.",
    "UNKNOWN_AUTHORISATION": "No text in force has this authorisation.",
    "ONLY_YOUR_ORGANISATION": "A data protection officer of an organisation suspends for that organisation only.",
    "NOT_FOR_YOU": "Stewards and data protection officers govern texts.",
    "SUSPENDED_ALREADY": "This is suspended by now.",
}


class NotThere(RequestRefused):
    """No proposal, suspension or purpose of that name. Texts are no secret: nothing else hides behind it."""

    code, where = "NOT_THERE", "C1"
    advice = "Take the id from the list of proposals or suspensions."


class GoverningRefused(RequestRefused):
    """A step that cannot be taken: `reason` is one of ADVICE. Nothing was changed."""

    code, where = "GOVERNING_REFUSED", "C1"

    def __init__(self, reason: str) -> None:
        super().__init__(reason, advice=ADVICE[reason])
        self.reason = reason
        self.findings: list[dict[str, Any]] = []  # of NOT_SOUND: what the machine found

    @property
    def found(self) -> list[dict[str, Any]] | None:
        """The findings, where there are any."""
        return self.findings or None
