"""An OpenID Connect issuer for rehearsals: officials and test persons, without any secret of theirs.

Contract: OpenID Connect Core and Discovery 1.0, RFC 6749 with PKCE (RFC 7636), RFC 9207.
"""

from mock_sources.oidc.door import Door
from mock_sources.oidc.issuer import Issuer, Refused

__all__ = ["Door", "Issuer", "Refused"]
