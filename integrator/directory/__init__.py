"""The directory of references: which organisation keeps a file about whom, for which purpose, in which quality, from when.

    periods ─► terms ─► tables, seals ─► writing, looking ─► directory ─► source (what the exchange asks)
                                                              └► differences (what the KSZ has beside it)

The KSZ calls a registration an integration, its directory the verwijzingsrepertorium / répertoire des références.
"""

from integrator.directory.directory import Directory, open_directory
from integrator.directory.periods import Period
from integrator.directory.rules import Rules, load_rules
from integrator.directory.source import OWN, DirectorySource, manifest
from integrator.directory.terms import SOURCE, DirectoryUnavailable, Key, Recipient, Registration, Told

__all__ = [
    "OWN", "SOURCE", "Directory", "DirectorySource", "DirectoryUnavailable", "Key", "Period", "Recipient", "Registration", "Rules",
    "Told", "load_rules", "manifest", "open_directory",
]  # fmt: skip
