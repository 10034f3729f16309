"""As consumer.py: what is of the shop's resources."""

# pyright: strict

import uuid

from typing_extensions import assert_type

from accord_api import (
    Accord,
    AsyncAccord,
    Download,
    File,
    Notification,
    Order,
    OrderCreate,
    OrderLineCreate,
    OrderPage,
    OrderSummary,
    Problem,
    Product,
    ReportJob,
    ReportRequest,
)


def threads(accord: Accord) -> None:
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


async def tasks(accord: AsyncAccord) -> None:
    async for order in accord.list_orders():
        assert_type(order, OrderSummary)
    product = await accord.get_product(uuid.uuid4())
    assert_type(product, Product)
    assert_type(product.etag, str | None)
    async with accord.export_orders(accept="application/x-ndjson") as table:
        async for line in table.lines():
            assert_type(line, str)


def problems(problem: Problem) -> bool:
    return problem.code == "not-available"


def mistakes(accord: Accord) -> None:
    # Each is a mistake that has to be found: mypy --strict fails on an ignore that hides nothing.
    OrderCreate()  # type: ignore[call-arg]
    accord.list_orders(status="lost")  # type: ignore[arg-type]
    accord.download_file(7)  # type: ignore[arg-type]
