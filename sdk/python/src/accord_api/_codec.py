"""Models from JSON, and JSON from models.

A model is a generated dataclass. What the contract does not know is passed over, and an
enumeration takes any text, so that an older client reads a newer server.
"""

from __future__ import annotations

import dataclasses
import datetime
import enum
import functools
import re
import types
import typing
import uuid
from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeVar, cast

from ._errors import UnreadableAnswer

T = TypeVar("T")


class Unset(enum.Enum):
    """The type of ``UNSET``."""

    UNSET = "UNSET"

    def __repr__(self) -> str:
        return "UNSET"


UNSET: Literal[Unset.UNSET] = Unset.UNSET
"""Stands for a member that is left out, where None is a value of its own."""


def decode(kind: type[T], data: object, headers: Mapping[str, str]) -> T:
    """Makes a model of what JSON held, with what stands in headers.

    Raises UnreadableAnswer where members are missing or of another type.
    """
    try:
        value = _decoder(cast(Any, kind))(data)
        for field in dataclasses.fields(cast(Any, kind)):
            if header := field.metadata.get("header"):
                setattr(value, field.name, headers.get(header))
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        raise UnreadableAnswer(f"The answer is not a {kind.__name__}: {error!r}") from error
    return cast(T, value)


@functools.cache
def _decoder(kind: Any) -> Callable[[Any], Any]:
    origin, args = typing.get_origin(kind), typing.get_args(kind)
    if dataclasses.is_dataclass(kind):
        return _Model(cast(type, kind))
    if origin in (typing.Union, types.UnionType):
        decoders = [_decoder(arg) for arg in args if arg not in (type(None), Unset)]
        if len(decoders) != 1:
            raise TypeError(f"{kind} is of several types")
        return lambda data: None if data is None else decoders[0](data)
    if origin is list:
        item = _decoder(args[0])
        return lambda data: [item(each) for each in _a(list, data)]
    if origin is dict:
        return lambda data: _a(dict, data)
    if origin is Literal:
        return lambda data: _a(type(args[0]), data)
    special: dict[Any, Callable[[Any], Any]] = {
        uuid.UUID: uuid.UUID,
        datetime.datetime: parse_datetime,
        datetime.date: datetime.date.fromisoformat,
        float: lambda data: float(_a((int, float), data)),
        Any: lambda data: data,
    }
    return special.get(kind) or (lambda data: _a(kind, data))


def _a(kind: type | tuple[type, ...], data: object) -> Any:
    if not isinstance(data, kind) or (isinstance(data, bool) and kind is not bool):
        raise TypeError(f"{data!r} is not {kind}")
    return data


class _Model:
    """Decodes one dataclass. Its fields are looked at when they are first needed, since a
    model may hold itself.
    """

    def __init__(self, kind: type) -> None:
        self._kind = kind

    @functools.cached_property
    def _fields(self) -> list[tuple[str, str, bool, Callable[[Any], Any]]]:
        hints = typing.get_type_hints(self._kind)
        return [
            (
                field.name,
                member_name(field),
                field.default is dataclasses.MISSING,
                _decoder(hints[field.name]),
            )
            for field in dataclasses.fields(cast(Any, self._kind))
            if "header" not in field.metadata
        ]

    def __call__(self, data: Any) -> Any:
        _a(dict, data)
        return self._kind(
            **{
                name: decoder(data[member])
                for name, member, required, decoder in self._fields
                if required or member in data
            }
        )


def member_name(field: dataclasses.Field[Any]) -> str:
    """What the field is called in JSON."""
    return cast(str, field.metadata.get("name", field.name))


_TIME = re.compile(r"(\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d)(?:\.(\d+))?([Zz]|[+-]\d\d:\d\d)")


def parse_datetime(text: str) -> datetime.datetime:
    """Reads a time of RFC 3339, to the microsecond."""
    match = _TIME.fullmatch(text)
    if not match:
        raise ValueError(f"{text!r} is not a time of RFC 3339")
    moment, fraction, zone = match.groups(default="")
    zone = "+00:00" if zone in "Zz" else zone
    return datetime.datetime.fromisoformat(f"{moment}.{fraction[:6]:0<6}{zone}")


def encode(value: object) -> Any:
    """Makes what JSON can hold of a model or a part of one."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {
            member_name(field): encode(member)
            for field in dataclasses.fields(value)
            if (member := getattr(value, field.name)) is not UNSET
            and not (member is None and field.default is None)
            and "header" not in field.metadata
        }
    if isinstance(value, datetime.datetime):
        if value.tzinfo is None:
            raise ValueError(f"{value} says no time zone")
        return value.isoformat()
    if isinstance(value, (datetime.date, uuid.UUID)):
        return str(value)
    if isinstance(value, (list, tuple)):
        return [encode(each) for each in value]
    if isinstance(value, dict):
        return {key: encode(each) for key, each in value.items()}
    return value


def text_of(value: object) -> str:
    """Writes a parameter as it stands in a path, a query, a form or a header."""
    encoded = encode(value)
    return str(encoded).lower() if isinstance(encoded, bool) else str(encoded)
