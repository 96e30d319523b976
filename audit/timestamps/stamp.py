"""One RFC 3161 time stamp over the note text of an anchor checkpoint: asked, bound to its request, checked.

The imprint is SHA-256 of the note *text* (before the empty line), so cosignatures that come later change nothing. A
response counts only when it is granted, answers our nonce, stamps our imprint, and its signer's certificate (critical
extended key usage timeStamping) leads to one of the roots at the moment it states. The raw response is what is kept.

Some authorities put their certificates in another order than DER wants, which the strict decoder refuses; for those,
and only those, `openssl ts -verify` judges (openssl.py).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from rfc3161_client import (
    HashAlgorithm,
    TimeStampRequest,
    TimestampRequestBuilder,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)

from audit.errors import LedgerError
from audit.timestamps import openssl

_SHA256 = x509.ObjectIdentifier("2.16.840.1.101.3.4.2.1")


class StampInvalid(LedgerError):
    """These bytes are no time stamp of this text by an authority under these roots; the text says which check failed."""


class RootsMissing(LedgerError):
    """The file with the roots of an authority is absent, unreadable or empty: nothing it says can be believed."""


@dataclass(frozen=True, slots=True)
class Question:
    """A request, and what its answer must be bound to."""

    body: bytes  # DER, application/timestamp-query
    nonce: int
    request: TimeStampRequest


def ask(text: bytes) -> Question:
    """A request over this text: SHA-256 imprint, random nonce, certificate wanted in the answer.

    >>> ask(b"three lines").request.cert_req
    True
    """
    builder = TimestampRequestBuilder().data(text).hash_algorithm(HashAlgorithm.SHA256)
    request = builder.nonce(nonce=True).cert_request(cert_request=True).build()
    if request.nonce is None:
        raise StampInvalid("the request has no nonce")
    return Question(request.as_bytes(), request.nonce, request)


def check_answer(response: bytes, question: Question, text: bytes, roots: Sequence[x509.Certificate]) -> datetime:
    """The stamped time (UTC) of an answer to this very question. Raises StampInvalid."""
    return _check(response, text, roots, question)


def check_stamp(response: bytes, text: bytes, roots: Sequence[x509.Certificate]) -> datetime:
    """The stamped time (UTC) of a kept response, later and by anybody. Raises StampInvalid.

    Same checks as at its arrival but the nonce, which died with the request: the imprint binds it to the text.
    """
    return _check(response, text, roots, None)


def load_roots(path: str | Path) -> list[x509.Certificate]:
    """The certificates of a PEM file. Raises RootsMissing; an empty list would mean trusting nobody, silently."""
    try:
        roots = x509.load_pem_x509_certificates(Path(path).read_bytes())
    except (OSError, ValueError) as error:
        raise RootsMissing(f"roots of the authority cannot be read: {type(error).__name__}") from error
    if not roots:
        raise RootsMissing("the file of roots holds no certificate")
    return roots


def _check(response: bytes, text: bytes, roots: Sequence[x509.Certificate], question: Question | None) -> datetime:
    if not roots:
        raise StampInvalid("no roots: nobody is trusted")
    try:
        decoded = decode_timestamp_response(response)
        status = decoded.status
    except (ValueError, TypeError) as error:  # not DER: a certificate set in another order, or rubbish
        return _second_judge(response, text, roots, question, error)
    try:
        if status != 0:
            raise StampInvalid(f"the authority did not grant a stamp (status {status})")
        builder = VerifierBuilder(roots=list(roots), nonce=question.nonce if question else None)
        if decoded.tst_info.message_imprint.hash_algorithm != _SHA256:
            raise StampInvalid("the imprint is not SHA-256")
        builder.build().verify(decoded, hashlib.sha256(text).digest())
        return decoded.tst_info.gen_time.replace(tzinfo=UTC)
    except (VerificationError, ValueError) as error:
        raise StampInvalid(f"the stamp does not hold: {error}") from error


def _second_judge(
    response: bytes,
    text: bytes,
    roots: Sequence[x509.Certificate],
    question: Question | None,
    first: Exception,
) -> datetime:
    try:
        return openssl.verify(response, text, roots, query=question.body if question else None)
    except openssl.Rejected as error:
        raise StampInvalid(f"neither decoder takes the response: {type(first).__name__}; openssl: {error}") from first
