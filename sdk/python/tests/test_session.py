"""How a client signs in and refreshes, whatever happens meanwhile."""

from __future__ import annotations

import asyncio
import itertools

import httpx
import pytest
from conftest import PASSWORD, Tasks
from fakes import TOKENS, client_of, fine, problem, token
from scenarios import LOGIN, ME, REFRESH, refused

from accord_api import ConnectionLost, Tokens, UserUpdate


def test_many_first_calls_sign_in_once(kind):
    async def test():
        client = await kind.person()
        assert await kind.together(client.get_me, 10) == [client.person] * 10
        assert client.recorder.count(LOGIN) == 1

    kind.run(test())


def test_tokens_of_another_process_are_taken(kind):
    async def test():
        store = kind.store(TOKENS)
        client, fake, _ = client_of(
            kind, fine(), problem(401, "unauthenticated"), fine(), store=store
        )
        await kind.wait(client.get_me())
        await kind.wait(store.save(Tokens("theirs", "next", TOKENS.expires_at)))
        await kind.wait(client.get_me())
        assert fake.paths == [ME] * 3
        assert fake.requests[2].headers["Authorization"] == "Bearer theirs"

    kind.run(test())


def test_a_session_that_has_ended(kind):
    async def test():
        ended = problem(401, "unauthenticated"), problem(400, "invalid-grant")
        store = kind.store(TOKENS)
        client, fake, _ = client_of(kind, *ended, store=store)
        assert (await refused(kind, client.get_me)).code == "unauthenticated"
        assert await kind.wait(store.load()) is None

        answers = *ended, token("new", "next"), fine()
        client, fake, _ = client_of(kind, *answers, username="ada", password=PASSWORD)
        await kind.wait(client.get_me())
        assert fake.paths == [ME, REFRESH, LOGIN, ME]

    kind.run(test())


def test_a_refresh_that_fails_keeps_the_tokens(kind):
    async def test():
        store = kind.store(TOKENS)
        client, _, _ = client_of(
            kind, problem(401, "unauthenticated"), httpx.ReadError("reset"), store=store
        )
        assert isinstance(await refused(kind, client.get_me), ConnectionLost)
        assert await kind.wait(store.load()) == TOKENS

    kind.run(test())


class Endpoint:
    """A server that signs in and refreshes when it is told to go on."""

    def __init__(self, kind, path, *refusals):
        self.asked = []
        self.begun, self.begin = kind.gate()
        self._wait, self.go_on = kind.gate()
        self._refusals = list(refusals)
        self.store = kind.store(TOKENS if path == REFRESH else None)

        def blocking(request):
            self._hold(request)
            return self._answer(request)

        async def waiting(request):
            held = self._hold(request)
            if held:
                await held
            return self._answer(request)

        self.client = kind.client(
            url="https://fake.example",
            transport=kind.mock(blocking if kind.name == "sync" else waiting),
            store=self.store,
            username="ada",
            password=PASSWORD,
        )

    def _hold(self, request):
        self.asked.append(request.url.path)
        if request.url.path != ME:
            self.begin()
            return self._wait()
        return None

    def _answer(self, request):
        if request.url.path != ME:
            return self._refusals.pop(0) if self._refusals else token("new", "next")
        new = request.headers.get("Authorization") == "Bearer new"
        return fine() if new else problem(401, "unauthenticated")


class Counted:
    """A signal that goes on when so many wait for it."""

    def __init__(self, signal, count, go_on):
        self._signal, self._count, self._go_on = signal, itertools.count(1), go_on
        self._last, self.set = count, signal.set

    async def wait(self):
        if next(self._count) == self._last:
            self._go_on()
        await self._signal.wait()


@pytest.mark.parametrize("path", [LOGIN, REFRESH])
def test_calls_that_wait_for_a_sign_in_or_a_refresh_share_its_failure(kind, path):
    async def test():
        server = Endpoint(kind, path, problem(401, "invalid-credentials"))
        wire = server.client._core.wire
        signal = wire.signal
        wire.signal = lambda: Counted(signal(), 19, server.go_on)
        errors = await kind.failures(server.client.get_me, 20)
        assert [error.code for error in errors] == ["invalid-credentials"] * 20
        assert server.asked.count(path) == 1
        await kind.wait(server.client.get_me())  # a new call tries again
        assert server.asked.count(path) == 2

    kind.run(test())


@pytest.mark.parametrize("path", [LOGIN, REFRESH])
def test_a_cancelled_call_ends_at_once_and_the_tokens_are_saved(path):
    kind = Tasks()

    async def test():
        server = Endpoint(kind, path)
        cancelled = asyncio.ensure_future(server.client.get_me())
        await server.begun()
        waiting = asyncio.ensure_future(server.client.get_me())
        cancelled.cancel()
        with pytest.raises(asyncio.CancelledError):
            await cancelled
        server.go_on()
        await waiting
        assert (await server.store.load()).refresh_token == "next"
        assert server.asked.count(path) == 1

    kind.run(test())


def test_closing_waits_for_the_tokens_that_a_cancelled_call_was_to_get():
    kind = Tasks()

    async def test():
        server = Endpoint(kind, REFRESH)
        cancelled = asyncio.ensure_future(server.client.get_me())
        await server.begun()
        cancelled.cancel()
        closing = asyncio.ensure_future(server.client.aclose())
        await asyncio.sleep(0)
        server.go_on()
        await closing
        assert (await server.store.load()).refresh_token == "next"

    kind.run(test())


def test_a_sign_in_that_is_lost_says_nothing_of_the_call(kind):
    async def test():
        client, fake, _ = client_of(
            kind, httpx.ReadError("reset"), tokens=None, username="ada", password=PASSWORD
        )
        error = await refused(kind, lambda: client.update_me(UserUpdate(full_name="Ada")))
        assert isinstance(error, ConnectionLost)
        assert (error.outcome_unknown, fake.paths) == (False, [LOGIN])

    kind.run(test())
