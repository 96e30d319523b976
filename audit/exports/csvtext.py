"""CSV for a spreadsheet (RFC 4180), one line per subject of a processing.

A cell that a spreadsheet would take for a formula begins with an apostrophe: case references and justifications are
written by others, and opening a file must run nothing.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Literal

from audit.draft import Subject
from audit.exports.view import Seen, View
from audit.exports.walk import Processing

Language = Literal["nl", "fr", "en"]
BOM = b"\xef\xbb\xbf"  # without it some spreadsheets take UTF-8 for Latin-1
COLUMNS: Mapping[str, Mapping[Language, str]] = {
    "time": {"nl": "Tijdstip (UTC)", "fr": "Moment (UTC)", "en": "Time (UTC)"},
    "kind": {"nl": "Soort regel", "fr": "Type de ligne", "en": "Kind of entry"},
    "status": {"nl": "Status", "fr": "Statut", "en": "Status"},
    "reason": {"nl": "Reden", "fr": "Motif", "en": "Reason"},
    "service": {"nl": "Dienst", "fr": "Service", "en": "Service"},
    "organisation": {"nl": "Organisatie", "fr": "Organisation", "en": "Organisation"},
    "application": {"nl": "Toepassing", "fr": "Application", "en": "Application"},
    "source": {"nl": "Bron", "fr": "Source", "en": "Source"},
    "activity": {"nl": "Verwerkingsactiviteit", "fr": "Activité de traitement", "en": "Processing activity"},
    "authorisation": {"nl": "Machtiging", "fr": "Autorisation", "en": "Authorisation"},
    "categories": {"nl": "Meegedeelde gegevens", "fr": "Données communiquées", "en": "Data given"},
    "initiator": {"nl": "Op initiatief van", "fr": "À l’initiative de", "en": "On the initiative of"},
    "subject_type": {"nl": "Soort betrokkene", "fr": "Type de personne concernée", "en": "Type of subject"},
    "subject": {"nl": "Betrokkene", "fr": "Personne concernée", "en": "Subject"},
    "role": {"nl": "Hoedanigheid", "fr": "Qualité", "en": "Role"},
    "case_ref": {"nl": "Dossier", "fr": "Dossier", "en": "Case"},
    "justification": {"nl": "Verantwoording", "fr": "Justification", "en": "Justification"},
    "agent": {"nl": "Medewerker", "fr": "Agent", "en": "Agent"},
    "trace": {"nl": "Uitwisseling", "fr": "Échange", "en": "Exchange"},
    "entry": {"nl": "Regel in het register", "fr": "Ligne du registre", "en": "Entry in the ledger"},
}
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def lines(
    processings: Iterable[Processing],
    view: View,
    *,
    language: Language = "en",
    bom: bool = False,
    delimiter: str = ",",
    header: bool = True,
) -> Iterator[bytes]:
    """The file, a few lines at a time. `delimiter`: ";" where the spreadsheet's country writes decimals with a comma."""
    if header:
        yield (BOM if bom else b"") + _line([titles[language] for titles in COLUMNS.values()], delimiter)
    for processing in processings:
        seen = view.see(processing)
        for subject in seen.subjects or (Subject("", ""),):
            yield _line(list(_cells(processing, seen, subject).values()), delimiter)


def safe(value: Any) -> str:
    """A cell that no spreadsheet runs. Everything of ours that is a number is an id or a time, so nothing is lost.

    >>> safe("=1+1"), safe("2026/117"), safe("  @SUM(A1)"), safe(None)
    ("'=1+1", '2026/117', "'  @SUM(A1)", '')
    """
    text = "" if value is None else str(value)
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA) else text


def _cells(processing: Processing, seen: Seen, subject: Subject) -> dict[str, Any]:
    entry = processing.entry
    consumer, source, policy = (entry.get(name) or {} for name in ("consumer", "source", "policy"))
    return {
        "time": datetime.fromtimestamp(processing.ts // 1_000_000, UTC).strftime("%Y-%m-%d %H:%M:%S"),
        "kind": processing.kind,
        "status": entry.get("status"),
        "reason": entry.get("reason_code"),
        "service": entry["name"],
        "organisation": consumer.get("org"),
        "application": consumer.get("app"),
        "source": source.get("service"),
        "activity": entry.get("dpl.core.processing_activity_id"),
        "authorisation": policy.get("id"),
        "categories": " ".join(entry.get("categories") or ()),
        "initiator": entry.get("initiator"),
        "subject_type": subject.type,
        "subject": subject.id,
        "role": subject.role,
        "case_ref": seen.values.get("case_ref"),
        "justification": seen.values.get("justification"),
        "agent": (seen.values.get("agent") or {}).get("id"),
        "trace": entry["trace_id"],
        "entry": f"{processing.shard}/{processing.index}",
    }


def _line(cells: Iterable[Any], delimiter: str) -> bytes:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator="\r\n").writerow([safe(cell) for cell in cells])
    return text.getvalue().encode()
