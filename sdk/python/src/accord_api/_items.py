"""Lists as iterators."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Iterator
from typing import Any, Generic, TypeVar, cast

from ._drive import iterate

Item = TypeVar("Item")
Page = TypeVar("Page")


async def _items(pages: AsyncGenerator[Page, None]) -> AsyncGenerator[Any, None]:
    try:
        async for page in pages:
            for item in cast(Any, page).items:
                yield item
    finally:
        await pages.aclose()


class AsyncItems(AsyncIterator[Item], Generic[Item, Page]):
    """The items of a list. It asks for a page when one is needed."""

    def __init__(self, pages: Callable[[], AsyncGenerator[Page, None]]) -> None:
        self._pages = pages
        self._items: AsyncGenerator[Item, None] = _items(pages())

    async def __anext__(self) -> Item:
        return await self._items.__anext__()

    def pages(self) -> AsyncGenerator[Page, None]:
        """Gives the list page by page, from its beginning."""
        return self._pages()


class Items(Iterator[Item], Generic[Item, Page]):
    """The items of a list. It asks for a page when one is needed."""

    def __init__(self, pages: Callable[[], AsyncGenerator[Page, None]]) -> None:
        self._pages = pages
        self._items: Generator[Item, None, None] = iterate(_items(pages()))

    def __next__(self) -> Item:
        return next(self._items)

    def pages(self) -> Generator[Page, None, None]:
        """Gives the list page by page, from its beginning."""
        return iterate(self._pages())
