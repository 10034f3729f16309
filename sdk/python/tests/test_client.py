"""What a client does with answers that a well server seldom gives."""

from __future__ import annotations

import contextlib
import datetime
import email.utils
import io
import itertools
import json
import socket
import time
import uuid
import warnings

import httpx
import pytest
from conftest import PASSWORD, Threads
from fakes import (
    FILE,  # bare-drops
    ORDER,  # bare-drops
    TOKENS,
    USER,
    Fake,
    client_of,
    fine,
    problem,
    token,
)
from scenarios import ME, REFRESH, fault, first, refused

import accord_api
from accord_api import (
    Accord,
    Closed,
    ConnectionLost,
    NotModified,  # bare-drops
    OrderCreate,  # bare-drops
    Problem,
    TimedOut,
    Tokens,
    UnreadableAnswer,
    UserUpdate,
)


def test_pauses_grow_and_are_a_random_part_shorter(kind):
    async def test():
        seen = []
        for _ in range(20):
            client, _, pauses = client_of(kind, *[httpx.Response(503)] * 3)
            error = await refused(kind, client.get_me)
            assert error.status == 503
            seen.append(pauses)
        assert all(len(pauses) == 2 for pauses in seen)
        for n, longest in enumerate((0.5, 1)):
            lengths = [pauses[n] for pauses in seen]
            assert longest / 2 <= min(lengths) < max(lengths) <= longest

    kind.run(test())


@pytest.mark.parametrize(
    ("value", "least", "most"),
    [
        ("7", 7, 7),
        ("60", 60, 60),
        (email.utils.formatdate(time.time() + 40, usegmt=True), 30, 41),
        ("soon", 0.25, 0.5),
    ],
)
def test_retry_after_is_followed(kind, value, least, most):
    async def test():
        answer = httpx.Response(429, headers={"Retry-After": value})
        client, _, pauses = client_of(kind, answer, fine())
        await kind.wait(client.get_me())
        assert least <= pauses[0] <= most

    kind.run(test())


def test_a_long_wait_is_left_to_the_caller(kind):
    async def test():
        client, fake, _ = client_of(kind, httpx.Response(503, headers={"Retry-After": "61"}))
        error = await refused(kind, client.get_me)
        assert (error.retry_after, len(fake.requests)) == (61, 1)

    kind.run(test())


LOST = (httpx.ReadError("reset"), httpx.RemoteProtocolError("ended"))
UNREACHABLE = httpx.ConnectError("nobody is there")


@pytest.mark.parametrize("fault", [429, 503, 502, 504, 500, *LOST, UNREACHABLE], ids=str)
@pytest.mark.parametrize("call", ["get", "put", "post with key", "post", "patch"])  # bare-drops
# bare-has: @pytest.mark.parametrize("call", ["get", "put", "post", "patch"])
def test_what_is_sent_again(kind, call, fault):
    change = UserUpdate(full_name="Ada")
    password = accord_api.PasswordChange(current_password=PASSWORD, new_password=PASSWORD)
    calls = {
        "get": (fine(), lambda c: c.get_me()),
        "put": (httpx.Response(204), lambda c: c.change_password(password)),
        # bare-drops {
        "post with key": (
            httpx.Response(201, json=ORDER),
            lambda c: c.create_order(OrderCreate(lines=[])),
        ),
        # bare-drops }
        "post": (httpx.Response(204), lambda c: c.logout_all()),
        "patch": (fine(), lambda c: c.update_me(change)),
    }
    answer, make = calls[call]
    safe = call in ("get", "put", "post with key")
    again = fault in (429, 503, UNREACHABLE) or (safe and fault != 500)

    async def test():
        first = httpx.Response(fault) if isinstance(fault, int) else fault
        client, fake, _ = client_of(kind, first, answer)
        if again:
            await kind.wait(make(client))
            keys = [request.headers.get("Idempotency-Key") for request in fake.requests]
            assert len(keys) == 2
            assert len(set(keys)) == 1
            assert (keys[0] is not None) == (call == "post with key")
        else:
            error = await refused(kind, lambda: make(client))
            assert isinstance(error, Problem if isinstance(fault, int) else ConnectionLost)
            assert len(fake.requests) == 1

    kind.run(test())


@pytest.mark.parametrize(
    ("call", "meets", "unknown"),
    [
        ("put", [LOST[0]] * 3, True),
        ("patch", [LOST[0]], True),
        ("get", [LOST[0]] * 3, False),
        ("get", [504, LOST[0], LOST[0]], False),
        ("patch", [UNREACHABLE] * 3, False),
        ("put", [UNREACHABLE] * 3, False),
        ("patch", [503, 429, UNREACHABLE], False),
        ("put", [LOST[0], 503, UNREACHABLE], True),
        ("put", [504, UNREACHABLE, UNREACHABLE], True),
        ("put", [504, httpx.ConnectTimeout("slow")], True),
        ("patch", [httpx.ConnectTimeout("slow")], False),
        ("patch", [httpx.ReadTimeout("slow")], True),
        ("put", [401, LOST[0]], False),
        # bare-drops {
        ("post with key", [LOST[0]] * 3, True),
        ("post with key", [UNREACHABLE] * 3, False),
        # bare-drops }
    ],
    ids=str,
)
def test_whether_a_write_may_have_been_carried_out_is_told_truly(kind, call, meets, unknown):
    password = accord_api.PasswordChange(current_password=PASSWORD, new_password=PASSWORD)
    calls = {
        "get": lambda c: c.get_me(),
        "put": lambda c: c.change_password(password),
        "patch": lambda c: c.update_me(UserUpdate(full_name="Ada")),
        "post with key": lambda c: c.create_order(OrderCreate(lines=[])),  # bare-drops
    }

    async def test():
        answers = [httpx.Response(each) if isinstance(each, int) else each for each in meets]
        client, fake, _ = client_of(kind, *answers)
        error = await refused(kind, lambda: calls[call](client))
        assert isinstance(error, (ConnectionLost, TimedOut))
        assert (error.outcome_unknown, len(fake.requests)) == (unknown, len(meets))

    kind.run(test())


def test_a_server_that_is_not_there_has_not_carried_out_anything(kind):
    async def test():
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        for host in ("127.0.0.1", "localhost", "nobody.invalid"):
            client = kind.client(url=f"http://{host}:{port}", store=kind.store(TOKENS), retries=0)
            change = UserUpdate(full_name="Ada")
            error = await refused(kind, lambda: client.update_me(change))  # noqa: B023
            assert isinstance(error, ConnectionLost)
            assert not error.outcome_unknown

    kind.run(test())


def test_a_timeout_while_connecting_has_sent_nothing(kind):
    async def test():
        with socket.socket() as full:  # whose queue has no place for another connection
            full.bind(("127.0.0.1", 0))
            full.listen(0)
            address = full.getsockname()
            with contextlib.ExitStack() as waiting:
                for _ in range(3):
                    one = waiting.enter_context(socket.socket())
                    one.setblocking(False)
                    one.connect_ex(address)
                url = f"http://127.0.0.1:{address[1]}"
                client = kind.client(url=url, store=kind.store(TOKENS), timeout=0.2)
                change = UserUpdate(full_name="Ada")
                error = await refused(kind, lambda: client.update_me(change))
        assert isinstance(error, TimedOut)
        assert not error.outcome_unknown

    kind.run(test())


def test_a_timeout_is_not_sent_again(kind):
    async def test():
        client, fake, _ = client_of(kind, httpx.ReadTimeout("slow"), fine())
        assert isinstance(await refused(kind, client.get_me), TimedOut)
        assert len(fake.requests) == 1

    kind.run(test())


# bare-drops {
def test_a_timeout_ends_an_upload(kind):
    async def test():
        client = await kind.person()
        await kind.wait(client.get_me())
        begun = time.monotonic()
        endless = itertools.repeat(b"notes")
        error = await refused(kind, lambda: client.with_options(timeout=0.3).upload_file(endless))
        assert isinstance(error, TimedOut)
        assert error.outcome_unknown
        assert 0.3 <= time.monotonic() - begun < 10

    kind.run(test())


# bare-drops }


# bare-drops {
def test_a_body_that_cannot_be_read_again_is_sent_once(kind):
    async def test():
        client, fake, _ = client_of(kind, httpx.Response(503))
        error = await refused(kind, lambda: client.upload_file(iter([b"notes"])))
        assert (error.status, len(fake.requests)) == (503, 1)

        for content in (io.BytesIO(b"...notes"), b"notes", [b"no", b"tes"]):
            if isinstance(content, io.BytesIO):
                content.seek(3)
            client, fake, _ = client_of(kind, httpx.Response(503), httpx.Response(201, json=FILE))
            await kind.wait(client.upload_file(content))
            bodies = [request.content for request in fake.requests]
            assert len(bodies) == 2
            assert all(b"\r\n\r\nnotes\r\n--" in body for body in bodies)

    kind.run(test())


# bare-drops }


def test_a_wait_between_attempts_ends_when_it_is_cancelled(kind):
    async def test():
        fake = Fake(httpx.Response(503, headers={"Retry-After": "60"}))
        client = kind.client(transport=kind.mock(fake), store=kind.store(TOKENS))
        error, late = await kind.cancelled(client, client.get_me, 0.1)
        assert type(error) is kind.cancellation
        assert late < 30
        assert len(fake.requests) == 1

    kind.run(test())


def test_connecting_takes_no_longer_than_the_timeout():
    fake = Fake(fine())
    transport = httpx.MockTransport(fake)
    with Accord("https://fake.example", store=Threads.store(TOKENS), transport=transport) as client:
        client.with_options(timeout=7).get_me()
    timeout = fake.requests[0].extensions["timeout"]
    assert (timeout["connect"], timeout["pool"]) == (7, 7)


# bare-drops {
def test_the_name_of_an_upload_ends_no_header(kind):
    async def test():
        client, fake, _ = client_of(kind, httpx.Response(201, json=FILE))
        await kind.wait(client.upload_file(b"notes", filename='a"b\r\nX: ü.txt'))
        assert 'filename="a%22b%0D%0AX: ü.txt"\r\n'.encode() in fake.requests[0].content

    kind.run(test())


# bare-drops }


# bare-drops {
def test_tokens_that_have_expired_are_refreshed_before_a_body_is_sent_once(kind):
    async def test():
        late = Tokens("late", "refresh", time.time() - 1)
        answers = token("new", "next"), httpx.Response(201, json=FILE)
        client, fake, _ = client_of(kind, *answers, tokens=late)
        await kind.wait(client.upload_file(iter([b"notes"])))
        assert fake.paths == [REFRESH, "/api/v1/files"]
        assert fake.requests[1].headers["Authorization"] == "Bearer new"

    kind.run(test())


# bare-drops }


# bare-drops {
def test_what_is_current_is_not_sent(kind):
    async def test():
        client = kind.client()
        listed = await first(kind, client.list_products(), 1)
        product = await kind.wait(client.get_product(listed[0].id))
        error = await refused(
            kind, lambda: client.get_product(product.id, if_none_match=product.etag)
        )
        assert isinstance(error, NotModified)
        other = await kind.wait(client.get_product(product.id, if_none_match='"other"'))
        assert other == product

    kind.run(test())


# bare-drops }


def test_a_deprecated_operation_warns_once(kind):
    async def test():
        headers = {"Deprecation": "@1767225600", "Sunset": "Fri, 01 Jan 2027 00:00:00 GMT"}
        answers = [httpx.Response(200, json=USER, headers=headers) for _ in range(2)]
        client, _, _ = client_of(kind, *answers)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            for _ in range(2):
                await kind.wait(client.get_me())
        assert [str(each.message) for each in caught] == [
            "getMe is deprecated and ends on 2027-01-01"
        ]
        assert caught[0].category is DeprecationWarning
        assert not caught[0].filename.startswith(accord_api.__path__[0])

    kind.run(test())


def test_answers_of_others(kind):
    async def test():
        page = "<h1>Bad gateway</h1>"
        client, _, _ = client_of(kind, httpx.Response(502, text=page), retries=0)
        error = await refused(kind, client.get_me)
        assert (error.code, error.status, error.title) == (None, 502, "Bad Gateway")

        for answer in (
            httpx.Response(200, text=page),
            httpx.Response(200, json=[]),
            httpx.Response(200, json={**USER, "is_active": 1}),
            httpx.Response(200, json={**USER, "id": "x"}),
            httpx.Response(200, json={"id": USER["id"]}),
        ):
            client, _, _ = client_of(kind, answer)
            assert isinstance(await refused(kind, client.get_me), UnreadableAnswer)

        # bare-drops {
        client, _, _ = client_of(kind, httpx.Response(200, json={"count": True}))
        error = await refused(kind, client.count_unread_notifications)
        assert isinstance(error, UnreadableAnswer)
        # bare-drops }

    kind.run(test())


def test_a_newer_server_is_understood(kind):
    async def test():
        newer = {**USER, "role": "auditor", "pronouns": "she"}
        client, _, _ = client_of(kind, httpx.Response(200, json=newer))
        assert (await kind.wait(client.get_me())).role == "auditor"

        client, _, _ = client_of(kind, problem(418, "teapot"))
        assert (await refused(kind, client.get_me)).code == "teapot"

    kind.run(test())


# bare-drops {
def test_a_download_that_breaks_off_is_not_taken_for_whole(kind, tmp_path):
    def half():
        yield b"half"
        raise httpx.RemoteProtocolError("ended")

    async def async_half():
        for chunk in half():
            yield chunk

    async def test():
        content = half() if kind.name == "sync" else async_half()
        client, _, _ = client_of(kind, httpx.Response(200, content=content))
        with pytest.raises(ConnectionLost):
            async with kind.opened(client.download_file(uuid.uuid4())) as download:
                await kind.wait(download.save(tmp_path / "file"))
        assert list(tmp_path.iterdir()) == []

    kind.run(test())


# bare-drops }


# bare-drops {
@pytest.mark.parametrize(
    ("disposition", "name"),
    [
        ('attachment; filename="a b.csv"', "a b.csv"),
        ("attachment; filename=\"x.csv\"; filename*=UTF-8''Gr%C3%BC%C3%9Fe.csv", "Grüße.csv"),
        ('attachment; filename="../../etc/passwd"', "passwd"),
        ("attachment; filename*=UTF-8''..%2F..%5C..", ""),
        ("attachment", ""),
    ],
)
def test_the_name_of_a_download_stays_in_its_folder(kind, disposition, name, tmp_path):
    async def test():
        answer = httpx.Response(
            200, content=b"1\r\n2", headers={"Content-Disposition": disposition}
        )
        client, _, _ = client_of(kind, answer)
        async with kind.opened(client.download_file(uuid.uuid4())) as download:
            assert download.name == name
            assert await kind.wait(download.save(tmp_path)) == tmp_path / (name or "download")

    kind.run(test())


# bare-drops }


# bare-drops {
def test_a_table_is_read_by_lines(kind):
    async def test():
        text = '\ufeffname\r\n"of two\nlines ü"\r\nlast'.encode()
        chunks = [text[i : i + 1] for i in range(len(text))]

        async def given():
            for chunk in chunks:
                yield chunk

        content = iter(chunks) if kind.name == "sync" else given()
        client, fake, _ = client_of(kind, httpx.Response(200, content=content))
        async with kind.opened(client.export_users(accept="application/x-ndjson")) as table:
            lines = await kind.all(table.lines())
        assert lines == ["name\r\n", '"of two\n', 'lines ü"\r\n', "last"]
        assert fake.requests[0].headers["Accept"] == "application/x-ndjson"

    kind.run(test())


# bare-drops }


def test_parameters(kind):
    async def test():
        page = httpx.Response(200, json={"items": [], "next_cursor": None})
        client, fake, _ = client_of(kind, page, httpx.Response(200, content=b""))
        await kind.all(client.admin_list_users(q="a&b", is_active=False))
        assert dict(fake.requests[0].url.params) == {"q": "a&b", "is_active": "false"}
        # bare-drops {
        client, fake, _ = client_of(kind, page, httpx.Response(200, content=b""))
        await kind.all(client.admin_list_users(include=["orders"]))
        assert dict(fake.requests[0].url.params) == {"include": "orders"}

        begin = datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)
        async with kind.opened(client.export_orders(from_=begin)):
            assert fake.requests[1].url.params["from"] == "2026-01-01T00:00:00+00:00"
        with pytest.raises(ValueError, match="no time zone"):
            async with kind.opened(client.export_orders(to=begin.replace(tzinfo=None))):
                pass
        # bare-drops }

    kind.run(test())


def test_a_closed_client_says_so(kind):
    async def test():
        client, _, _ = client_of(kind)
        await kind.wait(client.close() if kind.name == "sync" else client.aclose())
        assert isinstance(await refused(kind, client.get_me), Closed)

    kind.run(test())


def test_closing_ends_a_connection_that_is_being_made():
    kind = Threads()

    async def test():
        store = kind.store()
        person = await kind.person(store=store)
        await kind.wait(person.get_me())
        client = kind.client(store=store)
        client.recorder.before = lambda _: client.close()
        begun = time.monotonic()
        assert isinstance(await refused(kind, fault(client, "slow").get_me), Closed)
        assert time.monotonic() - begun < 10

    kind.run(test())


def test_an_http_client_of_ones_own_is_used_and_left_open(kind):
    async def test():
        fake = Fake(fine())
        own = (httpx.Client if kind.name == "sync" else httpx.AsyncClient)(
            transport=kind.mock(fake), headers={"X-Own": "1"}
        )
        client = kind.new("https://fake.example/base/", store=kind.store(TOKENS), http_client=own)
        await kind.wait(client.get_me())
        assert fake.paths == ["/base" + ME]
        assert fake.requests[0].headers["X-Own"] == "1"
        await kind.wait(client.close() if kind.name == "sync" else client.aclose())
        assert not own.is_closed
        await kind.wait(own.close() if kind.name == "sync" else own.aclose())

    kind.run(test())


def test_headers_of_ones_own_stand_in_place_of_others_in_any_letter_case(kind):
    async def test():
        client, fake, _ = client_of(kind, fine(), headers={"user-agent": "shop/1"})
        await kind.wait(client.with_options(headers={"USER-AGENT": "shop/2"}).get_me())
        assert fake.requests[0].headers.get_list("User-Agent") == ["shop/2"]

    kind.run(test())


def test_an_account_that_was_not_deleted_is_not_taken_for_deleted(kind):
    async def test():
        ended = problem(401, "unauthenticated"), problem(400, "invalid-grant")
        client, _, _ = client_of(kind, *ended)
        confirmation = accord_api.AccountDeletion(password=PASSWORD)
        error = await refused(kind, lambda: client.delete_me(confirmation))
        assert error.code == "unauthenticated"

    kind.run(test())


@pytest.mark.parametrize("url", ["accord.example.com", "ftp://accord.example.com", "https://"])
def test_a_wrong_base_url_is_refused(url):
    with pytest.raises(ValueError, match="base_url"):
        Accord(url)


def test_secrets_are_not_shown():
    login = accord_api.LoginForm(username="ada", password=PASSWORD)
    assert "ada" in repr(login)
    assert PASSWORD not in repr(login)
    assert "access" not in repr(TOKENS).replace("access_token", "")
    assert json.dumps(repr(TOKENS)).count("refresh") == 0
