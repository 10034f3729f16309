"""What a call does: sent, signed, sent again, and read."""

from __future__ import annotations

import contextlib
import json
import os.path
import sys
import uuid
import warnings
from collections.abc import AsyncGenerator, Iterator
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar, cast

import httpx

from . import _retry
from ._body import body_of
from ._codec import decode
from ._errors import ConnectionLost, NoAnswer, NotModified, Problem, TimedOut, UnreadableAnswer
from ._operation import Call
from ._session import Session
from ._sse import EventParser
from ._tokens import Tokens
from ._wire import Message, Wire
from .gen.models import FieldError, Token
from .gen.version import VERSION

T = TypeVar("T")

USER_AGENT = f"accord-python/{VERSION}"
_LONGEST_PAUSE = 30.0  # between two connections of a stream
_QUIET = 60.0  # after which a stream is taken for dead: comments come every 20 s


@dataclass(frozen=True, slots=True)
class Options:
    """What one can set for some calls and not for others."""

    headers: httpx.Headers
    timeout: float | None
    retries: int


class Core:
    """Makes the calls of a client."""

    def __init__(self, base_url: str, wire: Wire, session: Session, options: Options) -> None:
        url = httpx.URL(base_url)
        if url.scheme not in ("http", "https") or not url.host:
            raise ValueError(f"base_url has to be an http or https URL, not {base_url!r}")
        self.base_url = base_url.rstrip("/")
        self.wire = wire
        self.options = options
        self._session = session
        self._signing = self

    def having(self, options: Options) -> Core:
        """A core that shares session and connections. Signing in and refreshing stays with
        the options of the first one.
        """
        other = Core(self.base_url, self.wire, self._session, options)
        other._signing = self._signing
        return other

    async def value(self, call: Call, kind: type[T]) -> T:
        """Makes the call and gives its answer as a model."""
        response = await self._answer(call, whole=True)
        value = decode(kind, _json(response), response.headers)
        if call.operation.gives_tokens:
            await self._session.keep(cast(Token, value))
        return value

    async def nothing(self, call: Call) -> None:
        """Makes a call whose answer is empty."""
        await self._answer(call, whole=True)
        if call.operation.ends_session:
            await self._session.forget()

    async def open(self, call: Call) -> httpx.Response:
        """Makes the call and gives the answer, whose body is still to come. The caller
        releases it.
        """
        return await self._answer(call, whole=False)

    async def pages(self, call: Call, kind: type[T]) -> AsyncGenerator[T, None]:
        """Gives a list page by page."""
        while True:
            page = await self.value(call, kind)
            yield page
            cursor = cast(Any, page).next_cursor
            if cursor is None:
                return
            call = replace(call, query={**call.query, "cursor": cursor})

    async def events(self, call: Call, name: str, kind: type[T]) -> AsyncGenerator[T, None]:
        """Gives what the events of this name hold, and connects again after the last one.

        Raises what the first connection raises; later only refusals that waiting does not
        mend.
        """
        attempt, connected = 0, False
        retry_after: float | None = None
        parser = EventParser()
        while True:
            parser = EventParser(parser.last_id)
            if parser.last_id is not None:
                call = replace(call, headers={"Last-Event-ID": parser.last_id or None})
            try:
                response = await self.open(call)
                connected, retry_after = True, None
                try:
                    async for chunk in self.wire.chunks(response):
                        for event in parser.feed(chunk):
                            attempt = 0
                            if event.name == name:
                                yield decode(kind, json.loads(event.data), {})
                finally:
                    await self.wire.release(response)
            except (ConnectionLost, TimedOut):
                if not connected:
                    raise
            except Problem as problem:
                if not connected or (problem.status != 429 and problem.status < 500):
                    raise
                retry_after = problem.retry_after
            wait = min(_LONGEST_PAUSE, _retry.pause(attempt))
            await self.wire.sleep(max(wait, retry_after or 0, parser.retry or 0))
            attempt = min(attempt + 1, 10)

    async def _answer(self, call: Call, *, whole: bool) -> httpx.Response:
        """Gives an answer of success; if whole, with its body.

        Raises Problem, NotModified and NoAnswer.
        """
        operation, options = call.operation, self.options
        body = body_of(operation.sends, call.body)
        message = Message(
            method=operation.method,
            url=self.base_url + call.target(),
            query=call.parameters(),
            headers=self._headers(call),
            body=body,
            timeout=options.timeout,
            idle=_QUIET if operation.accepts == "text/event-stream" else options.timeout,
        )
        again = body is None or not body.once
        tokens: Tokens | None = None
        unknown = False  # whether an attempt was made of which nobody knows what became
        if operation.signed_in:
            with _not_sent(unknown):
                tokens = await self._session.tokens(self._ask)
                if tokens and tokens.expired and not again:
                    tokens = await self._session.renew(tokens, self._ask)
        attempt, renewed = 0, not again
        while True:
            left = options.retries - attempt if again else 0
            try:
                response = await self._send(message, tokens, whole)
            except NoAnswer as error:
                sent = error.outcome_unknown
                error.outcome_unknown = unknown = unknown or sent
                if not isinstance(error, ConnectionLost):
                    raise
                if sent and not operation.repeatable:
                    raise _not_again(error) from error
                if left <= 0:
                    raise
                await self._pause(unknown, _retry.pause(attempt))
                attempt += 1
                continue
            _warn(self._session, operation.name, response)
            if response.is_success:
                return response
            if response.status_code == 401 and tokens and not renewed:
                with _not_sent(unknown):
                    tokens, renewed = await self._session.renew(tokens, self._ask), True
                if tokens:
                    continue
            if response.status_code == 304:
                raise NotModified(f"{call}: what you have is current")
            problem = _problem(call, response)
            if left <= 0 or not _passes(problem, operation.repeatable):
                raise problem
            unknown = unknown or (message.writes and _begun(problem))
            await self._pause(unknown, _retry.pause(attempt, problem.retry_after))
            attempt += 1

    async def _pause(self, unknown: bool, seconds: float) -> None:
        with _not_sent(unknown):
            await self.wire.sleep(seconds)

    async def _send(self, message: Message, tokens: Tokens | None, whole: bool) -> httpx.Response:
        if tokens:
            headers = message.headers.copy()
            headers["Authorization"] = f"Bearer {tokens.access_token}"
            message = replace(message, headers=headers)
        response = await self.wire.send(message)
        if whole or not response.is_success:
            try:
                await self.wire.read(response)
            except NoAnswer as error:
                error.outcome_unknown = message.writes
                raise
            finally:
                await self.wire.release(response)
        return response

    async def _ask(self, call: Call) -> Token:
        response = await self._signing._answer(call, whole=True)
        return decode(Token, _json(response), response.headers)

    def _headers(self, call: Call) -> httpx.Headers:
        headers = httpx.Headers({"User-Agent": USER_AGENT, "Accept": call.operation.accepts})
        if call.operation.takes_key:
            headers["Idempotency-Key"] = str(uuid.uuid4())
        headers.update(call.fields())
        headers.update(self.options.headers)
        return headers


def _not_again(lost: ConnectionLost) -> ConnectionLost:
    return ConnectionLost(
        f"{lost}. It was not sent again, since the server may have carried it out",
        outcome_unknown=True,
    )


@contextlib.contextmanager
def _not_sent(unknown: bool) -> Iterator[None]:
    """For what comes before an attempt: what is not known of a sign-in, which others
    share, says nothing of the call.
    """
    try:
        yield
    except NoAnswer as error:
        raise type(error)(str(error), outcome_unknown=unknown) from error


def _begun(problem: Problem) -> bool:
    """Whether the server may have carried out, or be at, what was answered with this."""
    return problem.status in _retry.UNKNOWN or problem.code == "request-in-progress"


def _passes(problem: Problem, repeatable: bool) -> bool:
    """Whether the problem may be over after a wait that is not too long."""
    if (problem.retry_after or 0) > _retry.LONGEST_WAIT:
        return False
    if problem.code == "request-in-progress":  # the first attempt of this request is still at work
        return True
    return problem.status in _retry.NOT_BEGUN or (repeatable and problem.status in _retry.UNKNOWN)


def _json(response: httpx.Response) -> Any:
    try:
        return json.loads(response.content)
    except ValueError as error:
        raise UnreadableAnswer(f"The answer of {response.request.url} is not JSON") from error


def _problem(call: Call, response: httpx.Response) -> Problem:
    """Makes the exception of a refusal, by whomever it was made."""
    try:
        members = json.loads(response.content)
    except ValueError:
        members = None
    if not isinstance(members, dict):
        members = {}
    kind = str(members.get("type", "about:blank"))
    title = str(members.get("title", response.reason_phrase))
    detail = str(members.get("detail", ""))
    ours = "/problems/" in kind
    errors = [decode(FieldError, each, {}) for each in members.get("errors", []) if ours]
    fields = "".join(f"\n  {each.field}: {each.message}" for each in errors)
    return Problem(
        f"{call}: {response.status_code} {title}{': ' if detail else ''}{detail}{fields}",
        code=cast(Any, kind.rpartition("/")[2]) if ours else None,
        type=kind,
        title=title,
        status=response.status_code,
        detail=detail,
        request_id=members.get("request_id") or response.headers.get("X-Request-Id"),
        errors=errors,
        retry_after=_retry.retry_after(response.headers.get("Retry-After")),
    )


def _warn(session: Session, name: str, response: httpx.Response) -> None:
    """Warns once of an operation that is to end (RFC 9745, RFC 8594)."""
    if "Deprecation" not in response.headers or name in session.warned:
        return
    session.warned.add(name)
    end = ""
    if "Sunset" in response.headers:
        end = f" and ends on {parsedate_to_datetime(response.headers['Sunset']):%Y-%m-%d}"
    level, frame = 1, sys._getframe()
    inside = (os.path.dirname(__file__), contextlib.__file__)
    while frame.f_back and frame.f_code.co_filename.startswith(inside):
        level, frame = level + 1, frame.f_back
    warnings.warn(f"{name} is deprecated{end}", DeprecationWarning, stacklevel=level)
