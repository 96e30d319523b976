"""The addresses and names of wsKBOPub. The order "fgov.economie" in SOAPAction is the service's own."""

from __future__ import annotations

MESSAGES = "http://economie.fgov.be/kbopub/webservices/v1/messages"
DATAMODEL = "http://economie.fgov.be/kbopub/webservices/v1/datamodel"
PATH = "/kbopubws180000/services/wsKBOPub"

READ_ENTERPRISE = f"{{{MESSAGES}}}ReadEnterpriseRequest"
READ_UNIT = f"{{{MESSAGES}}}ReadEstablishmentUnitRequest"
FIND = f"{{{MESSAGES}}}FindByEnterpriseNameRequest"

_ACTION = "http://fgov.economie.be/kbopub/"
ACTIONS = {
    READ_ENTERPRISE: _ACTION + "ReadEnterprise",
    READ_UNIT: _ACTION + "ReadEstablishmentUnit",
    FIND: _ACTION + "FindByEnterpriseName",
}
"""Request element -> SOAPAction."""
