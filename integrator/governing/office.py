"""The life of a text, step by step, each by who may, each on record before it counts.

    propose ─► approve (two people, one of them a data protection officer, neither of them who proposed)
                 ├─► refuse       by anybody who may approve, with words
                 └─► withdraw     by who proposed; approved and not yet in force: also by an officer of the hub
    in force at its day by every node (live.py) ─► superseded by the next text

Pages, programs and commands come through here with the same rights. Suspensions are in suspending.py.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

from integrator import clock
from integrator.errors import ConfigurationError, Issue, MalformedRequest
from integrator.governing.archive import Archive
from integrator.governing.entries import Scribe
from integrator.governing.live import InForce
from integrator.governing.proving import Proof
from integrator.governing.rights import Person, reason_of, role_of
from integrator.governing.store import Store
from integrator.governing.tables import Draft, Proposal, Vote
from integrator.governing.texts import Texts, digest, organisations_in, purpose_of
from integrator.governing.words import GoverningRefused, NotThere
from integrator.ids import new_id

MOST = 20  # texts in one proposal
Prove = Callable[[Texts, float], Awaitable[Proof]]  # changed texts, epoch seconds from which they would hold


class Office:
    """`in_force()`: the set this node decides by; `prove`: what the machine says of texts."""

    def __init__(
        self,
        store: Store,
        scribe: Scribe,
        archive: Archive,
        in_force: Callable[[], InForce],
        organisations: Mapping[str, Any],
        prove: Prove,
        now: clock.Now,
    ) -> None:
        self.store, self.scribe, self.in_force, self.organisations = store, scribe, in_force, organisations
        self._archive, self._prove, self._now = archive, prove, now

    @property
    def now(self) -> int:
        return int(self._now())

    # --- proposing

    async def propose(
        self, person: Person, texts: list[bytes], reason: str, effective: int, bases: Mapping[str, str]
    ) -> Proposal:
        """Checked by machine, then on record, then waiting. `effective`: epoch seconds, not before now.

        `bases`: by purpose, the digest (64 hex) of the text each was written from; nothing of a purpose that is new. Who
        proposes says it, since only he knows: a text written from an older one would undo what was approved since.
        Raises `MalformedRequest`, `GoverningRefused` (with `findings` where the machine found errors), `LedgerUnwritable`.
        """
        role = role_of(person)
        reason = reason_of(reason)
        changed = await asyncio.to_thread(self._changed, texts)
        now = self.now
        if effective < now - 86_400:
            raise MalformedRequest(Issue("schemaViolation", "body", "/effective", "today, or a day to come"))
        drafts = await self._drafts(changed, bases)
        proof = await self._prove(changed, effective)
        if not proof["sound"]:
            refused = GoverningRefused("NOT_SOUND")
            refused.findings = proof["findings"]
            raise refused
        for text in changed.values():
            await asyncio.to_thread(self._archive.put, text)
        one = Proposal(new_id(16), "proposed", max(effective, now), reason, proof, person.id, person.name, now, drafts)
        await self.scribe.step(one, "propose", "proposed", person.id, role, reason)
        await asyncio.to_thread(self.store.add, one)
        return one

    def _changed(self, texts: list[bytes]) -> dict[str, bytes]:
        if not 1 <= len(texts) <= MOST:
            raise MalformedRequest(Issue("schemaViolation", "body", "/texts", f"1 to {MOST} texts"))
        changed = {purpose_of(text): text for text in texts}
        if len(changed) != len(texts):
            raise MalformedRequest(Issue("schemaViolation", "body", "/texts", "one text for each purpose"))
        return changed

    async def _drafts(self, changed: Texts, bases: Mapping[str, str]) -> tuple[Draft, ...]:
        """Each text beside the one it changes, which MUST be the newest."""
        newest = await asyncio.to_thread(self.newest)
        drafts = []
        for code, text in sorted(changed.items()):
            head = digest(newest[code]) if code in newest else ""
            if head == digest(text):
                raise GoverningRefused("UNCHANGED")
            if head != bases.get(code, ""):
                raise GoverningRefused("REBASE")
            drafts.append(Draft(code, head, digest(text), text))
        return tuple(drafts)

    def newest(self) -> Texts:
        """Of each purpose the text that the next change is written from: the last approved, in force by now or not. Blocks."""
        return {**self.in_force().texts, **self.store.approved()}

    # --- deciding

    async def approve(self, person: Person, id_: str) -> Proposal:
        """One of the two. With the second it is approved, and takes effect at its day."""
        one = await self.find(id_)
        role = role_of(person)
        self._waiting(one)
        if _same(person.id, one.proposer):
            raise GoverningRefused("OWN_PROPOSAL")
        if any(_same(person.id, vote.person) for vote in one.votes):
            raise GoverningRefused("ALREADY_SAID")
        await self._stands(one)
        vote = Vote(person.id, person.name, await asyncio.to_thread(self.officer, person, one), self.now)
        if one.votes and not any(each.officer for each in (*one.votes, vote)):
            raise GoverningRefused("NEEDS_OFFICER")
        await self.scribe.step(one, "approve", "approved", person.id, role)
        if not await asyncio.to_thread(self.store.vote, id_, vote):
            raise GoverningRefused("ALREADY_SAID")
        return await self._settle(id_)

    async def _settle(self, id_: str) -> Proposal:
        """Two approvals on record, one of them an officer's: behind everything approved before, or the reason why not."""
        one = await self.find(id_)
        if one.state == "proposed" and one.ripe:
            why = await asyncio.to_thread(self.store.approve, one)
            if why and why != "SETTLED":
                raise GoverningRefused(why)
        return await self.find(id_)

    async def refuse(self, person: Person, id_: str, words: str) -> Proposal:
        """Anybody who may approve may refuse, and says why. What is in force stays as it is."""
        one = await self.find(id_)
        role = role_of(person)
        self._waiting(one)
        if _same(person.id, one.proposer):
            raise GoverningRefused("OWN_PROPOSAL")
        return await self._end(one, "refuse", "refused", person, role, reason_of(words))

    async def withdraw(self, person: Person, id_: str, words: str) -> Proposal:
        """Taken back before it is in force."""
        one = await self.find(id_)
        role = role_of(person)
        if one.state not in ("proposed", "approved"):
            raise GoverningRefused("SETTLED")
        if not _same(person.id, one.proposer) and "hub_dpo" not in person.roles:
            raise GoverningRefused("NOT_YOURS")
        if one.state == "approved" and await asyncio.to_thread(self.store.stood_upon, one):
            raise GoverningRefused("STOOD_UPON")
        return await self._end(one, "withdraw", "withdrawn", person, role, reason_of(words))

    async def _end(self, one: Proposal, verb: str, state: str, person: Person, role: str, words: str) -> Proposal:
        await self.scribe.step(one, verb, state, person.id, role, words)
        if not await asyncio.to_thread(self.store.move, one.id, one.state, state, ended=self.now, words=words):
            raise GoverningRefused("SETTLED")
        return replace(one, state=state, ended=self.now, words=words)

    # --- looking

    async def find(self, id_: str) -> Proposal:
        """Raises `NotThere`."""
        found = await asyncio.to_thread(self.store.find, id_)
        if found is None:
            raise NotThere
        return found

    def text(self, digest: str) -> bytes | None:
        """An earlier text by its digest: kept here, or proposed at any node. Blocks."""
        return self._archive.get(digest) or self.store.text(digest)

    async def stale(self, one: Proposal) -> str:
        """Why a proposal that waits cannot be approved as it stands: REBASE, TOO_EARLY, or nothing."""
        heads = await asyncio.to_thread(self.store.heads)
        for draft in one.drafts:
            running = self.in_force().texts.get(draft.purpose)
            head, effective = heads.get(draft.purpose, ("" if running is None else digest(running), 0))
            if head != draft.replaces:
                return "REBASE"
            if one.effective < effective:
                return "TOO_EARLY"
        return ""

    def officer(self, person: Person, one: Proposal) -> bool:
        """Whether somebody speaks as a data protection officer here: the hub's, or of an organisation that gains or loses by
        each of the texts. Blocks."""
        if "hub_dpo" in person.roles:
            return True
        if "dpo" not in person.roles or person.org is None:
            return False
        try:
            return all(self._concerns(draft, person.org) for draft in one.drafts)
        except ConfigurationError:
            return False

    def _concerns(self, draft: Draft, org: str) -> bool:
        """Whether an organisation stands in the text, or in the one that it replaces."""
        old = self.text(draft.replaces) if draft.replaces else None
        texts = (draft.text,) if old is None else (draft.text, old)
        return any(org in organisations_in(text, self.organisations) for text in texts)

    async def _stands(self, one: Proposal) -> None:
        if why := await self.stale(one):
            raise GoverningRefused(why)

    def _waiting(self, one: Proposal) -> None:
        if one.state != "proposed":
            raise GoverningRefused("SETTLED")


def _same(one: str, other: str) -> bool:
    return one.casefold() == other.casefold()
