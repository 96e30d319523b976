"""Which civil servant stood behind an exchange: closed for everybody until two people opened it, for one entry, for days.

store.py   what was asked and decided, sealed
opener.py  asking, granting, refusing; each an entry of the ledger first. Implements `looking.Reveals`
pages.py, api.py
"""
