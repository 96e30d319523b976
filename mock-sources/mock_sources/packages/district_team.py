"""The police's package for neighbourhood officers, of the kind of District Team: closed, and it speaks nothing but SOAP.

It asks the hub, nobody asks it: what it must investigate it fetches, and what an officer saw it answers, each message signed with
a key of its own. What it could not hand over it keeps, and hands over at the next `sync`. One `deliveryId` is one investigation.

certificate {}                        -> {file}          for the hub's operator, who registers it
connect {hub}                         -> {hub}           where it asks
sync {}                               -> {new, answered} fetch, then hand over what waits
visits {investigation, result, on}    -> {state}         what an officer saw
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import urllib.error
import urllib.request
import uuid
from collections.abc import Mapping
from contextlib import closing
from datetime import date, timedelta
from html import escape
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from lxml import etree

from mock_sources.clock import Clock
from mock_sources.wsse import Signer
from mock_sources.wsse.names import SOAP

_NAMESPACE = "urn:integrator:soap:residence:v1"
_OPERATION = "residenceInvestigationRequest"
_PURPOSE = "address_declaration"
_RESULTS = ("confirmed", "notFound", "absent")
_PARSER = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
_SCHEMA = """
CREATE TABLE IF NOT EXISTS investigation (
  delivery TEXT PRIMARY KEY, person TEXT NOT NULL, address TEXT NOT NULL, declared_on TEXT NOT NULL,
  result TEXT, seen_on TEXT, answer_key TEXT, answered INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS known (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""


class DistrictTeam:
    """The package: a SQLite file and a key below `folder`."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._folder, self._clock = folder, clock
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with closing(self._open()) as database:
            database.executescript(_SCHEMA)
        self._signer: Signer | None = None

    async def certificate(self, said: Mapping[str, Any]) -> dict[str, Any]:
        """Written down for the hub's operator."""
        del said
        _, certificate = self._identity()
        path = self._folder / "certificate.pem"
        path.write_bytes(certificate.public_bytes(Encoding.PEM))
        return {"file": str(path)}

    async def connect(self, said: Mapping[str, Any]) -> dict[str, Any]:
        """Raises KeyError, ValueError."""
        if not str(said["hub"]).startswith(("http://", "https://")):
            raise ValueError("hub: an address")
        await asyncio.to_thread(self._remember, "hub", str(said["hub"]))
        return {"hub": said["hub"]}

    async def sync(self, said: Mapping[str, Any]) -> dict[str, Any]:
        """Raises ValueError when the hub refuses or cannot be reached; what waits goes on waiting."""
        del said
        return await asyncio.to_thread(self._sync)

    async def visit(self, said: Mapping[str, Any]) -> dict[str, Any]:
        """Kept first, handed over at the next sync. Raises KeyError, ValueError."""
        number, result, on = str(said["investigation"]), str(said["result"]), date.fromisoformat(said["on"])
        if result not in _RESULTS:
            raise ValueError(f"result: one of {', '.join(_RESULTS)}")
        seen = (result, on.isoformat(), str(uuid.uuid4()), number)
        return await asyncio.to_thread(self._visit, seen)

    async def investigations(self, which: str) -> dict[str, Any]:
        """{investigations: [{investigation, person, address, declaredOn, result?}]}, in the order they came; `open`: those alone."""
        found = await asyncio.to_thread(self._investigations)
        return {"investigations": [one for one in found if which != "open" or "result" not in one]}

    def _visit(self, seen: tuple[str, str, str, str]) -> dict[str, Any]:
        update = (
            "UPDATE investigation SET result = ?, seen_on = ?, answer_key = ? WHERE delivery = ? AND result IS NULL"
        )
        with closing(self._open()) as database, database:
            if not database.execute(update, seen).rowcount:
                raise ValueError("no such investigation is open")
        return {"state": "kept"}

    def _investigations(self) -> list[dict[str, Any]]:
        query = "SELECT delivery, person, address, declared_on, result FROM investigation ORDER BY rowid"
        with closing(self._open()) as database:
            rows = database.execute(query).fetchall()
        names = ("investigation", "person", "address", "declaredOn", "result")
        return [{name: value for name, value in zip(names, row, strict=True) if value is not None} for row in rows]

    def _sync(self) -> dict[str, Any]:
        new, answered = self._fetch(), 0
        waits = (
            "SELECT delivery, result, seen_on, answer_key FROM investigation WHERE result IS NOT NULL AND answered = 0"
        )
        with closing(self._open()) as database:
            rows = database.execute(waits).fetchall()
        for delivery, result, on, key in rows:
            content = f"<p:content><p:result>{result}</p:result><p:seenOn>{on}</p:seenOn></p:content>"
            self._ask(
                "Answer", f"<p:idempotencyKey>{key}</p:idempotencyKey><p:deliveryId>{delivery}</p:deliveryId>{content}"
            )
            with closing(self._open()) as database, database:
                database.execute("UPDATE investigation SET answered = 1 WHERE delivery = ?", (delivery,))
            answered += 1
        return {"new": new, "answered": answered}

    def _fetch(self) -> int:
        """Durable here first; the cursor acknowledges at the next fetch what came with it."""
        cursor = self._known("cursor")
        page = self._ask("Fetch", f"<p:cursor>{cursor}</p:cursor>" if cursor else "")
        new = 0
        with closing(self._open()) as database, database:
            for item in page.findall(f"{{{_NAMESPACE}}}items"):
                new += database.execute(
                    "INSERT INTO investigation (delivery, person, address, declared_on) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
                    _row(item),
                ).rowcount
            if (told := page.findtext(f"{{{_NAMESPACE}}}cursor")) is not None:
                database.execute("REPLACE INTO known VALUES ('cursor', ?)", (told,))
        return new

    def _ask(self, part: str, inner: str) -> etree._Element:
        """The response element. Raises ValueError."""
        if self._signer is None:
            self._signer = Signer(*self._identity())
        name = f"p:{_OPERATION}{part}"
        payload = (
            f'<{name} xmlns:p="{_NAMESPACE}"><p:context><p:purpose>{_PURPOSE}</p:purpose></p:context>{inner}</{name}>'
        )
        hub = self._known("hub")
        if hub is None:
            raise ValueError("nobody said where the hub is: connect first")
        request = urllib.request.Request(  # noqa: S310 (an address that its manager entered; http or https)
            f"{hub}/soap/v1/residence",
            self._signer.seal(payload, self._clock()),
            {"Content-Type": "text/xml; charset=utf-8"},
        )
        try:
            with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=10) as reply:
                body = reply.read()
        except urllib.error.HTTPError as error:
            raise ValueError(f"the hub refuses: {_fault(error.read())}") from None
        except OSError as error:
            raise ValueError(f"the hub cannot be reached: {type(error).__name__}") from None
        return etree.fromstring(body, _PARSER).find(f"{{{SOAP}}}Body")[0]

    def _identity(self) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
        """The same after every start."""
        path = self._folder / "identity.pem"
        if not path.exists():
            key = ec.generate_private_key(ec.SECP256R1())
            private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            path.touch(mode=0o600)
            path.write_bytes(private + _self_signed(key, self._clock).public_bytes(Encoding.PEM))
        kept = path.read_bytes()
        loaded = load_pem_private_key(kept, None)
        if not isinstance(loaded, ec.EllipticCurvePrivateKey):
            raise TypeError("identity.pem holds another kind of key")
        return loaded, x509.load_pem_x509_certificate(kept)

    def _remember(self, name: str, value: str) -> None:
        with closing(self._open()) as database, database:
            database.execute("REPLACE INTO known VALUES (?, ?)", (name, value))

    def _known(self, name: str) -> str | None:
        with closing(self._open()) as database:
            row = database.execute("SELECT value FROM known WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row[0])

    def _open(self) -> sqlite3.Connection:
        return sqlite3.connect(self._folder / "district_team.db", timeout=10)


def _row(item: etree._Element) -> tuple[str, str, str, str]:
    def text(path: str) -> str:
        return str(item.findtext("/".join(f"{{{_NAMESPACE}}}{name}" for name in path.split("/"))) or "")

    place = {name: text(f"content/{name}") for name in ("streetName", "houseNumber", "boxNumber", "postCode")}
    address = json.dumps({name: value for name, value in place.items() if value}, ensure_ascii=False)
    return text("deliveryId"), text("ssin"), address, text("content/declaredOn")


def _fault(body: bytes) -> str:
    try:
        return escape(etree.fromstring(body, _PARSER).findtext(".//faultstring") or "without a word")
    except etree.XMLSyntaxError:
        return "in no XML"


def _self_signed(key: ec.EllipticCurvePrivateKey, clock: Clock) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "district-team")])
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(clock() - timedelta(days=1))
        .not_valid_after(clock() + timedelta(days=365))
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )
