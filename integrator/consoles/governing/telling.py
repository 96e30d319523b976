"""Proposals and suspensions as programs read them."""

from __future__ import annotations

from typing import Any

from integrator.consoles.telling import iso
from integrator.governing.diet import Use
from integrator.governing.replaying import of_one
from integrator.governing.tables import Proposal, Suspension

_MICROS = 1_000_000


def proposal_json(one: Proposal, *, whole: bool = False, org: str | None = None) -> dict[str, Any]:
    """`whole`: with the texts and what the machine said; of what was asked, only by `org` where that is given."""
    told: dict[str, Any] = {
        "id": one.id, "state": one.state, "effective": iso(one.effective * _MICROS), "reason": one.reason,
        "proposedBy": one.proposer_name, "proposedAt": iso(one.proposed * _MICROS),
        "texts": [
            {
                "purpose": draft.purpose, "digest": f"sha256:{draft.digest}",
                **({"replaces": f"sha256:{draft.replaces}"} if draft.replaces else {}),
                **({"text": draft.text.decode()} if whole else {}),
            }
            for draft in one.drafts
        ],
        "approvals": [
            {"by": vote.name, "dataProtectionOfficer": vote.officer, "at": iso(vote.voted * _MICROS)} for vote in one.votes
        ],
    }  # fmt: skip
    if one.words:
        told["remark"] = one.words
    if one.ended is not None:
        told["endedAt"] = iso(one.ended * _MICROS)
    if whole:
        told["proof"] = one.proof
        if org is not None and "replay" in one.proof:
            told["proof"] = {**one.proof, "replay": of_one(one.proof["replay"], org)}
    return told


def suspension_json(one: Suspension) -> dict[str, Any]:
    told = {
        "id": one.id, "state": one.state, "authorisation": one.authorisation, "organisation": one.org, "reason": one.reason,
        "by": one.by_name, "since": iso(one.since * _MICROS), "askedBackBy": one.lifter_name, "askedBackReason": one.lift_reason,
        "givenBackBy": one.second_name, "endedAt": iso(one.ended * _MICROS) if one.ended is not None else None,
    }  # fmt: skip
    return {name: value for name, value in told.items() if value is not None}


def use_json(uses: list[Use]) -> list[dict[str, Any]]:
    return [one.json() for one in uses]
