"""How a client is made and closed. Its methods are generated (``gen``)."""

from __future__ import annotations

import copy
from collections.abc import AsyncGenerator, Generator, Mapping
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from types import TracebackType
from typing import TYPE_CHECKING, TypeVar

import httpx

from ._codec import UNSET, Unset
from ._core import Core, Options
from ._download import AsyncDownload, Download, async_download, download
from ._drive import iterate, run
from ._items import AsyncItems, Items
from ._operation import Call
from ._session import Session
from ._tokens import AsyncTokenStore, MemoryStore, TokenStore
from ._wire import TaskWire, ThreadWire, Wire

if TYPE_CHECKING:
    from typing_extensions import Self

T = TypeVar("T")
Item = TypeVar("Item")
Page = TypeVar("Page")

TIMEOUT = 30.0
RETRIES = 2


class _Configured:
    """What both clients have in common."""

    _core: Core

    def _start(
        self,
        base_url: str,
        wire: Wire,
        username: str | None,
        password: str | None,
        options: Options,
    ) -> None:
        if (username is None) != (password is None):
            raise ValueError("a user name needs a password, and a password a user name")
        credentials = (username, password) if username and password else None
        self._core = Core(base_url, wire, Session(wire, credentials), options)

    def with_options(
        self,
        *,
        headers: Mapping[str, str] | None = None,
        timeout: float | Unset | None = UNSET,
        retries: int | None = None,
    ) -> Self:
        """Gives a client with other options that shares session and connections.

        The headers are added to those that there are already.
        """
        now = self._core.options
        merged = httpx.Headers(now.headers)
        merged.update(headers)
        other = copy.copy(self)
        other._core = self._core.having(
            Options(
                headers=merged,
                timeout=now.timeout if isinstance(timeout, Unset) else timeout,
                retries=now.retries if retries is None else retries,
            )
        )
        return other


class Client(_Configured):
    """What ``Accord`` has beside the operations.

    It may be used by several threads. ``close`` from another thread ends calls in flight,
    and waits between their attempts, at once with ``Closed``.
    """

    def __init__(
        self,
        base_url: str,
        *,
        username: str | None = None,
        password: str | None = None,
        store: TokenStore | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = TIMEOUT,
        retries: int = RETRIES,
        transport: httpx.BaseTransport | None = None,
        http_client: httpx.Client | None = None,
    ) -> None:
        """Makes a client; nothing is sent yet.

        Args:
            base_url: Where the server is, as https://accord.example.com.
            username: The user name or e-mail address to sign in with at the first call.
            password: Its password.
            store: Where the tokens are kept; in memory unless given. Tokens that are there
                already make a password unnecessary.
            headers: Headers that go with every request.
            timeout: For how many seconds each attempt waits for its answer to begin, and
                for more of it then; None waits for ever.
            retries: How often a call is sent again.
            transport: Sends the requests in place of httpx's own transport.
            http_client: Sends the requests, and is not closed with this client.
        """
        if transport and http_client:
            raise ValueError("an http_client has a transport of its own")
        client = http_client or httpx.Client(transport=transport)
        wire = ThreadWire(client, http_client is None, store or MemoryStore())
        options = Options(httpx.Headers(headers), timeout, retries)
        self._start(base_url, wire, username, password, options)

    def close(self) -> None:
        """Ends calls in flight and the client's connections. The session goes on."""
        run(self._core.wire.close())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _value(self, call: Call, kind: type[T]) -> T:
        return run(self._core.value(call, kind))

    def _nothing(self, call: Call) -> None:
        run(self._core.nothing(call))

    def _items(self, call: Call, page: type[Page], item: type[Item]) -> Items[Item, Page]:
        return Items(lambda: self._core.pages(call, page))

    def _download(self, call: Call) -> AbstractContextManager[Download]:
        return download(self._core, call)

    def _events(self, call: Call, name: str, kind: type[T]) -> Generator[T, None, None]:
        return iterate(self._core.events(call, name, kind))


class AsyncClient(_Configured):
    """What ``AsyncAccord`` has beside the operations.

    It may be used by several tasks of one event loop; cancelling one ends its call at once,
    and no sign-in or refresh, which others may wait for.
    """

    def __init__(
        self,
        base_url: str,
        *,
        username: str | None = None,
        password: str | None = None,
        store: TokenStore | AsyncTokenStore | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = TIMEOUT,
        retries: int = RETRIES,
        transport: httpx.AsyncBaseTransport | None = None,
        http_client: httpx.AsyncClient | None = None,
    ) -> None:
        """Makes a client; nothing is sent yet.

        Args:
            base_url: Where the server is, as https://accord.example.com.
            username: The user name or e-mail address to sign in with at the first call.
            password: Its password.
            store: Where the tokens are kept; in memory unless given. Tokens that are there
                already make a password unnecessary.
            headers: Headers that go with every request.
            timeout: For how many seconds each attempt waits for its answer to begin, and
                for more of it then; None waits for ever.
            retries: How often a call is sent again.
            transport: Sends the requests in place of httpx's own transport.
            http_client: Sends the requests, and is not closed with this client.
        """
        if transport and http_client:
            raise ValueError("an http_client has a transport of its own")
        client = http_client or httpx.AsyncClient(transport=transport)
        wire = TaskWire(client, http_client is None, store or MemoryStore())
        options = Options(httpx.Headers(headers), timeout, retries)
        self._start(base_url, wire, username, password, options)

    async def aclose(self) -> None:
        """Ends the client's connections, after a sign-in or a refresh that is under way. The
        session goes on.
        """
        await self._core.wire.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def _value(self, call: Call, kind: type[T]) -> T:
        return await self._core.value(call, kind)

    async def _nothing(self, call: Call) -> None:
        await self._core.nothing(call)

    def _items(self, call: Call, page: type[Page], item: type[Item]) -> AsyncItems[Item, Page]:
        return AsyncItems(lambda: self._core.pages(call, page))

    def _download(self, call: Call) -> AbstractAsyncContextManager[AsyncDownload]:
        return async_download(self._core, call)

    def _events(self, call: Call, name: str, kind: type[T]) -> AsyncGenerator[T, None]:
        return self._core.events(call, name, kind)
