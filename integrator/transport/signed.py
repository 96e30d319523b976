"""One signed question and the one answer that may be believed: sign, send, verify, look for a fault, validate.

    template ─ render ─► Signer.seal ─► send ─► Verifier.open ─► soap:Fault? ─► schema ─► payload

An unsigned fault comes from a gateway in front of the source: it can refuse us, but it can never say that somebody
does not exist.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from integrator.contract import HttpAnswer, Question, Send, Tools
from integrator.errors import ConfigurationError, SourceFault, SubjectNotFound
from integrator.transport.envelope import Fault, NotSoap, fault_of, open_envelope
from integrator.transport.faults import Faults
from integrator.transport.soap import Contract, SchemaError, Template
from integrator.transport.wsse_sign import Signer
from integrator.transport.wsse_verify import NotSigned, SignatureRefused, Verifier
from integrator.transport.xml import Element, UnsafeXml

LIMIT = 5_000_000  # bytes; the channel has capped the answer long before, at what the source's manifest says
_XML = ("text/xml", "application/xml")


class SignedSoap:
    """A conversation with one source. Keys and certificates are read once; nothing of a message is kept."""

    def __init__(
        self, source: str, send: Send, signer: Signer, verifier: Verifier, faults: Faults, *, sandbox: bool = False
    ) -> None:
        self.source = source
        self._send, self._signer, self._verifier, self._faults, self._sandbox = send, signer, verifier, faults, sandbox

    @classmethod
    def from_tools(cls, tools: Tools, faults: Faults) -> SignedSoap:
        """From `signingKey`, `signingCertificate` and `sourceCertificate` of the settings (paths of PEM files)."""
        if tools.send is None:
            raise ConfigurationError(f"{tools.source} speaks SOAP: it needs an address in the settings")
        try:
            key, ours, theirs = (
                Path(tools.settings[name]) for name in ("signingKey", "signingCertificate", "sourceCertificate")
            )
        except KeyError as error:
            raise ConfigurationError(f"sources.{tools.source}.{error.args[0]} is missing in the settings") from None
        signer, verifier = Signer.load(key, ours, tools.now), Verifier.load(theirs, tools.now)
        return cls(tools.source, tools.send, signer, verifier, faults, sandbox=tools.sandbox)

    async def ask(
        self,
        path: str,
        contract: Contract,
        template: Template,
        slots: Mapping[str, str],
        question: Question,
        *,
        repeatable: bool = True,
    ) -> Element:
        """The payload of the answer: signed by the pinned certificate, no fault, valid.

        Raises the SourceError family, nothing else.
        """
        try:
            payload = template.render(**slots)
        except UnsafeXml as error:
            raise SourceFault(self.source, "UNSPEAKABLE", "a key holds characters that XML cannot carry") from error
        headers = {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": f'"{template.action}"'}
        if self._sandbox and question.scenario:
            headers["Integrator-Test-Scenario"] = question.scenario
        answer = await self._send(
            "POST", path, body=lambda: self._signer.seal(payload), headers=headers, deadline=question.deadline,
            repeatable=repeatable,
        )  # fmt: skip
        return self._believed(answer, contract)

    def _believed(self, answer: HttpAnswer, contract: Contract) -> Element:
        if answer.content_type not in _XML:
            raise SourceFault(self.source, "CONTENT_TYPE", f"HTTP {answer.status} without XML")
        try:
            payload = self._verifier.open(answer.body, LIMIT).payload
        except NotSigned as error:
            raise self._unsigned(answer) from error
        except SignatureRefused as error:
            raise SourceFault(self.source, "SIGNATURE", str(error)) from error
        except UnsafeXml as error:
            raise SourceFault(self.source, "MALFORMED", str(error)) from error
        fault = fault_of(payload)
        if fault is not None:
            raise self._faults.error(self._code(fault))
        if answer.status != 200:
            raise SourceFault(self.source, "HTTP", f"HTTP {answer.status} round an ordinary answer")
        try:
            contract.check(payload)
        except SchemaError as error:
            raise SourceFault(self.source, "SCHEMA", error.where) from error
        return payload

    def _unsigned(self, answer: HttpAnswer) -> Exception:
        """What an unsigned message may do: refuse. Its words are believed no further than that."""
        try:
            fault = fault_of(open_envelope(answer.body, LIMIT).payload)
        except NotSoap as error:
            return SourceFault(self.source, "MALFORMED", str(error))
        refusal = None if fault is None else self._faults.error(self._code(fault))
        if refusal is None or isinstance(refusal, SubjectNotFound):
            return SourceFault(self.source, "SIGNATURE", "an answer that nobody signed")
        return refusal

    def _code(self, fault: Fault) -> str:
        """The first code that the room knows: the source's own reason codes, then SOAP's faultcode."""
        return next((code for code in _codes(fault) if code in self._faults), "")


def _codes(fault: Fault) -> Iterator[str]:
    if fault.detail is not None:
        yield from ((element.text or "").strip() for element in fault.detail.iter("{*}reasonCode"))
    yield fault.code
