"""What goes with the letter: the list as CSV, and a zip with evidence that needs nobody of ours to be checked."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import audit.verify
from audit import Subject
from integrator.consoles.book import Book
from integrator.consoles.casefiles.letter import Told
from integrator.consoles.rendering import Speech

Bundle = Callable[[str, int, Subject], bytes]  # shard, index, whose values may be shown -> zip; blocks
_VERIFIER = Path(audit.verify.__file__).parent / "verify.html"
_BEGINNING = (1980, 1, 1, 0, 0, 0)
_COLUMNS = ("number", "when", "who", "what", "purpose", "why")
_FORMULA = ("=", "+", "-", "@", "\t")


def rows_csv(told: Sequence[Told], book: Book, language: str) -> bytes:
    """The lines of the letter for a spreadsheet: UTF-8 with a mark, semicolons, as spreadsheets here expect."""
    say, text = Speech(language), io.StringIO()
    write = csv.writer(text, delimiter=";", lineterminator="\r\n").writerow
    write([str(say(f"casefiles.column_{one}")) for one in _COLUMNS])
    for one in told:
        who = book.organisation(one.row.org, language) if one.row.org else str(say("casefiles.hub_short"))
        what = [
            one.told.headline,
            *([one.told.reason] if one.told.reason else []),
            *dict.fromkeys(part.headline for part in one.inside),
        ]
        write(
            [
                _safe(cell)
                for cell in (
                    str(one.number),
                    say.time(one.row.ts),
                    who,
                    " ".join(what),
                    one.told.purpose or "",
                    " ".join(one.told.sentences),
                )
            ]
        )
    return ("\ufeff" + text.getvalue()).encode()


def attachments(
    papers: Mapping[str, bytes],
    pieces: Sequence[tuple[int, bytes]],
    language: str,
    missing: Sequence[tuple[int, str]] = (),
) -> bytes:
    """One zip: letter, list, one bundle for each line that has evidence, and the page that verifies them.

    `missing`: lines whose evidence is not anchored yet, and where they stand in the ledger: named one by one, so that
    nobody takes a file that is not there for a line that was never written.
    """
    files, say = dict(papers), Speech(language)
    if missing:
        lines = [str(say("casefiles.evidence_missing_line", n=number, place=place)) for number, place in missing]
        text = "\n".join([str(say("casefiles.evidence_missing")), "", *lines, ""])
        files["evidence/missing.txt"] = text.encode()
    if pieces or missing:
        files |= {
            "verify.html": _VERIFIER.read_bytes(),
            "README.txt": str(say("casefiles.readme")).encode(),
        }
        files |= {f"evidence/line-{number:03d}.zip": data for number, data in pieces}
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(files):
            archive.writestr(zipfile.ZipInfo(name, _BEGINNING), files[name], zipfile.ZIP_DEFLATED)
    return made.getvalue()


def _safe(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
