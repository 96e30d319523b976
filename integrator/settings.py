"""Settings: config/defaults.yaml, then a local file, then INTEGRATOR_… variables; checked before anything starts."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from integrator.errors import ConfigurationError
from integrator.places import folder, read_yaml


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that differs from one installation to the next."""

    mode: str  # sandbox | production
    state: Path  # keys, ledger, applications: what must survive a restart
    host: str
    port: int
    issuer: str  # the hub's own address as callers know it
    ledger: str  # sqlite:///path or postgresql://…
    shard: str  # name of this writer process in the ledger
    sources: Mapping[str, Mapping[str, Any]]
    limits: Mapping[str, Any]
    hosts: tuple[str, ...]  # Host headers we answer to
    tls: Mapping[str, Any]  # our own listener with TLS: certificate, key, clientCa, port, address; {} = none
    proxies: tuple[Mapping[str, Any], ...]  # whose Client-Cert header is believed
    enrolment: Mapping[str, Any]  # how applications come in: database, limits, how long a key lives
    mocked: tuple[str, ...]  # sources that are the sandbox's; a production hub refuses to start with any
    named_numbers: frozenset[str]  # real-looking numbers the sandbox knows on purpose (BIS cases)
    audit: Mapping[str, Any]  # the published ledger: its name, where signed state lives, witnesses, time stamps
    quotas: Mapping[str, Any]  # of authorisations: database, size of a lease
    emergency: Mapping[str, Any]  # questions that passed a condition: database, hours, limits of an agent
    consoles: Mapping[str, Any]  # the pages of data protection officers and citizens: database, sign-in
    watching: Mapping[str, Any]  # what alerts must know: cases, deaths, moves, by keyed tag
    directory: Mapping[str, Any]  # the directory of references: database, folder of its key
    governing: Mapping[str, Any]  # texts that are proposed, approved, suspended: database
    agents: Mapping[str, Any]  # the people who work for organisations: database, issuers that vouch for them
    delivery: Mapping[str, Any]  # the outbox: who carries, over which broker, how often is tried again
    soap: Mapping[str, Any]  # the SOAP façade: what its answers are signed with; {} = none
    opened: Mapping[str, Any]  # the open door: for which purpose, how much, how long a copy is given
    adapters: Mapping[str, Any]  # folders that closed packages write into, and which of them we look at

    @property
    def sandbox(self) -> bool:
        return self.mode == "sandbox"


def load(local: Path | None = None, **overrides: Any) -> Settings:
    """Read and check. `overrides` win over everything (tests, demo). Raises `ConfigurationError` naming the setting."""
    data = read_yaml(folder("config") / "defaults.yaml")
    path = local or (folder("config") / "local.yaml")
    if path.exists():
        chosen = read_yaml(path) or {}
        if not isinstance(chosen, dict):
            raise ConfigurationError(f"{path.name}: settings are a mapping")
        data = _merge(data, chosen)
    elif local is not None:
        raise ConfigurationError(f"no settings file {local}")
    for name in ("mode", "state", "host", "port", "issuer", "ledger", "shard", "mocks"):
        value = os.environ.get(f"INTEGRATOR_{name.upper()}")
        if value is not None:
            data[name] = value
    data = _merge(data, {name: value for name, value in overrides.items() if value is not None})
    data["mocked"] = _mocked(data)
    return _check(_filled(data, {"state": str(data.get("state", "")), "mocks": str(data.get("mocks", ""))}))


def _mocked(data: Mapping[str, Any]) -> list[str]:
    """What still has the sandbox's address or credentials: setting names."""
    sources = [
        f"sources.{name}"
        for name, source in (data.get("sources") or {}).items()
        if any("{mocks}" in value or "{state}/mock/" in value for value in _texts(source))
    ]
    stamps = (data.get("audit") or {}).get("timestamps") or ()
    sign_in = (data.get("consoles") or {}).get("signIn") or {}
    return (
        sources
        + ["audit.timestamps"] * any("{mocks}" in str(one) for one in stamps)
        + ["agents.issuers"] * any("{mocks}" in str(one) for one in (data.get("agents") or {}).get("issuers") or ())
        + ["consoles.signIn"] * any(mark in str(sign_in) for mark in ("{mocks}", "{state}/mock/"))
    )


def _texts(value: Any) -> list[str]:
    """Every text in a value, however deep."""
    if isinstance(value, str):
        return [value]
    inner = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    return [text for one in inner for text in _texts(one)]


def _check(data: Mapping[str, Any]) -> Settings:
    if data.get("mode") not in ("sandbox", "production"):
        raise ConfigurationError("setting `mode` must be sandbox or production")
    try:
        port = int(data["port"])
        issuer = str(data.get("issuer") or f"http://{data['host']}:{port}")
        host = issuer.partition("://")[2].partition("/")[0]
        tls = _tls(data, host)
        return Settings(
            mode=data["mode"], state=Path(data["state"]), host=str(data["host"]), port=port, issuer=issuer,
            ledger=str(data["ledger"]), shard=str(data.get("shard") or "hub-1"), sources=data["sources"],
            limits=data.get("limits") or {},
            hosts=_hosts(data, host, port, tls),
            tls=tls, proxies=tuple(data.get("proxies") or ()), enrolment=data["enrolment"],
            mocked=tuple(data.get("mocked") or ()),
            named_numbers=frozenset(str(number) for number in data.get("namedNumbers") or ()),
            audit=data["audit"], consoles=data["consoles"], watching=data["watching"], directory=data["directory"],
            governing=data["governing"], agents=data["agents"], quotas=data["quotas"], emergency=data["emergency"],
            delivery=data.get("delivery") or {}, adapters=data["adapters"],
            soap=data.get("soap") or {},
            opened=data["opened"],
        )  # fmt: skip
    except KeyError as error:
        raise ConfigurationError(f"setting {error} is missing") from error
    except ValueError as error:
        raise ConfigurationError(f"a setting cannot be read: {error}") from error


def _tls(data: Mapping[str, Any], host: str) -> dict[str, Any]:
    """The listener with TLS, with the address callers know it by; {} where there is none. Raises KeyError, ValueError."""
    chosen = dict(data.get("tls") or {})
    if not chosen:
        return {}
    chosen["port"] = int(chosen["port"])
    port = "" if chosen["port"] == 443 else f":{chosen['port']}"
    chosen["address"] = str(chosen.get("address") or f"https://{host.partition(':')[0]}{port}").rstrip("/")
    return chosen


def _hosts(data: Mapping[str, Any], host: str, port: int, tls: Mapping[str, Any]) -> tuple[str, ...]:
    secured = [str(tls["address"]).partition("://")[2]] if tls else []
    own = [host, f"127.0.0.1:{port}", f"localhost:{port}", *secured]
    return tuple(dict.fromkeys([*own, *(data.get("hosts") or ())]))


def _merge(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(under)
    for name, value in over.items():
        current = merged.get(name)
        merged[name] = _merge(current, value) if isinstance(current, Mapping) and isinstance(value, Mapping) else value
    return merged


def _filled(value: Any, words: Mapping[str, str]) -> Any:
    """`{state}` and `{mocks}` in any text become the state folder and the address of the mock sources."""
    if isinstance(value, str):
        for name, word in words.items():
            value = value.replace("{" + name + "}", word)
        return value
    if isinstance(value, Mapping):
        return {name: _filled(inner, words) for name, inner in value.items()}
    return [_filled(inner, words) for inner in value] if isinstance(value, list) else value


def organisations() -> dict[str, Any]:
    """config/organisations.yaml: the participants and their groups."""
    found: dict[str, Any] = read_yaml(folder("config") / "organisations.yaml")
    return found
