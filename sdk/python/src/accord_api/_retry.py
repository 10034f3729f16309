"""When a request is sent again, and after how long."""

from __future__ import annotations

import email.utils
import random
import time

LONGEST_WAIT = 60.0
"""How long Retry-After may ask to wait; a longer wait is left to the caller."""

NOT_BEGUN = frozenset({429, 503})
"""The server has not begun: sending again is always safe."""
UNKNOWN = frozenset({502, 504})
"""A gateway does not know whether the server has begun."""


def pause(attempt: int, retry_after: float | None = None) -> float:
    """How many seconds to wait after an attempt, counted from 0."""
    if retry_after is not None:
        return retry_after
    return float(0.5 * 2.0**attempt * random.uniform(0.5, 1))


def retry_after(value: str | None) -> float | None:
    """Reads Retry-After: seconds, or a date (RFC 9110, section 10.2.3)."""
    if value is None:
        return None
    if value.isascii() and value.isdigit():
        return float(value)
    try:
        moment = email.utils.parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0.0, moment.timestamp() - time.time())
