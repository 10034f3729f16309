"""Who calls: the tokens of one session, signed in for and refreshed once."""

from __future__ import annotations

import threading
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, NoReturn, Protocol

from ._errors import Problem
from ._operation import Call
from ._tokens import Tokens
from .gen.operations import REFRESH, SIGN_IN

if TYPE_CHECKING:
    from ._wire import Signal, Wire
    from .gen.models import Token


class TokenEndpoint(Protocol):
    """Makes a call that is answered with tokens, and needs none."""

    async def __call__(self, call: Call) -> Token:
        """Raises Problem and NoAnswer."""


class _Search:
    """A search for tokens, whose outcome all who wait for it share."""

    def __init__(self, ended: Signal) -> None:
        self.ended = ended
        self.outcome: Callable[[], Tokens | None] | None = None
        """Gives the tokens, or raises what has kept them away. None where the search was
        given up, as by Ctrl-C in the thread that made it.
        """

    async def make(self, search: Callable[[], Awaitable[Tokens | None]]) -> None:
        try:
            tokens = await search()
        except Exception as error:
            self.outcome = _raising(error)
        else:
            self.outcome = lambda: tokens


def _raising(error: Exception) -> Callable[[], NoReturn]:
    def outcome() -> NoReturn:
        raise error

    return outcome


class Session:
    """The tokens that all clients of one origin share."""

    def __init__(self, wire: Wire, credentials: tuple[str, str] | None) -> None:
        self._wire = wire
        self._credentials = credentials
        self._lock = threading.Lock()
        self._search: _Search | None = None
        self._held: Tokens | None = None
        self.warned: set[str] = set()
        """The deprecated operations that a warning was given for."""

    async def tokens(self, ask: TokenEndpoint) -> Tokens | None:
        """Gives the tokens to call with; None where nobody is signed in.

        Signs in if there are none yet and there is a password.
        """
        if self._held is not None:
            return self._held

        async def search() -> Tokens | None:
            if self._held is None:
                self._held = await self._wire.load() or await self._sign_in(ask)
            return self._held

        return await self._shared(search)

    async def renew(self, refused: Tokens, ask: TokenEndpoint) -> Tokens | None:
        """Gives tokens in place of those that the server has refused; None where the
        session has ended.

        The store is asked first, since another process may have been faster.
        """

        async def search() -> Tokens | None:
            tokens = await self._wire.load()
            if tokens is not None and tokens.access_token == refused.access_token:
                tokens = await self._refresh(tokens, ask)
            self._held = tokens or await self._sign_in(ask)
            return self._held

        return await self._shared(search)

    async def _shared(self, search: Callable[[], Awaitable[Tokens | None]]) -> Tokens | None:
        """Searches for tokens, unless somebody does so already, and gives what was found,
        or raises what everybody who waits for it gets. A caller who is cancelled ends
        neither the search nor the waits of others.
        """
        while True:
            with self._lock:
                under_way = self._search
                mine = under_way or _Search(self._wire.signal())
                self._search = mine

            async def work(made: _Search = mine) -> None:
                try:
                    await made.make(search)
                finally:
                    with self._lock:
                        self._search = None
                    made.ended.set()

            if under_way is None:
                await self._wire.apart(work)
            else:
                await mine.ended.wait()
            if mine.outcome is not None:
                return mine.outcome()

    async def keep(self, token: Token) -> Tokens:
        """Keeps what a token endpoint has answered."""
        tokens = Tokens(token.access_token, token.refresh_token, time.time() + token.expires_in)
        await self._wire.save(tokens)
        self._held = tokens
        return tokens

    async def forget(self) -> None:
        """Forgets tokens and password: the session has been ended."""
        self._credentials = self._held = None
        await self._wire.clear()

    async def _sign_in(self, ask: TokenEndpoint) -> Tokens | None:
        if self._credentials is None:
            return None
        username, password = self._credentials
        form = {"grant_type": "password", "username": username, "password": password}
        return await self.keep(await ask(Call(SIGN_IN, body=form)))

    async def _refresh(self, tokens: Tokens, ask: TokenEndpoint) -> Tokens | None:
        form = {"grant_type": "refresh_token", "refresh_token": tokens.refresh_token}
        try:
            return await self.keep(await ask(Call(REFRESH, body=form)))
        except Problem as problem:
            if problem.code != "invalid-grant":
                raise
            await self._wire.clear()
            return None
