"""XML documents: an element that repeats is a row; a field is what an element path finds from there. Read as a stream."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from lxml import etree

from integrator.adapters.fieldtypes import Wrong
from integrator.adapters.findings import FileRefused
from integrator.adapters.layout import Field, Layout, Row

LONGEST = 1_000_000  # bytes of one record


def rows(layout: Layout, path: Path, offset: int, number: int) -> Iterator[Row]:
    """Raises `FileRefused`: broken off, not by the schema, or with declarations of its own."""
    del offset, number  # positions are counted in records
    schema = _schema(layout)
    found = 0
    try:
        with path.open("rb") as stream:
            events = etree.iterparse(
                stream, events=("end",), tag=layout.record, schema=schema, resolve_entities=False, no_network=True,
                load_dtd=False, huge_tree=False, remove_comments=True, remove_pis=True,
            )  # fmt: skip
            for _, element in events:
                if found == 0 and element.getroottree().docinfo.doctype:
                    raise FileRefused("NOT_WELL_FORMED", "the document declares entities or a type of its own")
                found += 1
                yield _row(layout, element)
                _forget(element)
    except etree.XMLSyntaxError as error:
        reason = (
            "NOT_BY_SCHEMA" if schema is not None and "SCHEMA" in str(error.error_log.last_error) else "NOT_WELL_FORMED"
        )
        raise FileRefused(reason, "the document cannot be read to its end") from error
    if not found:
        raise FileRefused("EMPTY_FILE")


def _schema(layout: Layout) -> etree.XMLSchema | None:
    return None if layout.schema is None else etree.XMLSchema(etree.parse(str(layout.schema)))


def _row(layout: Layout, element: etree._Element) -> Row:
    piece = etree.tostring(element)
    row = Row(element.sourceline or 0, None, None, {}, [], piece[:LONGEST])
    if len(piece) > LONGEST:
        row.wounds.append((None, "ROW_TOO_LONG"))
        return row
    for one in layout.fields:
        texts = _texts(element, one, layout)
        if one.sum:
            row.texts[one.name] = _added(one, texts, row)
            continue
        if len(texts) > 1:
            row.wounds.append((one.name, "NOT_THE_FORM"))  # twice where the layout has one
        row.texts[one.name] = texts[0].strip() if len(texts) == 1 else ""
    return row


def _added(field: Field, texts: list[str], row: Row) -> str:
    """The sum of amounts as the layout writes one; "" of none, and of one that is no amount, which is noted."""
    try:
        amounts = [value for text in texts if (value := field.value(text.strip())) is not None]
    except Wrong as wrong:
        row.wounds.append((field.name, wrong.reason))
        return ""
    return field.type.render(sum(amounts)) if amounts else ""


def _texts(element: etree._Element, field: Field, layout: Layout) -> list[str]:
    """What the path finds: text of elements, or the attribute behind a last `@`."""
    path, at, attribute = field.path.rpartition("@")
    if not at:
        path, attribute = field.path, ""
    path = path.rstrip("/")
    nodes = [element] if path in ("", ".") else element.findall(path, dict(layout.namespaces))
    if attribute:
        return [value for node in nodes if (value := node.get(attribute)) is not None]
    return ["".join(node.itertext()) for node in nodes]


def _forget(element: etree._Element) -> None:
    """What was read is let go, with what stands before it: memory stays flat."""
    element.clear(keep_tail=False)
    while (previous := element.getprevious()) is not None:
        parent = previous.getparent()
        if parent is None:
            break
        parent.remove(previous)
