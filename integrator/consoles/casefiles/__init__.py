"""A citizen asks who used her data (GDPR article 15); a data protection officer answers, and a second one lets it go.

states.yaml, machine.py   the life of a request as data: states, steps, who may take them, what is recorded
clock.py                  one month, two more with reasons, pauses, days on which offices are closed
guard.py, guard.yaml      what may be shown, and what a relative could read between the lines
letter.py, letter.typ     the letter: an accessible PDF (PDF/UA-1) in the citizen's language
papers.py                 its attachments: the list as CSV, the evidence
files.py, cabinet.py      a file, and where files are kept: sealed
office.py                 every step: right, then the ledger, then the file
pages.py, api.py          the pages, and the same for programs
"""
