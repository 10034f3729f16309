"""Server-sent events (HTML standard, 9.2)."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

_END = re.compile(r"\r\n|\n|\r")


@dataclass(frozen=True, slots=True)
class Event:
    """One event."""

    name: str
    data: str


class EventParser:
    """Makes events of the bytes of a stream, however they are cut."""

    retry: float | None = None
    """After how many seconds the server wants a new connection, once it has said so."""

    def __init__(self, last_id: str | None = None) -> None:
        self.last_id = last_id
        """The last id that the stream gave, with an event or without one."""
        self._decode = codecs.getincrementaldecoder("utf-8-sig")("replace").decode
        self._text = ""
        self._name = ""
        self._data: list[str] = []
        self._id = last_id

    def feed(self, chunk: bytes) -> list[Event]:
        """Takes the next bytes and gives the events that end in them."""
        # A CR that ends the text may be the first half of a CRLF.
        text = self._text + self._decode(chunk)
        held = "\r" if text.endswith("\r") else ""
        *lines, rest = _END.split(text[: len(text) - len(held)])
        self._text = rest + held
        return [event for line in lines if (event := self._line(line))]

    def _line(self, line: str) -> Event | None:
        if not line:
            name, data = self._name, self._data
            self._name, self._data, self.last_id = "", [], self._id
            return Event(name or "message", "\n".join(data)) if data else None
        field, _, value = line.partition(":")
        value = value[1:] if value.startswith(" ") else value
        if field == "event":
            self._name = value
        elif field == "data":
            self._data.append(value)
        elif field == "id" and "\0" not in value:
            self._id = value
        elif field == "retry" and value.isascii() and value.isdigit():
            self.retry = int(value) / 1000
        return None
