"""WS-Security for the SOAP mocks: judge what comes in, sign what goes out; written for the mocks alone.

The hub has its own, built on another idea: were this one shared, both sides would share its mistakes.

    Gate.admit(envelope) -> Body            X.509 signature over Timestamp + Body, one pinned certificate
    PasswordGate.admit(envelope) -> Body    UsernameToken with PasswordDigest
    Signer.seal(payload, created) -> bytes  a signed reply, P-256
    SecurityRefused(code, why)              the only way to say no
"""

from __future__ import annotations

from mock_sources.wsse.shape import SecurityRefused
from mock_sources.wsse.sign import Signer, is_plain, unsigned
from mock_sources.wsse.username import PasswordGate
from mock_sources.wsse.verify import Gate

__all__ = ["Gate", "PasswordGate", "SecurityRefused", "Signer", "is_plain", "unsigned"]
