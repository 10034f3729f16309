"""Files and exports as they come."""

from __future__ import annotations

import codecs
import os
import re
import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager, contextmanager
from email.message import Message
from functools import partial
from pathlib import Path
from urllib.parse import unquote

import httpx

from ._core import Core
from ._drive import iterate, run
from ._operation import Call
from ._wire import Wire

_EXTENDED = re.compile(r"; *filename\*=UTF-8'[^']*'([^; ]+)", re.IGNORECASE)


class _Answer:
    """What the headers say of the bytes that come."""

    def __init__(self, response: httpx.Response) -> None:
        self._response = response

    @property
    def name(self) -> str:
        """What to save it as: a name without folders, empty where the server says none."""
        disposition = self._response.headers.get("Content-Disposition", "")
        # The form for all characters goes before the one for ASCII (RFC 6266, section 4.3).
        if extended := _EXTENDED.search(disposition):
            name = unquote(extended[1])
        else:
            message = Message()
            message["Content-Disposition"] = disposition
            name = message.get_filename() or ""
        name = name.replace("\\", "/").rpartition("/")[2]
        return "" if name in (".", "..") else name

    @property
    def content_type(self) -> str:
        """What the bytes are."""
        return str(self._response.headers.get("Content-Type", ""))

    @property
    def size(self) -> int | None:
        """How many bytes come; None where the server does not know."""
        if "Content-Encoding" in self._response.headers:
            return None
        length = self._response.headers.get("Content-Length")
        return None if length is None else int(length)

    @property
    def status(self) -> int:
        """200, or 206 for a part."""
        return self._response.status_code

    @property
    def headers(self) -> httpx.Headers:
        """The headers of the answer."""
        return self._response.headers


class AsyncDownload(_Answer):
    """Bytes that come; ``async for`` gives them in chunks.

    One that breaks off raises ConnectionLost, so that half is never taken for all.
    """

    def __init__(self, wire: Wire, response: httpx.Response) -> None:
        super().__init__(response)
        self._wire = wire

    def __aiter__(self) -> AsyncGenerator[bytes, None]:
        return self._wire.chunks(self._response)

    async def read(self) -> bytes:
        """Reads everything into memory."""
        await self._wire.read(self._response)
        return self._response.content

    async def lines(self) -> AsyncGenerator[str, None]:
        """Gives the lines of a text, each with its end, as ``csv.reader`` wants them."""
        decoder = codecs.getincrementaldecoder("utf-8-sig")()
        rest = ""
        async with aclosing(self.__aiter__()) as chunks:
            async for chunk in chunks:
                *lines, rest = (rest + decoder.decode(chunk)).split("\n")
                for line in lines:
                    yield line + "\n"
        rest += decoder.decode(b"", final=True)
        if rest:
            yield rest

    async def save(self, path: str | os.PathLike[str]) -> Path:
        """Saves it as the path, or in it under its own name if that is a folder, and gives
        the path of the file. The file is there when it is whole, and not before.
        """
        target = Path(path)
        if target.is_dir():
            target = target / (self.name or "download")
        part = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
        try:
            with open(part, "xb") as file:
                async with aclosing(self.__aiter__()) as chunks:
                    async for chunk in chunks:
                        await self._wire.blocking(partial(file.write, chunk))
            os.replace(part, target)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
        return target


class Download(_Answer):
    """Bytes that come; iterating gives them in chunks.

    One that breaks off raises ConnectionLost, so that half is never taken for all.
    """

    def __init__(self, wire: Wire, response: httpx.Response) -> None:
        super().__init__(response)
        self._download = AsyncDownload(wire, response)

    def __iter__(self) -> Iterator[bytes]:
        return iterate(self._download.__aiter__())

    def read(self) -> bytes:
        """Reads everything into memory."""
        return run(self._download.read())

    def lines(self) -> Iterator[str]:
        """Gives the lines of a text, each with its end, as ``csv.reader`` wants them."""
        return iterate(self._download.lines())

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Saves it as the path, or in it under its own name if that is a folder, and gives
        the path of the file. The file is there when it is whole, and not before.
        """
        return run(self._download.save(path))


@asynccontextmanager
async def async_download(core: Core, call: Call) -> AsyncIterator[AsyncDownload]:
    """Makes the call and gives its bytes."""
    response = await core.open(call)
    try:
        yield AsyncDownload(core.wire, response)
    finally:
        await core.wire.release(response)


@contextmanager
def download(core: Core, call: Call) -> Iterator[Download]:
    """Makes the call and gives its bytes."""
    response = run(core.open(call))
    try:
        yield Download(core.wire, response)
    finally:
        run(core.wire.release(response))
