"""Being let in: nobody without both people, nothing without the ledger, and a stranger learns nothing of others."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from integrator.errors import LedgerUnwritable, MalformedRequest
from integrator.identity import keys
from integrator.identity.applications import create_application
from integrator.identity.changes import KeyRefused
from integrator.identity.enrolment import EnrolmentBusy, EnrolmentRefused, RequestUnknown


async def test_request_waits_for_both_and_then_the_application_may_ask(house: Any) -> None:
    jwk = keys.new_key("sandbox")
    one, secret = await house.office.ask(house.request(jwk))
    states = [(await house.office.status(one.id, secret)).state]
    for role, account in (("operator", "ops-1"), ("dpo", "dpo-1")):
        await house.office.approve(one.id, role, account)
        states.append((await house.office.status(one.id, secret)).state)

    assert ["waiting", "waiting", "approved"] == states
    assert 200 == (await house.token(jwk))[0]
    assert ["application.request", "application.approve.operator", "application.approve.dpo"] == house.names


async def test_the_order_of_the_two_does_not_matter(small: Any) -> None:
    one, _ = await small.office.ask(small.request(keys.new_key("sandbox")))
    await small.office.approve(one.id, "dpo", "dpo-1")

    assert "approved" == (await small.office.approve(one.id, "operator", "ops-1")).state


@pytest.mark.parametrize("role", ["operator", "dpo"])
async def test_one_of_the_two_twice_is_not_both(small: Any, role: Any) -> None:
    one, _ = await small.office.ask(small.request(keys.new_key("sandbox")))
    await small.office.approve(one.id, role, "somebody")
    again = await small.office.approve(one.id, role, "somebody-else")

    assert ("waiting", []) == (again.state, list(small.applications.glob("*.json")))


async def test_one_person_in_both_roles_is_refused(small: Any) -> None:
    one, _ = await small.office.ask(small.request(keys.new_key("sandbox")))
    await small.office.approve(one.id, "operator", "anna")
    with pytest.raises(EnrolmentRefused) as refused:
        await small.office.approve(one.id, "dpo", "anna")

    assert "SAME_PERSON" == refused.value.reason


async def test_refused_by_either_is_over(house: Any) -> None:
    one, secret = await house.office.ask(house.request(keys.new_key("sandbox")))
    await house.office.approve(one.id, "operator", "ops-1")
    await house.office.refuse(one.id, "dpo", "dpo-1", "we have no such task")
    with pytest.raises(EnrolmentRefused) as refused:
        await house.office.approve(one.id, "dpo", "dpo-2")
    status = await house.office.status(one.id, secret)

    assert ("DECIDED", "refused", "REFUSED_BY_DPO") == (refused.value.reason, status.state, status.reason)


async def test_without_the_ledger_nothing_happens(house: Any) -> None:
    house.full = True
    with pytest.raises(LedgerUnwritable):
        await house.office.ask(house.request(keys.new_key("sandbox")))
    house.full = False
    one, _ = await house.office.ask(house.request(keys.new_key("sandbox")))
    await house.office.approve(one.id, "operator", "ops-1")
    house.full = True
    with pytest.raises(LedgerUnwritable):
        await house.office.approve(one.id, "dpo", "dpo-1")

    assert [one.id] == [waiting.id for waiting in await house.office.pile.all()]
    assert (None, []) == ((await house.office.pile.find(one.id)).dpo, list(house.applications.glob("*.json")))


async def test_a_crash_after_the_second_approval_is_mended_by_approving_again(
    small: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from integrator.identity.enrolment import office

    jwk = keys.new_key("sandbox")
    one, _ = await small.office.ask(small.request(jwk))
    await small.office.approve(one.id, "operator", "ops-1")
    with monkeypatch.context() as patch:
        patch.setattr(office, "create_application", lambda *a, **k: (_ for _ in ()).throw(OSError("the power went")))
        with pytest.raises(OSError, match="power"):
            await small.office.approve(one.id, "dpo", "dpo-1")

    assert "approved" == (await small.office.approve(one.id, "dpo", "dpo-1")).state


async def test_an_application_that_was_refused_at_the_moment_it_was_let_in_is_one_of_both(
    house: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One process enrols what both approved, and another one's officer refuses it, each having read that it waits."""
    from integrator.identity.enrolment import office

    one, secret = await house.office.ask(house.request(keys.new_key("sandbox")))
    await house.office.approve(one.id, "operator", "ops-1")
    read = await house.office.pile.find(one.id)
    refused: list[bool] = []
    real, loop = office.create_application, asyncio.get_running_loop()

    def enrolling(*given: Any, **more: Any) -> Any:
        """In a thread: the other process writes just before the file is there."""
        other = house.office.pile.change(read, state="refused", reason="REFUSED_BY_DPO", decided=1)
        refused.append(asyncio.run_coroutine_threadsafe(other, loop).result(10))
        return real(*given, **more)

    monkeypatch.setattr(office, "create_application", enrolling)
    done = await house.office.approve(one.id, "dpo", "dpo-1")

    assert ([False], "approved", "approved") == (refused, done.state, (await house.office.status(one.id, secret)).state)
    assert "social-desk" == house.file()["application"]


async def test_a_refusal_that_came_first_lets_nobody_in(house: Any) -> None:
    one, _ = await house.office.ask(house.request(keys.new_key("sandbox")))
    await house.office.approve(one.id, "operator", "ops-1")
    read = await house.office.pile.find(one.id)
    await house.office.refuse(one.id, "dpo", "dpo-1", "we have no such task")

    assert not await house.office.pile.approve(read, "dpo", "dpo-1")
    assert [] == list(house.applications.glob("*.json"))


async def test_a_name_that_the_operator_gives_while_the_officer_approves_stays(house: Any) -> None:
    """The officer's process read the request before the operator gave another name."""
    one, _ = await house.office.ask(house.request(keys.new_key("sandbox")))
    read = await house.office.pile.find(one.id)
    await house.office.approve(one.id, "operator", "ops-1", name="social-desk-2")
    assert await house.office.pile.approve(read, "dpo", "dpo-1")
    await house.office.finish()

    assert "social-desk-2" == house.file("social-desk-2")["application"]
    assert not (house.applications / "social-desk.json").exists()


async def test_two_approvals_of_one_person_at_the_same_moment_are_one(house: Any) -> None:
    """Each process read that nobody approved yet."""
    one, _ = await house.office.ask(house.request(keys.new_key("sandbox")))
    read = await house.office.pile.find(one.id)

    assert [True, False] == [await house.office.pile.approve(read, role, "anna") for role in ("operator", "dpo")]


async def test_what_both_approved_is_let_in_at_the_next_start_and_cannot_be_refused_meanwhile(
    house: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from integrator.identity.enrolment import office

    jwk = keys.new_key("sandbox")
    one, secret = await house.office.ask(house.request(jwk))
    await house.office.approve(one.id, "operator", "ops-1")
    with monkeypatch.context() as patch:
        patch.setattr(office, "create_application", lambda *a, **k: (_ for _ in ()).throw(OSError("the power went")))
        with pytest.raises(OSError, match="power"):
            await house.office.approve(one.id, "dpo", "dpo-1")
    with pytest.raises(EnrolmentRefused, match="DECIDED"):
        await house.office.refuse(one.id, "dpo", "dpo-1", "we have no such task")
    with pytest.raises(KeyRefused):  # its key is still spoken for
        await house.office.ask(house.request(jwk, "other-desk"))
    before = (await house.office.status(one.id, secret)).state
    await house.office.finish()

    assert ("waiting", "approved") == (before, (await house.office.status(one.id, secret)).state)
    assert [] == await house.office.pile.admitted()
    assert 200 == (await house.token(jwk))[0]


async def test_a_name_that_was_taken_between_the_approvals_waits_for_another(small: Any) -> None:
    one, _ = await small.office.ask(small.request(keys.new_key("sandbox")))
    await small.office.approve(one.id, "operator", "ops-1")
    other = await small.office.pile.find(one.id)
    assert await small.office.pile.approve(other, "dpo", "dpo-1")
    create_application(
        small.applications, "social-desk", organisation="0314595348", purposes=["resident_permit"], world="sandbox", now=small.clock.now,
        jwk=keys.public(keys.new_key("sandbox")),
    )  # fmt: skip
    await small.office.finish()
    done = await small.office.approve(one.id, "operator", "ops-1", name="social-desk-2")

    assert ("approved", "social-desk-2") == (done.state, done.name)


async def test_a_name_that_is_taken_is_told_to_the_operator_and_not_to_the_stranger(small: Any) -> None:
    create_application(
        small.applications, "social-desk", organisation="0314595348", purposes=["resident_permit"], world="sandbox", now=small.clock.now,
        jwk=keys.public(keys.new_key("sandbox")),
    )  # fmt: skip
    jwk = keys.new_key("sandbox")
    one, _ = await small.office.ask(small.request(jwk))
    with pytest.raises(EnrolmentRefused) as refused:
        await small.office.approve(one.id, "operator", "ops-1")
    await small.office.approve(one.id, "operator", "ops-1", name="social-desk-2")
    done = await small.office.approve(one.id, "dpo", "dpo-1")

    assert ("NAME_TAKEN", "approved", "social-desk-2") == (refused.value.reason, done.state, done.name)
    assert "0314595348" == small.file()["organisation"]


@pytest.mark.parametrize("wrong", ["id", "secret", "both", "shapes"])
async def test_status_of_somebody_elses_request_is_that_of_none(small: Any, wrong: str) -> None:
    one, secret = await small.office.ask(small.request(keys.new_key("sandbox")))
    given = {"id": ("0" * 16, secret), "secret": (one.id, "x" * 43), "both": ("y", "z"), "shapes": (7, None)}[wrong]
    with pytest.raises(RequestUnknown) as refused:
        await small.office.status(*given)

    assert RequestUnknown().hint == refused.value.hint


async def test_secret_and_mailbox_stand_nowhere_in_the_ledger_and_the_secret_not_in_the_database(small: Any) -> None:
    _, secret = await small.office.ask(small.request(keys.new_key("sandbox")))
    kept = b"".join(path.read_bytes() for path in small.folder.parent.glob("enrolment.db*"))

    assert secret.encode() not in kept
    assert not any("vendor.example" in str(draft) for draft in small.entries)


async def test_key_that_is_in_use_or_waits_already_is_refused(small: Any) -> None:
    jwk = await small.enrolled()
    waiting = keys.new_key("sandbox")
    await small.office.ask(small.request(waiting, "other-desk"))
    for used in (jwk, waiting):
        with pytest.raises(KeyRefused) as refused:
            await small.office.ask(small.request(used, "third-desk"))
        assert "KEY_IN_USE" == refused.value.reason


async def test_proof_is_good_once(small: Any) -> None:
    body = small.request(keys.new_key("sandbox"))
    one, _ = await small.office.ask(body)
    await small.office.refuse(one.id, "operator", "ops-1", "not now, thank you")
    with pytest.raises(MalformedRequest, match="/proof"):
        await small.office.ask(body)


async def test_more_than_people_can_look_at_is_put_off(house: Any) -> None:
    for number in range(4):
        await house.office.ask(house.request(keys.new_key("sandbox"), f"desk-{number}"))
    with pytest.raises(EnrolmentBusy):
        await house.office.ask(house.request(keys.new_key("sandbox"), "one-too-many"))


async def test_more_than_so_many_in_an_hour_is_put_off_also_when_decided(small: Any) -> None:
    for number in range(6):
        one, _ = await small.office.ask(small.request(keys.new_key("sandbox"), f"desk-{number}"))
        await small.office.refuse(one.id, "operator", "ops-1", "a rehearsal")
    with pytest.raises(EnrolmentBusy):
        await small.office.ask(small.request(keys.new_key("sandbox"), "seventh"))
    small.clock.now += 3601

    assert "waiting" == (await small.office.ask(small.request(keys.new_key("sandbox"), "seventh")))[0].state


async def test_what_nobody_decides_is_forgotten(house: Any) -> None:
    one, secret = await house.office.ask(house.request(keys.new_key("sandbox")))
    house.clock.now += 31 * 86_400
    await house.office.ask(house.request(keys.new_key("sandbox"), "later"))
    with pytest.raises(RequestUnknown):
        await house.office.status(one.id, secret)


def wounds() -> dict[str, dict[str, Any]]:
    return {
        "no_proof": {"proof": None}, "unknown_member": {"admin": True}, "name_a_path": {"application": "../../x"}, "name_upper": {"application": "Desk"},
        "organisation_nobody": {"organisation": "0999999922"}, "organisation_a_person": {"organisation": "85660812341"}, "organisation_a_list": {"organisation": []},
        "purpose_unknown": {"purposes": ["spying"]}, "no_purposes": {"purposes": []}, "purposes_a_text": {"purposes": "social_inquiry"}, "purposes_of_numbers": {"purposes": [1]},
        "person_as_contact": {"contact": "anna.janssens@vendor.example"}, "number_as_contact": {"contact": "85660812341@vendor.example"}, "no_mailbox": {"contact": "call us"},
        "number_in_title": {"title": "file of 85.66.08-123.41"}, "markup_in_title": {"title": "<b>desk</b>"}, "bound_a_word": {"certificateBound": "yes"},
        "key_a_text": {"key": "key"}, "key_of_production": {"key": keys.public(keys.new_key("production"))}, "private_key": {"key": keys.new_key("sandbox")},
        "another_key": {"key": keys.public(keys.new_key("sandbox"))}, "key_with_a_name_of_its_own": {"key": keys.public(keys.new_key("sandbox")) | {"kid": "sandbox.mine"}},
        "proof_a_list": {"proof": []}, "proof_of_nothing": {"proof": "a.b.c"}, "name_of_another_in_the_proof": {"application": "other-desk"},
    }  # fmt: skip


@pytest.mark.parametrize("wound", list(wounds()))
async def test_request_that_does_not_fit(small: Any, wound: str) -> None:
    with pytest.raises(MalformedRequest):
        await small.office.ask(small.request(keys.new_key("sandbox"), **wounds()[wound]))

    assert ([], []) == (await small.office.pile.all(), small.entries)


@pytest.mark.parametrize("wound", ["other_audience", "old", "of_tomorrow", "an_assertion", "an_order"])
async def test_proof_that_proves_nothing_here(small: Any, wound: str) -> None:
    from integrator.identity.assertions import make

    jwk, now = keys.new_key("sandbox"), small.clock.now
    proof = {
        "other_audience": lambda: small.proof(jwk, audience="https://hub.example/production"),
        "old": lambda: small.proof(jwk, now=now - 3600),
        "of_tomorrow": lambda: small.proof(jwk, now=now + 3600),
        "an_assertion": lambda: make(jwk, "social-desk", small.identity.issuer, now),
        "an_order": lambda: small.order(jwk, act="rotate", jwk=keys.public(jwk)),
    }[wound]()
    with pytest.raises(MalformedRequest):
        await small.office.ask(small.request(jwk, proof=proof))


async def test_two_processes_that_take_the_second_approval_enrol_once(house: Any) -> None:
    one, _ = await house.office.ask(house.request(keys.new_key("sandbox")))
    await house.office.approve(one.id, "operator", "ops-1")
    done = await asyncio.gather(
        *(house.office.approve(one.id, "dpo", f"dpo-{number}") for number in range(3)), return_exceptions=True
    )

    assert {"approved"} == {one.state for one in done if not isinstance(one, EnrolmentRefused)}
    assert 1 == len(house.file()["keys"])


async def test_code_opens_once_and_not_for_long(house: Any) -> None:
    pile, now = house.office.pile, house.clock.now
    code, late = await pile.give_code("social-desk", now), await pile.give_code("social-desk", now)
    taken = [
        await pile.take_code(code, now),
        await pile.take_code(code, now),
        await pile.take_code(late, now + 901),
        await pile.take_code("x", now),
    ]

    assert ["social-desk", None, None, None] == taken
