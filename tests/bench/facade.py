"""Signed SOAP questions for a hub under test, each good once: what `run.py` asks for its row about façades."""

from __future__ import annotations

import json
import time
from pathlib import Path

from integrator.identity.certificates import thumbprint
from integrator.transport.wsse_sign import Signer
from tests.unit.identity.crooked import Authority

NAMESPACE = "urn:integrator:soap:vehicle:v1"


def signer(folder: Path) -> Signer:
    """Of a certificate that is registered for the application of the bench; the hub sees it within a second."""
    issued = Authority(folder / "authority").issue("bench")
    path = folder / "applications" / "bench.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"certificates": [thumbprint(issued.der)]}))
    time.sleep(1.1)
    return Signer(issued.key, issued.certificate, time.time)


def message(sign: Signer, purpose: str, plate: str, number: int, port: int) -> bytes:
    """A whole HTTP request; `number` makes it another one than all others."""
    told = (
        f'<p:vehicleRegistrations xmlns:p="{NAMESPACE}"><p:context><p:purpose>{purpose}</p:purpose>'
        f"<p:traceId>bench-{number}</p:traceId></p:context><p:plateNumber>{plate}</p:plateNumber>"
        "<p:dossierReference>BENCH-1</p:dossierReference></p:vehicleRegistrations>"
    )
    data = sign.seal(told.encode())
    head = (
        f"POST /soap/v1/vehicle HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: text/xml; charset=utf-8\r\n"
        f"Content-Length: {len(data)}\r\n\r\n"
    )
    return head.encode() + data
