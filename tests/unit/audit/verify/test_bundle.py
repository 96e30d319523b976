"""Evidence bundles, judged by the stand-alone verifier: whole ones are proven, each wound is found under its name."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import zipfile
from base64 import b64encode, urlsafe_b64decode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from audit import Subject
from audit.entry import Commit, Record
from audit.errors import LedgerError, NotPublished
from audit.log.receipts import Receipt, receipt_for
from audit.tree.note import sign_note
from audit.verify import hub_audit_verify as standalone
from audit.verify import verify_bundle
from audit.verify.bundle import make_bundle, zipped
from tests.unit.audit.verify.worlds import PEOPLE, World

INTENT, OUTCOME = "entries/01-intent", "entries/02-outcome"


@pytest.fixture
def world(make_world: Callable[..., World]) -> World:
    world = make_world()
    world.exchanges(3)
    world.publish()
    return world


def bundle(world: World, index: int = 0, audiences: tuple[str, ...] = ("subject",), **more: Any) -> bytes:
    assert world.authority is not None
    roots = world.authority.root.read_bytes()
    return make_bundle(
        world.log, world.store, world.keyring, world.shards[0], index, audiences, tsa_roots=roots, **more
    )


def judged(data: bytes, policy: bytes | None = None) -> list[standalone.Result]:
    files = files_of(data)
    parsed = standalone.Policy.parse(policy or files["policy.txt"])
    return standalone.verify_bundle(files, standalone.Judge(standalone.Words("en"), parsed, None))


def files_of(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def wounds(results: list[standalone.Result]) -> set[tuple[str, str]]:
    return {(result.level, result.code) for result in results if result.state != standalone.PROVEN}


def edited(data: bytes, name: str, change: Callable[[bytes], bytes | None]) -> bytes:
    files: dict[str, bytes | None] = dict(files_of(data))
    files[name] = change(files[name] or b"")
    return zipped({path: content for path, content in files.items() if content is not None})


def test_a_whole_bundle_is_proven_on_all_five_levels(world):
    results = judged(bundle(world))

    assert {("L1", "OK"), ("L2", "OK"), ("L3", "OK"), ("L4", "OK"), ("L5", "OK")} == {
        (r.level, r.code) for r in results
    }


def test_the_outcome_leads_to_the_bundle_of_its_whole_exchange(world):
    assert bundle(world, 2) == bundle(world, 3)


def test_the_same_evidence_gives_the_same_bytes(world):
    assert bundle(world) == bundle(world)


def test_a_bundle_made_after_the_ledger_grew_leads_to_the_anchor_that_was_stamped(world):
    before = bundle(world)
    world.exchanges(2)
    world.publish(stamp=False)

    assert files_of(before)[f"{INTENT}/anchor.tlog-proof"] == files_of(bundle(world))[f"{INTENT}/anchor.tlog-proof"]
    assert set() == wounds(judged(bundle(world)))


def test_an_entry_younger_than_every_anchor_has_no_bundle_yet(world):
    young = world.exchanges(1)[0]

    with pytest.raises(NotPublished):
        bundle(world, young)


def test_an_entry_that_is_not_there_is_said_so(world):
    with pytest.raises(LedgerError):
        bundle(world, 99)


def test_values_of_other_audiences_stay_closed(world):
    shown = json.loads(files_of(bundle(world))[f"{INTENT}/disclosures.json"])

    assert {"subject"} == {item["audience"] for item in shown["shown"]}
    assert ["agent", "technical"] == shown["withheld"]


def test_a_citizen_is_not_shown_who_else_was_asked_about(make_world):
    world = make_world("two")
    person, other = PEOPLE[:2]
    draft = world.draft("denied", "5" * 32)
    object.__setattr__(draft, "subjects", [("nrn", person), ("nrn", other)])
    world.write([draft])
    world.publish()

    data = bundle(world, subject=Subject("nrn", person))

    shown = json.loads(files_of(data)["entries/01-denied/disclosures.json"])["shown"]
    values = [json.loads(standalone.base64.urlsafe_b64decode(item["disclosure"] + "==")) for item in shown]
    assert [person] == [value["id"] for _, name, value in values if name == "subject"]
    assert set() == wounds(judged(data))


def test_one_of_seventy_subjects_is_proven_without_the_others(make_world):
    world = make_world("many")
    index = world.many_subjects(70)
    world.publish()

    data = bundle(world, index, subject=Subject("nrn", "85610000069"))

    assert set() == wounds(judged(data))
    told = json.loads(files_of(data)["entries/01-denied/disclosures.json"])
    assert 2 == len([item for item in told["shown"] if "path" in item])


def test_an_erased_entry_is_still_proven_and_says_that_it_was_erased(world):
    world.erase([0, 1])
    world.publish()

    data = bundle(world)

    assert ["subject"] == json.loads(files_of(data)[f"{INTENT}/disclosures.json"])["erased"]
    assert set() == wounds(judged(data))


def test_a_receipt_is_held_against_the_entry(world):
    stored = next(world.store.read(world.shards[0], 0, 1))
    signer = world.signers.signer(world.shards[0])
    right = sign_note(Receipt(world.shards[0], 0, stored.leaf, stored.ts).text(), signer)
    wrong = sign_note(Receipt(world.shards[0], 0, bytes(32), stored.ts).text(), signer)

    assert set() == wounds(judged(bundle(world, receipts={0: right})))
    assert {("L2", "RECEIPT_CONTRADICTS")} == wounds(judged(bundle(world, receipts={0: wrong})))


def shared_receipt(world: World, index: int, *, leaf: bytes | None = None, size: int = 5) -> bytes:
    """The note of a receipt that shares its signature with `size` - 1 others."""
    stored = next(world.store.read(world.shards[0], index, index + 1))
    entries = [(bytes([number]) * 32, stored.ts) for number in range(size)]
    entries[index] = leaf or stored.leaf, stored.ts
    record = Record(index, entries[index][0], stored.ts, Commit(0, entries))
    return from_b64url(receipt_for(world.shards[0], record, world.signers.signer(world.shards[0])))


def borrowed_receipt(world: World) -> bytes:
    """Upper half of one commit, signature of another."""
    return (
        shared_receipt(world, 0).partition(b"\n\n")[0]
        + b"\n\n"
        + shared_receipt(world, 0, size=6).partition(b"\n\n")[2]
    )


def from_b64url(header: bytes) -> bytes:
    return urlsafe_b64decode(header + b"=" * (-len(header) % 4))


def test_a_receipt_that_shares_its_signature_is_held_against_the_entry(world):
    right, wrong = shared_receipt(world, 0), shared_receipt(world, 0, leaf=bytes(32))
    torn = right.replace(b"\n\naudit-commit", b"\n" + b64encode(bytes(32)) + b"\n\naudit-commit")

    assert set() == wounds(judged(bundle(world, receipts={0: right})))
    assert {("L2", "RECEIPT_CONTRADICTS")} == wounds(judged(bundle(world, receipts={0: wrong})))
    assert {"L2"} == {level for level, _ in wounds(judged(bundle(world, receipts={0: torn})))}
    assert {"L2"} == {level for level, _ in wounds(judged(bundle(world, receipts={0: borrowed_receipt(world)})))}


def flipped(at: int) -> Callable[[bytes], bytes]:
    return lambda data: data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def another_value(data: bytes) -> bytes:
    told = json.loads(data)
    text = json.dumps(["c2FsdHNhbHRzYWx0c2FsdA", "case_ref", "2026/118"]).encode()
    told["shown"][0]["disclosure"] = standalone._b64url(text)
    return json.dumps(told).encode()


WOUNDED = {
    "entry_changed": (f"{INTENT}/entry.json", lambda data: data.replace(b"housing", b"hoising"), ("L2", "ENTRY_ALTERED")),
    "value_replaced": (f"{INTENT}/disclosures.json", another_value, ("L1", "VALUE_ALTERED")),
    "proof_of_another_place": (f"{INTENT}/record.tlog-proof", lambda data: data.replace(b"index 0", b"index 1"), ("L2", "ENTRY_ALTERED")),
    "checkpoint_signature_gone": (f"{INTENT}/record.tlog-proof", lambda data: data[:-30] + b"A" * 27 + data[-3:], ("L2", "SIGNATURE_INVALID")),
    "anchor_proof_missing": (f"{INTENT}/anchor.tlog-proof", lambda _: None, ("L3", "FILE_MISSING")),
    "stamp_missing": ("stamps/1-mock.tsr", lambda _: None, ("L5", "STAMP_MISSING")),
    "stamp_signature_flipped": ("stamps/1-mock.tsr", flipped(-3), ("L5", "STAMP_INVALID")),
    "witness_line_missing": (f"{INTENT}/anchor.tlog-proof", lambda data: b"\n".join(data.split(b"\n")[:-2]) + b"\n", ("L4", "WITNESS_MISSING")),
    "policy_of_others": ("policy.txt", lambda data: data.replace(b"hub-1/2026+", b"hub-1/2027+"), None),
}  # fmt: skip


@pytest.mark.parametrize("wound", sorted(WOUNDED))
def test_each_wound_of_a_bundle_is_named(world, wound):
    name, change, expected = WOUNDED[wound]
    data = edited(bundle(world), name, change)

    if expected is None:
        with pytest.raises(standalone.Malformed):
            judged(data)
    else:
        assert expected in wounds(judged(data))


def test_keys_that_are_not_the_hubs_prove_nothing(world, make_world):
    stranger = make_world("stranger")
    stranger.exchanges(1)
    stranger.publish()

    assert ("L2", "SIGNATURE_INVALID") in wounds(judged(bundle(world), stranger.policy().encode()))


def test_an_outcome_of_another_exchange_is_told_from_its_own(world):
    files = files_of(bundle(world))
    foreign = files_of(bundle(world, 2))
    swapped = {**files, **{name: data for name, data in foreign.items() if name.startswith(OUTCOME)}}

    assert {("L2", "PAIR_BROKEN")} == wounds(judged(zipped(swapped)))


@pytest.mark.parametrize(("lang", "word"), [("nl", "BEWEZEN"), ("fr", "PROUVÉ"), ("en", "PROVEN")])
def test_the_program_alone_needs_no_other_file_of_ours(world, tmp_path, lang, word):
    (tmp_path / "evidence.zip").write_bytes(bundle(world))
    program = Path(standalone.__file__).read_bytes()
    (tmp_path / "alone.py").write_bytes(program)

    run = subprocess.run(
        [sys.executable, "-I", "alone.py", "evidence.zip", "--lang", lang],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (0, True) == (run.returncode, word in run.stdout), run.stdout + run.stderr
    assert b"import audit" not in program and b"from audit" not in program


def test_a_wrong_bundle_ends_with_one_and_an_unstamped_one_with_three(world, tmp_path, capsys):
    whole = bundle(world)
    (tmp_path / "wrong.zip").write_bytes(edited(whole, *WOUNDED["entry_changed"][:2]))
    (tmp_path / "unstamped.zip").write_bytes(edited(whole, *WOUNDED["stamp_missing"][:2]))

    assert 1 == standalone.main([str(tmp_path / "wrong.zip"), "--json"])
    assert 3 == standalone.main([str(tmp_path / "unstamped.zip"), "--json"])
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [1, 3] == [one["exit"] for one in told]
    assert "bundle" == told[0]["policy"]


def test_a_program_gets_verdicts_and_never_an_exception(world):
    whole = bundle(world)
    wrong = {verdict.level: verdict for verdict in verify_bundle(edited(whole, *WOUNDED["entry_changed"][:2]))}
    unstamped = {verdict.level: verdict for verdict in verify_bundle(edited(whole, *WOUNDED["stamp_missing"][:2]))}

    assert [True] * 5 == [verdict.ok for verdict in verify_bundle(whole)]
    assert ["ENTRY_ALTERED"] == [finding.code for finding in wrong["L2"].findings]
    assert (False, True) == (unstamped["L5"].ok, unstamped["L5"].skipped.startswith("STAMP_MISSING"))
    assert ["MALFORMED"] == [finding.code for verdict in verify_bundle(b"no zip") for finding in verdict.findings]


def test_a_stamp_that_our_reader_cannot_judge_goes_to_openssl(world, monkeypatch):
    def unable(_: bytes) -> standalone.Stamp:
        raise standalone.Unsupported("signature algorithm")

    monkeypatch.setattr(standalone, "read_stamp", unable)
    stamps = [result for result in judged(bundle(world)) if result.level == "L5"]

    assert {"OK"} == {stamp.code for stamp in stamps}
    assert all("OpenSSL" in stamp.found for stamp in stamps)


def test_a_stamp_by_an_authority_nobody_trusts_is_refused(world, tmp_path):
    from mock_sources.tsa import Authority

    stranger = Authority(tmp_path / "stranger")
    data = edited(bundle(world), "stamps/roots.pem", lambda _: stranger.root.read_bytes())

    assert ("L5", "MALFORMED") in wounds(judged(data))
