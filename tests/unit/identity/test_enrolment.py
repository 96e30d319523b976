"""Applications and keys on disk: private ones stay private, worlds stay apart, files say what they are."""

from __future__ import annotations

import json
import stat
import threading
from pathlib import Path
from typing import Any

import pytest

from integrator.errors import ConfigurationError
from integrator.identity import applications, keys
from integrator.identity.applications import Applications, create_application, read
from integrator.identity.service import Identity


def create(folder: Path, name: str = "my-app", **changes: Any) -> Any:
    given = {
        "organisation": "0207373429",
        "purposes": ["resident_permit"],
        "world": "sandbox",
        "now": 1_795_000_000.0,
        "key_file": folder / "my-app.jwk",
    }
    return create_application(folder / "applications", name, **(given | changes))


@pytest.mark.parametrize("algorithm", ["ES256", "EdDSA"])
def test_enrolling_makes_a_private_key_file_and_registers_the_public_one(tmp_path: Path, algorithm: str) -> None:
    application = create(tmp_path, algorithm=algorithm)
    private = json.loads((tmp_path / "my-app.jwk").read_text())
    registered = (tmp_path / "applications" / "my-app.json").read_text()

    assert ("my-app", [private["kid"]]) == (application.id, list(application.keys))
    assert 0o600 == stat.S_IMODE((tmp_path / "my-app.jwk").stat().st_mode)
    assert private["d"] not in registered


def test_vendor_may_keep_its_own_private_key(tmp_path: Path) -> None:
    jwk = keys.new_key("sandbox")

    assert [jwk["kid"]] == list(create(tmp_path, jwk=keys.public(jwk), key_file=None).keys)


def test_key_names_its_world(tmp_path: Path) -> None:
    create(tmp_path)

    assert json.loads((tmp_path / "my-app.jwk").read_text())["kid"].startswith("sandbox.")


def test_thumbprint_is_the_one_of_rfc_8037() -> None:
    jwk = {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}  # RFC 8037 A.3

    assert "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k" == keys.thumbprint(jwk)


@pytest.mark.parametrize(
    "changes",
    [
        {"organisation": "12"}, {"organisation": "85660812341"}, {"purposes": []}, {"purposes": ["../x"]}, {"purposes": ["Permit"]}, {"world": "prod"},
        {"algorithm": "RS256"}, {"key_file": None},
    ],
    ids=["organisation_short", "organisation_a_person", "no_purpose", "purpose_a_path", "purpose_upper_case", "unknown_world", "other_algorithm", "nowhere_for_the_key"],
)  # fmt: skip
def test_enrolment_that_cannot_be(tmp_path: Path, changes: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        create(tmp_path, **changes)

    assert not list((tmp_path).glob("applications/*"))


@pytest.mark.parametrize(
    "name", ["", "ab", "My-App", "../my-app", "my app", "my_app", "-app", "app-", "a" * 65, "85660812341"]
)
def test_name_that_cannot_be(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigurationError):
        create(tmp_path, name)


def test_application_is_never_overwritten(tmp_path: Path) -> None:
    create(tmp_path)
    with pytest.raises(FileExistsError):
        create(tmp_path, key_file=tmp_path / "other.jwk")


def test_key_file_is_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "my-app.jwk").write_text("mine")
    with pytest.raises(FileExistsError):
        create(tmp_path)

    assert "mine" == (tmp_path / "my-app.jwk").read_text()
    assert not list(tmp_path.glob(".my-app*"))


def wrong_keys() -> dict[str, dict[str, Any]]:
    good = keys.public(keys.new_key("sandbox"))
    return {
        "private": keys.new_key("sandbox"), "production": keys.public(keys.new_key("production")), "no_kid": {k: v for k, v in good.items() if k != "kid"},
        "kid_without_world": good | {"kid": "x"}, "kid_a_number": good | {"kid": 1}, "no_alg": {k: v for k, v in good.items() if k != "alg"}, "alg_of_others": good | {"alg": "RS256"},
        "alg_of_the_other_curve": good | {"alg": "EdDSA"}, "curve_p_384": good | {"crv": "P-384"}, "symmetric": {"kty": "oct", "k": "AAAA", "alg": "HS256", "kid": "sandbox.x"},
        "for_encryption": good | {"use": "enc"}, "not_for_verifying": good | {"key_ops": ["encrypt"]}, "point_off_the_curve": good | {"x": good["y"], "y": good["x"]},
        "coordinate_missing": {k: v for k, v in good.items() if k != "y"}, "coordinate_a_number": good | {"x": 1},
    }  # fmt: skip


@pytest.mark.parametrize("wound", list(wrong_keys()))
def test_key_that_is_not_registered(tmp_path: Path, wound: str) -> None:
    with pytest.raises(ConfigurationError):
        create(tmp_path, jwk=wrong_keys()[wound])


def test_sandbox_application_does_not_exist_in_production(tmp_path: Path) -> None:
    create(tmp_path)
    applications = Applications(tmp_path / "applications", "production", lambda: 0.0)

    assert applications.get("my-app") is None
    assert "production" in applications.broken["my-app.json"]


FILES = {
    "other_name": {"application": "other-app"}, "no_keys": {"keys": []}, "unknown_member": {"admin": True}, "keys_a_text": {"keys": "x"}, "purposes_a_text": {"purposes": 1},
    "organisation_a_number": {"organisation": 207373429},
}  # fmt: skip


@pytest.mark.parametrize("wound", list(FILES))
def test_file_that_is_no_application(tmp_path: Path, wound: str) -> None:
    create(tmp_path)
    path = tmp_path / "applications" / "my-app.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | FILES[wound]))
    with pytest.raises(ConfigurationError):
        read(path, "sandbox")


@pytest.mark.parametrize("text", ["", "[]", "{", "null", "{}"])
def test_file_that_is_not_even_that(tmp_path: Path, text: str) -> None:
    (tmp_path / "my-app.json").write_text(text)
    with pytest.raises(ConfigurationError):
        read(tmp_path / "my-app.json", "sandbox")


def test_disabled_by_anything_but_false_is_disabled(tmp_path: Path) -> None:
    create(tmp_path)
    path = tmp_path / "applications" / "my-app.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"disabled": "no"}))

    assert Applications(tmp_path / "applications", "sandbox", lambda: 0.0).get("my-app") is None


def test_new_application_is_known_within_a_second(tmp_path: Path) -> None:
    clock = [0.0]
    applications = Applications(tmp_path / "applications", "sandbox", lambda: clock[0])
    before = applications.get("my-app")
    create(tmp_path)
    clock[0] += 1

    assert (None, "my-app") == (before, getattr(applications.get("my-app"), "id", None))


def test_clock_that_goes_back_does_not_freeze_the_folder(tmp_path: Path) -> None:
    clock = [1000.0]
    applications = Applications(tmp_path / "applications", "sandbox", lambda: clock[0])
    applications.get("my-app")
    create(tmp_path)
    clock[0] = 10.0

    assert applications.get("my-app") is not None


def test_unchanged_file_stays_the_same_object(tmp_path: Path) -> None:
    create(tmp_path)
    applications = Applications(tmp_path / "applications", "sandbox", lambda: 0.0)
    first = applications.get("my-app")
    applications.reload()

    assert first is applications.get("my-app")


def test_half_written_files_are_not_seen(tmp_path: Path) -> None:
    create(tmp_path)
    (tmp_path / "applications" / ".my-app.json.77").write_text("{")
    applications = Applications(tmp_path / "applications", "sandbox", lambda: 0.0)

    assert (["my-app"], {}) == ([one.id for one in applications.all()], applications.broken)


# --- the hub's own key ----------------------------------------------------------------------------------------------


def test_sandbox_makes_its_key_once_and_private(tmp_path: Path) -> None:
    first = keys.hub_keys(tmp_path, "sandbox")

    assert first == keys.hub_keys(tmp_path, "sandbox")
    assert 0o600 == stat.S_IMODE((tmp_path / "hub-1.json").stat().st_mode)


def test_production_never_makes_a_key_by_itself(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError):
        keys.hub_keys(tmp_path, "production")


def test_sandbox_key_does_not_start_production(tmp_path: Path) -> None:
    keys.hub_keys(tmp_path, "sandbox")
    with pytest.raises(ConfigurationError):
        keys.hub_keys(tmp_path, "production")


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604])
def test_key_that_others_can_read_is_not_used(tmp_path: Path, mode: int) -> None:
    keys.hub_keys(tmp_path, "sandbox")
    (tmp_path / "hub-1.json").chmod(mode)
    with pytest.raises(ConfigurationError):
        keys.hub_keys(tmp_path, "sandbox")


async def test_old_key_still_verifies_while_the_new_one_signs(shop: Any) -> None:
    token = await shop.token()
    keys.write_private(shop.folder / "keys" / "hub-2.json", keys.new_key("sandbox"))
    shop.identity.close()
    shop.identity = shop.start()
    newer = await shop.token(client_assertion=shop.assertion(jti="after-the-change"))

    assert 2 == len(shop.identity.jwks()["keys"])
    assert shop.identity.verify(token).caller == shop.identity.verify(newer).caller


def test_world_that_is_none_does_not_start(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError):
        Identity(tmp_path, base="https://hub.example", world="test", now=lambda: 0.0)


def test_an_application_whose_file_is_read_again_beside_is_there_all_the_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page lists the applications in a thread, while their callers ask."""
    create(tmp_path)
    known = Applications(tmp_path / "applications", "sandbox", lambda: 0.0)
    before = known.get("my-app")
    path = tmp_path / "applications" / "my-app.json"
    path.write_text(path.read_text() + "\n")  # another stamp
    reading, go = threading.Event(), threading.Event()

    def slow(*which: Any) -> Any:
        reading.set()
        go.wait(10)
        return read(*which)

    monkeypatch.setattr(applications, "read", slow)
    found: list[Any] = []
    beside = threading.Thread(target=lambda: found.extend(known.all()))
    beside.start()
    reading.wait(10)
    meanwhile = known.get("my-app")
    go.set()
    beside.join(10)

    assert before is not None and meanwhile is before
    assert [known.get("my-app")] == found
