"""Identity as the hub uses it: everything of this room behind four functions."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from integrator.errors import ConfigurationError
from integrator.identity.applications import Applications
from integrator.identity.certificates import REVOKED, Certificates
from integrator.identity.endpoint import EXCHANGE, Acts, TokenEndpoint
from integrator.identity.keys import ALGORITHMS, WORLDS, hub_keys
from integrator.identity.replays import Replays
from integrator.identity.senders import Senders
from integrator.identity.tokens import Holds, Tokens


class Identity:
    """Built once at start from the state folder: applications/, keys/ and the register of used assertions.

    `base` is the hub's address as callers know it. The issuer is `<base>/<world>`, so that nothing issued in the
    sandbox can be believed in production even if a key were copied.
    """

    def __init__(
        self, state: Path, *, base: str, world: str, now: Callable[[], float], replays: str | None = None,
        mutual: str | None = None, authority: Path | None = None, binds: bool = False,
    ) -> None:  # fmt: skip
        """`mutual`: the hub's address over mutual TLS, where it has one of its own; `authority`: PEM of those who issue
        client certificates; `binds`: whether certificates reach us at all."""
        if world not in WORLDS:
            raise ConfigurationError(f"a world is one of {WORLDS}")
        self.base, self.world = base.rstrip("/"), world
        self.issuer = f"{self.base}/{world}"
        self.token_endpoint = f"{self.base}/oauth/token"
        self.mutual = mutual.rstrip("/") if mutual else None
        self._binds = binds
        self.certificates = Certificates(authority, state / REVOKED, now)
        self.applications = Applications(state / "applications", world, now)
        self._tokens = Tokens(hub_keys(state / "keys", world), world, self.issuer, self.base, self.applications, now)
        self.replays = Replays(replays or f"sqlite:///{state / 'assertions.sqlite'}")
        self._endpoint = TokenEndpoint(
            self._tokens, self.applications, self.replays,
            audiences=(self.token_endpoint, self.issuer, *([f"{self.mutual}/oauth/token"] if self.mutual else [])),
            resource=self.base, now=now,
        )  # fmt: skip
        self.senders = Senders(self.applications, self.certificates, self.replays, now)
        self.verify = self._tokens.verify  # (token, certificate or None) -> Verified

    async def token(self, form: bytes, certificate: str | None = None) -> tuple[int, dict[str, Any]]:
        """Answer a token request: HTTP status and JSON. `certificate`: thumbprint of the one it came with, if any."""
        return await self._endpoint.answer(form, certificate)

    def know_agents(self, acts: Acts, holds: Holds) -> None:
        """From now on tokens can be exchanged for ones that name an agent, and believed as long as he is who they say."""
        self._endpoint.acts, self._tokens.holds = acts, holds

    def jwks(self) -> dict[str, Any]:
        """The hub's public keys (RFC 7517)."""
        return self._tokens.jwks()

    def metadata(self) -> dict[str, Any]:
        """RFC 8414."""
        return {
            "issuer": self.issuer,
            "token_endpoint": self.token_endpoint,
            "jwks_uri": f"{self.base}/.well-known/jwks.json",
            "scopes_supported": [],
            "grant_types_supported": ["client_credentials", *([EXCHANGE] if self._endpoint.acts else [])],
            "response_types_supported": [],
            "token_endpoint_auth_methods_supported": ["private_key_jwt"],
            "token_endpoint_auth_signing_alg_values_supported": list(ALGORITHMS),
            "authorization_details_types_supported": ["purpose"],
            "tls_client_certificate_bound_access_tokens": self._binds,
            "service_documentation": f"{self.base}/docs",
            "ui_locales_supported": ["nl", "fr", "en"],
            **(
                {}
                if self.mutual is None
                else {"mtls_endpoint_aliases": {"token_endpoint": f"{self.mutual}/oauth/token"}}
            ),
        }

    def close(self) -> None:
        self.replays.close()
