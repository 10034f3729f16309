"""Writes src/accord_api/gen from the published OpenAPI document.

    python tools/generate.py ../../gen/api/openapi.json src/accord_api/gen

What it cannot put into Python well it refuses, with the place in the document.
"""

from __future__ import annotations

import json
import keyword
import re
import sys
import textwrap
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

# The document says these in words only.
ENDS_SESSION = {"logout", "logoutAll", "deleteMe"}

HEADER = '"""{}\n\nGenerated from the contract (sdk/python/generate.sh).\n"""\n\n'
METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")

Json = dict[str, Any]


class Unsupported(Exception):
    """The document has something that this generator does not know."""


def snake(name: str) -> str:
    """Makes a Python name of an operationId, a parameter or a header."""
    words = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name).replace("-", "_").lower()
    return words + "_" if keyword.iskeyword(words) else words


def wrapped(text: str, width: int, indent: str = "") -> str:
    """Breaks a paragraph into lines, at spaces only; all but the first are indented."""
    return textwrap.fill(
        " ".join(text.split()),
        width,
        subsequent_indent=indent,
        break_on_hyphens=False,
        break_long_words=False,
    )


def doc(text: str, indent: str) -> str:
    """Writes a docstring."""
    width = 92 - len(indent)
    paragraphs = [
        block if block.startswith("Args:") else wrapped(block, width)
        for block in text.strip().replace("\\", "\\\\").split("\n\n")
    ]
    lines = "\n\n".join(paragraphs)
    end = "\n" if "\n" in lines or lines.endswith('"') else ""
    return textwrap.indent(f'"""{lines}{end}"""', indent) + "\n"


@dataclass
class Parameter:
    """A parameter of an operation."""

    name: str
    place: str
    required: bool
    type: str
    text: str

    @property
    def python(self) -> str:
        """Its name as an argument."""
        return snake(self.name)


@dataclass
class Method:
    """An operation as a method."""

    operation: Json
    id: str
    verb: str
    path: str
    parameters: list[Parameter] = field(default_factory=list)
    body: str | None = None
    sends: str | None = None
    file: str | None = None
    accepts: list[str] = field(default_factory=list)
    result: str | None = None
    etag: bool = False
    events: tuple[str, str] | None = None
    """The name of the events of a stream, and the schema of their data."""
    schemas: list[Json] = field(default_factory=list)
    """Those that a caller meets."""

    @property
    def constant(self) -> str:
        """Its name in operations.py."""
        return snake(self.id).upper()


class Document:
    """The OpenAPI document, with its references followed."""

    def __init__(self, root: Json) -> None:
        self.root = root
        self.schemas: Json = root["components"]["schemas"]
        self.methods = [
            self._method(path, verb, item, operation)
            for path, item in root["paths"].items()
            for verb, operation in item.items()
            if verb in METHODS
        ]
        ids = {method.id for method in self.methods}
        if unknown := ENDS_SESSION - ids:
            raise Unsupported(f"generate.py knows operations that are gone: {unknown}")
        self.with_etag = {m.result for m in self.methods if m.etag and m.result}

    def follow(self, node: Json) -> Json:
        """Gives what a reference leads to."""
        while "$ref" in node:
            target: Any = self.root
            for part in node["$ref"].removeprefix("#/").split("/"):
                target = target[part]
            node = target
        return node

    def _method(self, path: str, verb: str, item: Json, operation: Json) -> Method:
        method = Method(operation, operation["operationId"], verb.upper(), path)
        for node in item.get("parameters", []) + operation.get("parameters", []):
            parameter = self.follow(node)
            place = f"{method.id}, {parameter['name']}"
            required = parameter.get("required", False)
            kind = self.type(parameter["schema"], place, argument=True)
            text = parameter.get("description", "")
            method.schemas.append(parameter["schema"])
            method.parameters.append(
                Parameter(parameter["name"], parameter["in"], required, kind, text)
            )
        if "requestBody" in operation:
            self._body(method, self.follow(operation["requestBody"])["content"])
        self._answer(method)
        return method

    def _body(self, method: Method, content: Json) -> None:
        method.sends = "application/json" if "application/json" in content else next(iter(content))
        schema = content[method.sends]["schema"]
        if method.sends != "multipart/form-data":
            method.body = self.type(schema, method.id)
            method.schemas.append(schema)
            return
        match list(self.follow(schema)["properties"].items()):
            case [(name, {"format": "binary"})]:
                method.file = name
            case _:
                raise Unsupported(f"{method.id}: a form of other than one file")

    def _answer(self, method: Method) -> None:
        answers = {
            status: self.follow(answer)
            for status, answer in method.operation["responses"].items()
            if status.startswith("2")
        }
        contents = {
            kind: media for a in answers.values() for kind, media in a.get("content", {}).items()
        }
        method.accepts = list(contents)
        method.schemas += [media["schema"] for media in contents.values()]
        method.etag = any("ETag" in answer.get("headers", {}) for answer in answers.values())
        if stream := contents.get("text/event-stream"):
            match list(stream.get("x-events", {}).items()):
                case [(name, data)]:
                    method.events = name, self.type(data, method.id)
                    method.schemas.append(data)
                case _:
                    raise Unsupported(f"{method.id}: a stream of other than one kind of event")
        if "application/json" in contents:
            method.result = self.type(contents["application/json"]["schema"], method.id)

    def type(self, schema: Json, place: str, *, argument: bool = False) -> str:
        """Writes the type of a schema. Arguments are taken more widely than members are."""
        models = "models." if argument else ""
        if "$ref" in schema:
            name: str = schema["$ref"].rpartition("/")[2]
            target = self.schemas[name]
            if "properties" in target or "enum" in target:
                return models + name
            return self.type(target, place, argument=argument)
        if "anyOf" in schema or "oneOf" in schema:
            kinds = [
                self.type(s, place, argument=argument)
                for s in schema.get("anyOf") or schema["oneOf"]
            ]
            if len(kinds) != 2 or "None" not in kinds:
                raise Unsupported(f"{place}: one of several types")
            return " | ".join(sorted(kinds, key="None".__eq__))
        kind = schema.get("type")
        if isinstance(kind, list):
            kinds = [self.type({**schema, "type": each}, place, argument=argument) for each in kind]
            return " | ".join(sorted(kinds, key="None".__eq__))
        if kind == "null":
            return "None"
        if "enum" in schema or "const" in schema:
            values = schema.get("enum", [schema.get("const")])
            return f"Literal[{', '.join(map(repr, values))}]"
        if kind == "array":
            item = self.type(schema["items"], place, argument=argument)
            return f"Sequence[{item}]" if argument else f"list[{item}]"
        if kind == "object" and "properties" not in schema:
            return "dict[str, Any]"
        named: dict[tuple[Any, Any], str] = {
            ("string", "uuid"): "uuid.UUID | str" if argument else "uuid.UUID",
            ("string", "date-time"): "datetime.datetime",
            ("string", "date"): "datetime.date",
        }
        plain = {"string": "str", "integer": "int", "number": "float", "boolean": "bool"}
        if (kind, schema.get("format")) in named:
            return named[kind, schema["format"]]
        if kind in plain:
            return plain[kind]
        raise Unsupported(f"{place}: a schema of type {kind}")

    def used(self) -> list[str]:
        """Names the schemas that a caller meets, in the document's order."""
        found: set[str] = set()
        waiting = [self.schemas["Problem"]["properties"]["errors"]]
        for method in self.methods:
            waiting += method.schemas
        while waiting:
            node = waiting.pop()
            if isinstance(node, dict):
                if "$ref" in node:
                    name = node["$ref"].rpartition("/")[2]
                    if name not in found:
                        found.add(name)
                        waiting.append(self.schemas[name])
                waiting += [
                    value for key, value in node.items() if key not in ("example", "examples")
                ]
            elif isinstance(node, list):
                waiting += node
        return [
            name
            for name, schema in self.schemas.items()
            if name in found and ("properties" in schema or "enum" in schema)
        ]


def models(document: Document) -> str:
    """Writes the types of bodies and answers."""
    names = document.used()
    out = HEADER.format("The types of the contract.")
    out += "from __future__ import annotations\n\nimport datetime\nimport uuid\n"
    out += (
        "from dataclasses import dataclass, field\nfrom typing import Any, Literal, TypeAlias\n\n"
    )
    out += "from .._codec import UNSET, Unset\n\n"
    out += f"__all__ = {sorted(names)!r}\n\n"
    enums = [name for name in names if "enum" in document.schemas[name]]
    for name in enums + [name for name in names if name not in enums]:
        schema = document.schemas[name]
        if name in enums:
            values = ", ".join(map(repr, schema["enum"]))
            out += (
                f"{name}: TypeAlias = Literal[{values}]\n" + doc(schema["description"], "") + "\n"
            )
        else:
            out += model(document, name, schema)
    return out


def model(document: Document, name: str, schema: Json) -> str:
    """Writes one dataclass."""
    out = "@dataclass(slots=True, kw_only=True)\n"
    out += f"class {name}:\n" + doc(schema["description"], "    ") + "\n"
    for member, part in schema["properties"].items():
        kind = document.type(part, f"{name}.{member}")
        whole = {**document.follow(part), **part}
        extras = []
        if member not in schema.get("required", []):
            nullable = kind.endswith(" | None")
            kind = kind.removesuffix(" | None") + (" | Unset | None" if nullable else " | None")
            extras.append("default=UNSET" if nullable else "default=None")
        if whole.get("format") == "password":
            extras.append("repr=False")
        if snake(member) != member:
            extras.append(f"metadata={{'name': {member!r}}}")
        out += f"    {snake(member)}: {kind}"
        if extras in (["default=None"], ["default=UNSET"]):
            out += f" = {extras[0].removeprefix('default=')}"
        elif extras:
            out += f" = field({', '.join(extras)})"
        out += "\n" + (doc(whole["description"], "    ") if "description" in whole else "")
    if name in document.with_etag:
        if "etag" in schema["properties"]:
            raise Unsupported(f"{name}: a member with the name of the answer's ETag")
        out += "    etag: str | None = field("
        out += "default=None, compare=False, metadata={'header': 'ETag'})\n"
        out += doc("The version (`ETag`) for `if_match`; None where it did not come alone.", "    ")
    return out + "\n\n"


def operations(document: Document) -> str:
    """Writes what there is to know of each operation."""
    flow = next(iter(document.root["components"]["securitySchemes"].values()))["flows"]["password"]
    out = HEADER.format("The operations of the contract.")
    out += "from .._operation import Operation\n\n"
    for method in document.methods:
        known: Json = {"name": method.id, "method": method.verb, "path": method.path}
        if method.operation.get("security", document.root["security"]) == []:
            known["signed_in"] = False
        if any(p.name == "Idempotency-Key" for p in method.parameters):
            known["takes_key"] = True
        if method.sends:
            known["sends"] = method.sends
        if method.accepts and method.accepts != ["application/json"]:
            known["accepts"] = method.accepts[0]
        if method.path in (flow["tokenUrl"], flow["refreshUrl"]):
            known["gives_tokens"] = True
        if method.id in ENDS_SESSION:
            known["ends_session"] = True
        arguments = ", ".join(f"{key}={value!r}" for key, value in known.items())
        out += f"{method.constant} = Operation({arguments})\n"
    for name, url in (("SIGN_IN", flow["tokenUrl"]), ("REFRESH", flow["refreshUrl"])):
        out += f"\n{name} = {next(m.constant for m in document.methods if m.path == url)}\n"
    return out


def client(document: Document, *, tasks: bool) -> str:
    """Writes the class with a method for each operation."""
    name = "AsyncAccord" if tasks else "Accord"
    out = HEADER.format(f"The {'asynchronous' if tasks else 'synchronous'} client.")
    out += "from __future__ import annotations\n\nimport datetime\nimport uuid\n"
    kinds = "AsyncGenerator, Sequence" if tasks else "Generator, Sequence"
    context = "AbstractAsyncContextManager" if tasks else "AbstractContextManager"
    out += f"from collections.abc import {kinds}\nfrom contextlib import {context}\n"
    out += "from typing import TYPE_CHECKING, Literal\n\n"
    prefix = "Async" if tasks else ""
    out += (
        f"from .._body import {prefix}FileContent, Upload\nfrom .._client import {prefix}Client\n"
    )
    out += f"from .._download import {prefix}Download\nfrom .._items import {prefix}Items\n"
    out += "from .._operation import Call\nfrom . import models, operations\n\n"
    if any(method.operation.get("deprecated") for method in document.methods):
        out += DEPRECATED
    out += f"\nclass {name}({prefix}Client):\n"
    out += doc(document.root["info"]["summary"], "    ") + "\n"
    return out + "\n".join(method_of(document, method, prefix) for method in document.methods)


DEPRECATED = '''
if TYPE_CHECKING:
    from typing_extensions import deprecated
else:

    def deprecated(message):
        """Is for type checkers; at run time the answer's headers make the warning."""
        return lambda function: function

'''


def method_of(document: Document, method: Method, prefix: str) -> str:
    """Writes one method."""
    pages = paged(document, method)
    call = [f"operations.{method.constant}"]
    first: list[str] = []
    rest: list[str] = []
    texts: list[tuple[str, str]] = []
    places: dict[str, list[str]] = {"path": [], "query": [], "header": []}
    for parameter in method.parameters:
        python, text = parameter.python, parameter.text
        if pages and parameter.name == "limit":
            python, text = "page_size", "How many items a page has at most; all pages are read."
        if pages and parameter.name == "cursor":
            text = "Where to begin, the `next_cursor` of a page."
        places[parameter.place].append(f"{parameter.name!r}: {python}")
        if parameter.place == "path":
            first.append(f"{python}: {parameter.type}")
        elif parameter.required:
            rest.insert(0, f"{python}: {parameter.type}")
        else:
            rest.append(f"{python}: {parameter.type} | None = None")
        texts.append((python, text))
    if len(method.accepts) > 1:
        rest.append(
            f"accept: Literal[{', '.join(map(repr, method.accepts))}] = {method.accepts[0]!r}"
        )
        texts.append(("accept", "The form of the answer."))
        places["header"].append("'Accept': accept")
    if method.body:
        first.append(f"body: models.{method.body}")
        texts.append(("body", document.schemas[method.body]["description"]))
    if method.file:
        first.append(f"{method.file}: {prefix}FileContent")
        rest.append("filename: str | None = None")
        texts.append((method.file, "Bytes, a path, a file open for reading bytes, or chunks."))
        texts.append(("filename", "What it is to be called; else as the file is."))
    for place, argument in (("path", "path"), ("query", "query"), ("header", "headers")):
        if places[place]:
            call.append(f"{argument}={{{', '.join(places[place])}}}")
    if method.body:
        call.append("body=body")
    if method.file:
        call.append(f"body=Upload({method.file!r}, {method.file}, filename)")
    made = f"Call({', '.join(call)})"

    waits = "await " if prefix else ""
    define = "async def" if prefix else "def"
    generator = "AsyncGenerator[{}, None]" if prefix else "Generator[{}, None, None]"
    if pages:
        page, item = f"models.{method.result}", f"models.{pages}"
        define, result = "def", f"{prefix}Items[{item}, {page}]"
        run = f"self._items({made}, {page}, {item})"
    elif method.events:
        name, kind = method.events
        define, result = "def", generator.format(f"models.{kind}")
        run = f"self._events({made}, {name!r}, models.{kind})"
    elif method.result:
        result = f"models.{method.result}"
        run = f"{waits}self._value({made}, {result})"
    elif method.accepts:
        kind = "AbstractAsyncContextManager" if prefix else "AbstractContextManager"
        define, result = "def", f"{kind}[{prefix}Download]"
        run = f"self._download({made})"
    else:
        result = "None"
        run = f"{waits}self._nothing({made})"

    arguments = ", ".join(["self", *first, *(["*", *rest] if rest else [])])
    text = f"{method.operation['summary']}.\n\n{method.operation['description'].strip()}"
    if texts:
        texts.sort(key=lambda each: each[0] not in [name.split(":")[0] for name in first])
        lines = [wrapped(f"{name}: {each}", 100 - 16, "    ") for name, each in texts]
        text += "\n\nArgs:\n" + textwrap.indent("\n".join(lines), "    ")
    out = ""
    if method.operation.get("deprecated"):
        end = method.operation.get("x-sunset", "")
        reason = " ".join(method.operation.get("x-deprecated-reason", "").split())
        message = f"It ends on {end}. {reason}" if end else reason
        out += f"    @deprecated({message.strip()!r})\n"
    out += f"    {define} {snake(method.id)}({arguments}) -> {result}:\n"
    out += doc(text, "        ")
    return out + f"        {'' if result == 'None' else 'return '}{run}\n"


def paged(document: Document, method: Method) -> str | None:
    """Names the items of a list: an answer with `items` and `next_cursor`."""
    if not method.result or "cursor" not in [p.name for p in method.parameters]:
        return None
    properties = document.schemas[method.result]["properties"]
    if "items" not in properties or "next_cursor" not in properties:
        return None
    return document.type(properties["items"]["items"], method.id)


def problems(document: Document) -> str:
    """Writes the codes of problems."""
    out = HEADER.format("The catalogue of problems.")
    out += "from typing import Literal, TypeAlias\n\nProblemCode: TypeAlias = Literal[\n"
    for problem in document.root["x-problems"]:
        out += f"    {problem['code']!r},  # {problem['status']}: {problem['title']}\n"
    return out + ']\n"""What a Problem can be, as the contract has it."""\n'


def main(source: str, target: str) -> None:
    """Writes all files."""
    document = Document(json.loads(Path(source).read_text()))
    files = {
        "__init__.py": HEADER.format("What the contract says."),
        "version.py": HEADER.format("The version of the contract.")
        + f'VERSION = "{document.root["info"]["version"]}"\n',
        "problems.py": problems(document),
        "models.py": models(document),
        "operations.py": operations(document),
        "accord.py": client(document, tasks=False),
        "async_accord.py": client(document, tasks=True),
    }
    folder = Path(target)
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.py"):
        old.unlink()
    for name, text in files.items():
        (folder / name).write_text(text)


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except Unsupported as error:
        sys.exit(f"generate.py: {error}")
