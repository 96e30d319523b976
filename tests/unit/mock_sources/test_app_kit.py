"""The onboarding kit: made once, private, whole or refused."""

from __future__ import annotations

import stat
import threading
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from mock_sources import credentials

FILES = {
    *(f"{name}.{part}.pem" for name in ("rijksregister", "ksz", "client") for part in ("key", "cert")),
    "kbo.json",
    "div.json",
    *(f"debts_{package}.json" for package in ("arrears", "postes", "receipts")),
}


def test_the_kit_has_the_agreed_files_and_only_its_owner_reads_them(tmp_path: Path) -> None:
    folder = credentials.ensure(tmp_path).folder

    assert {path.name for path in folder.iterdir()} == FILES
    assert {0o600} == {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
    assert 0o700 == stat.S_IMODE(folder.stat().st_mode)


def test_the_kit_is_made_once(tmp_path: Path) -> None:
    first, second = credentials.ensure(tmp_path), credentials.ensure(tmp_path)

    assert (first.kbo, first.div) == (second.kbo, second.div)
    assert first.client.certificate == second.client.certificate


def test_two_kits_share_no_secret(tmp_path: Path) -> None:
    one, other = credentials.ensure(tmp_path / "a"), credentials.ensure(tmp_path / "b")

    assert one.kbo.password != other.kbo.password
    assert one.div.client_secret != other.div.client_secret


@pytest.mark.parametrize("name", credentials.IDENTITIES)
def test_key_and_certificate_belong_together(tmp_path: Path, name: str) -> None:
    identity = getattr(credentials.ensure(tmp_path), name)
    signature = identity.key.sign(b"question", ec.ECDSA(hashes.SHA256()))

    identity.certificate.public_key().verify(signature, b"question", ec.ECDSA(hashes.SHA256()))
    assert isinstance(identity.key.curve, ec.SECP256R1)


@pytest.mark.parametrize("file", sorted(FILES))
def test_a_damaged_kit_is_refused_not_replaced(tmp_path: Path, file: str) -> None:
    folder = credentials.ensure(tmp_path).folder
    (folder / file).unlink()

    with pytest.raises(credentials.KitIncomplete):
        credentials.ensure(tmp_path)
    assert not (folder / file).exists()


def test_the_complaint_about_a_damaged_kit_holds_no_secret(tmp_path: Path) -> None:
    folder = credentials.ensure(tmp_path).folder
    (folder / "kbo.json").write_text('{"username": "x", "password": "hush"')

    with pytest.raises(credentials.KitIncomplete) as refused:
        credentials.ensure(tmp_path)
    assert "hush" not in str(refused.value)


def test_two_processes_that_start_at_once_get_one_kit(tmp_path: Path) -> None:
    kits: list[credentials.Credentials] = []
    starters = [threading.Thread(target=lambda: kits.append(credentials.ensure(tmp_path))) for _ in range(4)]
    for starter in starters:
        starter.start()
    for starter in starters:
        starter.join()

    assert 1 == len({kit.div.client_secret for kit in kits})
    assert ["credentials"] == [path.name for path in tmp_path.iterdir()]
