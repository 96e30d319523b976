"""A process that records exchanges under load, publishes them and gives receipts, until it is killed. Started by test_receipts.py.

Arguments: store URL, folder. Each line on stdout is one receipt, as its caller would have it in the header. Checkpoints come
ten times as fast as in earnest, so that kills fall between and into every step of publishing.
"""

from __future__ import annotations

import asyncio
import os
import sys
from datetime import timedelta
from pathlib import Path

from audit import FileKeyRing, Store, open_store
from audit.log.names import Names
from audit.log.publication import Publication
from audit.log.publisher import Publisher
from audit.log.signing import Signers
from audit.log.state import SignedState
from audit.log.years import Books
from tests.unit.audit.kit import a_full_draft

WORKERS = 16
NAMES = Names("audit.hub.example", "test", "hub-1")


def opened(url: str, folder: Path, **more: float) -> tuple[Store, Books, Publisher]:
    """As a hub opens them: a store that went back would be refused here."""
    store, state = open_store(url), SignedState(folder / "signed")
    signers = Signers(FileKeyRing(folder / "sign-keys"), create=True)
    publisher = Publisher(store, Publication(folder / "log"), state, signers, anchor=NAMES.anchor, **more)
    return store, Books(store, FileKeyRing(folder / "keys"), NAMES, publisher, signers.signer, state), publisher


async def exchange_for_ever(books: Books) -> None:
    while True:
        book = await books.begin()
        trace = os.urandom(16).hex()
        [intent] = await book.ledger.append([a_full_draft(trace_id=trace)])
        await asyncio.sleep(0)  # the source
        [outcome] = await book.ledger.append(
            [a_full_draft(type="outcome", trace_id=trace, clear={"intent_ref": intent.index})]
        )
        os.write(1, (book.receipt(outcome) or b"") + b"\n")
        book.end()


async def main(url: str, folder: str) -> None:
    _, books, publisher = opened(url, Path(folder), every=0.03, sign_within=0.1)
    publisher.start()
    await asyncio.to_thread(books.tidy, timedelta(0))  # what the process before was killed over
    await asyncio.gather(*(exchange_for_ever(books) for _ in range(WORKERS)))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:3]))
