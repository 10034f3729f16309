"""What there is to know of an operation, and of one call of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

from ._codec import text_of


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation of the contract."""

    name: str
    method: str
    path: str
    signed_in: bool = True
    """Whether it needs an access token."""
    takes_key: bool = False
    """Whether it takes an Idempotency-Key."""
    sends: str | None = None
    """The content type of its body."""
    accepts: str = "application/json"
    gives_tokens: bool = False
    """Whether its answer holds the tokens of a session."""
    ends_session: bool = False

    @property
    def repeatable(self) -> bool:
        """Whether it may be sent again when nobody knows if it was carried out."""
        return self.takes_key or self.method in ("GET", "HEAD", "PUT", "DELETE")


@dataclass(frozen=True, slots=True)
class Call:
    """An operation with its arguments. None stands for what is left out."""

    operation: Operation
    path: Mapping[str, object] = field(default_factory=dict)
    query: Mapping[str, object] = field(default_factory=dict)
    headers: Mapping[str, object] = field(default_factory=dict)
    body: object = None

    def target(self) -> str:
        """The path with its parameters."""
        return self.operation.path.format_map(
            {name: quote(text_of(value), safe="") for name, value in self.path.items()}
        )

    def parameters(self) -> dict[str, list[str]]:
        """The query; a list is the parameter once for each item."""
        given = {name: value for name, value in self.query.items() if value is not None}
        return {
            name: [
                text_of(each) for each in (value if isinstance(value, (list, tuple)) else [value])
            ]
            for name, value in given.items()
        }

    def fields(self) -> dict[str, str]:
        """The headers that are parameters."""
        return {name: text_of(value) for name, value in self.headers.items() if value is not None}

    def __str__(self) -> str:
        return f"{self.operation.method} {self.target()}"
