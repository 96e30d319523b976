"""May this be asked, for this purpose, and what may come back? Compiled from policies/*.yaml; pure: data in, decision out.

Nothing is allowed that no grant allows. A decision names the authorisation that decided and the digest of its exact
text, so that years later anyone can see which words permitted what.

    purpose ──► authorisation (legal text, organisations, validity) ──► grant (service: search keys, fields, depth, conditions)

conditions (who, when, about whom) ◄── terms (what is asked and decided) ◄── names (fields inside fields) ◄── engine (the decision) ◄── reading (YAML to engine)
                                                                       └── why (what would turn it round) ◄── telling
"""

from integrator.policy.engine import Policies
from integrator.policy.names import expand, tops
from integrator.policy.reading import compile_policies, load_policies, members
from integrator.policy.terms import ADVICE, NO_FACTS, Ask, Decision, Denial, Facts, Grant, Permit, Purpose

__all__ = [
    "ADVICE", "NO_FACTS", "Ask", "Decision", "Denial", "Facts", "Grant", "Permit", "Policies", "Purpose", "compile_policies",
    "expand", "load_policies", "members", "tops",
]  # fmt: skip
