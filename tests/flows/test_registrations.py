"""Who keeps a file about somebody may ask, and as long as he keeps it: a registration opens and closes within one exchange."""

from __future__ import annotations

from typing import Any

from tests.flows.sandboxes import Callers

STRANGER = "74622794242"  # onbekende-kwal: in nobody's files (config/sandbox/registrations.yaml)
CENTRE, SAME_PROGRAM = "cpas-ixelles", "ixelles"


def asked(doors: Callers, organisation: str) -> tuple[int, str | None]:
    question = {"ssin": STRANGER, "dossierReference": "REG-2026-1"}
    reply = doors.ask("person.get", question, purpose="social_inquiry", organisation=organisation)
    return reply.status, reply.body.get("reason")


def told(doors: Callers, service: str, **more: Any) -> int:
    question = {"ssin": STRANGER, "quality": "1", **more}
    return doors.ask(service, question, purpose="social_inquiry", organisation=CENTRE).status


def test_a_stranger_is_seen_while_a_file_is_registered_and_by_who_registered_it_only(doors: Callers) -> None:
    seen = [(asked(doors, CENTRE), asked(doors, SAME_PROGRAM))]
    begun = told(doors, "directory.register", startDate="2026-01-01")
    seen.append((asked(doors, CENTRE), asked(doors, SAME_PROGRAM)))
    ended = told(doors, "directory.unregister", mistakenStartDate="2026-01-01")
    seen.append((asked(doors, CENTRE), asked(doors, SAME_PROGRAM)))

    never = (403, "NO_AUTHORISATION")
    assert (200, 200) == (begun, ended)
    assert [((403, "NOT_REGISTERED"), never), ((200, None), never), ((403, "NOT_REGISTERED"), never)] == seen
