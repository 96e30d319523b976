"""The words of WS-Security: namespaces, algorithm addresses and token types, each with its standard.

XML Signature 1.1 · Exclusive C14N 1.0 · OASIS WS-Security 1.0 with the X.509 and UsernameToken profiles.
"""

from __future__ import annotations

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
DS = "http://www.w3.org/2000/09/xmldsig#"
EC = "http://www.w3.org/2001/10/xml-exc-c14n#"
_OASIS = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-"
WSSE = _OASIS + "wssecurity-secext-1.0.xsd"
WSU = _OASIS + "wssecurity-utility-1.0.xsd"
WSA = "http://www.w3.org/2005/08/addressing"

EXC_C14N = EC
SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"
RSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
ECDSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"

X509_V3 = _OASIS + "x509-token-profile-1.0#X509v3"
BASE64 = _OASIS + "soap-message-security-1.0#Base64Binary"
PASSWORD_DIGEST = _OASIS + "username-token-profile-1.0#PasswordDigest"

# n of P-256 (SEC 2): r,s and r,n-s are both signatures over the same bytes, so a replay must not hide behind n-s.
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
