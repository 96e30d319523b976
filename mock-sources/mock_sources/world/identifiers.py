"""The shapes of Belgian identifiers: check digits, test months, plates. Digits only; who they belong to is elsewhere.

Test numbers carry the birth month + 60 (61–72): they pass mod 97 and can never be a living person's (MAGDA's habit).
Derived people use serials 001–880 and plates that do not start with A; personas use serials 881–998, so a named
case can never land on somebody derived. Enterprises are numbered from 1.5 milliard on, where the KBO is not yet.
"""

from __future__ import annotations

TEST_MONTH = 60
LAST_DERIVED_SERIAL = 880  # personas: 881 … 998


def national_check(first_nine: int, year: int) -> int:
    """97 - (first nine digits mod 97), with a 2 in front for those born from 2000 on (FSB manual S189).

    >>> national_check(716406189, 1971), national_check(6302998, 2000)
    (18, 91)
    """
    return 97 - (first_nine + (2_000_000_000 if year >= 2000 else 0)) % 97


def national_number(year: int, month: int, day: int, serial: int) -> str:
    """Eleven digits for a birth date and serial, month + 60. An unknown month or day is 0 and stays 60 or 00.

    >>> national_number(1971, 4, 6, 189)
    '71640618918'
    """
    first_nine = (year % 100) * 10_000_000 + (month + TEST_MONTH) * 100_000 + day * 1000 + serial
    return f"{first_nine:09d}{national_check(first_nine, year):02d}"


def birth_year(number: str) -> int | None:
    """The full birth year of an eleven-digit number, known from which century makes the check digits right.

    >>> birth_year("71640618918"), birth_year("00630299891"), birth_year("71640618919")
    (1971, 2000, None)
    """
    if len(number) != 11 or not number.isascii() or not number.isdigit():
        return None
    first_nine, check = int(number[:9]), int(number[9:])
    for century in (1900, 2000):
        if national_check(first_nine, century) == check:
            return century + int(number[:2])
    return None


def enterprise_number(first_eight: int) -> str:
    """Ten digits: eight and 97 - (eight mod 97). Establishment units follow the same rule, from 2 milliard on.

    >>> enterprise_number(3145953), enterprise_number(20000003)
    ('0314595348', '2000000339')
    """
    return f"{first_eight:08d}{97 - first_eight % 97:02d}"


def checked_first_eight(number: str) -> int | None:
    """The first eight digits of a ten-digit KBO number, None when it is none or fails its check.

    >>> checked_first_eight("0314595348"), checked_first_eight("0874713140")
    (3145953, None)
    """
    if len(number) != 10 or not number.isascii() or not number.isdigit():
        return None
    first_eight = int(number[:8])
    return first_eight if 97 - first_eight % 97 == int(number[8:]) else None


ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
CAR_INITIALS = "BCDEFGHJKLNPRSUVWXY"  # not A (personas), I, M (motorbikes), O (oldtimers), Q (trailers), T (taxis), Z
PLATES_PER_INITIAL = 26 * 26 * 1000


def plate(initials: str, place: int) -> str:
    """The plate at a place in the series: index digit 1 or 2, three letters of which the first is given, three digits.

    >>> plate("M", 0), plate(CAR_INITIALS, 2 * 19 * 676_000 - 1)
    ('1MAA000', '2YZZ999')
    """
    rest, digits = divmod(place, 1000)
    rest, third = divmod(rest, 26)
    rest, second = divmod(rest, 26)
    index, first = divmod(rest, len(initials))
    return f"{index + 1}{initials[first]}{ALPHABET[second]}{ALPHABET[third]}{digits:03d}"


def plate_place(initials: str, text: str) -> int | None:
    """The inverse of `plate`; None when the text is not of this series.

    >>> plate_place("M", "1MAA000"), plate_place("M", "1BAA000"), plate_place("M", "MIJNAUTO")
    (0, None, None)
    """
    if len(text) != 7 or text[0] not in "12" or text[1] not in initials or not text.isascii():
        return None
    letters, digits = text[2:4], text[4:]
    if not (letters.isalpha() and letters.isupper() and digits.isdigit()):
        return None
    place = (int(text[0]) - 1) * len(initials) + initials.index(text[1])
    for letter in letters:
        place = place * 26 + ALPHABET.index(letter)
    return place * 1000 + int(digits)
