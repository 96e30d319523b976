"""What is wrong with a file or a row: a place, a reason and what to do; never the value, which may be somebody's.

FileRefused     nothing of the file can be used: half written, macros, a bomb, another layout
Finding         one row, one field: the row waits in quarantine, the others go on
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from integrator.errors import RequestRefused


class FileRefused(RequestRefused):
    """Nothing of this file is used; `reason` is a code of ADVICE (or of the hub's decision), perhaps with what it is about.

    The file stays where it is, or goes to quarantine whole.
    """

    code, where = "FILE_REFUSED", "A2"

    def __init__(self, reason: str, message: str = "", about: str = "") -> None:
        """`about`: which part of the file, in words that can be no person's (see gathering)."""
        super().__init__(message or reason, advice=advice_of(reason))
        self.reason = f"{reason} {about}".rstrip()


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong with one row."""

    line: int  # where it begins, from 1; in a workbook the row of the sheet
    offset: int | None  # bytes from the beginning of the file; None where bytes have no order (workbook, XML)
    length: int | None  # bytes of the row
    field: str | None  # None: the row as a whole
    reason: str  # a code of ADVICE

    @property
    def advice(self) -> str:
        return advice_of(self.reason)

    def json(self) -> dict[str, Any]:
        told = {
            "line": self.line, "offset": self.offset, "length": self.length, "field": self.field,
            "reason": self.reason, "advice": self.advice,
        }  # fmt: skip
        return {name: value for name, value in told.items() if value is not None}


def advice_of(reason: str) -> str:
    """What to do. A reason that is not of ours is one of the hub's decision."""
    return ADVICE.get(reason, REFUSED)


REFUSED = (
    "The hub refused the row. When what it names is mended (the authorisation, the file kept), drive the row once more."
)
ADVICE = {
    # the file
    "EMPTY_FILE": "The file holds no row. If nothing happened, the package need not send a file.",
    "NOT_WHOLE": "The end of the file is missing, or says another number than there are rows. Let the package write it again.",
    "SUM_DIFFERS": "The total at the end is not the sum of the rows. Have the package's report made anew.",
    "NOT_BALANCED": "What is named does not come out even: its two sides differ. Correct it in the package, then write the file again.",
    "NOT_ALL_GOOD": "A row is wrong, and this file is taken whole or not at all. `integrator adapter check` names the row.",
    "NOT_THE_SAME": "Rows of what is named say different things where they must say one. Correct it in the package.",
    "TOO_LARGE": "The file or answer is larger than the adapter allows. Send it in parts, or raise the limit (limits.bytes, rest.bytes) on purpose.",
    "TOO_MANY_ROWS": "More rows than the adapter allows. Send them in parts, or raise limits.rows on purpose.",
    "OTHER_LAYOUT": "The columns are not those of the layout. Look whether the package was upgraded, then change the layout.",
    "NOT_THIS_FORMAT": "The file is of another kind than the layout says. Look at the export's settings in the package.",
    "NOT_WELL_FORMED": "The document is broken off, or no XML or JSON. Let the package write it again.",
    "NOT_BY_SCHEMA": "The document does not follow the schema of the adapter. Look at the version the package writes.",
    "MACROS": "A workbook with macros is not opened. Save it as a workbook without macros (.xlsx).",
    "FOREIGN_PARTS": "The workbook leads to other files or holds objects. Save the values alone in a new workbook.",
    "BOMB": "Unpacked, the file would be far larger than it looks. It is not opened.",
    "ENCRYPTED": "The file is locked with a password. Save it without one; the way it travels is protected already.",
    "BAD_ROWS": "Some rows cannot be read, so no figure is made of the file. `integrator adapter check` names them.",
    "CONTRADICTION": "Two rows say different things of one of those who are counted (the day of birth). Mend it in the package.",
    # the way
    "WAY_CLOSED": "The package does not answer, or breaks off. Look whether it runs and the network lets us through.",
    "WAY_SLOW": "The package does not answer in the time given. Look at its load, or at the index behind the view.",
    "WAY_DENIED": "The package does not let us in, or not there. Look at the user, its rights and the access file.",
    "HOST_KEY": "The server shows another key than the access file pins. Ask its manager why, by another way, before you change it.",
    "STRANGE_NAMES": "The folder lists names that lead out of it. They are not touched; look who can write there.",
    "WAY_BUSY": "The package says that we ask too often. We ask again when it said so; look at `everySeconds` and at its limits.",
    "WAY_REDIRECTS": "The package sends us elsewhere, and we do not go. Look whether its address changed, and change the access file.",
    "POINTS_TO_ITSELF": "The next page is one that was read already, or there is no end of pages. Look at the package's paging.",
    "POINTS_ELSEWHERE": "The next page is at another address than the access file says, and we do not go there.",
    "NO_SUCH_PAGE": "The package has no such path. Look whether it was upgraded, or at `notYet` if it is there later.",
    "NO_SUCH_VIEW": "The view is not there (any more). Look whether the package was upgraded.",
    "NO_PLACE": "Rows have nothing in a column of `position`: nobody can tell whether they were read. Look at the view.",
    "FUTURE_PLACE": "Rows carry a time in `position` that is still to come. They are taken; the position waits before them. Mend the time.",
    "OTHER_POSITION": "A column of `position` holds another kind of value than before. Look whether the package was upgraded.",
    # the row
    "ENCODING": "Signs that the layout's encoding does not have. Look at the export's encoding in the package.",
    "CONTROL_SIGN": "A sign that no text has, such as a NUL. Look at the field in the package.",
    "LINE_END": "The row ends otherwise than the layout says. Look at how the file is copied.",
    "ROW_TOO_LONG": "More signs than a row has. Look for a sign too many in one of its fields.",
    "ROW_TOO_SHORT": "Fewer signs than a row has. Look whether the row was broken off.",
    "COLUMN_MISSING": "Fewer columns than the layout has. Look for a separator that is missing.",
    "COLUMN_EXTRA": "More columns than the layout has. Look for a separator inside a text without quotes.",
    "QUOTES": "A quotation mark that does not close. Look for a single one inside a text.",
    "UNKNOWN_ROW": "A kind of row that the layout does not know. Look at its first signs.",
    "FORMULA": "A cell with a formula: what it shows may differ on another machine. Paste its value instead.",
    "CELL_ERROR": "A cell shows an error, such as #N/A. Mend it in the workbook.",
    "MISSING": "The field is empty, and the row needs it.",
    "NOT_A_NUMBER": "Not a number as the layout writes numbers.",
    "NOT_A_DATE": "Not a day that exists, as the layout writes days.",
    "NOT_IN_LIST": "Not one of the codes of the layout.",
    "OUT_OF_RANGE": "Too small, too large, too short or too long.",
    "NOT_THE_FORM": "Not in the form that this field has.",
    "CHECK_DIGITS": "The check digits do not fit. Look for a typing error.",
    "OTHER_WORLD": "A test number in production, or a real one in the sandbox.",
    "TOTALS_DIFFER": "The amounts of the row do not add up to this one. Send it back to whoever made it.",
    "NOT_ACCEPTED": "The hub cannot take the row: a key or a content that the service does not have, or nobody receives it.",
    "NO_SUCH_DELIVERY": "The package received no message of that number, or answered too late. Look at the number in the row.",
    "NOT_AS_ASKED": "The row says otherwise what it answers (a number, an amount). Compare it with the message, then mend it; no answer was given.",
    "NOT_KNOWN": "The source that is asked first knows no such thing. Look at what was entered (a street, a number), or redrive once it is known.",
    "NO_ROUTE": "The adapter's table does not say to whom such a row goes. Add a line to it (deposit, first: or each:), then redrive.",
    "NOT_FOR_PACKAGE": "The package's file cannot hold it (too long, or signs it does not have). Carry it over by hand, then drop it.",
    "KEY_REUSED": "This row had its effect already, with another content. Drop it here; send a new row for what changed.",
    "DOUBLE": "The same key stands in an earlier row of this file. Keep one of them.",
}  # fmt: skip
