"""What a call raises."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .gen.models import FieldError
    from .gen.problems import ProblemCode


class AccordError(Exception):
    """The base of all that this package raises."""


class Problem(AccordError):
    """The server refused the call (RFC 9457).

    Switch on ``code``. It is None where the answer is not one of the catalogue's, as
    that of a gateway in between.
    """

    code: ProblemCode | None
    type: str
    title: str
    status: int
    detail: str
    request_id: str | None
    errors: list[FieldError]
    """Each failing field, with the code ``validation`` and some others."""
    retry_after: float | None
    """After how many seconds the server says to come back."""

    def __init__(
        self,
        message: str,
        *,
        code: ProblemCode | None = None,
        type: str = "about:blank",
        title: str = "",
        status: int = 0,
        detail: str = "",
        request_id: str | None = None,
        errors: list[FieldError] | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.type = type
        self.title = title
        self.status = status
        self.detail = detail
        self.request_id = request_id
        self.errors = errors or []
        self.retry_after = retry_after


class NoAnswer(AccordError):
    """No answer came: ``ConnectionLost``, ``TimedOut`` or ``Closed``."""

    outcome_unknown: bool
    """Whether the server may have carried out the change that was asked for, at any attempt.
    It is false of reads, and where nothing but connecting has failed.
    """

    def __init__(self, message: str, *, outcome_unknown: bool = False) -> None:
        super().__init__(message)
        self.outcome_unknown = outcome_unknown


class ConnectionLost(NoAnswer, ConnectionError):
    """There is no connection, or it ended before the whole answer was there."""


class TimedOut(NoAnswer, TimeoutError):
    """The time was over before an answer began, or the answer stopped for as long."""


class Closed(NoAnswer):
    """The client was closed, perhaps by another thread during the call."""


class NotModified(AccordError):
    """What the caller has is the current version (304)."""


class UnreadableAnswer(AccordError):
    """The answer is not what the contract says."""
