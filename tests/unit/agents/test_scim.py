"""HR's verbs over the register: what is kept, found, refused; each organisation alone with its own people. On both engines."""

from __future__ import annotations

from typing import Any

import pytest

from integrator.agents.scim.bulk import REQUEST, run_bulk
from integrator.agents.scim.errors import ScimRefused
from integrator.agents.scim.schemas import AGENT, ENTERPRISE
from tests.unit.agents.town import CORE, GROUP, NUMBER, USER, Town, user


async def refused(work: Any) -> tuple[int, str | None]:
    with pytest.raises(ScimRefused) as error:
        await work
    return error.value.status, error.value.kind


async def read(town: Town, hr: Any, *what: Any) -> dict[str, Any]:
    return (await town.scim.read(hr, *what))[0]


async def names(town: Town, hr: Any = None, **asked: Any) -> list[str]:
    told = await town.scim.search(hr or town.hr, USER, asked, address=False)
    return [one["userName"] for one in told["Resources"]]


async def test_what_was_sent_comes_back_with_id_version_and_address_but_never_the_number(town: Town) -> None:
    told = await town.scim.create(
        town.hr, USER, user("Anna", "clerk", number=NUMBER, unit="Population", externalId="HR-1")
    )

    assert ("Anna", "HR-1", 'W/"1"', f"http://hub.example/scim/v2/Users/{told['id']}") == (
        told["userName"], told["externalId"], told["meta"]["version"], told["meta"]["location"],
    )  # fmt: skip
    assert AGENT not in told
    assert NUMBER not in str(await read(town, town.hr, USER, told["id"], {}))
    assert town.agents.tags.of(NUMBER) == town.agents.tags.own(told["id"])


async def test_a_name_is_there_once_whatever_its_case_and_again_in_another_organisation(town: Town) -> None:
    await town.user("Anna")

    assert (409, "uniqueness") == await refused(town.scim.create(town.hr, USER, user("ANNA")))
    assert await town.user("anna", hr=town.hr_anderlecht)


async def test_another_organisation_finds_reads_and_changes_nothing_of_it(town: Town) -> None:
    id_, theirs = await town.user("anna", "clerk"), town.hr_anderlecht
    group = await town.group("clerks", id_)

    assert [] == await names(town, theirs)
    assert [(404, None)] * 5 == [
        await refused(read(town, theirs, USER, id_, {})), await refused(town.scim.delete(theirs, USER, id_, None)),
        await refused(town.scim.replace(theirs, USER, id_, user("x"), None)), await refused(town.patch(id_, {"op": "remove", "path": "title"}, hr=theirs)),
        await refused(read(town, theirs, GROUP, group, {})),
    ]  # fmt: skip
    assert (400, "invalidValue") == await refused(town.group("stolen", id_, hr=theirs))
    assert [] == await names(town, theirs, filter=f'id eq "{id_}" or userName pr')


async def test_a_stale_version_is_refused_and_the_right_one_is_not(town: Town) -> None:
    id_ = await town.user("anna")

    assert (412, None) == await refused(town.scim.replace(town.hr, USER, id_, user("anna", title="x"), 'W/"9"'))
    told = await town.scim.replace(town.hr, USER, id_, user("anna", title="x"), 'W/"1"')
    assert 'W/"2"' == told["meta"]["version"]
    assert (412, None) == await refused(town.scim.delete(town.hr, USER, id_, 'W/"1"'))


async def test_who_was_put_without_a_word_on_active_stays_as_he_was(town: Town) -> None:
    id_ = await town.user("anna")
    await town.leave(id_)

    told = await town.scim.replace(town.hr, USER, id_, user("anna"), None)

    assert told["active"] is False


async def test_lists_are_chosen_ordered_and_cut_in_pages(town: Town) -> None:
    for name in ("dora", "Anna", "bert", "Carl"):
        await town.user(name, title="chef" if name != "bert" else "clerk")

    first = await town.scim.search(
        town.hr, USER, {"sortBy": "userName", "count": 2, "filter": 'title eq "chef"'}, address=False
    )
    rest = await town.scim.search(
        town.hr, USER, {"sortBy": "userName", "startIndex": 3, "filter": 'title eq "chef"'}, address=False
    )

    assert (3, 2, ["Anna", "Carl"]) == (
        first["totalResults"],
        first["itemsPerPage"],
        [one["userName"] for one in first["Resources"]],
    )
    assert (3, ["dora"]) == (rest["startIndex"], [one["userName"] for one in rest["Resources"]])
    assert ["dora", "Carl", "bert", "Anna"] == await names(town, sortBy="userName", sortOrder="descending")
    assert (4, []) == (
        (nothing := await town.scim.search(town.hr, USER, {"count": 0}, address=False))["totalResults"],
        nothing["Resources"],
    )


async def test_users_and_groups_are_found_in_one_search(town: Town) -> None:
    id_ = await town.user("anna")
    group = await town.group("clerks", id_)

    told = await town.scim.search(town.hr, None, {"filter": "id pr"}, address=False)

    assert (2, [id_, group]) == (told["totalResults"], [one["id"] for one in told["Resources"]])


async def test_only_what_is_asked_is_shown_and_id_always(town: Town) -> None:
    id_ = await town.user("anna", "clerk", unit="Population", title="x")

    only = await read(town, town.hr, USER, id_, {"attributes": f"userName,{ENTERPRISE}:department,nothing"})
    without = await read(town, town.hr, USER, id_, {"excludedAttributes": f"id,title,roles.value,{ENTERPRISE}"})

    assert {"schemas", "id", "userName", ENTERPRISE} == only.keys()
    assert {"schemas", "id", "userName", "active", "meta"} == without.keys()


@pytest.mark.parametrize(
    "said",
    [
        {"filter": 'userName eq "a"'},
        {"filter": f"{AGENT}:nationalNumber pr"},
        {"filter": 'active eq true and emails[value co "@"]'},
    ],
    ids=range(3),
)
async def test_what_is_personal_is_never_asked_in_an_address(town: Town, said: dict[str, str]) -> None:
    assert (400, "sensitive") == await refused(town.scim.search(town.hr, USER, said, address=True))


async def test_a_national_number_anywhere_else_is_refused(town: Town) -> None:
    for wound in ({"externalId": NUMBER}, {"title": "no. 71.63.14-252.96"}, {"displayName": NUMBER}):
        assert (400, "invalidValue") == await refused(town.scim.create(town.hr, USER, user("anna", **wound)))
    assert (400, "invalidValue") == await refused(town.scim.create(town.hr, USER, user("anna", number="71631425200")))


@pytest.mark.parametrize(
    "body",
    [{"userName": "x", "unknown": 1}, {"schemas": ["urn:x"], "userName": "x"}, {"schemas": "x", "userName": "x"}, {"userName": "x", "USERNAME": "y"}, {"userName": "x", "name": {"nothing": 1}}],
    ids=range(5),
)  # fmt: skip
async def test_a_body_that_is_no_user_is_refused(village: Town, body: dict[str, Any]) -> None:
    assert (400, "invalidSyntax") == await refused(village.scim.create(village.hr, USER, body))


async def test_members_come_and_go_and_show_their_groups(town: Town) -> None:
    anna, bert = await town.user("anna"), await town.user("bert")
    group = await town.group("parking_clerk", anna)

    await town.patch(
        group,
        {"op": "add", "path": "members", "value": [{"value": bert}]},
        {"op": "remove", "path": f'members[value eq "{anna}"]'},
        kind=GROUP,
    )

    shown = await read(town, town.hr, GROUP, group, {})
    of_bert = await read(town, town.hr, USER, bert, {})
    assert [bert] == [one["value"] for one in shown["members"]]
    assert [("parking_clerk", f"http://hub.example/scim/v2/Groups/{group}")] == [
        (one["display"], one["$ref"]) for one in of_bert["groups"]
    ]


async def test_who_is_deleted_is_not_there_any_more_and_his_name_is_free(town: Town) -> None:
    id_ = await town.user("anna", number=NUMBER, externalId="HR-1")
    group = await town.group("clerks", id_)

    await town.scim.delete(town.hr, USER, id_, None)

    assert (404, None) == await refused(read(town, town.hr, USER, id_, {}))
    assert "members" not in await read(town, town.hr, GROUP, group, {})
    assert await town.user("anna")


async def test_bulk_makes_what_names_each_other_whatever_the_order(town: Town) -> None:
    group = {"schemas": [f"{CORE}:Group"], "displayName": "clerks", "members": [{"value": "bulkId:u1"}]}
    operations = [
        {"method": "POST", "path": "/Groups", "bulkId": "g1", "data": group}, {"method": "POST", "path": "/Users", "bulkId": "u1", "data": user("anna")},
        {"method": "PATCH", "path": "/Users/bulkId:u1", "data": {"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [{"op": "add", "path": "title", "value": "x"}]}},
        {"method": "POST", "path": "/Users", "bulkId": "u2", "data": user("ANNA")}, {"method": "DELETE", "path": "/Users/a-nobody"},
        {"method": "PUT", "path": "/Users/bulkId:u9", "data": user("x")},
    ]  # fmt: skip

    told = await run_bulk(town.scim, town.hr, {"schemas": [REQUEST], "Operations": operations})

    assert ["201", "201", "200", "409", "404", "409"] == [one["status"] for one in told["Operations"]]
    assert "uniqueness" == told["Operations"][3]["response"]["scimType"]
    shown = await town.scim.search(town.hr, GROUP, {}, address=False)
    assert [told["Operations"][1]["location"]] == [one["$ref"] for one in shown["Resources"][0]["members"]]


async def test_bulk_stops_when_too_much_failed(town: Town) -> None:
    operations = [{"method": "DELETE", "path": f"/Users/a-{name}"} for name in "abc"]

    told = await run_bulk(town.scim, town.hr, {"schemas": [REQUEST], "failOnErrors": 2, "Operations": operations})

    assert ["404", "404"] == [one["status"] for one in told["Operations"]]


@pytest.mark.parametrize(
    "body",
    [{}, {"Operations": []}, {"Operations": [1]}, {"Operations": [{"method": "GET", "path": "/Users"}]}, {"Operations": [{"method": "POST", "path": "/Users", "data": {}}]},
     {"failOnErrors": 0, "Operations": []}, {"Operations": [{"method": "POST", "path": "/Users", "bulkId": "a", "data": {}}] * 2}],
    ids=range(7),
)  # fmt: skip
async def test_a_bulk_request_that_is_none_is_refused_whole(village: Town, body: dict[str, Any]) -> None:
    schemas = (
        {}
        if "Operations" in body and body["Operations"] == [] and "failOnErrors" not in body
        else {"schemas": [REQUEST]}
    )

    assert 400 == (await refused(run_bulk(village.scim, village.hr, {**schemas, **body})))[0]
