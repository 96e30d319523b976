"""The bytes of an entry: one JSON object in a subset where sorting keys *is* RFC 8785 (JCS), and its leaf hash.

The subset: keys ASCII; strings NFC without lone surrogates; integers within ±(2^53-1); booleans, arrays, objects.
No floats (their text differs between languages) and no null (absence is written by leaving the field out).
What is outside is refused when written: verifiers hash the stored bytes and never canonicalise again.
"""

from __future__ import annotations

from binascii import b2a_base64
from hashlib import sha256
from typing import Any
from unicodedata import is_normalized

import orjson

from audit.errors import EntryRefused

MAX_ENTRY = 65_535  # bytes; entry bundles of C2SP tlog-tiles carry the length as uint16
_JCS = (
    orjson.OPT_SORT_KEYS
    | orjson.OPT_STRICT_INTEGER
    | orjson.OPT_PASSTHROUGH_DATACLASS
    | orjson.OPT_PASSTHROUGH_DATETIME
    | orjson.OPT_PASSTHROUGH_SUBCLASS
)
_URLSAFE = bytes.maketrans(b"+/", b"-_")
# Deletes digits and signs and maps what opens a value to ":", so that a float (1.5, 2e16) is left as ":." in the text.
_FLOAT_SHAPE = bytes.maketrans(b",[e", b"::.")
_DIGITS = b"0123456789-"


def canonical(value: dict[str, Any] | list[Any]) -> bytes:
    """Write a value as canonical JSON, UTF-8.

    Raises EntryRefused, naming the path (never the value), for anything outside the subset.

    >>> canonical({"b": [1, True], "a": "é"}).decode()
    '{"a":"é","b":[1,true]}'
    >>> canonical({"amount": 1.5})
    Traceback (most recent call last):
    audit.errors.EntryRefused: amount: a float has no canonical form here; use an integer of a smaller unit
    """
    try:
        text = orjson.dumps(value, option=_JCS)
    except orjson.JSONEncodeError as error:
        _check(value, "", [])
        raise EntryRefused("an integer lies outside ±(2^53-1), where JSON readers disagree") from error
    if not is_plain(text):
        _check(value, "", [])
    return text


def is_plain(text: bytes) -> bool:
    """Whether these JSON bytes show by themselves that they are of the subset: ASCII, no null, no float.

    Nearly every entry is; what is not plain may still be of the subset, and is walked value by value.
    """
    return text.isascii() and b"null" not in text and b":." not in text.translate(_FLOAT_SHAPE, _DIGITS)


def encode(value: dict[str, Any] | list[Any]) -> bytes:
    """The bytes that `canonical` gives, without its checks. Raises orjson.JSONEncodeError for what is no JSON at all."""
    return orjson.dumps(value, option=_JCS)


def leaf_hash(entry: bytes) -> bytes:
    """Hash one entry: 32 bytes, SHA-256 over 0x00 || entry (RFC 6962 §2.1, so leaf and node never collide).

    >>> leaf_hash(b"").hex()[:16]
    '6e340b9cffb37a98'
    """
    return sha256(b"\x00" + entry).digest()


def b64url(data: bytes) -> bytes:
    """Base64url without padding (RFC 4648 §5), as SD-JWT writes salts and digests.

    >>> b64url(bytes([251, 255]))
    b'-_8'
    """
    return b2a_base64(data, newline=False).translate(_URLSAFE).rstrip(b"=")


def _check(value: Any, path: str, above: list[int]) -> None:
    """Walk a value and refuse the first thing outside the subset; slow, complete, and able to say where."""
    kind = type(value)
    if kind is str:
        _check_text(value, path)
    elif kind is dict or kind is list or kind is tuple:
        if id(value) in above or len(above) > 100:
            raise EntryRefused("nested without end, or too deep")
        inside = [*above, id(value)]
        for key, item in value.items() if kind is dict else enumerate(value):
            if kind is dict and (type(key) is not str or not key.isascii()):
                raise EntryRefused(f"{path or 'entry'}: a key that is not ASCII text sorts differently elsewhere")
            _check(item, f"{path}.{key}" if path else str(key), inside)
    elif kind is not int and kind is not bool:
        raise EntryRefused(f"{path or 'entry'}: {_WHY_NOT.get(kind, _NOT_JSON)}")


_NOT_JSON = "not one of text, integer, boolean, array, object"
_WHY_NOT = {
    float: "a float has no canonical form here; use an integer of a smaller unit",
    type(None): "null is not written; leave the field out",
}


def _check_text(text: str, path: str) -> None:
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise EntryRefused(f"{path}: a lone surrogate is not text")
    if not is_normalized("NFC", text):
        raise EntryRefused(f"{path}: text must be in Unicode form NFC")
