"""Question out, file in. The service knows no selection: the whole file comes, and the mapping takes what is permitted.

The envelope, then the ticket, then the status, then the data: in that order, and HTTP's status last of all.
"""

from __future__ import annotations

from collections.abc import Callable

from integrator.contract import Question, Reply
from integrator.errors import SourceFault, WrongSubject
from integrator.transport.answers import Answers
from integrator.transport.signed import SignedSoap
from integrator.transport.soap import Contract, Template, slot
from integrator.transport.wsse import zulu
from integrator.transport.xml import Element

LANGUAGES = ("fr", "nl", "de")  # those the source has labels in; any other caller gets the first


class Rijksregister:
    """`person_file` by national number; see connector.yaml."""

    def __init__(
        self, soap: SignedSoap, contract: Contract, answers: Answers, *, path: str, now: Callable[[], float]
    ) -> None:
        self._soap, self._contract, self._answers, self._path, self._now = soap, contract, answers, path, now
        self._templates = {history: _template(contract, history=history) for history in (False, True)}

    async def ask(self, question: Question) -> Reply:
        """One file; `Reply.document` is the retrieveTIGroupsResponse."""
        slots = {
            "ticket": question.ticket,
            "sent": zulu(self._now()),
            "organisation": question.organisation,
            "context": question.legal_context,
            "ssin": str(question.keys["ssin"]),
            "language": question.language if question.language in LANGUAGES else LANGUAGES[0],
        }
        answer = await self._soap.ask(self._path, self._contract, self._templates[question.history], slots, question)
        return self._read(answer, question)

    async def check(self) -> None:
        """Contract, keys and certificates were proven by building; this service has no question that asks nothing."""

    def _read(self, answer: Element, question: Question) -> Reply:
        if answer.findtext("informationCustomer/ticket") != question.ticket:
            raise SourceFault(self._soap.source, "CORRELATION", "the answer belongs to another question")
        # A "nothing" holds no data that could give it away: what it says it was asked is all that tells about whom it is.
        if (answer.findtext("searchInformation/ssin") or "").strip() != str(question.keys["ssin"]):
            raise WrongSubject(self._soap.source)
        status = answer.find("status")
        verdict = self._answers.read(status.findtext("code").strip(), status.findtext("value").strip())
        ticket = answer.findtext("informationCBSS/ticketCBSS")
        if verdict.answer == "replaced":
            return Reply(None, ticket, replaced_by=self._new_number(status, verdict.by))
        if verdict.answer == "nothing":
            return Reply(None, ticket)
        if answer.find("rrn_it_implicit") is None:
            raise SourceFault(self._soap.source, "MALFORMED", "the status says that there is a file, and there is none")
        return Reply(answer, ticket, incomplete=verdict.incomplete)

    def _new_number(self, status: Element, name: str) -> str:
        for information in status.iterfind("information"):
            if information.findtext("fieldName") == name:
                return str(information.findtext("fieldValue", "")).strip()
        raise SourceFault(self._soap.source, "MALFORMED", "a number was replaced, and the new one is not told")


def _template(contract: Contract, *, history: bool) -> Template:
    return contract.template(
        "retrieveTI",
        {
            "informationCustomer": {
                "ticket": slot("ticket"),
                "timestampSent": slot("sent"),
                "customerIdentification": {"cbeNumber": slot("organisation")},
            },
            "legalContext": slot("context"),
            "searchInformation": {"ssin": slot("ssin"), "language": slot("language"), "history": history},
        },
    )
