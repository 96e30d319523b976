"""Three OpenID issuers that vouch for civil servants in rehearsals: a regional IAM, eID by way of CSAM, and itsme."""

from mock_sources.iam.door import IamDoor
from mock_sources.iam.vouching import Vouching, open_all

__all__ = ["IamDoor", "Vouching", "open_all"]
