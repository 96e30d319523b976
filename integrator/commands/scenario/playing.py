"""Plays a scenario: each step is done from the outside, and what comes back is held against what the step expects."""

from __future__ import annotations

import contextlib
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx
import orjson

from connectors.client import Problem
from integrator.commands import mock
from integrator.commands.sandbox import command
from integrator.commands.scenario import leaves
from integrator.commands.scenario.packages import drop, finds, kept, mend, waiting
from integrator.commands.scenario.screen import Screen
from integrator.commands.scenario.script import Scenario, Step
from integrator.commands.scenario.stage import Stage
from integrator.commands.scenario.words import at, differences, filled
from integrator.errors import ConfigurationError, IntegratorError

_PATIENCE = 20.0  # seconds until something that is awaited must be there


class Differs(Exception):
    """A step went otherwise than its scenario says."""


@dataclass(slots=True)
class Play:
    """One scenario on a stage: `begin`, then its cases in order. Each returns how many things differed."""

    stage: Stage
    scenario: Scenario
    screen: Screen

    def begin(self) -> int:
        """Who takes part is enrolled and found; what was so already is made so."""
        self.screen.begins(self.scenario)
        self.stage.enrol(self.scenario)
        self.stage.meet(self.scenario)
        return self._steps(self.scenario.before)

    def case(self, name: str) -> int:
        stage, case = self.stage, self.scenario.cases[name]
        self.screen.case(case)
        stage.meet(self.scenario)  # another scenario may have used a name meanwhile
        stage.sign_out()
        stage.known["case"] = {"began": time.time(), "id": uuid.uuid4().hex[:8]}
        stage.kept = {adapter: kept(stage, adapter) for adapter in self.scenario.adapters}
        stage.mark = leaves.mark(stage.settings)
        wrong = self._steps(case.steps)
        for source in {step.what["source"] for step in case.steps if step.verb == "fault"}:
            mock.call("DELETE", f"{stage.running.mocks}/mock/faults/{source}")
        found, differ = leaves.awaited(stage.settings, stage.mark, case.leaves)
        self.screen.left(found)
        return wrong + sum(self.screen.differs(words) for words in differ)

    def _steps(self, steps: Sequence[Step]) -> int:
        """Up to the first that differs: what follows relies on it."""
        try:
            for step in steps:
                _do(self.stage, step, self.screen)
        except Differs as differs:
            return self.screen.differs(str(differs))
        return 0


def _do(stage: Stage, step: Step, screen: Screen) -> None:
    """Raises `Differs`."""
    what = filled(step.what, stage.known, stage.today)
    more = {**_PLAIN.get(step.verb, {}), **filled(step.more, stage.known, stage.today)}
    deadline = time.monotonic() + (_PATIENCE if more.get("until") or step.verb in _AWAITED else 0.0)
    while True:
        try:
            answer = _DO[step.verb](stage, what)
        except IntegratorError as error:
            raise Differs(f"{step.verb}: {error}") from error
        wrong = list(_judged(answer, more))
        if not wrong or time.monotonic() >= deadline:
            break
        time.sleep(0.15)
    screen.step(step, answer, not wrong)
    if wrong:
        raise Differs("; ".join(wrong))
    for name, path in more.get("keep", {}).items():
        stage.known[name] = at(path, answer)


def _judged(answer: Any, more: Mapping[str, Any]) -> Iterator[str]:
    refused = more.get("refused")
    if isinstance(answer, Problem):
        told = {"status": answer.status, "reason": answer.body.get("reason"), "type": answer.type.rpartition(":")[2]}
        if refused is None:
            yield f"refused: {told['status']} {told['type']} {told['reason'] or ''} {answer.detail}"
        else:
            yield from differences(refused, told)
        return
    if refused is not None:
        yield f"expected to be refused with {refused['status']}"
    if "expect" in more:
        yield from differences(more["expect"], answer)
    written = orjson.dumps(answer).decode() if "without" in more else ""
    yield from (f"{text!r} stands in the answer" for text in more.get("without", ()) if text in written)


# --- what a step can be -----------------------------------------------------------------------------------------------


def _ask(stage: Stage, what: Mapping[str, Any]) -> Any:
    with _or_problem() as told:
        told.answer = _client(stage, what).ask(what["service"], **what.get("body", {})).body
    return told.answer


def _client(stage: Stage, what: Mapping[str, Any]) -> Any:
    if "agent" in what:
        return stage.client_of(what["agent"], what["as"], what["purpose"])
    return stage.client(what["as"], what["purpose"])


def _send(stage: Stage, what: Mapping[str, Any]) -> Any:
    key = what.get("key") or str(uuid.uuid4())
    with _or_problem() as told:
        told.answer = stage.client(what["as"], what["purpose"]).send(what["service"], key, **what["body"]).body
    return told.answer


def _call(stage: Stage, what: Mapping[str, Any]) -> Any:
    with _or_problem() as told:
        if "as" not in what:
            return _anonymous(stage, what)
        client = _client(stage, what)
        key = what.get("key") or str(uuid.uuid4())
        told.answer = client.call(what.get("method", "POST"), what["path"], what.get("body"), key).body
    return told.answer


def _anonymous(stage: Stage, what: Mapping[str, Any]) -> Any:
    """As somebody who is nobody's application. Raises `Problem`."""
    url = stage.running.hub + what["path"]
    reply = httpx.request(what.get("method", "GET"), url, json=what.get("body"), trust_env=False)
    told = reply.json() if "json" in reply.headers.get("content-type", "") else reply.text
    if reply.is_error:
        raise Problem(reply.status_code, told if isinstance(told, dict) else {}, None, None)
    return told


def _act(stage: Stage, what: Mapping[str, Any]) -> Any:
    return mock.call("POST", f"{stage.running.mocks}/packages/{what['package']}/{what['does']}", what.get("with", {}))


def _sees(stage: Stage, what: Mapping[str, Any]) -> Any:
    return mock.call("GET", f"{stage.running.mocks}/packages/{what['package']}/{what.get('looks', '')}".rstrip("/"))


def _fault(stage: Stage, what: Mapping[str, Any]) -> Any:
    wish = {name: value for name, value in what.items() if name != "source"}
    mock.call("PUT", f"{stage.running.mocks}/mock/faults/{what['source']}", wish)


def _heal(stage: Stage, what: str) -> Any:
    mock.call("DELETE", f"{stage.running.mocks}/mock/faults/{what}")


def _command(stage: Stage, what: list[str]) -> Any:
    """What it printed: as data when it is JSON."""
    words = command(*what, "--settings", str(stage.file))
    ran = subprocess.run(words, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    if ran.returncode:
        raise ConfigurationError(f"integrator {' '.join(what)}: exit {ran.returncode}\n{ran.stderr[-500:]}")
    try:
        return orjson.loads(ran.stdout)
    except orjson.JSONDecodeError:
        return ran.stdout


def _recorded(stage: Stage, what: Mapping[str, Any]) -> Any:
    counted = leaves.since(stage.settings, stage.mark)
    return {"entries": counted[what["organisation"], what["about"], what["type"]]}


def _crash(stage: Stage, what: str) -> Any:
    del what
    stage.running.crash()


def _pause(stage: Stage, what: float) -> Any:
    del stage
    time.sleep(what)


_DO: Mapping[str, Callable[[Stage, Any], Any]] = {
    "ask": _ask, "send": _send, "call": _call, "drop": drop, "finds": finds, "waiting": waiting, "mend": mend,
    "recorded": _recorded, "act": _act, "sees": _sees, "fault": _fault, "heal": _heal, "command": _command, "crash": _crash, "pause": _pause,
}  # fmt: skip
_AWAITED = frozenset({"finds", "waiting", "recorded", "sees"})
_PLAIN: Mapping[str, Mapping[str, Any]] = {
    "finds": {"expect": {"missing": None, "strange": None}},
    "recorded": {"expect": {"entries": "~[1-9][0-9]*"}},
}


class _Told:
    answer: Any = None


@contextlib.contextmanager
def _or_problem() -> Iterator[_Told]:
    """A refusal is an answer too."""
    told = _Told()
    try:
        yield told
    except Problem as problem:
        told.answer = problem
