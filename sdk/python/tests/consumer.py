"""A user's code, for type checkers: what it gets is of one exact type, and what is wrong is
found. It is not run."""

# pyright: strict

import uuid

from typing_extensions import assert_type

from accord_api import (
    Accord,
    AsyncAccord,
    MemoryStore,
    PasswordChange,
    Problem,
    ProblemCode,
    Session,
    SessionPage,
    Tokens,
    User,
)


def threads(accord: Accord) -> None:
    assert_type(accord.get_me(), User)
    for session in accord.list_sessions(page_size=5):
        assert_type(session, Session)
    for page in accord.list_sessions().pages():
        assert_type(page, SessionPage)
    assert_type(accord.with_options(timeout=None), Accord)
    assert_type(accord.logout(), None)


async def tasks(accord: AsyncAccord) -> None:
    assert_type(await accord.get_me(), User)
    async for session in accord.list_sessions():
        assert_type(session, Session)
    assert_type(await accord.get_user(uuid.uuid4()), User)


def problems(problem: Problem) -> int:
    assert_type(problem.code, ProblemCode | None)
    match problem.code:
        case "username-taken" | "validation":
            return len(problem.errors)
        case _:
            return problem.status


class Store:
    """A store of one's own needs no base class."""

    def load(self) -> Tokens | None:
        return None

    def save(self, tokens: Tokens) -> None: ...

    def clear(self) -> None: ...


class AsyncStore:
    async def load(self) -> Tokens | None:
        return None

    async def save(self, tokens: Tokens) -> None: ...

    async def clear(self) -> None: ...


def stores() -> None:
    Accord("", store=Store())
    Accord("", store=MemoryStore())
    AsyncAccord("", store=Store())
    AsyncAccord("", store=AsyncStore())


def mistakes(accord: Accord) -> None:
    # Each is a mistake that has to be found: mypy --strict fails on an ignore that hides nothing.
    PasswordChange()  # type: ignore[call-arg]
    accord.list_sessions(page_size="many")  # type: ignore[arg-type]
    _ = accord.get_me().nickname  # type: ignore[attr-defined]
    accord.get_user(7)  # type: ignore[arg-type]
    Accord("", store=AsyncStore())  # type: ignore[arg-type]
