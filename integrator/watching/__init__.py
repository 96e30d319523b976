"""What the hub may know about a look without writing down about whom: how near the agent was, and what happened since.

    closeness    agent and subject, compared by keyed tags while an answer passes; only codes are recorded
    agents       where the tags of an agent come from
    happenings   deaths and moves that answers told, by keyed tag
    cases        which case of which organisation is open, as its application says
    knowing      all of it as the rules of alerts ask for it (audit.alerts.Known)

Tags here have a key of their own: they meet neither those of the ledger nor anything outside.
"""
