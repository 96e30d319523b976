"""SOAP 1.1 from a source's WSDL: zeep reads the contract at start and stays the reference; the hot path never meets it.

    Contract.load(wsdl) ─ template() ─► Template ─ render(**slots) ─► payload, canonical ─► envelope() or Signer.seal()
             └─ check(payload): lxml XMLSchema, compiled once

A template is what zeep itself would send, with slots where values go, written in exclusive canonical form: filling it
is escaped substitution (~2 µs against ~80), and what is signed later needs no canonicalisation.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import zeep
import zeep.exceptions
import zeep.helpers
import zeep.transports
from lxml import etree

from integrator.errors import ConfigurationError
from integrator.transport.envelope import SOAP
from integrator.transport.xml import Element, canonical, escape, parse

_HEADER, _BODY = f"{{{SOAP}}}Header", f"{{{SOAP}}}Body"
_WSDL, _XSD = "{http://schemas.xmlsoap.org/wsdl/}", "{http://www.w3.org/2001/XMLSchema}"
_SLOT = re.compile("\ue000([^\ue001]+)\ue001")  # private-use characters: no text of a contract holds them

_zeep: Any = zeep  # half of zeep is not typed

# zeep writes whole envelopes, national numbers included, to its DEBUG log; all its loggers look up to this one.
logging.getLogger("zeep").setLevel(logging.WARNING)


class SchemaError(ValueError):
    """A payload does not follow the contract; `where` names the place by elements and line, never by values."""

    def __init__(self, where: str) -> None:
        super().__init__(f"the answer does not follow the source's schema: {where}")
        self.where = where


def slot(name: str) -> str:
    """A place in a template that `render(name=…)` fills; give it to `Contract.template` where a value would stand."""
    return f"\ue000{name}\ue001"


@dataclass(frozen=True, slots=True)
class Template:
    """A request with holes: `render` fills its payload, `render_header` its header blocks (both canonical XML).

    Values are escaped, never interpreted. Every slot must be given (KeyError otherwise); others are ignored.
    """

    action: str  # SOAPAction, without quotes
    payload: tuple[str, ...]  # text, slot name, text, slot name, …, text
    header: tuple[str, ...] = ("",)

    def render(self, **slots: str) -> bytes:
        """The payload element as bytes; raises `UnsafeXml` for text that XML cannot carry."""
        return _fill(self.payload, slots)

    def render_header(self, **slots: str) -> bytes:
        """The header blocks of the contract (not the security header) as bytes; often empty."""
        return _fill(self.header, slots)


class Contract:
    """One WSDL of ours, and everything made from it at start. Loading opens nothing outside the WSDL's own folder."""

    def __init__(self, wsdl: Path, client: Any) -> None:
        self._wsdl = wsdl
        self._client = client

    @classmethod
    def load(cls, wsdl: Path, *, folder: Path | None = None) -> Contract:
        """Read a WSDL with its schemas, all below `folder` (its own, when none is named).

        Raises `ConfigurationError` naming the file when it cannot be used.
        """
        settings = zeep.Settings(strict=True, forbid_dtd=True, forbid_entities=True, forbid_external=True)
        try:
            client = _zeep.Client(str(wsdl), transport=_ContractFolder(folder or wsdl.parent), settings=settings)
        except (zeep.exceptions.Error, OSError, etree.LxmlError) as error:
            raise ConfigurationError(f"contract {wsdl.name}: {error}") from error
        return cls(wsdl, client)

    def template(
        self, operation: str, values: Mapping[str, Any] | str, headers: Mapping[str, Any] | None = None
    ) -> Template:
        """Compile one request; `values` are zeep's keyword arguments with `slot(…)` where something varies.

        A plain string is the whole content of a message that is nothing but text. Booleans cannot be slots (zeep
        writes them from Python truth): make one template for each.
        """
        given: dict[str, Any] = {"_soapheaders": dict(headers)} if headers else {}
        text = (values,) if isinstance(values, str) else ()
        named = {} if isinstance(values, str) else values
        try:
            root = self._client.create_message(self._client.service, operation, *text, **named, **given)
        except (zeep.exceptions.Error, TypeError, ValueError) as error:
            raise ConfigurationError(f"contract {self._wsdl.name}, {operation}: {error}") from error
        header, body = root.find(_HEADER), root.find(_BODY)
        blocks = "" if header is None else "".join(_text(block) for block in header)
        payload = "".join(_text(child) for child in body)
        return Template(self._operation(operation).soapaction, _split(payload), _split(blocks))

    def document(self, element: str, values: Mapping[str, Any]) -> Template:
        """Compile one global element (`{namespace}name`) that travels inside something else; no SOAPAction."""
        holder = etree.Element("holder")
        try:
            kind = self._client.get_element(element)
            kind.render(holder, kind(**values))
        except (zeep.exceptions.Error, LookupError, TypeError, ValueError) as error:
            raise ConfigurationError(f"contract {self._wsdl.name}, {element}: {error}") from error
        return Template("", _split(_text(holder[0])))

    def value(self, element: str, **values: Any) -> Any:
        """A zeep value for an `xs:any` place: the element's name and content together."""
        kind = self._client.get_element(element)
        return _zeep.xsd.AnyObject(kind, kind(**values))

    def check(self, payload: Element) -> None:
        """Raise `SchemaError` when an element of this contract's schemas is not as they say (or is not in them)."""
        if not self._schema.validate(payload):
            error = self._schema.error_log.last_error
            raise SchemaError(f"{etree.QName(payload).localname}, line {error.line}, {error.type_name}")

    def decode(self, operation: str, envelope: bytes) -> Any:
        """zeep's own reading of a reply, as plain dicts: 20 times slower; tests compare the fast path with it."""
        message = self._operation(operation).output
        return _zeep.helpers.serialize_object(message.deserialize(etree.fromstring(envelope)), dict)

    def written_anew(self, element: Element) -> Element:
        """An element of these schemas as zeep understood it and would write it (see `decode`)."""
        holder, kind = etree.Element("holder"), self._client.get_element(element.tag)
        kind.render(holder, kind.parse(element, self._client.wsdl.types))
        return holder[0]

    @property
    def namespaces(self) -> frozenset[str]:
        """The namespaces that this contract describes."""
        return frozenset(self._client.wsdl.types.namespaces)

    @cached_property
    def _schema(self) -> etree.XMLSchema:
        driver = etree.Element(_XSD + "schema", nsmap={"xsd": _XSD[1:-1]})
        for wanted in self._inline():
            if wanted.tag != _XSD + "import":
                raise ConfigurationError(f"contract {self._wsdl.name}: a schema stands inside; give it its own file")
            etree.SubElement(driver, wanted.tag, dict(wanted.attrib))
        text = etree.tostring(driver)
        try:
            return etree.XMLSchema(etree.fromstring(text, base_url=str(self._wsdl)))
        except etree.XMLSchemaParseError as error:
            raise ConfigurationError(f"contract {self._wsdl.name}: {error}") from error

    def _inline(self) -> list[Element]:
        root = parse(self._wsdl.read_bytes(), 5_000_000)
        return list(root.iterfind(f"{_WSDL}types/{_XSD}schema/*"))

    def _operation(self, name: str) -> Any:
        return self._client.service._binding.get(name)


class _ContractFolder(zeep.transports.Transport):
    """Gives zeep the files of one contract folder, and nothing else of the machine or the network."""

    def __init__(self, folder: Path) -> None:
        super().__init__(timeout=1, operation_timeout=1)  # type: ignore[no-untyped-call]
        self._folder = folder.resolve()

    def load(self, url: str) -> bytes:
        path = Path(url).resolve()
        if urlparse(url).scheme or not path.is_relative_to(self._folder):
            raise ConfigurationError(f"a contract in {self._folder.name} points outside its own folder")
        return path.read_bytes()

    def post(self, address: str, message: Any, headers: Any) -> Any:
        raise ConfigurationError("contracts are read with zeep; requests leave through the channel")

    get = post


def _text(element: Element) -> str:
    return canonical(element).decode()


def _split(text: str) -> tuple[str, ...]:
    """Canonical text with slots as an odd number of parts: text at even places, slot names at odd ones."""
    return tuple(_SLOT.split(text))


def _fill(parts: tuple[str, ...], slots: Mapping[str, str]) -> bytes:
    filled = list(parts)
    for place in range(1, len(parts), 2):
        filled[place] = escape(slots[parts[place]])
    return "".join(filled).encode()
