"""The catalogue of problems.

Generated from the contract (sdk/python/generate.sh).
"""

from typing import Literal, TypeAlias

ProblemCode: TypeAlias = Literal[
    "malformed-request",  # 400: The request cannot be read
    "invalid-grant",  # 400: The refresh token is not valid
    "invalid-link",  # 400: The link is not valid any more
    "unauthenticated",  # 401: Sign-in is needed
    "invalid-credentials",  # 401: The user name or the password is wrong
    "forbidden",  # 403: A role is missing
    "insecure-transport",  # 403: HTTPS is needed
    "not-found",  # 404: There is no such thing
    "method-not-allowed",  # 405: The method is not allowed here
    "not-acceptable",  # 406: There is no such form of the answer
    "request-timeout",  # 408: The request came in too slowly
    "conflict",  # 409: It conflicts with what is there
    "email-taken",  # 409: The e-mail address is taken
    "username-taken",  # 409: The user name is taken
    "last-admin",  # 409: The last administrator has to stay
    "request-in-progress",  # 409: The same request is still at work
    "sku-taken",  # 409: The SKU is taken
    "not-available",  # 409: Not everything is available
    "report-ended",  # 409: The report has ended
    "quota-exceeded",  # 409: There is no room left for it
    "wrong-order-status",  # 409: The order is not in the right status
    "precondition-failed",  # 412: It was changed in the meantime
    "payload-too-large",  # 413: The request body is too large
    "unsupported-media-type",  # 415: The content type is not supported
    "range-not-satisfiable",  # 416: The file has no such part
    "misdirected-request",  # 421: This host is not served here
    "validation",  # 422: The request breaks the contract
    "idempotency-key-reused",  # 422: The key belongs to another request
    "too-many-requests",  # 429: Too many requests
    "internal",  # 500: Something went wrong on our side
    "unavailable",  # 503: The server cannot answer at the moment
    "timeout",  # 503: It took too long
]
"""What a Problem can be, as the contract has it."""
