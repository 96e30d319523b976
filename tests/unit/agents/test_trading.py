"""Token exchange: whose token becomes which, and every reason why not. Delegations, given and taken."""

from __future__ import annotations

from typing import Any

import jwt
import pytest

from integrator.agents import delegating
from integrator.agents.model import Author
from integrator.agents.scim.filters import as_moment
from integrator.api.agents import _told
from integrator.errors import MalformedRequest, UnknownCaller
from tests.unit.agents.town import ANDERLECHT, DELEGATION, IAM_IXELLES, ID_TOKEN, IXELLES, NUMBER, USER, Town

BY = Author("desk")


async def test_the_answer_is_that_of_rfc_8693(town: Town) -> None:
    id_ = await town.user("anna", "clerk")
    status, body = await town.trade(town.vouch("anna"))
    claims = jwt.decode(body["access_token"], options={"verify_signature": False})

    assert (200, "Bearer", "urn:ietf:params:oauth:token-type:access_token", 300) == (
        status, body["token_type"], body["issued_token_type"], body["expires_in"],
    )  # fmt: skip
    assert ("desk", {"sub": id_}, ["clerk"]) == (claims["sub"], claims["act"], claims["agent"]["roles"])
    assert "anna" not in str(claims)


async def test_an_agent_is_found_by_his_national_number_where_the_issuer_says_that(town: Town) -> None:
    id_ = await town.user("anna", number=NUMBER)
    token = town.vouch("", iss="https://eid.example", preferred_username=None, egovNRN=NUMBER, acr="500")
    status, body = await town.trade(token)

    assert (200, id_, "high") == (status, (caller := town.caller(body["access_token"])).agent, caller.assurance)
    assert NUMBER not in str(jwt.decode(body["access_token"], options={"verify_signature": False}))


async def test_nobody_a_stranger_and_one_who_left_get_the_same_answer(town: Town) -> None:
    gone = await town.user("gone")
    await town.leave(gone)
    await town.user("theirs", hr=town.hr_anderlecht)

    answers = [await town.trade(town.vouch(name)) for name in ("nobody", "gone", "theirs")]

    assert {400} == {status for status, _ in answers}
    assert 1 == len({str(body) for _, body in answers})
    assert 200 == (await town.trade(town.vouch("theirs"), app="desk-anderlecht"))[0]


async def test_an_issuer_of_one_organisation_names_nobody_of_another(village: Town) -> None:
    """Whoever keeps the names of Ixelles may call somebody there as one calls himself at Anderlecht."""
    await village.user("anna")
    await village.user("anna", "head_of_service", hr=village.hr_anderlecht)

    own = await village.trade(village.vouch("anna", iss=IAM_IXELLES))
    theirs = await village.trade(village.vouch("anna", iss=IAM_IXELLES), app="desk-anderlecht")
    regional = await village.trade(village.vouch("anna"), app="desk-anderlecht")

    assert [200, 400, 200] == [own[0], theirs[0], regional[0]]
    assert "other organisations" in theirs[1]["error_description"]


async def test_an_agent_with_more_roles_than_a_token_carries_is_told_so_and_gets_none(village: Town) -> None:
    """One that nobody could use would come as a 401 that no new token mends."""
    many = [f"clerk_of_the_{number:03d}th_register" for number in range(240)]
    await village.user("anna", *many)
    status, body = await village.trade(village.vouch("anna"))

    assert (400, "invalid_request") == (status, body["error"])
    assert "roles" in body["error_description"] and "access_token" not in body
    await village.user("bert", *many[:150])
    assert set(many[:150]) == village.caller(await village.token("bert")).roles


async def test_two_agents_with_one_number_are_nobody(town: Town) -> None:
    await town.user("anna", number=NUMBER)
    await town.user("double", number=NUMBER)
    token = town.vouch("", iss="https://eid.example", preferred_username=None, egovNRN=NUMBER, acr="500")

    assert 400 == (await town.trade(token))[0]


async def test_roles_come_from_the_directory_whatever_the_token_says(town: Town) -> None:
    await town.user("anna", "clerk")

    _, body = await town.trade(town.vouch("anna", roles=["mayor"], groups=["mayor"]))

    assert {"clerk"} == town.caller(body["access_token"]).roles


async def test_a_token_counts_once_for_each_thing_asked(town: Town) -> None:
    await town.user("anna", "clerk")
    token = town.vouch("anna")

    assert [200, 400, 200] == [
        (await town.trade(token))[0], (await town.trade(token))[0], (await town.trade(token, purpose="local_tax"))[0],
    ]  # fmt: skip


async def test_a_token_whose_signature_is_written_in_another_way_is_the_same_token(town: Town) -> None:
    """Of an ES256 signature (r, s), (r, n - s) is as good: anybody can make the one of the other, without a key."""
    await town.user("anna", "clerk")
    token = town.vouch("anna")
    signed, _, signature = token.rpartition(".")
    raw = jwt.utils.base64url_decode(signature)
    n = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    other = raw[:32] + (n - int.from_bytes(raw[32:])).to_bytes(32)
    again = f"{signed}.{jwt.utils.base64url_encode(other).decode()}"

    assert [200, 400] == [(await town.trade(token))[0], (told := await town.trade(again))[0]]
    assert "exchanged for this already" in told[1]["error_description"]


@pytest.mark.parametrize(
    "change",
    [{"subject_token": None}, {"subject_token_type": None}, {"subject_token_type": "urn:ietf:params:oauth:token-type:saml2"}, {"subject_token": "x.y.z"},
     {"requested_token_type": "urn:ietf:params:oauth:token-type:refresh_token"}, {"actor_token": "x"}, {"actor_token_type": ID_TOKEN}, {"subject_token_type": DELEGATION},
     {"purpose": None, "authorization_details": '[{"type":"purpose","purpose":"parking_control","agent":"mayor"}]'}],
    ids=range(9),
)  # fmt: skip
async def test_a_request_that_does_not_fit(village: Town, change: dict[str, Any]) -> None:
    await village.user("anna", "clerk")
    status, body = await village.trade(**({"token": village.vouch("anna")} | change))

    assert (400, "invalid_request") == (status, body["error"])


@pytest.mark.parametrize(
    ("change", "error"),
    [({"purpose": "administrative_fine"}, "invalid_authorization_details"), ({"client_assertion": "x"}, "invalid_client"), ({"audience": "https://other.example"}, "invalid_target"),
     ({"resource": "https://other.example"}, "invalid_target"), ({"grant_type": "password"}, "unsupported_grant_type")],
    ids=range(5),
)  # fmt: skip
async def test_the_application_proves_itself_as_ever(village: Town, change: dict[str, Any], error: str) -> None:
    await village.user("anna", "clerk")

    assert error == (await village.trade(village.vouch("anna"), **change))[1]["error"]


async def test_an_issuer_that_is_down_is_said_to_be(village: Town) -> None:
    await village.user("anna", "clerk")
    village.keys.silent = True

    status, body = await village.trade(village.vouch("anna"))

    assert (503, "temporarily_unavailable") == (status, body["error"])


async def test_a_token_with_an_agent_changed_in_it_is_not_ours(village: Town) -> None:
    await village.user("anna", "clerk")
    header, claims, signature = (await village.token("anna")).split(".")
    told = jwt.utils.base64url_decode(claims).replace(b'"clerk"', b'"mayor"')

    with pytest.raises(UnknownCaller):
        village.identity.verify(f"{header}.{jwt.utils.base64url_encode(told).decode()}.{signature}")


async def test_a_hub_that_knows_no_agents_believes_no_token_about_them(village: Town) -> None:
    from integrator.identity.service import Identity

    await village.user("anna", "clerk")
    token = await village.token("anna")
    other = Identity(village.folder, base=village.identity.base, world="sandbox", now=village.clock)

    with pytest.raises(UnknownCaller):
        other.verify(token)
    assert (await other.token(b"grant_type=urn:ietf:params:oauth:grant-type:token-exchange"))[1][
        "error"
    ] == "unsupported_grant_type"
    other.close()


# --- delegations ------------------------------------------------------------------------------------------------------


async def delegated(town: Town, *roles: str, hours: float = 1, starts: float | None = None) -> tuple[str, str, str]:
    """(giver, taker, delegation) in Ixelles."""
    giver, taker = (
        await town.user("greta", "head_of_service", "clerk"),
        await town.user("tom", "archivist", unit="Archives"),
    )
    until = (starts or town.clock.now) + hours * 3600
    made = await town.agents.delegate(IXELLES, BY, giver, taker, list(roles or ("clerk",)), starts, until)
    return giver, taker, made.id


async def test_who_acts_for_a_colleague_has_the_roles_lent_and_no_other(town: Town) -> None:
    giver, taker, delegation = await delegated(town)
    status, body = await town.acting("tom", delegation)

    caller = town.caller(body["access_token"])
    assert (200, taker, giver, {"clerk"}, "Archives") == (
        status,
        caller.agent,
        caller.on_behalf_of,
        caller.roles,
        caller.unit,
    )
    assert ["agent.joined", "agent.joined", "delegation.delegated"] == town.shelf.names
    assert {
        "id": giver,
        "role": "clerk",
        "other": taker,
        "delegation": delegation,
        "until": int(town.clock.now + 3600),
    } == town.shelf.drafts[-1].agent


@pytest.mark.parametrize("way", ["revoked", "giver_left", "taker_left", "giver_lost_the_role"])
async def test_acting_for_a_colleague_ends_with_what_it_rests_on(town: Town, way: str) -> None:
    giver, taker, delegation = await delegated(town)
    token = (await town.acting("tom", delegation))[1]["access_token"]

    if way == "revoked":
        await town.agents.revoke(IXELLES, BY, delegation, taker)
    elif way == "giver_lost_the_role":
        await town.patch(giver, {"op": "replace", "path": "roles", "value": [{"value": "head_of_service"}]})
    else:
        await town.leave(giver if way == "giver_left" else taker)

    with pytest.raises(UnknownCaller):
        town.identity.verify(token)
    assert 400 == (await town.acting("tom", delegation))[0]
    assert way == "giver_lost_the_role" or "delegation.revoked" in town.shelf.names or way == "taker_left"


async def test_a_token_does_not_outlive_the_delegation(town: Town) -> None:
    *_, delegation = await delegated(town, hours=60 / 3600)

    assert 60 == (await town.acting("tom", delegation))[1]["expires_in"]
    town.clock.now += 61
    assert 400 == (await town.acting("tom", delegation))[0]


async def test_a_delegation_that_begins_later_gives_nothing_yet(town: Town) -> None:
    *_, delegation = await delegated(town, starts=town.clock.now + 3600)

    assert 400 == (await town.acting("tom", delegation))[0]
    town.clock.now += 3700
    assert 200 == (await town.acting("tom", delegation))[0]


async def test_nobody_else_uses_it_and_it_is_not_passed_on(town: Town) -> None:
    _, taker, delegation = await delegated(town)
    third = await town.user("third", "intern")

    assert 400 == (await town.acting("third", delegation))[0]
    with pytest.raises(MalformedRequest):  # lent roles are not his own
        await town.agents.delegate(IXELLES, BY, taker, third, ["clerk"], None, town.clock.now + 60)


@pytest.mark.parametrize(
    "wound",
    [
        "more_than_his_own",
        "nothing",
        "to_himself",
        "to_a_stranger",
        "to_one_who_left",
        "for_ever",
        "over_already",
        "ends_before_it_begins",
        "begun_an_hour_ago",
    ],
)
async def test_what_cannot_be_delegated(town: Town, wound: str) -> None:
    giver, taker, stranger = (
        await town.user("greta", "clerk"),
        await town.user("tom"),
        await town.user("s", hr=town.hr_anderlecht),
    )
    now = town.clock.now
    roles, to, starts, until = ["clerk"], taker, None, now + 60
    if wound == "to_one_who_left":
        await town.leave(taker)
    roles = {"more_than_his_own": ["clerk", "mayor"], "nothing": []}.get(wound, roles)
    to = {"to_himself": giver, "to_a_stranger": stranger}.get(wound, to)
    until = {"for_ever": now + 400 * 86_400, "over_already": now - 1}.get(wound, until)
    starts = {"ends_before_it_begins": now + 120, "begun_an_hour_ago": now - 3600}.get(wound, starts)

    with pytest.raises(MalformedRequest):
        await town.agents.delegate(IXELLES, BY, giver, to, roles, starts, until)


@pytest.mark.parametrize("of", ["starts", "ends"])
@pytest.mark.parametrize(
    "text",
    [f"{day}{zone}" for day in ("0001-01-01T00:00:00", "1970-01-01T00:00:00", "9999-12-31T23:59:59.999999") for zone in ("Z", "+14:00", "-14:00", "+23:59", "-23:59")],
    ids=lambda text: text.replace(":", ""),
)  # fmt: skip
async def test_a_delegation_at_the_ends_of_time_is_refused_and_breaks_no_list(
    village: Town, text: str, of: str
) -> None:
    giver, taker = await village.user("greta", "clerk"), await village.user("tom")
    moment = as_moment(text)
    now = village.clock.now
    if moment is not None:
        when = {"starts": None, "ends": now + 60, of: moment}
        with pytest.raises(MalformedRequest):
            await village.agents.delegate(IXELLES, BY, giver, taker, ["clerk"], when["starts"], when["ends"])

    assert [] == await village.agents.delegations(IXELLES, None)


async def test_who_says_from_now_by_a_clock_that_is_behind_is_understood_and_every_answer_can_be_written(
    town: Town,
) -> None:
    giver, taker = await town.user("greta", "clerk"), await town.user("tom")
    now = town.clock.now
    made = await town.agents.delegate(IXELLES, BY, giver, taker, ["clerk"], now - 60, now + delegating.LONGEST)

    assert "current" == _told(made, now)["state"]
    assert ["2026-11-18T11:05:40Z"] == [_told(one, now)["from"] for one in await town.agents.delegations(IXELLES, None)]


async def test_both_see_it_a_third_does_not_and_only_the_two_or_hr_end_it(town: Town) -> None:
    giver, taker, delegation = await delegated(town)
    third = await town.user("third")

    assert [1, 1, 0, 1, 0] == [
        len(await town.agents.delegations(*who)) for who in ((IXELLES, giver), (IXELLES, taker), (IXELLES, third), (IXELLES, None), (ANDERLECHT, None))
    ]  # fmt: skip
    for who in ((IXELLES, third), (ANDERLECHT, None)):
        with pytest.raises(delegating.NotYours):
            await town.agents.revoke(who[0], BY, delegation, who[1])
    assert "revoked" == (await town.agents.revoke(IXELLES, BY, delegation, None)).state(town.clock.now)


async def test_deleting_the_taker_ends_what_he_was_lent(town: Town) -> None:
    _, taker, delegation = await delegated(town)

    await town.scim.delete(town.hr, USER, taker, None)

    assert ["revoked"] == [
        one.state(town.clock.now) for one in await town.agents.delegations(IXELLES, None) if one.id == delegation
    ]
