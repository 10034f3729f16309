"""The tokens of a session, and where they are kept."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Tokens:
    """The tokens of one session. They are secrets: whoever has them is signed in."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_at: float
    """When the access token expires, in seconds since 1970."""

    @property
    def expired(self) -> bool:
        """Whether the access token has expired by this machine's clock."""
        return time.time() >= self.expires_at


class TokenStore(Protocol):
    """Keeps the tokens of one session. Its methods may be called by any thread."""

    def load(self) -> Tokens | None:
        """Gives the tokens that were saved last; None where there are none."""

    def save(self, tokens: Tokens, /) -> None:
        """Keeps the tokens in place of former ones."""

    def clear(self) -> None:
        """Forgets the tokens."""


class AsyncTokenStore(Protocol):
    """Keeps the tokens of one session, for ``AsyncAccord``."""

    async def load(self) -> Tokens | None:
        """Gives the tokens that were saved last; None where there are none."""

    async def save(self, tokens: Tokens, /) -> None:
        """Keeps the tokens in place of former ones."""

    async def clear(self) -> None:
        """Forgets the tokens."""


class MemoryStore:
    """Keeps the tokens as long as it lives itself."""

    def __init__(self, tokens: Tokens | None = None) -> None:
        self._tokens = tokens

    def load(self) -> Tokens | None:
        """Gives the tokens that were saved last; None where there are none."""
        return self._tokens

    def save(self, tokens: Tokens, /) -> None:
        """Keeps the tokens in place of former ones."""
        self._tokens = tokens

    def clear(self) -> None:
        """Forgets the tokens."""
        self._tokens = None
