"""`integrator soap wsdl`: the contracts of the SOAP façade as files, for who builds a package without a hub at hand."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from integrator import places, settings
from integrator.api.problems import Problems
from integrator.api.soap import contract, wsdl
from integrator.mapping import load_sheets
from integrator.services import load_services


def add(words: Any) -> None:
    soap = words.add_parser("soap", help="the services over SOAP")
    verbs = soap.add_subparsers(dest="verb", required=True)
    written = verbs.add_parser("wsdl", help="write the WSDL of each domain, as the hub serves it")
    written.add_argument("--out", type=Path, default=Path("wsdl"), help="folder; default wsdl, here")
    written.add_argument("--settings", type=Path)
    written.set_defaults(run=run_wsdl)


def run_wsdl(chosen: argparse.Namespace) -> int:
    loaded = settings.load(chosen.settings)
    named = loaded.named_numbers if loaded.sandbox else None
    services = load_services(
        places.folder("config") / "services", load_sheets(places.folder("mappings")), sandbox=named
    )
    chosen.out.mkdir(parents=True, exist_ok=True)
    for name, domain in contract.domains(services, Problems(loaded.issuer)).items():
        path = chosen.out / f"{name}.wsdl"
        path.write_bytes(wsdl.render(domain, loaded.issuer))
        print(f"{path}: {', '.join(domain.operations)}")
    return 0
