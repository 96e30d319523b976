"""The set in force at one node: loaded at start, watched, swapped whole. One truth: see docs/adr/0014.

    in force = the files of policies/, each replaced by the newest active text of its purpose, without what is suspended

A node looks at one number in the database every second. When it rose, the texts are read and compiled beside the running
set, and only when all of it is good does the new set decide. What cannot be loaded leaves the old texts deciding, without
what was suspended since, and the node says DEGRADED with the reason.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from integrator import clock
from integrator.errors import ConfigurationError, IntegratorError
from integrator.governing.archive import Archive
from integrator.governing.entries import Scribe
from integrator.governing.store import Store
from integrator.governing.tables import Proposal
from integrator.governing.texts import Suspended, Texts, compile_texts, digest_of_set, slipped, whole
from integrator.logs import log
from integrator.policy import Policies

EVERY = 1.0  # seconds between two looks
BLIND = 3  # looks that fail before the node says so


@dataclass(frozen=True, slots=True)
class InForce:
    """What decides, and the texts it was made of."""

    policies: Policies
    texts: Texts
    suspended: frozenset[Suspended]
    revision: int
    digest: str  # of the whole set: nodes that agree decide alike


class Live:
    """The set in force. Whoever keeps something made of it gives a function to `told`, called after each swap."""

    def __init__(
        self,
        store: Store,
        base: Texts,
        organisations: Mapping[str, Any],
        archive: Archive,
        now: clock.Now,
        scribe: Scribe | None = None,
    ) -> None:
        """`scribe`: without it this node brings nothing into force, and only follows. Raises `ConfigurationError`."""
        self._store, self._base, self._organisations = store, base, organisations
        self._archive, self._now, self._scribe = archive, now, scribe
        self.told: list[Callable[[InForce], None]] = []
        self.trouble = ""
        self._blind = 0
        self._hindered = ""
        self.current = self._first()

    @property
    def policies(self) -> Policies:
        return self.current.policies

    def health(self) -> dict[str, Any]:
        """`DEGRADED` while this node does not decide by the newest set, with the reason."""
        why = self.trouble or self._hindered
        return {
            "status": "DEGRADED" if why else "UP",
            "revision": self.current.revision,
            "set": f"sha256:{self.current.digest}",
            **({"reason": why} if why else {}),
        }

    async def watch(self) -> None:
        """A chore of the hub: never ends, never raises."""
        while True:
            await asyncio.sleep(EVERY)
            try:
                await self.look()
            except Exception as error:  # a chore that died would be an old set for ever, and nobody would know
                self.trouble = f"looking at the texts failed: {type(error).__name__}"
                log.error("policies_not_watched", error=type(error).__name__)

    async def look(self) -> None:
        """Bring into force what is due, then follow."""
        try:
            if self._scribe is not None:
                await self._bring_into_force(self._scribe)
            await self._follow()
            self._blind = 0
        except (SQLAlchemyError, OSError) as error:
            self._blind += 1
            if self._blind >= BLIND:
                self.trouble = f"the database of proposals does not answer: {type(error).__name__}"
                log.error("policies_not_watched", error=type(error).__name__)

    # --- following

    def _first(self) -> InForce:
        """At start nothing is kept yet: a purpose whose text cannot be read gives nothing, and the rest decides."""
        texts, suspended, revision = self._read()
        try:
            return self._compiled(texts, suspended, revision)
        except ConfigurationError:
            good, bad = whole(texts, self._organisations)
            if not bad or set(bad) & (set(texts) - self._changed):  # a file of ours: as ever, all or none
                raise
            self.trouble = "; ".join(bad.values())
            log.error("policies_left_out", count=len(bad))
            return self._compiled(good, suspended, revision)

    async def _follow(self) -> None:
        revision = await asyncio.to_thread(self._store.revision)
        if revision == self.current.revision:
            return
        texts, suspended, revision = await asyncio.to_thread(self._read)
        trouble = ""
        try:
            new = await asyncio.to_thread(self._compiled, texts, suspended, revision)
        except ConfigurationError as error:
            trouble = str(error)
            if trouble != self.trouble:
                log.error("policies_not_loaded", error=type(error).__name__)
            self.trouble, old = trouble, self.current
            suspended |= old.suspended  # what was given back belongs to texts that this node cannot read
            if suspended == old.suspended:
                return
            new = await asyncio.to_thread(self._compiled, old.texts, suspended, old.revision)
        self.current, self.trouble = new, trouble
        for tell in self.told:
            tell(new)
        log.info("policies_swapped", index=new.revision, version=new.digest)

    def _read(self) -> tuple[dict[str, bytes], frozenset[Suspended], int]:
        revision, drafts, suspended = self._store.in_force()
        self._changed = set(drafts)
        texts = {**self._base, **{code: draft.text for code, draft in drafts.items()}}
        return texts, frozenset(suspended), revision

    def _compiled(self, texts: Texts, suspended: frozenset[Suspended], revision: int) -> InForce:
        policies = compile_texts(texts, self._organisations, suspended)
        for text in texts.values():  # what decides is kept, before it may decide
            self._archive.put(text)
        return InForce(policies, texts, suspended, revision, digest_of_set(texts))

    def _fit(self, texts: Texts, suspended: frozenset[Suspended], revision: int) -> None:
        """Raises `ConfigurationError` for texts that cannot be read, or that would give back what is suspended."""
        new = self._compiled(texts, suspended, revision).policies
        if said := slipped(compile_texts(self.current.texts, self._organisations, suspended), new):
            raise ConfigurationError("; ".join(said), advice="Have the suspension given back first, or keep the name.")

    # --- bringing into force

    async def _bring_into_force(self, scribe: Scribe) -> None:
        now = int(self._now())
        self._hindered = ""
        for one in await asyncio.to_thread(self._store.ripe):
            await asyncio.to_thread(self._store.approve, one)  # what stands in its way is said to whoever looks at it
        for one in await asyncio.to_thread(self._store.due, now):
            if not await asyncio.to_thread(self._store.claim, one.id, now):
                continue  # another node does it
            try:
                await self._activate(scribe, one, now)
            except IntegratorError as error:  # it stays approved; the next look tries again
                self._hindered = f"{', '.join(one.purposes)} cannot take effect: {error}"
                await asyncio.to_thread(self._store.hinder, one.id, str(error)[:500])
                log.error("proposal_hindered", trace=one.id, error=type(error).__name__)

    async def _activate(self, scribe: Scribe, one: Proposal, now: int) -> None:
        """On record first, in force then: no text decides of which the ledger does not say so."""
        texts, suspended, revision = await asyncio.to_thread(self._read)
        new = {**texts, **{draft.purpose: draft.text for draft in one.drafts}}
        await asyncio.to_thread(self._fit, new, suspended, revision)  # a bad text never replaces a good one
        await scribe.step(one, "activate", "active", None, "")
        over = await asyncio.to_thread(self._store.superseded_by, one)
        for old in over:
            await scribe.step(old, "supersede", "superseded", None, "")
        await asyncio.to_thread(self._store.activate, one, over, now)
