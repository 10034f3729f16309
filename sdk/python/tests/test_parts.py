"""Server-sent events, models, and the generator, each by itself."""

from __future__ import annotations

import copy
import datetime
import importlib.util
import json
import pickle
import sys
import types
import uuid
from pathlib import Path

import pytest

from accord_api import FieldError, Problem
from accord_api._codec import UNSET, decode, encode, parse_datetime
from accord_api._sse import Event, EventParser

ROOT = Path(__file__).parents[1]
DOCUMENT = ROOT.parents[1] / "gen/api/openapi.json"

STREAM = (
    "\ufeff: hello\n\nid: 1\nevent: notification\ndata: {\ndata:  }\n\n"
    "data: a\r\rid\r\ndata: 1\r\ndata\r\n\r\nid: x\0y\nretry: 250\nretry: 1s\nunknown: 1\n\n"
    "id: 2\ndata: ü\n\nevent: forgotten\ndata: not ended\n"
)
EVENTS = [
    Event("notification", "{\n }"),
    Event("message", "a"),
    Event("message", "1\n"),
    Event("message", "ü"),
]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_events_come_however_the_stream_is_cut(size):
    parser = EventParser()
    stream = STREAM.encode()
    chunks = [stream[i : i + size] for i in range(0, len(stream), size)]
    assert [event for chunk in chunks for event in parser.feed(chunk)] == EVENTS
    assert parser.retry == 0.25
    assert parser.last_id == "2"


@pytest.mark.parametrize(
    ("stream", "last_id"),
    [
        (": 1\n\n", "before"),
        ("id: 6\n\n", "6"),
        ("id: 6\n", "before"),
        ("id: 6\ndata: x\n\ndata: x\n\n", "6"),
        ("id: 6\n\nid: x\0y\n\n", "6"),
        ("id: 6\n\nid\n\n", ""),
    ],
)
def test_the_last_id_of_a_stream(stream, last_id):
    parser = EventParser("before")
    parser.feed(stream.encode())
    assert parser.last_id == last_id


@pytest.mark.parametrize(
    ("text", "microsecond", "hours"),
    [
        ("2026-01-15T09:30:00Z", 0, 0),
        ("2026-01-15t09:30:00.5z", 500000, 0),
        ("2026-01-15T09:30:00.123456789+02:00", 123456, 2),
    ],
)
def test_times(text, microsecond, hours):
    zone = datetime.timezone(datetime.timedelta(hours=hours))
    assert parse_datetime(text) == datetime.datetime(2026, 1, 15, 9, 30, 0, microsecond, zone)


@pytest.mark.parametrize("text", ["2026-01-15", "2026-01-15T09:30:00", "2026-13-15T09:30:00Z"])
def test_what_is_no_time(text):
    with pytest.raises(ValueError, match=r"time|month"):
        parse_datetime(text)


def test_a_problem_can_be_copied():
    fields = [FieldError(field="email", message="must be one", code="format")]
    problem = Problem("no", code="validation", status=422, errors=fields, retry_after=1)
    for other in (copy.copy(problem), pickle.loads(pickle.dumps(problem))):
        assert vars(other) == vars(problem)
        assert str(other) == "no"


def generator():
    """The generator as a module."""
    name = "generate"
    spec = importlib.util.spec_from_file_location(name, ROOT / "tools/generate.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def changed(change):
    """The document with a change."""
    document = json.loads(DOCUMENT.read_text())
    change(document)
    return generator().Document(document)


def test_a_member_that_may_be_null_or_absent(monkeypatch):
    def change(document):
        properties = document["components"]["schemas"]["UserUpdate"]["properties"]
        properties["class"] = {"type": ["string", "null"], "format": "uuid"}

    source = generator().models(changed(change))
    module = types.ModuleType("accord_api.gen.other")
    module.__package__ = "accord_api.gen"
    monkeypatch.setitem(sys.modules, module.__name__, module)
    exec(source, vars(module))
    update = module.UserUpdate
    known = uuid.uuid4()
    assert update().class_ is UNSET
    assert encode(update()) == {}
    assert encode(update(class_=None)) == {"class": None}
    assert encode(update(class_=known)) == {"class": str(known)}
    for each in (update(), update(class_=None), update(class_=known)):
        assert decode(update, encode(each), {}) == each


def test_a_deprecated_operation_is_marked():
    def change(document):
        operation = document["paths"]["/api/v1/users/me"]["get"]
        operation.update(
            {"deprecated": True, "x-sunset": "2027-01-01", "x-deprecated-reason": "Use getUser."}
        )

    document = changed(change)
    for tasks in (False, True):
        source = generator().client(document, tasks=tasks)
        marked = "    @deprecated('It ends on 2027-01-01. Use getUser.')\n"
        assert source.count("@deprecated") == 1
        assert marked + f"    {'async ' if tasks else ''}def get_me(self)" in source
        compile(source, "accord.py", "exec")


def test_what_cannot_be_generated_is_refused():
    module = generator()

    def several(document):
        part = document["components"]["schemas"]["UserUpdate"]["properties"]["full_name"]
        part.clear()
        part["oneOf"] = [{"type": "string"}, {"type": "integer"}]

    def gone(document):
        del document["paths"]["/api/v1/auth/logout"]

    for change, what in ((several, r"UserUpdate\.full_name"), (gone, "logout")):
        document = json.loads(DOCUMENT.read_text())
        change(document)
        with pytest.raises(module.Unsupported, match=what):
            module.models(module.Document(document))
