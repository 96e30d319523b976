"""Headers that tell a caller what was recorded of the exchange, beside its answer or its refusal."""

from __future__ import annotations

from integrator.model import Trace


def record_headers(entries: str, receipt: bytes | None, trace: Trace) -> tuple[tuple[bytes, bytes], ...]:
    """Which ledger entries were durable before the answer existed (`shard/1,2`), the transaction as FSC names it, and the
    signed receipt: with it the caller can show later that the entry was promised."""
    headers = (
        (b"integrator-ledger-entries", entries.encode()),
        (b"fsc-transaction-id", as_uuid(trace.trace_id).encode()),
    )
    return headers if receipt is None else (*headers, (b"audit-receipt", receipt))


def as_uuid(digits: str) -> str:
    """32 hex digits as a UUID is written.

    >>> as_uuid("d9e35127e9b14201a2112b52e52508df")
    'd9e35127-e9b1-4201-a211-2b52e52508df'
    """
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
