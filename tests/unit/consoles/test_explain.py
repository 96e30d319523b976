"""Every line of the ledger is told in three languages, whole, and without a code where a word exists.

The golden file beside this one holds the sentences as people read them; REWRITE_CASES=1 writes it anew, to be read.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from audit.draft import TYPES
from audit.recovery import REASON as SETTLED
from audit.reports import Details, Row
from integrator import places
from integrator import settings as settings_module
from integrator.consoles.book import LANGUAGES, Book, open_book
from integrator.consoles.explain import explain
from integrator.errors import IntegratorError
from integrator.mapping import load_sheets
from integrator.policy import ADVICE, load_policies
from integrator.services import load_services
from tests.unit.consoles.desk import IXELLES

GOLDEN = Path(__file__).parent / "explain.golden.yaml"
INQUIRY = "https://ropa.integrator.example/social_inquiry/v1"
LINE = Row(
    "shard", 1, 0, 1, "outcome", "7" * 32, "7" * 16, None, "person.get", "Ok", None, IXELLES, "counter", "rijksregister",
    "person_file", INQUIRY, "dpv:Consult", "official", {"id": "social_inquiry@2026-1"}, ("address", "members.birthDate"),
)  # fmt: skip
LINES: dict[str, tuple[Row, Details | None]] = {
    "given": (LINE, Details(case_ref="2026/117", fields=("address",))),
    "answered": (replace(LINE, categories=("answer:alive", "answer:livesAtAddress"), source="x"), None),
    "looked_inside": (replace(LINE, categories=(), parent="1" * 16), None),
    "nothing": (replace(LINE, categories=()), None),
    "not_given": (
        replace(LINE, categories=(), status="Error", reason="SOURCE_UNAVAILABLE"),
        Details(fields=("birthDate",)),
    ),
    "not_found": (replace(LINE, categories=(), reason="SUBJECT_NOT_FOUND"), None),
    "self": (replace(LINE, initiator="self"), None),
    "program": (replace(LINE, initiator="system"), None),
    "erased": (LINE, Details(erased=True)),
    "stranger": (replace(LINE, org="1999999999", activity="urn:gone", policy={}, source="gone"), None),
    "earlier_text": (replace(LINE, policy={"id": "social_inquiry@2026-1", "ver": "sha256:00"}), None),
    "read_self": (replace(LINE, kind="audit.read", initiator="self", org=None), None),
    "read_office": (replace(LINE, kind="audit.read", name="audit.about"), Details(justification="complaint 2026/44")),
    "read_hub": (replace(LINE, kind="audit.read", name="audit.details", org=None), None),
    "read_list": (replace(LINE, kind="audit.read", name="audit.denied"), None),
    **{
        kind: (
            replace(
                LINE, kind=kind, categories=(), reason={"denied": "NO_AUTHORISATION", "unknown": SETTLED}.get(kind)
            ),
            None,
        )
        for kind in sorted(TYPES - {"outcome", "audit.read"})
    },
}


@pytest.fixture(scope="module")
def book() -> Book:
    return open_book()


def told(book: Book, name: str, language: str, viewer: Any) -> list[str]:
    row, details = LINES[name]
    said = explain(row, book, language, viewer=viewer, details=details)
    return [said.headline, *([said.reason] if said.reason else []), *said.sentences]


def test_every_line_is_told_as_it_was_read_over(book: Book) -> None:
    now = {
        name: {
            f"{language}, {viewer}": told(book, name, language, viewer)
            for language in LANGUAGES
            for viewer in ("you", "person")
        }
        for name in LINES
    }
    if os.environ.get("REWRITE_CASES"):
        GOLDEN.write_text(yaml.safe_dump(now, allow_unicode=True, sort_keys=False, width=200), encoding="utf-8")

    assert yaml.safe_load(GOLDEN.read_text(encoding="utf-8")) == now


def codes(family: type[IntegratorError]) -> Iterator[str]:
    """Of integrator/errors.py: what an exchange can end in. Other rooms' refusals come before it, and are not written."""
    if family.__module__ == IntegratorError.__module__:
        yield family.code
        for child in family.__subclasses__():
            yield from codes(child)


REASONS = sorted({*ADVICE, SETTLED, *codes(IntegratorError)})


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("code", REASONS)
def test_every_reason_the_hub_can_write_has_a_sentence(book: Book, code: str, language: str) -> None:
    said = explain(replace(LINE, status="Error", reason=code, categories=()), book, language).reason

    assert said and code not in said and said[0].isupper() and said.endswith(".")


def test_a_reason_from_another_time_is_told_by_its_code(book: Book) -> None:
    assert "The hub gave the code GONE_LONG_AGO." == explain(replace(LINE, reason="GONE_LONG_AGO"), book, "en").reason


def test_no_sentence_is_kept_for_a_reason_that_nobody_writes(book: Book) -> None:
    assert set(REASONS) == set(book.words["en"]["reasons"])


@pytest.mark.parametrize("kind", sorted(TYPES))
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_kind_of_entry_has_a_headline(book: Book, kind: str, language: str) -> None:
    said = explain(replace(LINE, kind=kind), book, language).headline

    assert said[0].isupper() and said.endswith(".") and "{" not in said


def test_every_field_that_can_leave_the_hub_has_a_title_in_every_language(book: Book) -> None:
    services = load_services(
        places.folder("config") / "services", load_sheets(places.folder("mappings")), sandbox=frozenset()
    )
    policies = load_policies(places.folder("policies"), settings_module.organisations())
    granted = {
        name
        for purpose in policies.purposes
        for number in book.organisations
        for grant in policies.grants(purpose, number)
        for name in grant.fields
    }
    checks = {check.code for service in services.values() for check in service.checks}
    words = {word for service in services.values() for name in service.offers for word in name.split(".")} - checks
    untold = sorted(word for word in words if word not in book.fields)

    assert ([], []) == (
        untold,
        sorted(name for name in granted if "." not in name and name not in book.fields and name not in book.answers),
    )


def shape(value: Any) -> Any:
    """The keys of a word list, and what each sentence leaves open."""
    if isinstance(value, dict):
        return {key: shape(inner) for key, inner in value.items()}
    return sorted(set(re.findall(r"\{(\w+)\}", value)))


@pytest.mark.parametrize("language", ["nl", "fr"])
def test_the_languages_say_the_same_things(book: Book, language: str) -> None:
    assert shape(book.words["en"]) == shape(book.words[language])


def test_a_language_we_do_not_speak_is_answered_in_english(book: Book) -> None:
    assert explain(LINE, book, "en") == explain(LINE, book, "xx")


def test_who_looks_for_a_person_is_not_told_about_you(book: Book) -> None:
    for language, you in (("nl", " u"), ("fr", "votre"), ("en", "you")):
        assert you not in explain(LINE, book, language, viewer="person").headline


def test_why_is_told_in_the_words_of_the_purpose(book: Book) -> None:
    said = explain(LINE, book, "nl")

    assert ("Sociaal onderzoek door het OCMW", "SANDBOX 2026/003") == (said.purpose, said.law and said.law.number)
    assert said.why and said.why.startswith("U hebt hulp gevraagd")


def test_a_line_is_told_by_the_text_of_then_where_that_was_kept(book: Book) -> None:
    """Somebody amended the authorisation since: number and date of the deliberation are those that decided."""
    path = places.folder("policies") / "social_inquiry.yaml"
    then = path.read_bytes().replace(b"SANDBOX 2026/003", b"SANDBOX 2019/007")
    version = "sha256:" + hashlib.sha256(then).hexdigest()
    line = replace(LINE, policy={"id": "social_inquiry@2026-1", "ver": version})
    kept = replace(book, texts={version: then}.get, _then={})

    said = explain(line, kept, "en")

    assert said.law is not None
    assert ("SANDBOX 2019/007", version) == (said.law.number, said.law.version)
    assert book.words["en"]["text_of_then"] in said.sentences
    assert book.words["en"]["earlier_text"] not in said.sentences


def test_an_authorisation_that_is_gone_is_told_by_the_text_that_was_kept(book: Book) -> None:
    then = (
        (places.folder("policies") / "social_inquiry.yaml")
        .read_bytes()
        .replace(b"social_inquiry@2026-1", b"gone@2019-1")
    )
    version = "sha256:" + hashlib.sha256(then).hexdigest()

    said = explain(
        replace(LINE, policy={"id": "gone@2019-1", "ver": version}),
        replace(book, texts={version: then}.get, _then={}),
        "en",
    )

    assert said.law is not None
    assert book.words["en"]["text_of_then"] in said.sentences
