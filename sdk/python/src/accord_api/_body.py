"""What a request sends."""

from __future__ import annotations

import io
import json
import os
import secrets
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable, Iterable
from pathlib import Path
from typing import Any, BinaryIO, Protocol, TypeAlias, TypeVar, cast
from urllib.parse import urlencode

from ._codec import encode, text_of

T = TypeVar("T")

FileContent: TypeAlias = "bytes | os.PathLike[str] | BinaryIO | Iterable[bytes]"
"""What can be uploaded: bytes, a path, a file that is open for reading bytes, or chunks."""
AsyncFileContent: TypeAlias = "FileContent | AsyncIterable[bytes]"
"""As ``FileContent``, or chunks that have to be waited for."""

_CHUNK = 64 * 1024


class Blocking(Protocol):
    """Calls what blocks, as far as possible without blocking others."""

    def __call__(self, call: Callable[[], T], /) -> Awaitable[T]:
        """Gives what the call gives."""


class Body:
    """Bytes that are at hand, and can be sent any number of times."""

    content_type: str | None
    content: bytes
    once: bool = False

    def __init__(self, content_type: str | None, content: bytes) -> None:
        self.content_type = content_type
        self.content = content


class Upload:
    """A form with one file (RFC 7578), made while it is sent.

    ``once`` says that the file cannot be read again, and ``length`` how many bytes there
    are, if that is known.
    """

    content_type: str
    length: int | None
    once: bool

    def __init__(self, field: str, content: AsyncFileContent, filename: str | None) -> None:
        boundary = secrets.token_hex(16)
        self.content_type = f"multipart/form-data; boundary={boundary}"
        name = filename or _name_of(content)
        for character, escape in (('"', "%22"), ("\r", "%0D"), ("\n", "%0A")):
            name = name.replace(character, escape)
        self._head = (
            f'--{boundary}\r\nContent-Disposition: form-data; name="{field}"; filename="{name}"\r\n'
            "Content-Type: application/octet-stream\r\n\r\n"
        ).encode()
        self._tail = f"\r\n--{boundary}--\r\n".encode()
        self._content = content
        self._start = 0
        self.length = None
        size: int | None = None
        self.once = False
        if isinstance(content, bytes):
            size = len(content)
        elif isinstance(content, os.PathLike):
            size = os.path.getsize(content)
        elif _is_file(content):
            file = cast(BinaryIO, content)
            self.once = not file.seekable()
            if not self.once:
                self._start = file.tell()
                size = file.seek(0, os.SEEK_END) - self._start
                file.seek(self._start)
        else:
            self.once = content is _iterator(content)
        if size is not None:
            self.length = len(self._head) + size + len(self._tail)

    async def chunks(self, blocking: Blocking) -> AsyncGenerator[bytes, None]:
        """Gives the form from its beginning."""
        yield self._head
        content = self._content
        if isinstance(content, bytes):
            yield content
        elif isinstance(content, os.PathLike):
            with open(content, "rb") as opened:
                while chunk := await blocking(lambda: opened.read(_CHUNK)):
                    yield chunk
        elif _is_file(content):
            file = cast(BinaryIO, content)
            if not self.once:
                file.seek(self._start)
            while chunk := await blocking(lambda: file.read(_CHUNK)):
                yield chunk
        elif isinstance(content, AsyncIterable):
            async for chunk in content:
                yield chunk
        else:
            for chunk in content:
                yield chunk
        yield self._tail


def _name_of(content: AsyncFileContent) -> str:
    name = content if isinstance(content, os.PathLike) else getattr(content, "name", None)
    return Path(name).name if isinstance(name, (str, os.PathLike)) else "file"


def _is_file(content: object) -> bool:
    if isinstance(content, io.TextIOBase):
        raise TypeError("a file to upload has to be opened for bytes: open(path, 'rb')")
    return hasattr(content, "read") and hasattr(content, "seekable")


def _iterator(content: Any) -> object:
    return content.__aiter__() if isinstance(content, AsyncIterable) else iter(content)


def body_of(content_type: str | None, value: object) -> Body | Upload | None:
    """Makes the body of a call, None where it has none."""
    if value is None or isinstance(value, Upload):
        return value
    encoded = encode(value)
    if content_type == "application/x-www-form-urlencoded":
        form = {name: text_of(each) for name, each in encoded.items()}
        return Body(content_type, urlencode(form).encode())
    return Body(content_type, json.dumps(encoded, ensure_ascii=False).encode())
