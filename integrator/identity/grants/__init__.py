"""What a caller may know about its own rights, without asking any source.

mine.py      everything it holds                          would.py    would this be allowed, and what would turn it round
authzen.py   the same in the words of AuthZEN 1.0         recorded.py why an exchange of its own ended as it did
bureau.py    the four together, each look recorded        words.yaml  reasons that the policy engine has no words for

An organisation learns about itself only: what is another's, and what does not exist, get the same answer.
"""

from integrator.identity.grants.bureau import Bureau, ExchangeUnknown

__all__ = ["Bureau", "ExchangeUnknown"]
