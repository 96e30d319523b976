"""Which client certificate a request came with: of its own TLS connection, or in the word of a proxy of ours (RFC 9440).

    Client-Cert: :MIIC…:       from a proxy of the setting `proxies`: believed, and looked at like any other
    Client-Cert: :MIIC…:       from anybody else: refused (400). A proxy that lets it through is not one of ours

The thumbprint then stands in the scope under SHOWN, for whatever asks who calls.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping, MutableMapping, Sequence
from typing import Any, Protocol

from integrator.api.problems import EdgeRefusal
from integrator.errors import ConfigurationError

HEADER = b"client-cert"
SHOWN = "integrator.certificate"  # thumbprint of the certificate shown, or None
PEER = "integrator.peer_certificate"  # DER of the TLS connection's own, set by the protocol
_BYTES = re.compile(
    rb":([A-Za-z0-9+/]{4,12288}={0,2}):"
)  # a byte sequence of RFC 9651; 9 KB is a very large certificate
_FORWARDED = frozenset((HEADER, b"client-cert-chain"))


class Believer(Protocol):
    """As integrator.identity.certificates.Certificates."""

    def believe(self, der: bytes) -> str:
        """The thumbprint. Raises `UnknownCaller`."""


class Shown:
    """Finds the certificate of a request. `proxies`: [{address: "127.0.0.1"} and/or {certificate: thumbprint}]."""

    def __init__(self, believer: Believer, proxies: Sequence[Mapping[str, Any]]) -> None:
        self._believer = believer
        self._proxies = [(one.get("address"), one.get("certificate")) for one in proxies]
        self._certificates = {certificate for _, certificate in self._proxies if certificate is not None}
        if any(address is None and certificate is None for address, certificate in self._proxies):
            raise ConfigurationError(
                "a proxy of the setting `proxies` is known by its address, its certificate, or both"
            )

    def find(self, scope: MutableMapping[str, Any], headers: Mapping[bytes, bytes]) -> None:
        """Put the thumbprint in the scope. Raises `EdgeRefusal`, `UnknownCaller`."""
        own = scope.get(PEER)
        if _FORWARDED.isdisjoint(headers):
            if own is not None and (shown := self._believer.believe(own)) not in self._certificates:
                scope[SHOWN] = shown  # a proxy's own certificate is never taken for a caller's
            return
        if not self._is_proxy(scope, own):
            raise EdgeRefusal("badRequest", "Client-Cert is a word between a proxy and the hub: no caller may send it.")
        if HEADER in headers:
            scope[SHOWN] = self._believer.believe(read_header(headers[HEADER]))

    def _is_proxy(self, scope: Mapping[str, Any], own: bytes | None) -> bool:
        address = (scope.get("client") or ("",))[0]
        known = [one for one in self._proxies if one[0] in (None, address)]
        if any(certificate is None for _, certificate in known):
            return True
        return own is not None and self._believer.believe(own) in {certificate for _, certificate in known}


def read_header(value: bytes) -> bytes:
    """The DER of a Client-Cert header. Raises `EdgeRefusal`.

    >>> read_header(b":AAEC:")
    b'\\x00\\x01\\x02'
    """
    found = _BYTES.fullmatch(value.strip())
    try:
        if found is not None:
            return base64.b64decode(found[1], validate=True)
    except binascii.Error:
        pass
    raise EdgeRefusal("badRequest", "Client-Cert is one byte sequence (RFC 9440): the proxy's settings need a look.")
