"""Identity as the hub uses it: everything of this room behind four functions."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from integrator.errors import ConfigurationError
from integrator.identity.applications import Applications
from integrator.identity.endpoint import EXCHANGE, Acts, TokenEndpoint
from integrator.identity.keys import ALGORITHMS, WORLDS, hub_keys
from integrator.identity.replays import Replays
from integrator.identity.tokens import Holds, Tokens, Verified


class Identity:
    """Built once at start from the state folder: applications/, keys/ and the register of used assertions.

    `base` is the hub's address as callers know it. The issuer is `<base>/<world>`, so that nothing issued in the
    sandbox can be believed in production even if a key were copied.
    """

    def __init__(
        self, state: Path, *, base: str, world: str, now: Callable[[], float], replays: str | None = None
    ) -> None:
        if world not in WORLDS:
            raise ConfigurationError(f"a world is one of {WORLDS}")
        self.base, self.world = base.rstrip("/"), world
        self.issuer = f"{self.base}/{world}"
        self.token_endpoint = f"{self.base}/oauth/token"
        self.applications = Applications(state / "applications", world, now)
        self._tokens = Tokens(hub_keys(state / "keys", world), world, self.issuer, self.base, self.applications, now)
        self._replays = Replays(replays or f"sqlite:///{state / 'assertions.sqlite'}")
        self._endpoint = TokenEndpoint(
            self._tokens, self.applications, self._replays,
            audiences=(self.token_endpoint, self.issuer), resource=self.base, now=now,
        )  # fmt: skip
        self.verify: Callable[[str], Verified] = self._tokens.verify

    @property
    def replays(self) -> Replays:
        """What was shown once already, for other things that may be shown once."""
        return self._replays

    def know_agents(self, acts: Acts, holds: Holds) -> None:
        """From now on tokens can be exchanged for ones that name an agent, and believed as long as he is who they say."""
        self._endpoint.acts, self._tokens.holds = acts, holds

    async def token(self, form: bytes) -> tuple[int, dict[str, Any]]:
        """Answer a token request: HTTP status and JSON."""
        return await self._endpoint.answer(form)

    def jwks(self) -> dict[str, Any]:
        """The hub's public keys (RFC 7517)."""
        return self._tokens.jwks()

    def metadata(self) -> dict[str, Any]:
        """RFC 8414."""
        return {
            "issuer": self.issuer,
            "token_endpoint": self.token_endpoint,
            "jwks_uri": f"{self.base}/.well-known/jwks.json",
            "grant_types_supported": ["client_credentials", *([EXCHANGE] if self._endpoint.acts else [])],
            "response_types_supported": [],
            "token_endpoint_auth_methods_supported": ["private_key_jwt"],
            "token_endpoint_auth_signing_alg_values_supported": list(ALGORITHMS),
            "authorization_details_types_supported": ["purpose"],
            "service_documentation": f"{self.base}/docs",
        }

    def close(self) -> None:
        self._replays.close()
