"""What sends requests: httpx, by threads or by tasks."""

from __future__ import annotations

import asyncio
import inspect
import math
import socket
import threading
import time
import weakref
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar, cast

import anyio
import anyio.to_thread
import httpx

from ._body import Body, Upload
from ._drive import iterate
from ._errors import Closed, ConnectionLost, NoAnswer, TimedOut, UnreadableAnswer
from ._tokens import AsyncTokenStore, Tokens, TokenStore

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Message:
    """A request that is ready to be sent, any number of times unless its body is once."""

    method: str
    url: str
    query: dict[str, list[str]]
    headers: httpx.Headers
    body: Body | Upload | None
    timeout: float | None
    """For how many seconds to wait for the answer to begin."""
    idle: float | None
    """For how many seconds the answer may pause once it has begun."""

    @property
    def writes(self) -> bool:
        """Whether it asks for a change."""
        return self.method not in ("GET", "HEAD")


class Signal(Protocol):
    """What some wait for until another one sets it."""

    def set(self) -> object:
        """Ends all waits."""

    async def wait(self) -> object:
        """Waits, unless it is set already."""


class ThreadSignal:
    """A signal between threads."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def set(self) -> None:
        self._event.set()

    async def wait(self) -> None:
        self._event.wait()


class Wire(Protocol):
    """Sends requests and waits. Its methods raise NoAnswer and UnreadableAnswer."""

    closed: bool

    async def send(self, message: Message) -> httpx.Response:
        """Gives the answer once its headers are there."""

    async def read(self, response: httpx.Response) -> None:
        """Reads the whole body, for ``response.content``, and releases the connection."""

    def chunks(self, response: httpx.Response) -> AsyncGenerator[bytes, None]:
        """Gives the body as it comes."""

    async def release(self, response: httpx.Response) -> None:
        """Gives the connection back, or ends it if there is more to come."""

    async def sleep(self, seconds: float) -> None:
        """Waits."""

    async def blocking(self, call: Callable[[], T]) -> T:
        """Calls what blocks."""

    def signal(self) -> Signal:
        """Gives what some wait for until another one sets it."""

    async def apart(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Does work, which goes on to its end when the caller is cancelled. It raises
        nothing.
        """

    async def load(self) -> Tokens | None:
        """Loads the tokens from the store."""

    async def save(self, tokens: Tokens) -> None:
        """Saves the tokens in the store."""

    async def clear(self) -> None:
        """Clears the store."""

    async def close(self) -> None:
        """Ends the connections that are the client's own."""


class _Wire:
    """What both wires have in common."""

    closed = False

    def _content(self, message: Message) -> tuple[httpx.Headers, Any]:
        """The headers with those of the body, and the body's chunks or bytes."""
        headers, body = message.headers.copy(), message.body
        if body is None:
            return headers, None
        if body.content_type:
            headers.setdefault("Content-Type", body.content_type)
        if isinstance(body, Body):
            return headers, body.content
        if body.length is not None:
            headers["Content-Length"] = str(body.length)
        return headers, body.chunks(cast(Wire, self).blocking)

    @contextmanager
    def _translated(self, what: str, writes: bool = False) -> Iterator[None]:
        """Raises the errors of this package for those of httpx."""
        try:
            if self.closed:
                raise Closed(f"{what}: the client is closed")
            yield
        except (httpx.ConnectTimeout, httpx.PoolTimeout) as error:  # nothing was sent
            raise self._lost(TimedOut, f"{what}: no connection in time") from error
        except httpx.ConnectError as error:
            text = f"{what}: the server could not be reached ({error})"
            raise self._lost(ConnectionLost, text) from error
        except (TimeoutError, httpx.TimeoutException) as error:
            if isinstance(error, NoAnswer):
                raise
            raise self._lost(TimedOut, f"{what}: no answer in time", writes) from error
        except httpx.DecodingError as error:
            raise UnreadableAnswer(f"{what}: {error}") from error
        except (httpx.TransportError, httpx.StreamError) as error:
            text = f"{what}: the connection was lost ({error or type(error).__name__})"
            raise self._lost(ConnectionLost, text, writes) from error

    def _lost(self, kind: type[NoAnswer], text: str, writes: bool = False) -> NoAnswer:
        if self.closed:
            return Closed(f"{text}: the client was closed", outcome_unknown=writes)
        return kind(text, outcome_unknown=writes)


def _named(response: httpx.Response) -> str:
    return f"{response.request.method} {response.request.url.path}"


class ThreadWire(_Wire):
    """Blocks the caller's thread.

    Closing it from another thread ends what is in flight: it shuts the sockets, which it
    learns from the events of httpcore (the extension "trace").
    """

    def __init__(self, client: httpx.Client, owned: bool, store: TokenStore) -> None:
        self._client = client
        self._owned = owned
        self._store = store
        self._ended = threading.Event()
        self._sockets: weakref.WeakSet[socket.socket] = weakref.WeakSet()

    async def send(self, message: Message) -> httpx.Response:
        headers, content = self._content(message)
        phases = ("connect", "read", "write", "pool")
        limits: dict[str, float | None] = dict.fromkeys(phases, message.timeout)
        end = math.inf if message.timeout is None else time.monotonic() + message.timeout

        def paced(chunks: Iterator[bytes]) -> Iterator[bytes]:
            for chunk in chunks:
                if time.monotonic() >= end:
                    raise TimeoutError
                yield chunk

        def trace(event: str, info: dict[str, Any]) -> None:
            if event in ("connection.connect_tcp.complete", "connection.start_tls.complete"):
                connected = info["return_value"].get_extra_info("socket")
                self._sockets.add(connected)
                if self.closed:  # since the connection was begun
                    _shut(connected)
            elif event.endswith(".started") and message.timeout is not None:
                left = max(0.001, end - time.monotonic())
                limits.update(read=left, write=left)

        with self._translated(f"{message.method} {message.url}", message.writes):
            request = self._client.build_request(
                message.method,
                message.url,
                params=message.query,
                headers=headers,
                content=paced(iterate(content)) if isinstance(message.body, Upload) else content,
                extensions={"timeout": limits, "trace": trace},
            )
            response = self._client.send(request, stream=True)
            request.extensions.pop("trace")
            limits["read"] = message.idle
            return response

    async def read(self, response: httpx.Response) -> None:
        with self._translated(_named(response)):
            response.read()

    async def chunks(self, response: httpx.Response) -> AsyncGenerator[bytes, None]:
        with self._translated(_named(response)):
            for chunk in response.iter_bytes():
                yield chunk

    async def release(self, response: httpx.Response) -> None:
        response.close()

    async def sleep(self, seconds: float) -> None:
        if self._ended.wait(seconds):
            raise Closed("the client was closed between two attempts")

    async def blocking(self, call: Callable[[], T]) -> T:
        return call()

    def signal(self) -> Signal:
        return ThreadSignal()

    async def apart(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        await work()

    async def load(self) -> Tokens | None:
        return self._store.load()

    async def save(self, tokens: Tokens) -> None:
        self._store.save(tokens)

    async def clear(self) -> None:
        self._store.clear()

    async def close(self) -> None:
        self.closed = True
        self._ended.set()
        if self._owned:
            for each in list(self._sockets):
                _shut(each)
            self._client.close()


def _shut(connected: socket.socket) -> None:
    """Ends a connection, and wakes the thread that reads from it."""
    with suppress(OSError):  # it has ended already
        connected.shutdown(socket.SHUT_RDWR)


class TaskWire(_Wire):
    """Lets other tasks run."""

    def __init__(
        self, client: httpx.AsyncClient, owned: bool, store: TokenStore | AsyncTokenStore
    ) -> None:
        self._client = client
        self._owned = owned
        self._store = store
        self._works: set[asyncio.Task[None]] = set()

    async def send(self, message: Message) -> httpx.Response:
        headers, content = self._content(message)
        limits: dict[str, float | None] = dict.fromkeys(("connect", "read", "write", "pool"))
        connecting = False

        async def trace(event: str, info: dict[str, Any]) -> None:
            nonlocal connecting
            if event.endswith(".started"):
                connecting = event.startswith("connection.")

        with self._translated(f"{message.method} {message.url}", message.writes):
            request = self._client.build_request(
                message.method,
                message.url,
                params=message.query,
                headers=headers,
                content=content,
                extensions={"timeout": limits, "trace": trace},
            )
            try:
                with anyio.fail_after(message.timeout):
                    response = await self._client.send(request, stream=True)
            except TimeoutError as error:
                if connecting:
                    raise httpx.ConnectTimeout(str(error)) from error
                raise
            request.extensions.pop("trace")
            limits["read"] = message.idle
            return response

    async def read(self, response: httpx.Response) -> None:
        with self._translated(_named(response)):
            await response.aread()

    async def chunks(self, response: httpx.Response) -> AsyncGenerator[bytes, None]:
        with self._translated(_named(response)):
            async for chunk in response.aiter_bytes():
                yield chunk

    async def release(self, response: httpx.Response) -> None:
        await response.aclose()

    async def sleep(self, seconds: float) -> None:
        await anyio.sleep(seconds)

    async def blocking(self, call: Callable[[], T]) -> T:
        return await anyio.to_thread.run_sync(call)

    def signal(self) -> Signal:
        return anyio.Event()

    async def apart(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:  # it is Trio, where no task outlives its caller: that waits
            with anyio.CancelScope(shield=True):
                await work()
            return
        task = loop.create_task(work())
        self._works.add(task)
        task.add_done_callback(self._works.discard)
        await asyncio.shield(task)

    async def load(self) -> Tokens | None:
        tokens = self._store.load()
        return await tokens if inspect.isawaitable(tokens) else tokens

    async def save(self, tokens: Tokens) -> None:
        done = self._store.save(tokens)
        if inspect.isawaitable(done):
            await done

    async def clear(self) -> None:
        done = self._store.clear()
        if inspect.isawaitable(done):
            await done

    async def close(self) -> None:
        try:
            if self._works:  # the server has perhaps given tokens already
                await asyncio.wait(self._works)
        finally:
            self.closed = True
            if self._owned:
                await self._client.aclose()
