"""Keys come and go: overlap without a gap, revocation at once and for good, nobody's key but one's own."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from integrator.errors import LedgerUnwritable, MalformedRequest
from integrator.identity import keys
from integrator.identity.changes import MOST, KeyRefused
from integrator.identity.enrolment import EnrolmentRefused


async def rotate(house: Any, old: dict[str, Any], **more: Any) -> dict[str, Any]:
    new = keys.new_key("sandbox")
    order = house.order(old, act="rotate", jwk=keys.public(new), **more)
    await house.office.desk.order("rotate", order, house.proof(new))
    return new


async def test_both_keys_prove_until_the_old_one_ends(small: Any) -> None:
    old = await small.enrolled()
    new = await rotate(small, old, overlap=600)
    during = [(await small.token(one))[0] for one in (old, new)]
    small.clock.now += 600
    after = [(await small.token(one))[0] for one in (old, new)]

    assert ([200, 200], [401, 200]) == (during, after)
    assert "application.key.rotate" == small.names[-1]


async def test_token_of_a_key_that_only_ended_lives_its_minutes_out(small: Any) -> None:
    old = await small.enrolled()
    token = (await small.token(old))[1]["access_token"]
    await rotate(small, old, overlap=0)
    small.clock.now += 1

    assert (401, True) == ((await small.token(old))[0], small.believed(token))


@pytest.mark.parametrize("by", ["application", "dpo", "operator"])
async def test_revoked_key_proves_no_more_and_its_tokens_are_worth_nothing(small: Any, by: str) -> None:
    old = await small.enrolled()
    token = (await small.token(old))[1]["access_token"]
    before = small.believed(token)
    if by == "application":
        await small.office.desk.order("revoke", small.order(old, act="revoke", kid=old["kid"]))
    else:
        await small.office.desk.revoke("social-desk", old["kid"], by, f"{by}-1", "the laptop was stolen")

    assert (True, False, 401) == (before, small.believed(token), (await small.token(old))[0])
    assert (by, "application.key.revoke") == (small.file()["keyLives"][old["kid"]]["by"], small.names[-1])


async def test_revocation_by_another_process_bites_within_a_second(small: Any) -> None:
    """Another process changes the file; this one looks at it again by itself."""
    from integrator.identity.changes import revoke_key

    old = await small.enrolled()
    token = (await small.token(old))[1]["access_token"]
    before = small.believed(token)
    revoke_key(small.applications, "social-desk", old["kid"], "sandbox", small.clock.now, by="operator")
    small.clock.now += 0.9

    assert (True, False) == (before, small.believed(token))


async def test_tokens_of_the_other_key_live_on(small: Any) -> None:
    old = await small.enrolled()
    new = await rotate(small, old)
    token = (await small.token(new))[1]["access_token"]
    await small.office.desk.order("revoke", small.order(new, act="revoke", kid=old["kid"]))

    assert small.believed(token)


async def test_revoked_key_never_comes_back_under_any_name(small: Any) -> None:
    old = await small.enrolled()
    new = await rotate(small, old)
    await small.office.desk.order("revoke", small.order(new, act="revoke", kid=old["kid"]))
    for back in (old, old | {"kid": "sandbox.another-name"}):
        with pytest.raises((KeyRefused, MalformedRequest)):
            order = small.order(new, act="rotate", jwk=keys.public(back))
            await small.office.desk.order("rotate", order, small.proof(back))
    with pytest.raises(KeyRefused):
        await small.office.ask(small.request(old, "new-desk"))


async def test_ended_key_orders_nothing(small: Any) -> None:
    old = await small.enrolled()
    await rotate(small, old, overlap=0)
    with pytest.raises(MalformedRequest, match="/order"):
        await rotate(small, old)


async def test_order_of_one_application_changes_no_other(small: Any) -> None:
    await small.enrolled("first-desk")
    other = await small.enrolled("other-desk")
    before = small.file("first-desk")
    new = keys.new_key("sandbox")
    for act, said in (("rotate", {"jwk": keys.public(new)}), ("revoke", {"kid": before["keys"][0]["kid"]})):
        order = small.order(other, "first-desk", act=act, **said)  # whole, but signed with the key of another
        with pytest.raises(MalformedRequest, match="/order"):
            await small.office.desk.order(act, order, small.proof(new, "first-desk"))
    with pytest.raises(KeyRefused):
        await small.office.desk.order(
            "revoke", small.order(other, "other-desk", act="revoke", kid=before["keys"][0]["kid"])
        )

    assert before == small.file("first-desk")


async def test_unknown_application_and_wrong_key_are_one_answer(small: Any) -> None:
    await small.enrolled()
    stranger, said = keys.new_key("sandbox"), set()
    for name in ("social-desk", "nobody-here"):
        with pytest.raises(MalformedRequest) as refused:
            await small.office.desk.order("revoke", small.order(stranger, name, act="revoke", kid="x"))
        said.add(refused.value.issues[0].detail)

    assert 1 == len(said)


async def test_order_and_proof_are_good_once(small: Any) -> None:
    old, new = await small.enrolled(), keys.new_key("sandbox")
    order, proof = small.order(old, act="rotate", jwk=keys.public(new)), small.proof(new)
    await small.office.desk.order("rotate", order, proof)
    with pytest.raises(MalformedRequest, match="/order"):
        await small.office.desk.order("rotate", order, small.proof(new))


@pytest.mark.parametrize("wound", ["no_proof", "proof_of_another_key", "proof_for_another_name", "new_key_private", "overlap_long", "overlap_negative", "overlap_true", "act_unknown", "claim_beside", "for_another_act"])  # fmt: skip
async def test_order_that_does_not_fit(small: Any, wound: str) -> None:
    old, new = await small.enrolled(), keys.new_key("sandbox")
    more = {"overlap_long": {"overlap": 8 * 86_400}, "overlap_negative": {"overlap": -1}, "overlap_true": {"overlap": True}, "claim_beside": {"scope": "all"}}.get(wound, {})  # fmt: skip
    jwk = new if wound == "new_key_private" else keys.public(new)
    order = small.order(old, act="steal" if wound == "act_unknown" else "rotate", jwk=jwk, **more)
    proof = {
        "no_proof": None,
        "proof_of_another_key": small.proof(keys.new_key("sandbox")),
        "proof_for_another_name": small.proof(new, "other-desk"),
    }.get(wound, small.proof(new))
    with pytest.raises(MalformedRequest):
        await small.office.desk.order("revoke" if wound == "for_another_act" else "rotate", order, proof)

    assert [old["kid"]] == [key["kid"] for key in small.file()["keys"]]


async def test_so_many_keys_and_no_more(small: Any) -> None:
    newest = await small.enrolled()
    for _ in range(MOST - 1):
        newest = await rotate(small, newest)
    with pytest.raises(KeyRefused) as refused:
        await rotate(small, newest)

    assert "TOO_MANY_KEYS" == refused.value.reason


async def test_keys_that_ended_long_ago_leave_the_file(small: Any) -> None:
    newest = await small.enrolled()
    for _ in range(3):
        newest = await rotate(small, newest, overlap=0)
        small.clock.now += 100 * 86_400

    assert 2 >= len(small.file()["keys"])
    assert newest["kid"] in {key["kid"] for key in small.file()["keys"]}


async def test_many_rotations_at_once_lose_none(small: Any) -> None:
    old = await small.enrolled()
    done = await asyncio.gather(*(rotate(small, old) for _ in range(4)))

    assert {old["kid"], *(one["kid"] for one in done)} == {key["kid"] for key in small.file()["keys"]}


async def test_without_the_ledger_no_key_changes(small: Any) -> None:
    old = await small.enrolled()
    before = small.file()
    small.full = True
    with pytest.raises(LedgerUnwritable):
        await rotate(small, old)
    with pytest.raises(LedgerUnwritable):
        await small.office.desk.revoke("social-desk", old["kid"], "dpo", "dpo-1", "stolen")

    assert before == small.file()


async def test_switched_off_and_on_again_by_people(small: Any) -> None:
    jwk = await small.enrolled()
    await small.office.desk.disable("social-desk", "operator", "ops-1", "contract ended")
    off = (await small.token(jwk))[0]
    await small.office.desk.disable("social-desk", "operator", "ops-1", "contract renewed", off=False)

    assert (401, 200) == (off, (await small.token(jwk))[0])
    assert ["application.disable", "application.enable"] == small.names[-2:]


async def test_application_nobody_enrolled_has_no_keys_to_revoke(small: Any) -> None:
    with pytest.raises(EnrolmentRefused):
        await small.office.desk.revoke("nobody", "sandbox.x", "operator", "ops-1", "because")


async def test_key_says_when_it_ends_and_the_token_answer_too(small: Any) -> None:
    jwk = await small.enrolled()
    status, body = await small.token(jwk)

    assert (200, small.file()["keyLives"][jwk["kid"]]["ends"]) == (status, body["key_ends"])


async def test_file_with_lives_that_are_none_is_not_read(small: Any) -> None:
    jwk = await small.enrolled()
    path = small.applications / "social-desk.json"
    for lives in (
        [],
        {"x": 1},
        {"x": {"ends": "soon"}},
        {"x": {"ends": "2026-13-40T00:00:00Z"}},
        {"x": {"admin": True}},
    ):
        path.write_text(json.dumps(small.file() | {"keyLives": lives}))
        small.identity.applications.reload()
        assert 401 == (await small.token(jwk))[0]


# --- certificates that sign SOAP messages -----------------------------------------------------------------------------

MARK = "A" * 43


async def test_a_certificate_speaks_for_its_application_once_the_ledger_has_it(small: Any) -> None:
    await small.enrolled()
    await small.office.desk.certify("social-desk", MARK, "operator", "ops-1")

    assert "certificate.add" == small.names[-1]
    assert "social-desk" == small.identity.applications.bearing(MARK).id


async def test_a_full_ledger_registers_no_certificate(small: Any) -> None:
    await small.enrolled()
    small.full = True
    with pytest.raises(LedgerUnwritable):
        await small.office.desk.certify("social-desk", MARK, "operator", "ops-1")

    assert small.identity.applications.bearing(MARK) is None


async def test_a_certificate_of_another_application_is_refused(small: Any) -> None:
    for name in ("social-desk", "permit-desk"):
        await small.enrolled(name)
    await small.office.desk.certify("social-desk", MARK, "operator", "ops-1")
    with pytest.raises(KeyRefused, match="KEY_IN_USE"):
        await small.office.desk.certify("permit-desk", MARK, "operator", "ops-1")

    assert "social-desk" == small.identity.applications.bearing(MARK).id


async def test_keys_that_change_leave_certificates_as_they_are(small: Any) -> None:
    old = await small.enrolled()
    await small.office.desk.certify("social-desk", MARK, "operator", "ops-1")
    await rotate(small, old)

    assert [MARK] == small.file()["certificates"]
