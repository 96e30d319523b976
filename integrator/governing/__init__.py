"""The life of the texts that decide: kept as they were, changed by two people, looked at again.

archive      every text that ever decided, by its digest
texts        texts by purpose, the set they make, suspensions
tables ◄─ store ◄─ office, suspending     who takes which step (rights: who may); entries: each step in the ledger before it counts
live         the set in force at a node: watched, swapped whole
proving      what the machine says of a change; apart: in a process of its own
traffic ◄─ replaying, diet ◄─ narrowing   recorded questions by shape, judged under other texts; fields nobody used
register     GDPR art. 30, made of the texts in force; latest: once for all who ask
opening      all of it put together for a hub or a command
"""
