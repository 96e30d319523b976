"""After a restored backup: say what is missing, and go on in new logs. Nothing signed is ever signed differently.

The store then holds less than was signed. Its logs stay as they are, provable up to what was published and never
continued; a new shard begins with an entry `gap` that names them and counts what is missing. Before that the witnesses are
asked: they remember which size they cosigned, whatever happened to our own memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from audit.errors import LedgerError, RollbackRefused
from audit.keys import KeyRing
from audit.ledger import Ledger
from audit.ledger import now as system_clock
from audit.log.anchor import is_anchor
from audit.log.names import following
from audit.log.publication import Publication
from audit.log.shard import ShardLog
from audit.log.signing import Signers
from audit.log.state import SignedState
from audit.log.years import own_draft
from audit.store import Store
from audit.tree.checkpoint import Checkpoint


@dataclass(frozen=True, slots=True)
class Behind:
    """A log whose store went back, or changed, behind what was signed."""

    origin: str
    signed: int  # entries that were signed for
    stored: int  # entries the store holds
    why: str


def behind(
    origins: Iterable[str], store: Store, publication: Publication, state: SignedState, signers: Signers
) -> list[Behind]:
    """Those of these logs that may not be continued. Raises StoreFailed, KeyMissing."""
    found = []
    for origin in origins:
        if state.last(origin) is None and store.size(origin) == 0:
            continue
        try:
            ShardLog(origin, store, publication, state, signers.signer(origin))
        except RollbackRefused as error:
            last = state.last(origin)
            found.append(Behind(origin, last.size if last else 0, store.size(origin), str(error)))
    return found


def ask_witnesses(last: Checkpoint, ask: Mapping[str, Callable[[Checkpoint], int]]) -> dict[str, int]:
    """What each witness remembers of the anchor. `ask` gives its size, or raises LedgerError or OSError.

    Raises RollbackRefused when one cannot be asked: who does not answer might be the one who knows.
    """
    sizes = {}
    for name, size_of in ask.items():
        try:
            sizes[name] = size_of(last)
        except (LedgerError, OSError) as error:
            raise RollbackRefused(f"witness {name} could not be asked ({type(error).__name__}); try again") from error
    return sizes


def resume(
    given_up: Iterable[Behind],
    shard: str,
    store: Store,
    keyring: KeyRing,
    signers: Signers,
    *,
    witnessed: Mapping[str, int] | None,
    clock: Callable[[], int] = system_clock,
) -> tuple[str, str | None]:
    """Begin the logs that follow those given up; return the shard to go on in and the new anchor, if there is one.

    `shard`: the one of this process; it is continued when it is not among those given up. `witnessed`: what witnesses
    remember of the anchor; None = the operator confirms that there are none.
    """
    lost = {one.origin: one for one in given_up}
    anchor = next((following(origin) for origin in lost if is_anchor(origin)), None)
    successor = following(shard) if shard in lost else shard
    gap: dict[str, object] = {
        "logs": [{"log": one.origin, "signed": one.signed, "stored": one.stored} for one in lost.values()],
        "witnesses": [{"name": name, "size": size} for name, size in sorted((witnessed or {}).items())],
    }
    signers.signer(successor, create=True)  # an operator asks for it: here and now is where these keys are made
    if anchor is not None:
        signers.signer(anchor, create=True)
        gap["anchor"] = anchor
        store.writer(anchor, wait=0.0).close()  # from now on the store knows it
    with Ledger(store, keyring, shard=successor, clock=clock) as ledger:
        ledger.append_blocking([own_draft("gap", "ledger.gap", gap=gap)])
    return successor, anchor
