"""Every way an exchange can fail. `code` is stable; `where` is the place on the drawing in docs/places.md.

    IntegratorError
      ├─ RequestRefused        ours, final        MalformedRequest · UnknownCaller · PolicyDenied (QuotaExceeded) · SubjectReplaced
      │                                           KeyReused · NoSuchDelivery · NotAsAsked (a MalformedRequest)
      ├─ SourceError           theirs             SourceUnavailable (retry) · SourceThrottled (retry) · SourceRefused
      │                                           SourceFault · WrongSubject · SubjectNotFound (an answer)
      └─ HubError              ours, alarm        LedgerUnwritable · StampsOverdue · ConditionUnknown · HubBusy · ConfigurationError

No message of this family holds an identifier, a name or a word of the source's answer: messages reach logs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar


class IntegratorError(Exception):
    """Base of the family: a stable code, a place, and advice for the human who reads it."""

    code: ClassVar[str] = "INTEGRATOR_ERROR"
    where: ClassVar[str] = "H0"
    retryable: ClassVar[bool] = False
    advice: ClassVar[str] = "Ask the operator of the hub; name the trace id."

    recorded: str | None = None  # SHARD/INDEX,… of the ledger, once the refusal or failure stands there
    receipt: bytes | None = None  # signed, for the entry that says so

    def __init__(self, message: str = "", *, advice: str | None = None) -> None:
        super().__init__(message or self.code)
        self.detail = message
        self.hint = advice or self.advice


class RequestRefused(IntegratorError):
    """The hub refuses: nothing was asked of any source, and asking again unchanged gives the same answer."""


@dataclass(frozen=True, slots=True)
class Issue:
    """One thing wrong with a request (belgif `issues[]`): its kind, where it stands, and what to do. Never its value."""

    kind: str  # last part of urn:problem-type:belgif:input-validation:…, or a whole urn
    where: str  # body | path | query | header
    name: str  # JSON pointer or parameter name, never a value
    detail: str
    extra: tuple[tuple[str, Any], ...] = ()


class MalformedRequest(RequestRefused):
    """The request cannot be understood; `issues` says where and how to mend it. Raised before any decision."""

    code, where = "MALFORMED_REQUEST", "A2"
    advice = "Mend what `issues` names; the service's schema is in /openapi.json."

    def __init__(self, *issues: Issue, status: int = 400) -> None:
        super().__init__("; ".join(f"{issue.name}: {issue.kind}" for issue in issues))
        self.issues = issues
        self.status = status


class NotAsAsked(MalformedRequest):
    """The answer repeats something otherwise than the message said it: it is about something else. Never for a part left out."""

    code = "NOT_AS_ASKED"
    advice = "Compare what `issues` names with the message, and answer again: it still awaits its answer."


class UnknownCaller(RequestRefused):
    """No valid token: who asks is not known, so nothing is decided and nothing enters the ledger."""

    code, where = "UNKNOWN_CALLER", "A1"
    advice = "Ask a token at /oauth/token with the application's own key."

    def __init__(self, message: str = "", *, problem: str = "invalidAccessToken", advice: str | None = None) -> None:
        super().__init__(message, advice=advice)
        self.problem = problem  # noAccessToken | invalidAccessToken | expiredAccessToken


class PolicyDenied(RequestRefused):
    """No authorisation allows this; `reason` is one of the codes of `integrator.policy`, `rule` names what decided.

    `changes`: the fewest things that would have to be otherwise, as the caller reads them; None when none would help.
    """

    code, where = "POLICY_DENIED", "C1"

    def __init__(
        self,
        reason: str,
        *,
        rule: str | None,
        advice: str,
        message: str = "",
        changes: list[dict[str, Any]] | None = None,
    ) -> None:
        super().__init__(message or reason, advice=advice)
        self.reason = reason
        self.rule = rule
        self.changes = changes


class QuotaExceeded(PolicyDenied):
    """A limit of the authorisation is used up; asking again helps from the next minute or day on."""

    def __init__(self, reason: str, *, rule: str | None, advice: str, retry_after: int) -> None:
        super().__init__(reason, rule=rule, advice=advice)
        self.retry_after = retry_after  # seconds


class SubjectReplaced(RequestRefused):
    """The number asked about was replaced. `replaced_by` is set only where the purpose may know the new one."""

    code, where = "SUBJECT_REPLACED", "D3"
    advice = "Ask again with the new number, and change it in your own files."

    def __init__(self, replaced_by: str | None = None) -> None:
        super().__init__("the number asked about was replaced by another one")
        self.replaced_by = replaced_by


class KeyReused(RequestRefused):
    """The Idempotency-Key was used before, for something else: accepting this would hide one of the two."""

    code, where = "KEY_REUSED", "A2"
    advice = "Use a new Idempotency-Key for every message; the same one only to send the same message again."


class AnsweredAlready(KeyReused):
    """What the first answer set going is under way: a second one would say otherwise of the same."""

    advice = "Ask how it stands with the message; what was answered first is what is being done."


class NoSuchDelivery(RequestRefused):
    """No message, subscription or feed of this name that is the caller's own."""

    code, where = "NO_SUCH_DELIVERY", "A2"
    advice = "Ask with the name that the hub gave, and as the application that it was given to."


class SourceError(IntegratorError):
    """Something at the source; `source` is the connector's id."""

    where = "D1"

    def __init__(self, source: str, message: str = "", *, advice: str | None = None) -> None:
        super().__init__(f"{source}: {message}" if message else source, advice=advice)
        self.source = source


class SourceUnavailable(SourceError):
    """The source did not answer in time; raised after the last retry, never for a fault it *did* send."""

    code, where, retryable = "SOURCE_UNAVAILABLE", "D1", True
    advice = "Nothing was passed on. Ask again after the time in Retry-After; /health shows who is down."
    retry_after: int = 30  # seconds
    sent: bool = True  # whether the question may have reached the source: False only where it surely did not


class SourceThrottled(SourceUnavailable):
    """The source says we ask too much (also when it says so in an ordinary body)."""

    code = "SOURCE_THROTTLED"
    sent = False  # it came, and was not looked at


class SourceRefused(SourceError):
    """The source itself refuses: not integrated there, or its own legal context control. `reason` is our code for it."""

    code, where = "SOURCE_REFUSED", "D2"
    advice = "The source does not allow this organisation to ask this; see `reason`."

    def __init__(self, source: str, reason: str, message: str = "", *, advice: str | None = None) -> None:
        super().__init__(source, message or reason, advice=advice)
        self.reason = reason  # NOT_INTEGRATED | LEGAL_CONTEXT | NO_PERMISSION | …


class SourceFault(SourceError):
    """The source answered, but not with something that may be believed: bad signature, schema, content or fault."""

    code, where = "SOURCE_FAULT", "D2"
    advice = "Nothing was passed on. The operator of the hub is told; asking again may help when the source is mended."

    def __init__(self, source: str, reason: str, message: str = "") -> None:
        super().__init__(source, message or reason)
        self.reason = reason  # SIGNATURE | SCHEMA | MALFORMED | TOO_LARGE | CONTENT_TYPE | FAULT | …


class WrongSubject(SourceFault):
    """The answer is about somebody else than the subject asked: nothing of it is looked at further."""

    code, where = "WRONG_SUBJECT", "D3"

    def __init__(self, source: str) -> None:
        super().__init__(source, "WRONG_SUBJECT", "the answer is not about the subject asked")


class SubjectNotFound(SourceError):
    """The source knows no such subject: an answer, not a failure. Never raised because the source is down."""

    code, where = "SUBJECT_NOT_FOUND", "D3"
    advice = "Check the number with the citizen; the source has no file under it."


class HubError(IntegratorError):
    """The hub itself is not well; an operator is alarmed."""

    where = "H1"


class LedgerUnwritable(HubError):
    """The ledger cannot be written, so nothing may be asked or answered (DESIGN §2.2)."""

    code, where, retryable = "LEDGER_UNWRITABLE", "C2", True
    advice = "Nothing was asked of any source after this point. Ask again after Retry-After."
    retry_after: int = 5


class StampsOverdue(HubError):
    """No authority outside has time-stamped the ledger for hours, so nobody could say later when this was recorded."""

    code, where, retryable = "STAMPS_OVERDUE", "C2", True
    advice = "Nothing was asked of any source. The hub's operator is alarmed; ask again after Retry-After."
    retry_after: int = 60


class ConditionUnknown(HubError):
    """A condition could not be looked up (directory of references, quotas): refused, which is not a no. Recorded as `reason`."""

    code, where, retryable = "CONDITION_UNKNOWN", "C1", True
    advice = "Nothing was asked of any source. Ask again after Retry-After."
    retry_after: int = 10

    def __init__(self, reason: str, *, advice: str | None = None) -> None:
        super().__init__(reason, advice=advice)
        self.reason = reason  # REGISTRATION_UNKNOWN | QUOTA_UNKNOWN


class HubBusy(HubError):
    """More is in flight than this process accepts; said before any work is done."""

    code, where, retryable = "HUB_BUSY", "A3", True
    advice = "Slow down; ask again after Retry-After."
    retry_after: int = 1


class ConfigurationError(HubError):
    """Data of ours (manifest, mapping, authorisation, settings) is wrong; raised at start, never in an exchange."""

    code, where = "CONFIGURATION", "H2"
    advice = "Run `integrator check`: it names the file and the line."
