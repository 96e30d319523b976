"""Pseudonyms: the same one for the same organisation, nothing for anybody else."""

from __future__ import annotations

import pytest

from integrator.errors import ConfigurationError, MalformedRequest
from integrator.keytypes import Pseudonym, compile_key
from integrator.pseudonyms import Pseudonyms, open_pseudonyms

NUMBER = "85610100147"
ONE, OTHER = "0207000010", "0207000109"
MASTER = bytes(range(64))


@pytest.fixture
def sandbox():
    return Pseudonyms(MASTER, "sandbox")


def test_it_opens_to_the_number_it_was_made_of(sandbox):
    assert NUMBER == sandbox.number(ONE, sandbox.of(ONE, NUMBER))


def test_an_organisation_always_sees_the_same_and_two_never_do(sandbox):
    assert sandbox.of(ONE, NUMBER) == Pseudonyms(MASTER, "sandbox").of(ONE, NUMBER)
    assert sandbox.of(ONE, NUMBER) != sandbox.of(OTHER, NUMBER)


def test_what_is_not_its_own_is_nothing_to_an_organisation(sandbox):
    own = sandbox.of(ONE, NUMBER)
    wounded = [own[:-1] + ("A" if own[-1] != "A" else "B"), "ps_" + "A" * 36, "ps_x", "", "ps_é" + "A" * 35]

    assert [None] * 5 == [sandbox.number(ONE, one) for one in wounded]
    assert sandbox.number(OTHER, own) is None
    assert Pseudonyms(MASTER, "production").number(ONE, own) is None


def test_every_number_of_an_answer_is_replaced_wherever_it_stands(sandbox):
    answer = {"ssin": NUMBER, "members": [{"ssin": NUMBER, "name": "Ann"}], "count": 2, "phone": "12345678901"}
    shown = sandbox.replaced(ONE, answer)

    assert NUMBER not in str(shown)
    assert (sandbox.of(ONE, NUMBER), "Ann", 2, "12345678901") == (
        shown["members"][0]["ssin"], shown["members"][0]["name"], shown["count"], shown["phone"],
    )  # fmt: skip
    assert NUMBER == answer["ssin"]


def test_a_key_takes_a_pseudonym_by_its_shape_and_nothing_that_only_looks_like_one(sandbox):
    key = compile_key("ssin", {"type": "ssin"}, sandbox=frozenset())

    assert isinstance(key.read(sandbox.of(ONE, NUMBER), "/ssin"), Pseudonym)
    with pytest.raises(MalformedRequest):
        key.read("ps_" + "A" * 35, "/ssin")


def test_the_key_is_made_once_and_only_its_owner_reads_it(tmp_path):
    path = tmp_path / "pseudonyms.key"
    first, second = open_pseudonyms(path, "sandbox"), open_pseudonyms(path, "sandbox")

    assert first.of(ONE, NUMBER) == second.of(ONE, NUMBER)
    assert 0o600 == path.stat().st_mode & 0o777


def test_a_key_that_was_cut_short_is_refused(tmp_path):
    (tmp_path / "pseudonyms.key").write_bytes(b"short")
    with pytest.raises(ConfigurationError):
        open_pseudonyms(tmp_path / "pseudonyms.key", "sandbox")
