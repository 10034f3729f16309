"""Both clients behind one face, so that each test is written once.

A test is a coroutine. With the synchronous client nothing in it suspends, so that it runs
from begin to end in one thread and without an event loop, as that client's users do.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import os
import secrets
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

import accord_api
from accord_api import Accord, AsyncAccord, MemoryStore, UserCreate

URL = os.environ["ACCORD_URL"]
PASSWORD = "Analytical-1843"


def own_address():
    """An address for X-Forwarded-For, so that tests have rate limits of their own."""
    return "10." + ".".join(str(secrets.randbelow(254) + 1) for _ in range(3))


class Recorder:
    """Keeps the requests that were sent, and can hold them back."""

    def __init__(self):
        self.requests = []
        self.statuses = []
        self.before = None  # is called with each request before it is sent
        self.after = None  # and after its answer

    def count(self, path):
        return sum(request.url.path == path for request in self.requests)

    def headers(self, path):
        return [request.headers for request in self.requests if request.url.path == path]


class Transport(httpx.HTTPTransport):
    def __init__(self, recorder):
        super().__init__()
        self.recorder = recorder

    def handle_request(self, request):
        self.recorder.requests.append(request)
        if self.recorder.before:
            self.recorder.before(request)
        response = super().handle_request(request)
        self.recorder.statuses.append(response.status_code)
        if self.recorder.after:
            self.recorder.after(request)
        return response


class AsyncTransport(httpx.AsyncHTTPTransport):
    def __init__(self, recorder):
        super().__init__()
        self.recorder = recorder

    async def handle_async_request(self, request):
        self.recorder.requests.append(request)
        if self.recorder.before:
            held = self.recorder.before(request)
            if held:
                await held
        response = await super().handle_async_request(request)
        self.recorder.statuses.append(response.status_code)
        if self.recorder.after:
            self.recorder.after(request)
        return response


class Store(MemoryStore):
    """A store as somebody would bring it, for threads."""


class AsyncStore:
    """A store as somebody would bring it, for tasks."""

    def __init__(self, tokens=None):
        self.kept = MemoryStore(tokens)

    async def load(self):
        await asyncio.sleep(0)
        return self.kept.load()

    async def save(self, tokens):
        await asyncio.sleep(0)
        self.kept.save(tokens)

    async def clear(self):
        await asyncio.sleep(0)
        self.kept.clear()


class Kind:
    """What a test does with clients; waits for what has to be waited for."""

    def __init__(self):
        self.clients = []

    def client(self, *, url=URL, headers=None, transport=None, recorder=None, **options):
        recorder = recorder or Recorder()
        made = self.new(
            url,
            headers={"X-Forwarded-For": own_address(), **(headers or {})},
            transport=transport or self.transport(recorder),
            **options,
        )
        made.recorder = recorder
        self.clients.append(made)
        return made

    async def person(self, **options):
        """Registers somebody and gives their client, whose requests are recorded."""
        name = "py" + secrets.token_hex(8)
        client = self.client(username=name, password=PASSWORD, **options)
        client.person = await self.wait(
            client.register_user(
                UserCreate(
                    email=f"{name}@example.com",
                    username=name,
                    password=PASSWORD,
                    full_name="Ada Lovelace",
                )
            )
        )
        return client

    def admin(self):
        return self.client(
            username=os.environ["ACCORD_ADMIN"], password=os.environ["ACCORD_ADMIN_PASSWORD"]
        )

    async def all(self, iterator):
        return [item async for item in self.each(iterator)]


class Threads(Kind):
    name = "sync"
    new = Accord
    transport = Transport
    store = Store

    def mock(self, answer):
        return httpx.MockTransport(answer)

    def run(self, test):
        late = threading.Timer(60, self.close)
        late.start()
        try:
            test.send(None)
        except StopIteration:
            return
        finally:
            late.cancel()
            self.close()
        raise AssertionError("a test of the synchronous client has suspended")

    def close(self):
        for client in self.clients:
            client.close()

    async def wait(self, value):
        assert not inspect.isawaitable(value)
        return value

    async def each(self, iterator):
        try:
            for item in iterator:
                yield item
        finally:
            if hasattr(iterator, "close"):
                iterator.close()

    @contextlib.asynccontextmanager
    async def opened(self, manager):
        with manager as value:
            yield value

    async def together(self, call, times):
        with ThreadPoolExecutor(times) as pool:
            return [done.result() for done in [pool.submit(call) for _ in range(times)]]

    async def failures(self, call, times):
        with ThreadPoolExecutor(times) as pool:
            return [done.exception() for done in [pool.submit(call) for _ in range(times)]]

    def gate(self):
        """Gives what waits, and what ends the waiting."""
        event = threading.Event()

        def wait():
            assert event.wait(20)

        return wait, event.set

    async def cancelled(self, client, call, after):
        """Cancels a call and gives its error, and how long the call went on."""
        timer = threading.Timer(after, client.close)
        timer.start()
        begun = time.monotonic()
        try:
            call()
        except Exception as error:
            return error, time.monotonic() - begun - after
        finally:
            timer.join()
        raise AssertionError("it was not cancelled")

    cancellation = accord_api.Closed


class Tasks(Kind):
    name = "async"
    new = AsyncAccord
    transport = AsyncTransport
    store = AsyncStore

    def mock(self, answer):
        return httpx.MockTransport(answer)

    def run(self, test):
        async def whole():
            try:
                await asyncio.wait_for(test, 60)
            finally:
                for client in self.clients:
                    await client.aclose()

        asyncio.run(whole())

    async def wait(self, value):
        return await value

    async def each(self, iterator):
        try:
            async for item in iterator:
                yield item
        finally:
            if hasattr(iterator, "aclose"):
                await iterator.aclose()

    def opened(self, manager):
        return manager

    async def together(self, call, times):
        return await asyncio.gather(*[call() for _ in range(times)])

    async def failures(self, call, times):
        return await asyncio.gather(*[call() for _ in range(times)], return_exceptions=True)

    def gate(self):
        """Gives what waits, and what ends the waiting."""
        event = asyncio.Event()

        async def wait():
            await asyncio.wait_for(event.wait(), 20)

        return wait, event.set

    async def cancelled(self, client, call, after):
        """Cancels a call and gives its error, and how long the call went on."""

        async def caller():
            return await call()

        task = asyncio.ensure_future(caller())
        await asyncio.wait([task], timeout=after)
        begun = time.monotonic()
        task.cancel()
        try:
            await task
        except asyncio.CancelledError as error:
            return error, time.monotonic() - begun
        raise AssertionError("it was not cancelled")

    cancellation = asyncio.CancelledError


@pytest.fixture(params=[Threads, Tasks], ids=lambda kind: kind.name)
def kind(request):
    return request.param()
