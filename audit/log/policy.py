"""The keys of all logs in one file that any C2SP tool reads (tlog-policy), and the same text signed.

    policy        log <vkey> for each log of this hub; witnesses and the quorum they must make
    policy.note   the same text as a signed note: who knows one key knows that nobody slipped another log in

Shards are not witnessed themselves: their checkpoints are leaves of the anchor, and the quorum is asked of the anchor.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Sequence

from audit.log.publication import Publication
from audit.tree.note import NoteSigner, sign_note
from audit.tree.trust import Trust

PATH, NOTE = "policy", "policy.note"
_HEAD = "# Logs of this hub (C2SP tlog-policy). Signed by the key of {name}: see policy.note.\n"


def policy_text(publication: Publication, name: str, witnesses: Sequence[str] = (), quorum: str = "none") -> str:
    """The policy over everything published. `witnesses`: its lines `witness …` and `group …`, in their order."""
    vkeys = [publication.read(f"{origin}/vkey").decode().strip() for origin in publication.origins()]
    lines = [*(f"log {vkey}" for vkey in vkeys), *witnesses, f"quorum {quorum}"]
    text = _HEAD.format(name=name) + "".join(f"{line}\n" for line in lines)
    Trust.parse(text)  # what nobody could read is never published
    return text


def write_policy(
    publication: Publication, signer: NoteSigner, witnesses: Sequence[str] = (), quorum: str = "none"
) -> None:
    """Publish the policy when it changed; processes that start side by side wait for each other."""
    descriptor = os.open(publication.folder / ".policy.lock", os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        text = policy_text(publication, signer.name, witnesses, quorum)
        note = sign_note(text, signer)
        try:
            if publication.read(NOTE) == note and publication.read(PATH) == text.encode():
                return
        except FileNotFoundError:
            pass
        publication.write(PATH, text.encode())
        publication.write(NOTE, note)
    finally:
        os.close(descriptor)
