"""A server that gives the answers that it is told."""

from __future__ import annotations

import time

import httpx

from accord_api import Tokens

USER = {
    "id": "0198c0de-0000-7000-8000-000000000001",
    "email": "ada@example.com",
    "username": "ada",
    "full_name": "Ada Lovelace",
    "role": "user",
    "is_active": True,
    "email_verified": False,
    "created_at": "2026-01-15T09:30:00Z",
}
# bare-drops {
ORDER = {
    "id": "0198c0de-4000-7000-8000-000000000001",
    "user_id": USER["id"],
    "status": "pending",
    "currency": "EUR",
    "total": 0,
    "items": 1,
    "lines": [],
    "created_at": "2026-01-15T09:30:00Z",
    "updated_at": "2026-01-15T09:30:00Z",
}
FILE = {
    "id": USER["id"],
    "name": "notes.txt",
    "content_type": "text/plain",
    "size": 5,
    "sha256": "",
    "created_at": "2026-01-15T09:30:00Z",
}
# bare-drops }
TOKENS = Tokens("access", "refresh", time.time() + 900)


def token(access, refresh):
    body = {"access_token": access, "refresh_token": refresh, "token_type": "bearer"}
    return httpx.Response(200, json={**body, "expires_in": 900, "scope": "user"})


def problem(status, code, **headers):
    body = {"type": f"/problems/{code}", "title": code, "status": status, "detail": "."}
    return httpx.Response(status, json={**body, "request_id": "1"}, headers=headers)


class Fake:
    """A server that gives the answers that it is told, one after the other."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.requests = []

    def __call__(self, request):
        self.requests.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    @property
    def paths(self):
        return [request.url.path for request in self.requests]


def client_of(kind, *answers, tokens=TOKENS, **options):
    """A client of a fake server, and the pauses that it makes, which take no time."""
    fake = Fake(*answers)
    options.setdefault("store", kind.store(tokens))
    client = kind.client(url="https://fake.example", transport=kind.mock(fake), **options)
    pauses = []

    async def sleep(seconds):
        pauses.append(seconds)

    client._core.wire.sleep = sleep
    return client, fake, pauses


def fine():
    return httpx.Response(200, json=USER)
