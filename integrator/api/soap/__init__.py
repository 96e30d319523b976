"""The SOAP façade: the hub's services for packages that speak nothing else (docs/adr/0020).

    GET  /soap/v1/<domain>?wsdl     contract.py ─► xsd.py ─► wsdl.py      made once, from the services' own data
    POST /soap/v1/<domain>          door.py:  security ─► who ─► reading.py ─► service.read ─► exchange ─► writing.py ─► signed

Everything that decides stands in the signed Body: what is asked, for which purpose, by which agent. Nothing of the
Header is believed, and nothing of a question is kept between two of them.
"""
