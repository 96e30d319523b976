"""Whose word counts (C2SP tlog-policy): the logs, the witnesses, and which of them together are enough.

    log <vkey> [<url>]
    witness X1 <vkey> [<url>]
    witness X2 <vkey>
    group X any X1 X2                                  any, all, or a number of its members
    quorum X                                           exactly one; `none` asks for no witness

A checkpoint is trusted when a listed log whose key is named like the origin signed it, and the quorum cosigned it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from audit.errors import NoteInvalid, TrustInsufficient
from audit.tree.checkpoint import Checkpoint
from audit.tree.note import Opened, Verifier, make_verifier, open_note
from audit.tree.vkey import COSIGNATURE, ED25519, MLDSA44, Vkey

_FORBIDDEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")  # control characters other than tab and newline
_SPACES = re.compile(r"[ \t]+")  # no other white space separates
_COUNT = re.compile(r"[1-9][0-9]{0,8}")


@dataclass(frozen=True)
class Group:
    """Witnesses, or groups of them, of whom `needed` must have cosigned."""

    needed: int
    members: tuple[str, ...]


@dataclass(frozen=True)
class Trust:
    """A policy, read. `quorum` is a name among witnesses and groups, or None when no witness is asked for.

    >>> log = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
    >>> trust = Trust.parse(f"log {log}\\nquorum none\\n")
    >>> [one.name for one in trust.logs], trust.quorum
    (['example.com/foo'], None)
    """

    logs: tuple[Verifier, ...]
    witnesses: Mapping[str, Verifier]
    groups: Mapping[str, Group]
    quorum: str | None

    @classmethod
    def parse(cls, text: str) -> Trust:
        """Read a policy. NoteInvalid names the line and what is wrong with it."""
        if _FORBIDDEN.search(text) or not text.endswith("\n"):
            raise NoteInvalid("a policy is lines that end in a newline, without other control characters than tab")
        reading = _Reading()
        for number, line in enumerate(text.split("\n"), 1):
            words = [word for word in _SPACES.split(line) if word]
            if not words or words[0].startswith("#"):
                continue
            try:
                reading.take(words)
            except NoteInvalid as error:
                raise NoteInvalid(f"line {number} of the policy: {error}") from error
        return reading.done()

    def verify(self, checkpoint_note: bytes) -> Opened:
        """The note, when it is a checkpoint of a log we trust, cosigned by a quorum.

        Raises NoteInvalid (nobody we know, or a wrong signature), CheckpointInvalid, TrustInsufficient.
        """
        opened = open_note(checkpoint_note, [*self.logs, *self.witnesses.values()])
        origin = Checkpoint.parse(opened.text).origin
        signers = {(signed.name, signed.key_id) for signed in opened.signed_by}
        if not any(log.name == origin and (log.name, log.key_id) in signers for log in self.logs):
            raise TrustInsufficient(
                f"no trusted key of the log {origin} signed this checkpoint; add its key to the policy if you trust it"
            )
        have = {name for name, one in self.witnesses.items() if (one.name, one.key_id) in signers}
        if self.quorum is not None and not self._met(self.quorum, have):
            raise TrustInsufficient(
                f"the quorum {self.quorum} is not met: cosigned by {', '.join(sorted(have)) or 'nobody'};"
                " wait for more cosignatures, or ask the log for them"
            )
        return opened

    def _met(self, name: str, have: set[str]) -> bool:
        group = self.groups.get(name)
        if group is None:
            return name in have
        return sum(self._met(member, have) for member in group.members) >= group.needed


@dataclass
class _Reading:
    """A policy as far as read; each line may only name what stands above it."""

    logs: list[Verifier] = field(default_factory=list)
    witnesses: dict[str, Verifier] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)
    quorums: list[str] = field(default_factory=list)
    keys: set[tuple[str, bytes]] = field(default_factory=set)
    members: set[str] = field(default_factory=set)

    def take(self, words: list[str]) -> None:
        kinds: dict[str, Callable[[list[str]], None]] = {
            "log": self._log,
            "witness": self._witness,
            "group": self._group,
            "quorum": self._quorum,
        }
        if words[0] not in kinds:
            raise NoteInvalid(f"{words[0]!r} is none of {', '.join(kinds)}")
        kinds[words[0]](words[1:])

    def done(self) -> Trust:
        if len(self.quorums) != 1:
            raise NoteInvalid(f"a policy has exactly one quorum line, this one has {len(self.quorums)}")
        quorum = None if self.quorums[0] == "none" else self.quorums[0]
        names = [(one.name, one.key_id) for one in (*self.logs, *self.witnesses.values())]
        if len(set(names)) < len(names):
            raise NoteInvalid("two keys of the policy have the same name and id: their signatures cannot be told apart")
        return Trust(tuple(self.logs), self.witnesses, self.groups, quorum)

    def _log(self, words: list[str]) -> None:
        if len(words) not in (1, 2):
            raise NoteInvalid("write: log <vkey> [<url>]")
        self.logs.append(self._verifier("log", words[0], (ED25519, MLDSA44)))

    def _witness(self, words: list[str]) -> None:
        if len(words) not in (2, 3):
            raise NoteInvalid("write: witness <name> <vkey> [<url>]")
        self.witnesses[self._new(words[0])] = self._verifier("witness", words[1], (COSIGNATURE, MLDSA44))

    def _group(self, words: list[str]) -> None:
        if len(words) < 3:
            raise NoteInvalid("write: group <name> all|any|<k> <member>…")
        name, threshold, *members = words
        self._new(name)
        for member in members:
            if self._defined(member) in self.members:
                raise NoteInvalid(f"{member} is a member twice; each witness counts in one way only")
            self.members.add(member)
        written = {"any": "1", "all": str(len(members))}.get(threshold, threshold)
        if not _COUNT.fullmatch(written) or int(written) > len(members):
            raise NoteInvalid(f"of {len(members)} members one can ask for all, any or 1 to {len(members)}")
        self.groups[name] = Group(int(written), tuple(members))

    def _quorum(self, words: list[str]) -> None:
        if len(words) != 1:
            raise NoteInvalid("write: quorum <name>, or quorum none")
        self.quorums.append(words[0] if words[0] == "none" else self._defined(words[0]))

    def _verifier(self, role: str, vkey: str, algorithms: tuple[int, ...]) -> Verifier:
        parsed = Vkey.parse(vkey)
        if parsed.algorithm not in algorithms:
            raise NoteInvalid(f"a key of kind {parsed.algorithm:#04x} cannot be that of a {role}")
        if (role, parsed.public) in self.keys:
            raise NoteInvalid(f"this {role} has the same public key as another one above")
        self.keys.add((role, parsed.public))
        return make_verifier(vkey)

    def _new(self, name: str) -> str:
        if name == "none" or name in self.witnesses or name in self.groups:
            raise NoteInvalid(f"the name {name} is taken")
        return name

    def _defined(self, name: str) -> str:
        if name not in self.witnesses and name not in self.groups:
            raise NoteInvalid(f"{name} is not defined on a line above")
        return name
