"""Three judges over one stamp: rfc3161-client (ours), openssl, and a tampered response that both must refuse."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from audit.timestamps import openssl
from audit.timestamps.stamp import (
    RootsMissing,
    StampInvalid,
    ask,
    check_answer,
    check_stamp,
    load_roots,
)
from mock_sources.tsa import Authority
from tests.unit.audit.timestamps.conftest import TEXT

Roots = list[x509.Certificate]
OTHER = TEXT.replace(b"\n7\n", b"\n8\n")


def test_a_stamp_is_taken_by_our_judge_and_by_openssl_at_the_same_moment(authority: Authority, roots: Roots) -> None:
    question = ask(TEXT)
    response = authority.reply(question.body)

    ours = check_answer(response, question, TEXT, roots)

    assert ours == openssl.verify(response, TEXT, roots) == openssl.verify(response, TEXT, roots, query=question.body)
    assert abs(ours - datetime.now(UTC)) < timedelta(minutes=5)
    assert ours == check_stamp(response, TEXT, roots)


def test_the_request_stamps_sha256_and_asks_for_the_certificate() -> None:
    question = ask(TEXT)

    assert hashlib.sha256(TEXT).digest() == question.request.message_imprint.message
    assert question.request.cert_req
    assert ask(TEXT).nonce != question.nonce


def test_a_stamp_of_another_text_is_refused_by_both_judges(authority: Authority, roots: Roots) -> None:
    response = authority.reply(ask(TEXT).body)

    with pytest.raises(StampInvalid):
        check_stamp(response, OTHER, roots)
    with pytest.raises(openssl.Rejected):
        openssl.verify(response, OTHER, roots)


def test_one_changed_byte_anywhere_is_refused_by_both_judges(authority: Authority, roots: Roots) -> None:
    response = authority.reply(ask(TEXT).body)
    signed = response.index(hashlib.sha256(TEXT).digest())
    for at in (signed, signed + 40, len(response) - 1):
        tampered = response[:at] + bytes([response[at] ^ 1]) + response[at + 1 :]

        with pytest.raises(StampInvalid):
            check_stamp(tampered, TEXT, roots)
        with pytest.raises(openssl.Rejected):
            openssl.verify(tampered, TEXT, roots)


def test_a_cut_or_invented_response_is_no_stamp(authority: Authority, roots: Roots) -> None:
    response = authority.reply(ask(TEXT).body)
    for wound in (b"", b"rubbish", response[:-1], response[: len(response) // 2], response + b"\0"):
        with pytest.raises(StampInvalid):
            check_stamp(wound, TEXT, roots)


def test_the_answer_to_another_question_is_refused_though_it_stamps_the_same_text(
    authority: Authority, roots: Roots
) -> None:
    question, other = ask(TEXT), ask(TEXT)
    response = authority.reply(other.body)

    assert check_stamp(response, TEXT, roots)  # the stamp is good …
    with pytest.raises(StampInvalid, match="Nonce"):  # … but not the answer we wait for
        check_answer(response, question, TEXT, roots)
    with pytest.raises(openssl.Rejected):
        openssl.verify(response, TEXT, roots, query=question.body)


def test_an_authority_under_another_root_is_a_stranger(authority: Authority, stranger: Authority, roots: Roots) -> None:
    response = stranger.reply(ask(TEXT).body)

    with pytest.raises(StampInvalid):
        check_stamp(response, TEXT, roots)
    with pytest.raises(openssl.Rejected):
        openssl.verify(response, TEXT, roots)


def test_a_signer_that_expired_before_the_stamped_moment_is_refused(authority: Authority, roots: Roots) -> None:
    response = authority.reply(ask(TEXT).body, signer="expired")

    with pytest.raises(StampInvalid):
        check_stamp(response, TEXT, roots)
    with pytest.raises(openssl.Rejected):
        openssl.verify(response, TEXT, roots)


def test_certificates_in_an_order_that_is_not_der_are_judged_by_openssl(authority: Authority, roots: Roots) -> None:
    question = ask(TEXT)
    response = authority.reply(question.body, chain=True)

    assert check_answer(response, question, TEXT, roots) == check_stamp(response, TEXT, roots)
    with pytest.raises(StampInvalid):
        check_stamp(response, OTHER, roots)
    with pytest.raises(StampInvalid):
        check_answer(response, ask(TEXT), TEXT, roots)


def test_unsorted_certificates_really_are_what_the_strict_decoder_refuses(authority: Authority) -> None:
    from rfc3161_client import decode_timestamp_response

    with pytest.raises(ValueError, match="Set"):
        decode_timestamp_response(authority.reply(ask(TEXT).body, chain=True))


def test_a_refusal_of_the_authority_is_no_stamp(authority: Authority, roots: Roots) -> None:
    with pytest.raises(StampInvalid):
        check_stamp(bytes.fromhex("3005300302010 2".replace(" ", "")), TEXT, roots)


def test_no_roots_is_no_trust(authority: Authority, tmp_path: Path) -> None:
    with pytest.raises(StampInvalid, match="roots"):
        check_stamp(authority.reply(ask(TEXT).body), TEXT, [])
    with pytest.raises(RootsMissing):
        load_roots(tmp_path / "absent.pem")
    (tmp_path / "empty.pem").write_text("")
    with pytest.raises(RootsMissing):
        load_roots(tmp_path / "empty.pem")
