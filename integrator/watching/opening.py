"""The watching of a hub put together from its settings; the hub itself and its clerk each open it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from audit.errors import KeyMissing
from integrator import places
from integrator import settings as settings_module
from integrator.database import Database
from integrator.errors import ConfigurationError
from integrator.settings import Settings
from integrator.watching.agents import AgentTags, Circle, FileAgentTags
from integrator.watching.cases import Cases
from integrator.watching.closeness import Closeness, Told
from integrator.watching.happenings import Happenings
from integrator.watching.tags import Tagger, open_tagger


@dataclass(frozen=True, slots=True)
class Watching:
    """Everything about it. `close()` when it is over."""

    database: Database
    tagger: Tagger
    cases: Cases
    happenings: Happenings

    def close(self) -> None:
        self.database.close()


def open_watching(settings: Settings) -> Watching:
    """Raises `ConfigurationError`."""
    try:
        tagger = open_tagger(settings.state)
    except (KeyMissing, OSError) as error:
        raise ConfigurationError(
            "the key of watching cannot be read", advice="Put state/watching-keys back from the backup."
        ) from error
    database = Database(str(settings.watching["database"]), "watching")
    return Watching(database, tagger, Cases(database, tagger), Happenings(database, tagger))


def agent_tags(settings: Settings) -> FileAgentTags:
    """Agents as they are kept by hand (`integrator audit agents`)."""
    return FileAgentTags(settings.state / "agent-tags.json")


def open_closeness(tagger: Tagger, agents: AgentTags, circle: Circle | None, told: Told | None = None) -> Closeness:
    """With the surnames that many bear, as the rule in config/alerts.yaml lists them."""
    return Closeness(tagger, agents, circle, common=common_surnames(), told=told)


def common_surnames(path: Path | None = None) -> tuple[str, ...]:
    rules: dict[str, Any] = places.read_yaml(path or places.folder("config") / "alerts.yaml")["rules"]
    return tuple(name for rule in rules.values() for name in rule.get("common_surnames", ()))


def homes() -> dict[str, str]:
    """Which municipality (NIS code) an organisation stands for, where it stands for one."""
    return {
        one["number"]: str(one["municipality"])
        for one in settings_module.organisations()["organisations"].values()
        if "municipality" in one
    }
