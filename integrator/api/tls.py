"""Our own listener with TLS: one context, made once, from the setting `tls`.

    tls: {certificate: hub.pem, key: hub.key, clientCa: authorities.pem, port: 8443}

With `clientCa` callers may show a certificate, and need not: tokens asked with one are bound to it. What the handshake
lets through is looked at again (identity/certificates.py). Nothing is resumed: a resumed session would carry a
certificate that was checked some other day.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from typing import Any

from integrator.errors import ConfigurationError

HANDSHAKE = 10.0  # seconds


def context(chosen: Mapping[str, Any]) -> ssl.SSLContext:
    """TLS 1.2 with forward secrecy, or 1.3. Raises `ConfigurationError`."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    made.set_ciphers("ECDHE+AESGCM:ECDHE+CHACHA20")
    made.set_alpn_protocols(["http/1.1"])
    made.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_TICKET | ssl.OP_NO_RENEGOTIATION | ssl.OP_SINGLE_ECDH_USE
    made.num_tickets = 0
    try:
        made.load_cert_chain(str(chosen["certificate"]), str(chosen["key"]), password=_none)
        if "clientCa" in chosen:
            made.load_verify_locations(cafile=str(chosen["clientCa"]))
            made.verify_mode = ssl.CERT_OPTIONAL
            made.verify_flags |= ssl.VERIFY_X509_STRICT
    except (OSError, KeyError, ValueError) as error:
        raise ConfigurationError(
            f"the listener with TLS cannot be made: {type(error).__name__}",
            advice="Look at the setting tls: certificate, key and clientCa are PEM files; the key has no password.",
        ) from error
    return made


def _none() -> str:
    """A key with a password is refused, not asked for at a terminal nobody sits at."""
    raise ValueError("the key has a password")
