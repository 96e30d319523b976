"""The parking package's file: its layout to the byte, its faults, and that it is never half there."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import mock_sources.sources.parking as room
from mock_sources.faults import Fault
from mock_sources.sources.parking import Package
from mock_sources.sources.parking.cards import records
from mock_sources.sources.parking.layout import FIELDS, LENGTH, Record

CARD = Record(
    plate="1ABC123",
    nis="21009",
    street_code="1014",
    house_number="12A",
    box="B3",
    holder="71640618918",
    start="2026-01-01",
    end="2027-12-31",
    status="A",
    kind="R",
    street="Rue de l’Église",
    municipality="Ixelles",
    name="SERRUŸS, Zoë",
)


@pytest.fixture
def package(tmp_path: Path, clock: Any) -> Package:
    return Package(tmp_path / "parking", clock)


def rows(package: Package) -> list[bytes]:
    return package.path.read_bytes().split(b"\r\n")


def test_every_line_is_two_hundred_characters_and_crlf(package: Package) -> None:
    package.rewrite([CARD, CARD])
    *lines, last = rows(package)

    assert ([LENGTH] * 4, b"") == ([len(line) for line in lines], last)
    assert package.path.read_bytes().count(b"\n") == 4


def test_header_says_layout_and_moment_trailer_counts_the_cards(package: Package) -> None:
    package.rewrite([CARD, CARD, CARD])
    head, *_, tail = rows(package)[:-1]

    assert b"HPARKCARD0220261123120000" == head.rstrip()
    assert b"T000000003" == tail.rstrip()


def test_each_field_stands_where_the_table_says(package: Package) -> None:
    package.rewrite([CARD])
    line = rows(package)[1].decode("cp1252")
    read = {name: line[first - 1 : first - 1 + length].rstrip() for name, first, length in FIELDS}

    assert {
        "record type": "K",
        **{name: getattr(CARD, name).replace("-", "") for name in CARD.__dataclass_fields__},
        "reserved": "",
    } == read


def test_the_table_covers_the_record_without_gap_or_overlap() -> None:
    ends = [first + length for _, first, length in FIELDS]

    assert [1, *ends[:-1]] == [first for _, first, _ in FIELDS]
    assert LENGTH + 1 == ends[-1]


def test_the_readme_shows_the_same_table() -> None:
    text = Path(room.__file__).with_name("README.md").read_text("utf-8")
    card = text.partition("| card |")[2].partition("| trailer |")[0]

    assert list(FIELDS) == [
        (n, int(f), int(s)) for n, f, s in re.findall(r"^\| ([\w ]+) \| (\d+) \| (\d+) \|", card, re.M)
    ]


def test_accents_are_one_byte_each(package: Package) -> None:
    package.rewrite([CARD])

    assert b"Rue de l\x92\xc9glise" in package.path.read_bytes()


def test_a_sign_that_cp1252_lacks_is_lost_and_moves_nothing(package: Package) -> None:
    package.rewrite([replace(CARD, name="ŁUKASZ, Jerzy")])
    line = rows(package)[1]

    assert (LENGTH, b"?UKASZ, Jerzy") == (len(line), line[141:191].rstrip())


def test_a_long_text_is_cut_not_pushed(package: Package) -> None:
    package.rewrite([replace(CARD, name="X" * 60)])

    assert (LENGTH, b"X" * 50 + b" " * 9) == (len(rows(package)[1]), rows(package)[1][141:])


@pytest.mark.parametrize(
    ("kind", "variant"),
    [
        ("truncated", None),
        ("truncated", "half_record"),
        ("truncated", "missing_trailer"),
        ("malformed", None),
        ("malformed", "garbage_line"),
        ("malformed", "wrong_count"),
        ("empty", None),
    ],
)
def test_a_fault_breaks_the_file_and_its_end_heals_it(package: Package, kind: str, variant: str | None) -> None:
    package.rewrite([CARD] * 5)
    whole = package.path.read_bytes()
    package.apply(Fault(kind, variant=variant))
    broken = package.path.read_bytes()
    package.apply(None)

    assert broken != whole
    assert package.path.read_bytes() == whole


def test_a_half_written_file_ends_inside_a_card(package: Package) -> None:
    package.rewrite([CARD] * 5)
    package.apply(Fault("truncated"))
    last = rows(package)[-1]

    assert b"K" == last[:1]
    assert 0 < len(last) < LENGTH


def test_without_trailer_all_cards_are_still_whole(package: Package) -> None:
    package.rewrite([CARD] * 5)
    package.apply(Fault("truncated", variant="missing_trailer"))

    assert [b"H", *[b"K"] * 5, b""] == [line[:1] for line in rows(package)]


def test_a_garbage_line_is_not_even_cp1252(package: Package) -> None:
    package.rewrite([CARD] * 5)
    package.apply(Fault("malformed"))

    with pytest.raises(UnicodeDecodeError):
        package.path.read_bytes().decode("cp1252")


def test_a_wrong_count_is_the_only_thing_wrong(package: Package) -> None:
    package.rewrite([CARD] * 5)
    package.apply(Fault("malformed", variant="wrong_count"))

    assert b"T000000006" == rows(package)[-2].rstrip()


@pytest.mark.parametrize("kind", ["http503", "http500", "hang", "reset"])
def test_a_package_that_is_down_has_no_file(package: Package, kind: str) -> None:
    package.rewrite([CARD])
    package.apply(Fault(kind))

    assert not package.path.exists()


def test_a_reader_of_the_old_file_keeps_the_old_file(package: Package) -> None:
    package.rewrite([CARD])
    with package.path.open("rb") as reading:
        package.rewrite([])
        held = reading.read()

    assert (3 * 202, 2 * 202) == (len(held), package.path.stat().st_size)


def test_no_draft_is_left_behind(package: Package) -> None:
    package.rewrite([CARD])
    package.rewrite([CARD])

    assert ["cards.txt"] == [path.name for path in package.path.parent.iterdir()]


def test_there_is_nothing_to_call(package: Package, ask: Any) -> None:
    assert 404 == ask(package, "GET", "/cards").status


@pytest.fixture(scope="module")
def region(world: Any) -> list[Record]:
    return list(records(world))


def test_the_package_holds_every_card_of_the_municipality_and_each_once(world: Any, region: list[Record]) -> None:
    keys = {(one.plate, one.street_code, one.house_number, one.box, one.start) for one in region}

    assert len(region) == len(keys)
    assert {card.plate for card in world.cards("21009")} <= {one.plate for one in region}


def test_the_package_holds_the_personas_cards_wherever_they_live(world: Any, region: list[Record]) -> None:
    held = {(one.plate, one.start) for one in region}
    theirs = {
        (card.plate, card.start)
        for persona in world.personas.values()
        if persona.plate
        for card in world.cards_for(persona.plate)
    }

    assert theirs
    assert theirs <= held


def test_a_holders_name_is_the_one_of_the_population_register(world: Any, region: list[Record]) -> None:
    def name(ssin: str) -> str:
        person = world.person(ssin)
        return f"{' '.join(person.name.last).upper()}, {' '.join(person.name.first)}"

    sample = [one for one in region if one.holder][::1500]

    assert [name(one.holder) for one in sample] == [one.name for one in sample]
