"""A time stamping authority (RFC 3161) for the sandbox: real stamps by `openssl ts`, under a root of its own.

POST {mocks}/tsa with application/timestamp-query; `state/tsa/root.pem` is the root to trust. See README.md for faults.
"""

from __future__ import annotations

from mock_sources.tsa.authority import Authority
from mock_sources.tsa.door import Tsa

__all__ = ["Authority", "Tsa"]
