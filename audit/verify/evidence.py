"""A bundle judged from within a program: the stand-alone verifier is asked, its results become verdicts."""

from __future__ import annotations

import io
from typing import Literal

from audit.verify import hub_audit_verify as standalone
from audit.verify.model import LEVELS, Finding, Verdict


def verify_bundle(
    data: bytes, policy: bytes | None = None, *, tsa_roots: bytes | None = None, lang: Literal["nl", "fr", "en"] = "en"
) -> list[Verdict]:
    """Verdicts on the levels L1 to L5 of a bundle (a zip). Never raises for what is wrong with it: that is a finding.

    `policy`: tlog-policy text to believe, else the bundle's own. `tsa_roots`: PEM. `lang` of expected and found.
    """
    words = standalone.Words(lang)
    try:
        files = standalone.unzip(io.BytesIO(data))
        chosen = policy or files.get("policy.txt")
        parsed = None if chosen is None else standalone.Policy.parse(chosen)
    except standalone.Malformed as error:
        found = Finding("L2", "MALFORMED", "zip", words("well_formed"), words("malformed", why=error))
        return [Verdict("L2", False, (found,), 0)]
    results = standalone.verify_bundle(files, standalone.Judge(words, parsed, tsa_roots))
    return [_verdict(level, [one for one in results if one.level == level]) for level in LEVELS[:5]]


def _verdict(level: str, results: list[standalone.Result]) -> Verdict:
    wrong = tuple(
        Finding(level, one.code, one.where, one.expected, one.found) for one in results if one.state == standalone.WRONG
    )
    unchecked = [f"{one.code}: {one.found}" for one in results if one.state == standalone.NOT_CHECKED]
    skipped = "" if wrong else "; ".join(dict.fromkeys(unchecked)) or ("" if results else "a level before it failed")
    proven = sum(one.state == standalone.PROVEN for one in results)
    return Verdict(level, not wrong and not skipped, wrong, proven, skipped)
