"""Settings: three layers, checked before anything starts; the sandbox cannot leak into production."""

from __future__ import annotations

import pytest

from integrator import settings
from integrator.app import open_hub
from integrator.errors import ConfigurationError


def test_a_local_file_wins_over_the_defaults_and_an_override_over_both(tmp_path):
    local = tmp_path / "local.yaml"
    local.write_text("port: 9000\nshard: east\n")
    loaded = settings.load(local, port=9001, state=str(tmp_path))

    assert (9001, "east", f"sqlite:///{tmp_path}/ledger.db") == (loaded.port, loaded.shard, loaded.ledger)


@pytest.mark.parametrize("wound", ["mode: play\n", "port: many\n", "[1, 2]\n", "port: [\n"], ids=["mode", "port", "no mapping", "no yaml"])
def test_settings_that_cannot_be_are_refused_before_anything_starts(tmp_path, wound):
    local = tmp_path / "local.yaml"
    local.write_text(wound)
    with pytest.raises(ConfigurationError):
        settings.load(local)


def test_a_file_that_was_named_and_is_not_there_is_refused(tmp_path):
    with pytest.raises(ConfigurationError, match="no settings file"):
        settings.load(tmp_path / "gone.yaml")


async def test_a_production_hub_does_not_start_on_mock_sources(tmp_path):
    with pytest.raises(ConfigurationError, match="sandbox"):
        await open_hub(settings.load(None, mode="production", state=str(tmp_path)))

    assert [] == list(tmp_path.iterdir())
