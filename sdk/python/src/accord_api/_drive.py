"""One logic for threads and for tasks.

What a call does is written once, as coroutines over a ``Wire``. The wire of the
synchronous client blocks and never suspends, so that its coroutines run from begin to end
when they are first resumed, in the caller's thread and without an event loop.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Coroutine, Generator
from typing import Any, TypeVar, cast

T = TypeVar("T")


def run(work: Awaitable[T]) -> T:
    """Runs what never suspends, and gives its result."""
    steps = cast("Coroutine[Any, Any, T]", work)
    try:
        steps.send(None)
    except StopIteration as end:
        return cast(T, end.value)
    steps.close()
    raise RuntimeError("a synchronous call has suspended")


def iterate(source: AsyncGenerator[T, None]) -> Generator[T, None, None]:
    """Iterates what never suspends."""
    try:
        while True:
            try:
                item = run(source.__anext__())
            except StopAsyncIteration:
                return
            yield item
    finally:
        run(source.aclose())
