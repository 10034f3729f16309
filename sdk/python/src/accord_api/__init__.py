"""The client of Accord.

``Accord`` is synchronous, ``AsyncAccord`` asynchronous.
"""

from ._body import AsyncFileContent, FileContent
from ._codec import UNSET, Unset
from ._download import AsyncDownload, Download
from ._errors import (
    AccordError,
    Closed,
    ConnectionLost,
    NoAnswer,
    NotModified,
    Problem,
    TimedOut,
    UnreadableAnswer,
)
from ._items import AsyncItems, Items
from ._tokens import AsyncTokenStore, MemoryStore, Tokens, TokenStore
from .gen import models
from .gen.accord import Accord
from .gen.async_accord import AsyncAccord
from .gen.models import *  # noqa: F403
from .gen.problems import ProblemCode
from .gen.version import VERSION

__version__ = VERSION

__all__ = [
    "UNSET",
    "Accord",
    "AccordError",
    "AsyncAccord",
    "AsyncDownload",
    "AsyncFileContent",
    "AsyncItems",
    "AsyncTokenStore",
    "Closed",
    "ConnectionLost",
    "Download",
    "FileContent",
    "Items",
    "MemoryStore",
    "NoAnswer",
    "NotModified",
    "Problem",
    "ProblemCode",
    "TimedOut",
    "TokenStore",
    "Tokens",
    "UnreadableAnswer",
    "Unset",
]
__all__ += models.__all__
