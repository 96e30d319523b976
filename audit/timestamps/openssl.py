"""`openssl ts -verify` as a second judge: for responses that strict DER decoders refuse, and in tests for all of them."""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

_TIME = re.compile(r"^Time stamp: (\w{3} [ \d]\d \d\d:\d\d:\d\d(?:\.\d+)? \d{4}) GMT$", re.MULTILINE)
_HASH = re.compile(r"^Hash Algorithm: sha256$", re.MULTILINE)
_PATIENCE = 10  # seconds


class Rejected(Exception):
    """openssl does not accept the response, or is not there to be asked."""


def verify(response: bytes, text: bytes, roots: Sequence[x509.Certificate], *, query: bytes | None = None) -> datetime:
    """The stamped time (UTC). With `query` the answer must be to that request: nonce and policy too. Raises Rejected."""
    if len(response) != _promised(response):
        raise Rejected("the response is cut off, or followed by something else")  # openssl would not mind the latter
    with tempfile.TemporaryDirectory(prefix="stamp-") as name:
        folder = Path(name)
        (folder / "response").write_bytes(response)
        (folder / "text").write_bytes(text)
        (folder / "roots").write_bytes(b"".join(root.public_bytes(Encoding.PEM) for root in roots))
        shown = _run("-reply", "-in", folder / "response", "-text")
        stamped = _stamped(shown)
        bound: list[str | Path] = ["-data", folder / "text"]
        if query is not None:  # openssl takes one of the two; the query's imprint is the text's, we made it
            (folder / "query").write_bytes(query)
            bound = ["-queryfile", folder / "query"]
        moment = str(int(stamped.timestamp()))  # certificates must have been valid then, not now
        _run("-verify", "-in", folder / "response", *bound, "-CAfile", folder / "roots", "-attime", moment)
        return stamped


def _promised(response: bytes) -> int:
    """How long the outermost SEQUENCE says it is, header included; -1 when there is none."""
    if len(response) < 2 or response[0] != 0x30:
        return -1
    if response[1] < 0x80:
        return 2 + response[1]
    width = response[1] & 0x7F
    return 2 + width + int.from_bytes(response[2 : 2 + width], "big")


def _stamped(shown: str) -> datetime:
    found = _TIME.search(shown)
    if found is None:
        raise Rejected("the response holds no stamped time")
    if _HASH.search(shown) is None:
        raise Rejected("the imprint is not SHA-256")
    words = re.sub(r"\.\d+", "", " ".join(found[1].split()))
    return datetime.strptime(words, "%b %d %H:%M:%S %Y").replace(tzinfo=UTC)


def _run(*arguments: str | Path) -> str:
    try:
        done = subprocess.run(
            ["openssl", "ts", *map(str, arguments)], capture_output=True, timeout=_PATIENCE, check=False
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Rejected(f"openssl could not be asked: {type(error).__name__}") from error
    if done.returncode:
        lines = done.stderr.decode(errors="replace").strip().splitlines()
        raise Rejected(lines[-1][-160:] if lines else "refused without a word")
    return done.stdout.decode(errors="replace")
