"""How the hub speaks with sources: XML, SOAP, signatures, the pooled channel. `app` builds it for the connectors."""
