"""The register over HTTP: token, registrations, titulars. Refuses as documented; see mock.yaml."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import orjson

from mock_sources.asgi import Receive, Scope, Send, problem, query_pairs, respond, respond_json, respond_problem
from mock_sources.clock import Clock
from mock_sources.credentials import ClientSecret
from mock_sources.memo import Memo
from mock_sources.sources.div.oauth import TokenRefused, Tokens, challenge
from mock_sources.sources.div.question import Question, QuestionRefused, read
from mock_sources.sources.div.render import everything, registration, titular_item
from mock_sources.world import World
from mock_sources.world.facts import Vehicle

_CONTEXT = "https://vlaamseoverheid.atlassian.net/wiki/download/attachments/1693680273/Mobility-context.jsonld"
_BASE = "/v1/mobility/"
_ITEMS: dict[str, Callable[[World, Vehicle], dict[str, Any]]] = {
    "registrations": registration,
    "registrationsTitular": titular_item,
}
_REMEMBERED = 4096
_NO_CACHE = [(b"cache-control", b"no-store")]
_THROTTLED = {
    "identificatie": "99996",
    "oorsprong": "MAGDA",
    "type": "FOUT",
    "diagnose": "Te veel gelijktijdige bevragingen",
}


class Registrations:
    """ASGI callable for /oauth/token and /v1/mobility/…"""

    def __init__(self, world: World, client: ClientSecret, clock: Clock) -> None:
        self._world, self._clock = world, clock
        self.tokens = Tokens(client, clock)
        self._decoys: tuple[Vehicle, ...] | None = None
        self._cars: Memo[tuple[Vehicle, ...]] = Memo(_REMEMBERED, lambda: world.today)
        self._items: Memo[bytes] = Memo(_REMEMBERED, lambda: world.today)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Token first, then method, then parameters: a stranger learns nothing about the rest."""
        path = scope["path"]
        if path == "/oauth/token":
            await self.tokens.sell(scope, receive, send)
            return
        try:
            self.tokens.check(_authorization(scope))
        except TokenRefused as error:
            document = problem(401, error.kind, "buy a token at /oauth/token")
            await respond_problem(send, document, [challenge(error.kind)])
            return
        collection = path.removeprefix(_BASE)
        if not path.startswith(_BASE) or collection not in _ITEMS:
            await respond_problem(send, problem(404, "resourceNotFound", "no such resource"))
        elif scope["method"] != "GET":
            await respond_problem(send, problem(405, "methodNotAllowed", "GET"), [(b"allow", b"GET")])
        else:
            await self._answer(collection, scope, send)

    async def _answer(self, collection: str, scope: Scope, send: Send) -> None:
        try:
            question = read(query_pairs(scope))
        except QuestionRefused as error:
            await respond_problem(send, problem(400, "badRequest", "the question is not valid", error.issues))
            return
        fault = scope.get("mock.fault")
        if fault == "throttled":
            body = {**self._envelope(collection, question, []), "uitzonderingen": [_THROTTLED]}
            await respond_json(send, 200, body, _NO_CACHE)
            return
        found = self._found(question)
        if fault == "wrong_subject" and found:
            found = [self._decoy(question)]
        if not found and self._is_struck_off(question):
            await respond_problem(send, _chassis_unknown())
        elif not found:
            await respond(send, 204)
        else:
            await self._deliver(collection, question, found, fault, send)

    def _found(self, question: Question) -> list[Vehicle]:
        """The vehicles that match and were registered at that moment, in plate order."""
        day = (question.moment or self._clock().date()).isoformat()
        return sorted((car for car in self._candidates(question) if _held_on(car, day)), key=lambda car: car.plate)

    def _candidates(self, question: Question) -> tuple[Vehicle, ...]:
        key = question.key, question.value, question.unifier
        return self._cars.get(key, lambda: tuple(self._looked_up(question)))

    def _looked_up(self, question: Question) -> Iterable[Vehicle]:
        world, value = self._world, question.value
        if question.key == "nationalNr":
            return world.vehicles_of(ssin=value)
        if question.key == "companyNr":
            return world.vehicles_of(cbe=value)
        if question.key == "vin":  # a VIN may be shared: with its unifier it is a key
            return (car for car in world.vehicles_by_vin(value) if question.unifier in (None, car.unifier))
        vehicle = world.vehicle(value)
        return () if vehicle is None else (vehicle,)

    def _is_struck_off(self, question: Question) -> bool:
        """A plate that was handed in: known, while its chassis is not any more (MAGDA 40131)."""
        asked_today = question.key == "plateNr" and question.moment is None
        return asked_today and any(car.status != "REG" for car in self._candidates(question))

    async def _deliver(
        self, collection: str, question: Question, found: list[Vehicle], fault: str | None, send: Send
    ) -> None:
        unseen = [car for car in found if question.after is None or car.plate > question.after]
        page = unseen[: question.page_size]
        body = self._envelope(collection, question, [self._item(collection, car, fault) for car in page])
        if collection == "registrations":
            body["total"] = len(found)  # registrationsTitular is published without a total
        if len(unseen) > len(page):
            body["next"] = question.link(collection, after=page[-1].plate)
        await respond_json(send, 200, body, _NO_CACHE)

    def _item(self, collection: str, car: Vehicle, fault: str | None) -> object:
        """One item, ready for orjson; the true ones are kept as the bytes they become."""
        make = _ITEMS[collection]
        if fault == "over_delivery":
            return everything(self._world, car, make(self._world, car))
        key = collection, car.plate
        return orjson.Fragment(self._items.get(key, lambda: orjson.dumps(make(self._world, car))))

    def _envelope(self, collection: str, question: Question, items: list[object]) -> dict[str, Any]:
        return {"@context": _CONTEXT, "self": question.link(collection, question.after), "items": items}

    def _decoy(self, question: Question) -> Vehicle:
        """Somebody else's registration, well formed and in force."""
        if self._decoys is None:
            plates = [persona.plate for persona in self._world.personas.values() if persona.plate]
            cars = [self._world.vehicle(plate) for plate in plates]
            self._decoys = tuple(car for car in cars if car and car.status == "REG" and car.holder.ssin)
        return next(car for car in self._decoys if question.value not in _keys(car))


def _authorization(scope: Scope) -> bytes | None:
    """The Authorization header; two of them count as none of ours."""
    sent = [value for name, value in scope["headers"] if name == b"authorization"]
    return sent[0] if len(sent) == 1 else (b"several" if sent else None)


def _held_on(vehicle: Vehicle, day: str) -> bool:
    return vehicle.registered_since <= day and (vehicle.deregistered_on is None or day < vehicle.deregistered_on)


def _keys(vehicle: Vehicle) -> tuple[str | None, ...]:
    return vehicle.plate, vehicle.vin, vehicle.holder.ssin, vehicle.holder.cbe


def _chassis_unknown() -> dict[str, Any]:
    """MAGDA's 40131 in a belgif problem; how the REST service dresses it is not published, the code and text are."""
    document = problem(404, "resourceNotFound", "Chassisnummer onbekend (uitgeschreven nummerplaat)")
    return {**document, "code": "40131", "origin": "MAGDA"}
