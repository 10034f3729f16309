"""Who calls: the tokens of one session, signed in for and refreshed once."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Protocol

from ._errors import Problem
from ._operation import Call
from ._tokens import Tokens
from .gen.operations import REFRESH, SIGN_IN

if TYPE_CHECKING:
    from ._wire import Wire
    from .gen.models import Token


class TokenEndpoint(Protocol):
    """Makes a call that is answered with tokens, and needs none."""

    async def __call__(self, call: Call) -> Token:
        """Raises Problem and NoAnswer."""


class Session:
    """The tokens that all clients of one origin share."""

    def __init__(self, wire: Wire, credentials: tuple[str, str] | None) -> None:
        self._wire = wire
        self._credentials = credentials
        self._lock = wire.lock
        self._held: Tokens | None = None
        self.warned: set[str] = set()
        """The deprecated operations that a warning was given for."""

    async def tokens(self, ask: TokenEndpoint) -> Tokens | None:
        """Gives the tokens to call with; None where nobody is signed in.

        Signs in if there are none yet and there is a password.
        """
        if self._held is None:
            async with self._lock():
                if self._held is None:
                    self._held = await self._wire.load() or await self._sign_in(ask)
        return self._held

    async def renew(self, refused: Tokens, ask: TokenEndpoint) -> Tokens | None:
        """Gives tokens in place of those that the server has refused; None where the
        session has ended.

        Of many callers one refreshes, and the others get what it got. The store is asked
        first, since another process may have been faster.
        """
        async with self._lock():
            tokens = await self._wire.load()
            if tokens is not None and tokens.access_token == refused.access_token:
                tokens = await self._refresh(tokens, ask)
            self._held = tokens or await self._sign_in(ask)
            return self._held

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
