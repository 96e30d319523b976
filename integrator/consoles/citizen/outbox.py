"""Where notices leave the house: a port, and a folder that a mail server or an eBox sender empties.

A notice says that there is something new to read, and where; never what, whose or why: mail is read by others too.
"""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import Protocol

CHANNELS = ("email", "ebox")


@dataclass(frozen=True, slots=True)
class Notice:
    """One message. `address`: an e-mail address, or the number that an eBox belongs to."""

    channel: str
    address: str
    language: str
    subject: str
    text: str


class Outbox(Protocol):
    def send(self, notice: Notice) -> None:
        """The notice will leave, also when this process dies now. Raises OSError: then it is tried again the next night."""


class FileOutbox:
    """One file for each notice (0600): .eml for mail, .json for an eBox. Whoever sends it takes the file away."""

    def __init__(self, folder: Path, sender: str) -> None:
        self._folder, self._sender = folder, sender

    def send(self, notice: Notice) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        name = secrets.token_hex(12)
        if notice.channel == "email":
            self._write(f"{name}.eml", self._mail(notice))
        else:
            told = {
                "recipient": notice.address,
                "language": notice.language,
                "subject": notice.subject,
                "text": notice.text,
            }
            self._write(f"{name}.json", json.dumps(told, ensure_ascii=False).encode())

    def _mail(self, notice: Notice) -> bytes:
        mail = EmailMessage(policy=SMTP)
        mail["From"], mail["To"], mail["Subject"] = self._sender, notice.address, notice.subject
        mail["Content-Language"], mail["Auto-Submitted"] = notice.language, "auto-generated"
        mail.set_content(notice.text)
        return mail.as_bytes()

    def _write(self, name: str, data: bytes) -> None:
        draft = self._folder / f".{name}"
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self._folder / name)
