"""Pages for people: rendered here, in NL, FR or EN, without script, without anything from elsewhere."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from fastapi import Request, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from integrator import places
from integrator.api.headers import language

LANGUAGES = ("nl", "fr", "en")  # the languages pages exist in
_HERE = Path(__file__).parent
_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "cache-control": "no-cache",
    "vary": "Accept-Language",
}


def reader_language(request: Request) -> str:
    """`?lang=` first, then Accept-Language, then French; German readers get English until pages exist in German."""
    asked = request.query_params.get("lang")
    if asked in LANGUAGES:
        return asked
    found = language(request.headers.get("accept-language", "").encode("latin-1"))
    return found if found in LANGUAGES else "en"


def page(request: Request, template: str, **values: Any) -> Response:
    """An HTML page in the reader's language. `status`: 200 unless said; `form`: whether a form stands on it."""
    spoken = values.pop("language", None) or reader_language(request)
    status, form = values.pop("status", 200), values.pop("form", False)
    html = (
        _environment()
        .get_template(template)
        .render(lang=spoken, words=_words()[spoken], languages=LANGUAGES, path=request.url.path, **values)
    )
    headers = {**_HEADERS, "content-language": spoken}
    if form:  # a page with a form of ours, or its answer: it is sent to us alone, and not kept
        headers["content-security-policy"] = _HEADERS["content-security-policy"].replace(
            "form-action 'none'", "form-action 'self'"
        )
        headers["cache-control"] = "no-store"
    return Response(html, status, headers, "text/html")


def stylesheet() -> Response:
    text = (_HERE / "templates" / "style.css").read_text(encoding="utf-8")
    return Response(text, headers={"cache-control": "public, max-age=3600"}, media_type="text/css")


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@cache
def _words() -> dict[str, dict[str, str]]:
    """Fixed words of the pages by language; a word missing in one language is found by its test."""
    texts = places.read_yaml(_HERE / "templates" / "words.yaml")
    return {spoken: {name: text[spoken] for name, text in texts.items()} for spoken in LANGUAGES}
