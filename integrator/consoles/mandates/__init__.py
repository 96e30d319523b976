"""Acting for somebody else: a parent, a guardian, an administrator, somebody with a power of attorney.

store     who may act for whom, for what, until when; given on proof by an officer, ended by him or by the person
pages     what the one who acts sees (/me/for), and the officer's page (/mandates/)
"""
