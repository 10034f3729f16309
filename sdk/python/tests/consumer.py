"""A user's code, for type checkers: what it gets is of one exact type, and what is wrong is
found. It is not run."""

# pyright: strict

import uuid

from typing_extensions import assert_type

from accord_api import (
    Accord,
    AsyncAccord,
    Download,
    File,
    MemoryStore,
    Notification,
    Order,
    OrderCreate,
    OrderLineCreate,
    OrderPage,
    OrderSummary,
    Problem,
    ProblemCode,
    Product,
    ReportJob,
    ReportRequest,
    Tokens,
    User,
)


def threads(accord: Accord) -> None:
    assert_type(accord.get_me(), User)
    lines = [OrderLineCreate(product_id=uuid.uuid4(), quantity=1)]
    assert_type(accord.create_order(OrderCreate(lines=lines)), Order)
    for order in accord.list_orders(status="paid"):
        assert_type(order, OrderSummary)
    for page in accord.list_orders().pages():
        assert_type(page, OrderPage)
    for notification in accord.stream_notifications():
        assert_type(notification, Notification)
    assert_type(accord.upload_file(b"notes", filename="notes.txt"), File)
    with accord.download_file("0198c0de-6000-7000-8000-000000000002") as download:
        assert_type(download, Download)
    report = ReportRequest(kind="orders", format="csv", days=90)
    assert_type(accord.generate_report(report), ReportJob)
    assert_type(accord.with_options(timeout=None), Accord)
    assert_type(accord.logout(), None)


async def tasks(accord: AsyncAccord) -> None:
    assert_type(await accord.get_me(), User)
    async for order in accord.list_orders():
        assert_type(order, OrderSummary)
    product = await accord.get_product(uuid.uuid4())
    assert_type(product, Product)
    assert_type(product.etag, str | None)
    async with accord.export_orders(accept="application/x-ndjson") as table:
        async for line in table.lines():
            assert_type(line, str)


def problems(problem: Problem) -> int:
    assert_type(problem.code, ProblemCode | None)
    match problem.code:
        case "not-available" | "validation":
            return len(problem.errors)
        case _:
            return problem.status


class Store:
    """A store of one's own needs no base class."""

    def load(self) -> Tokens | None:
        return None

    def save(self, tokens: Tokens) -> None: ...

    def clear(self) -> None: ...


class AsyncStore:
    async def load(self) -> Tokens | None:
        return None

    async def save(self, tokens: Tokens) -> None: ...

    async def clear(self) -> None: ...


def stores() -> None:
    Accord("", store=Store())
    Accord("", store=MemoryStore())
    AsyncAccord("", store=Store())
    AsyncAccord("", store=AsyncStore())


def mistakes(accord: Accord) -> None:
    # Each is a mistake that has to be found: mypy --strict fails on an ignore that hides nothing.
    OrderCreate()  # type: ignore[call-arg]
    accord.list_orders(status="lost")  # type: ignore[arg-type]
    _ = accord.get_me().nickname  # type: ignore[attr-defined]
    accord.download_file(7)  # type: ignore[arg-type]
    Accord("", store=AsyncStore())  # type: ignore[arg-type]
