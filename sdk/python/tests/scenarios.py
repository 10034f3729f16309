"""What is tried of every client: sdk/scenarios.json, for this one."""

from __future__ import annotations

import hashlib  # bare-drops
import secrets
import time
import tracemalloc  # bare-drops
import uuid
from contextlib import aclosing

from conftest import PASSWORD, Recorder

import accord_api
from accord_api import (
    ConnectionLost,
    OrderCreate,  # bare-drops
    OrderLineCreate,  # bare-drops
    Problem,
    ProductCreate,  # bare-drops
    ProductUpdate,  # bare-drops
    TimedOut,
    Tokens,
    UserCreate,
    UserUpdate,
)

ME = "/api/v1/users/me"
LOGIN = "/api/v1/auth/login"
REFRESH = "/api/v1/auth/refresh"
ORDERS = "/api/v1/orders"  # bare-drops

SCENARIOS = {}


def scenario(name):
    def add(test):
        SCENARIOS[name] = test
        return test

    return add


def fault(client, kind):
    """A client whose next request meets a fault of the proxy."""
    return client.with_options(headers={"X-Fault": f"{kind};{uuid.uuid4()}"})


# bare-drops {
async def new_product(kind, admin):
    product = ProductCreate(
        sku=f"PY-{secrets.token_hex(8)}",
        name="Wool blanket",
        description="",
        price=8900,
        currency="EUR",
        stock=10,
    )
    return await kind.wait(admin.create_product(product))


# bare-drops }


# bare-drops {
async def order_of_one(kind):
    product = await new_product(kind, kind.admin())
    return OrderCreate(lines=[OrderLineCreate(product_id=product.id, quantity=1)])


# bare-drops }


async def first(kind, iterator, count):
    found = []
    async with aclosing(kind.each(iterator)) as items:
        async for item in items:
            found.append(item)
            if len(found) == count:
                break
    return found


async def refused(kind, call):
    """The error of a call."""
    try:
        await kind.wait(call())
    except accord_api.AccordError as error:
        return error
    raise AssertionError("it succeeded")


@scenario("sign in")
async def sign_in(kind):
    client = await kind.person()
    for _ in range(2):
        me = await kind.wait(client.get_me())
        assert me == client.person
    assert client.recorder.count(LOGIN) == 1


@scenario("token store")
async def token_store(kind):
    store = kind.store()
    one = await kind.person(store=store)
    await kind.wait(one.get_me())
    kept = await kind.wait(store.load())
    assert kept.access_token in one.recorder.headers(ME)[0]["Authorization"]

    other = kind.client(store=store)
    assert (await kind.wait(other.get_me())) == one.person
    assert other.recorder.count(LOGIN) == 0


@scenario("refresh")
async def refresh(kind):
    store = kind.store()
    client = await kind.person(store=store)
    await kind.wait(client.get_me())
    before = await kind.wait(store.load())
    refused_tokens = Tokens("refused", before.refresh_token, before.expires_at)
    await kind.wait(store.save(refused_tokens))

    other = kind.client(store=store)
    assert (await kind.wait(other.get_me())) == client.person
    assert other.recorder.statuses == [401, 200, 200]
    after = await kind.wait(store.load())
    assert after.refresh_token not in ("", before.refresh_token)
    assert after.access_token in other.recorder.headers(ME)[-1]["Authorization"]


@scenario("one refresh")
async def one_refresh(kind):
    many = 50
    store = kind.store()
    client = await kind.person(store=store)
    await kind.wait(client.get_me())
    kept = await kind.wait(store.load())
    await kind.wait(store.save(Tokens("refused", kept.refresh_token, kept.expires_at)))

    # The refresh waits until every call has been refused.
    recorder = Recorder()
    wait, go = kind.gate()
    recorder.before = lambda request: wait() if request.url.path == REFRESH else None
    recorder.after = lambda _: go() if recorder.statuses.count(401) == many else None
    other = kind.client(store=store, recorder=recorder)
    people = await kind.together(other.get_me, many)
    assert people == [client.person] * many
    assert recorder.count(REFRESH) == 1
    assert recorder.count(ME) == 2 * many


@scenario("ended session")
async def ended_session(kind):
    store = kind.store()
    client = await kind.person(store=store)
    await kind.wait(client.get_me())
    elsewhere = kind.client(store=kind.store(await kind.wait(store.load())))
    await kind.wait(elsewhere.logout())

    people = await kind.together(client.get_me, 50)
    assert people == [client.person] * 50
    assert client.recorder.count(LOGIN) == 2


@scenario("sign out")
async def sign_out(kind):
    store = kind.store()
    client = await kind.person(store=store)
    await kind.wait(client.get_me())
    former = kind.client(store=kind.store(await kind.wait(store.load())))
    await kind.wait(client.logout())
    assert await kind.wait(store.load()) is None

    for gone in (client, former):
        problem = await refused(kind, gone.get_me)
        assert isinstance(problem, Problem)
        assert (problem.code, problem.status) == ("unauthenticated", 401)
    assert client.recorder.count(LOGIN) == 1


@scenario("problem")
async def problem_(kind):
    client = await kind.person()
    problem = await refused(kind, lambda: client.get_user(uuid.uuid4()))
    assert isinstance(problem, Problem)
    match problem.code:
        case "not-found":
            assert problem.status == 404
            assert problem.detail in str(problem)
            assert len(problem.detail) > 5
            assert uuid.UUID(problem.request_id)
        case other:
            raise AssertionError(other)


@scenario("validation")
async def validation(kind):
    client = kind.client()
    person = UserCreate(email="ada", username="a", password=PASSWORD, full_name="Ada")
    problem = await refused(kind, lambda: client.register_user(person))
    assert isinstance(problem, Problem)
    assert (problem.code, problem.status) == ("validation", 422)
    assert {(each.field, each.code) for each in problem.errors} == {
        ("email", "format"),
        ("username", "min_length"),
    }
    assert all(each.message in str(problem) for each in problem.errors)


@scenario("pages")
async def pages(kind):
    path = "/api/v1/auth/sessions"
    client = await kind.person()
    for _ in range(6):  # more sessions of the same person
        other = kind.client(username=client.person.username, password=PASSWORD)
        await kind.wait(other.get_me())
    whole = [each.id for each in await kind.all(client.list_sessions(page_size=100))]
    assert len(set(whole)) == len(whole) == 7

    client.recorder.requests.clear()
    some = await first(kind, client.list_sessions(page_size=3), 3)
    assert [each.id for each in some] == whole[:3]
    assert client.recorder.count(path) == 1
    client.recorder.requests.clear()
    all_of_them = await kind.all(client.list_sessions(page_size=3))
    assert [each.id for each in all_of_them] == whole
    assert client.recorder.count(path) == 3

    sizes = [len(page.items) async for page in kind.each(client.list_sessions(page_size=5).pages())]
    assert sizes == [5, 2]


@scenario("retry")
async def retry(kind):
    client = await kind.person()
    await kind.wait(client.get_me())
    begun = time.monotonic()
    assert (await kind.wait(fault(client, "unavailable").get_me())) == client.person
    assert 1 <= time.monotonic() - begun < 5
    assert client.recorder.statuses[-2:] == [503, 200]

    problem = await refused(kind, fault(client, "unavailable").with_options(retries=0).get_me)
    assert isinstance(problem, Problem)
    assert (problem.status, problem.code, problem.retry_after) == (503, None, 1)


# bare-drops {
@scenario("idempotency")
async def idempotency(kind):
    client = await kind.person()
    await kind.wait(client.get_me())
    order = await order_of_one(kind)
    placed = await kind.wait(fault(client, "lost").create_order(order))
    assert [each.id for each in await kind.all(client.list_orders())] == [placed.id]
    keys = [h["Idempotency-Key"] for h in client.recorder.headers(ORDERS) if "Idempotency-Key" in h]
    assert len(keys) == 2
    assert len(set(keys)) == 1

    again = await kind.wait(client.create_order(order, idempotency_key=keys[0]))
    assert again.id == placed.id
    assert (await kind.wait(client.create_order(order))).id != placed.id


# bare-drops }


@scenario("lost write")
async def lost_write(kind):
    client = await kind.person()
    await kind.wait(client.get_me())
    name = UserUpdate(full_name="Augusta Ada King")
    error = await refused(kind, lambda: fault(client, "lost").update_me(name))
    assert isinstance(error, ConnectionLost)
    assert isinstance(error, ConnectionError)
    assert error.outcome_unknown
    assert "not sent again" in str(error)
    assert [request.method for request in client.recorder.requests].count("PATCH") == 1
    assert (await kind.wait(client.get_me())).full_name == "Augusta Ada King"


# bare-drops {
@scenario("upload and download")
async def upload_and_download(kind):
    size, step = 16 * 1024 * 1024, 64 * 1024
    block = secrets.token_bytes(step)
    digest = hashlib.sha256(block * (size // step)).hexdigest()
    client = await kind.person()
    await kind.wait(client.get_me())

    tracemalloc.start()
    try:
        content = (block for _ in range(size // step))
        file = await kind.wait(client.upload_file(content, filename="Grüße, alle.bin"))
        assert (file.size, file.sha256) == (size, digest)

        received = hashlib.sha256()
        async with kind.opened(client.download_file(file.id)) as download:
            assert download.name == file.name == "Grüße, alle.bin"
            assert download.content_type == file.content_type
            assert download.size == size
            async for chunk in kind.each(download):
                received.update(chunk)
        assert received.hexdigest() == digest
        assert tracemalloc.get_traced_memory()[1] < size / 4
    finally:
        tracemalloc.stop()


# bare-drops }


# bare-drops {
@scenario("notifications")
async def notifications(kind):
    path = "/api/v1/notifications/stream"
    client = await kind.person()
    await kind.wait(client.get_me())
    order = await order_of_one(kind)
    for _ in range(3):
        await kind.wait(client.create_order(order))
    told = sorted(each.number for each in await kind.all(client.list_notifications()))
    assert len(told) >= 3

    stream = fault(client, "cut").stream_notifications(last_event_id=0)
    received = await first(kind, stream, len(told))
    assert [each.number for each in received] == told
    assert received[-1].kind == "order.placed"
    assert [headers["Last-Event-ID"] for headers in client.recorder.headers(path)] == [
        "0",
        str(told[0]),
    ]

    # One that is cut before its first event goes on from where it began.
    client.recorder.requests.clear()
    client.recorder.before = lambda request: (
        client.create_order(order)  # while there is no stream
        if request.url.path == path and client.recorder.count(path) == 2
        else None
    )
    stream = fault(client, "begun").stream_notifications()
    assert [each.number for each in await first(kind, stream, 1)] == [told[-1] + 1]
    assert client.recorder.headers(path)[1]["Last-Event-ID"] == str(told[-1])


# bare-drops }


@scenario("timeout and cancellation")
async def timeout_and_cancellation(kind):
    store = kind.store()
    client = await kind.person(store=store)
    await kind.wait(client.get_me())
    begun = time.monotonic()
    error = await refused(kind, fault(client, "slow").with_options(timeout=0.5).get_me)
    assert isinstance(error, TimedOut)
    assert isinstance(error, TimeoutError)
    assert 0.5 <= time.monotonic() - begun < 10  # what is slow takes 30 s

    for slow in ("slow", "unavailable"):  # the second waits between two attempts
        other = kind.client(store=store)
        error, late = await kind.cancelled(other, fault(other, slow).get_me, 0.3)
        assert type(error) is kind.cancellation
        assert late < 10
        assert other.recorder.count(ME) == 1


# bare-drops {
@scenario("concurrent change")
async def concurrent_change(kind):
    admin = kind.admin()
    made = await new_product(kind, admin)
    cheaper = await kind.wait(
        admin.update_product(made.id, ProductUpdate(price=7900), if_match=made.etag)
    )
    assert cheaper.etag not in (None, made.etag)

    change = ProductUpdate(price=6900)
    problem = await refused(kind, lambda: admin.update_product(made.id, change, if_match=made.etag))
    assert isinstance(problem, Problem)
    assert (problem.code, problem.status) == ("precondition-failed", 412)
    now = await kind.wait(admin.get_product(made.id))
    assert (now.price, now.etag) == (7900, cheaper.etag)
    done = await kind.wait(admin.update_product(made.id, change, if_match=now.etag))
    assert done.price == 6900
    await kind.wait(admin.retire_product(made.id, if_match=done.etag))


# bare-drops }


@scenario("user agent")
async def user_agent(kind):
    client = await kind.person(headers={"X-Team": "blankets"})
    await kind.wait(client.with_options(headers={"X-Task": "count"}).get_me())
    agent = f"accord-python/{accord_api.__version__}"
    assert len(client.recorder.requests) == 3
    for request in client.recorder.requests:
        assert request.headers["User-Agent"] == agent
        assert request.headers["X-Team"] == "blankets"
    assert client.recorder.headers(ME)[0]["X-Task"] == "count"

    events = kind.admin().admin_list_audit_events(user_id=client.person.id)
    seen = {each.action: each.user_agent for each in await kind.all(events)}
    assert seen == {"user.register": agent, "auth.login": agent}
