"""The types of the contract.

Generated from the contract (sdk/python/generate.sh).
"""

from __future__ import annotations

import datetime
import uuid
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

__all__ = [
    "AccountDeletion",
    "AdminOrder",
    "AdminOrderPage",
    "AdminUser",
    "AdminUserPage",
    "AdminUserUpdate",
    "AuditEvent",
    "AuditEventPage",
    "AuditOutcome",
    "Buyer",
    "Dashboard",
    "DashboardError",
    "DashboardPart",
    "EmailRequest",
    "EmailVerification",
    "FieldError",
    "File",
    "FilePage",
    "Health",
    "JsonWebKey",
    "JsonWebKeySet",
    "LoginForm",
    "Notification",
    "NotificationCount",
    "NotificationKind",
    "NotificationPage",
    "Order",
    "OrderCreate",
    "OrderLine",
    "OrderLineCreate",
    "OrderPage",
    "OrderStatus",
    "OrderStatusChange",
    "OrderSummary",
    "PasswordChange",
    "PasswordReset",
    "Product",
    "ProductCreate",
    "ProductPage",
    "ProductSort",
    "ProductUpdate",
    "RefreshRequest",
    "Report",
    "ReportFormat",
    "ReportJob",
    "ReportKind",
    "ReportPage",
    "ReportProblem",
    "ReportRequest",
    "ReportStatus",
    "Role",
    "Session",
    "SessionPage",
    "Stats",
    "StatsDay",
    "Token",
    "User",
    "UserCreate",
    "UserInclude",
    "UserUpdate",
]

Role: TypeAlias = Literal["user", "admin"]
"""What an account may do. An `admin` may do all that a `user` may."""

UserInclude: TypeAlias = Literal["orders"]
"""What can be shown beside an account."""

AuditOutcome: TypeAlias = Literal["succeeded", "failed", "limited"]
"""How the action ended."""

ProductSort: TypeAlias = Literal["newest", "price_asc", "price_desc"]
"""The order of a list of products."""

OrderStatus: TypeAlias = Literal["pending", "paid", "shipped", "delivered", "cancelled"]
"""How far an order has come."""

NotificationKind: TypeAlias = Literal[
    "security.new-sign-in",
    "security.password-changed",
    "order.placed",
    "order.status",
    "report.succeeded",
    "report.failed",
]
"""What a notification is about."""

ReportKind: TypeAlias = Literal["orders", "sales", "users"]
"""What a report is about."""

ReportFormat: TypeAlias = Literal["csv", "html"]
"""How a report is written."""

ReportStatus: TypeAlias = Literal["queued", "running", "succeeded", "failed", "cancelled"]
"""How far a report has come."""

DashboardPart: TypeAlias = Literal["user", "orders", "notifications"]
"""A part of the dashboard."""


@dataclass(slots=True, kw_only=True)
class Health:
    """The state of the server."""

    status: Literal["healthy"]
    """Always `healthy` in a 200."""


@dataclass(slots=True, kw_only=True)
class JsonWebKeySet:
    """A JSON Web Key Set (RFC 7517)."""

    keys: list[JsonWebKey]
    """The public keys, the one that signs first."""


@dataclass(slots=True, kw_only=True)
class JsonWebKey:
    """A public key (RFC 7517, RFC 7518, RFC 8037); which members there are depends on its
    type.
    """

    kty: Literal["RSA", "EC", "OKP"]
    """The key's type."""
    kid: str
    """The key's id."""
    use: Literal["sig"]
    """What the key is for."""
    alg: Literal["RS256", "ES256", "ES384", "EdDSA"]
    """The only algorithm it is used with."""
    crv: Literal["P-256", "P-384", "Ed25519"] | None = None
    """The curve."""
    x: str | None = None
    """The x coordinate."""
    y: str | None = None
    """The y coordinate."""
    n: str | None = None
    """The modulus."""
    e: str | None = None
    """The exponent."""


@dataclass(slots=True, kw_only=True)
class User:
    """An account."""

    id: uuid.UUID
    """The account's id (UUIDv7)."""
    email: str
    """The e-mail address, unique in any letter case."""
    username: str
    """The user name, unique in any letter case."""
    full_name: str
    """The person's name."""
    role: Role
    """What an account may do. An `admin` may do all that a `user` may."""
    is_active: bool
    """False once an administrator has deactivated the account."""
    email_verified: bool
    """Whether the address was confirmed with the link of a mail."""
    created_at: datetime.datetime
    """When the account was made (UTC)."""


@dataclass(slots=True, kw_only=True)
class AdminUser:
    """An account as an administrator sees it in a list."""

    id: uuid.UUID
    """The account's id (UUIDv7)."""
    email: str
    """The e-mail address, unique in any letter case."""
    username: str
    """The user name, unique in any letter case."""
    full_name: str
    """The person's name."""
    role: Role
    """What an account may do. An `admin` may do all that a `user` may."""
    is_active: bool
    """False once an administrator has deactivated the account."""
    email_verified: bool
    """Whether the address was confirmed with the link of a mail."""
    created_at: datetime.datetime
    """When the account was made (UTC)."""
    orders: list[OrderSummary] | None = None
    """The latest orders, where they were asked for."""


@dataclass(slots=True, kw_only=True)
class AdminUserPage:
    """A page of accounts."""

    items: list[AdminUser]
    """The accounts, newest first."""
    next_cursor: str | None
    """The `cursor` of the next page; null on the last."""


@dataclass(slots=True, kw_only=True)
class UserCreate:
    """A new account."""

    email: str
    """The e-mail address, unique in any letter case."""
    username: str
    """The user name, unique in any letter case."""
    password: str = field(repr=False)
    """8 to 100 characters, with an upper-case letter, a digit and one of `!@#$%^&*()_+-=`. All
    of them count.
    """
    full_name: str
    """The person's name."""


@dataclass(slots=True, kw_only=True)
class UserUpdate:
    """A merge patch of one's own account."""

    username: str | None = None
    """The user name, unique in any letter case."""
    full_name: str | None = None
    """The person's name."""


@dataclass(slots=True, kw_only=True)
class AdminUserUpdate:
    """A merge patch of any account."""

    role: Role | None = None
    """What an account may do. An `admin` may do all that a `user` may."""
    is_active: bool | None = None
    """False deactivates the account and ends its sessions."""


@dataclass(slots=True, kw_only=True)
class AccountDeletion:
    """The confirmation that an account is to be deleted."""

    password: str = field(repr=False)
    """The password as it is now."""


@dataclass(slots=True, kw_only=True)
class PasswordChange:
    """The old and the new password."""

    current_password: str = field(repr=False)
    """The password as it is now."""
    new_password: str = field(repr=False)
    """8 to 100 characters, with an upper-case letter, a digit and one of `!@#$%^&*()_+-=`. All
    of them count.
    """


@dataclass(slots=True, kw_only=True)
class LoginForm:
    """The password grant's form."""

    grant_type: Literal["password"] | None = None
    """The grant; `password` where given."""
    username: str
    """User name or e-mail address."""
    password: str = field(repr=False)
    """The password as it is now."""
    scope: str | None = None
    """Accepted and ignored: the scope is the account's role."""
    client_id: str | None = None
    """Accepted and ignored."""
    client_secret: str | None = field(default=None, repr=False)
    """Accepted and ignored."""


@dataclass(slots=True, kw_only=True)
class RefreshRequest:
    """The refresh grant, as a form or as JSON."""

    grant_type: Literal["refresh_token"] | None = None
    """The grant; `refresh_token` where given."""
    refresh_token: str
    """The newest refresh token of the session."""
    scope: str | None = None
    """Accepted and ignored: the scope is the account's role."""
    client_id: str | None = None
    """Accepted and ignored."""
    client_secret: str | None = field(default=None, repr=False)
    """Accepted and ignored."""


@dataclass(slots=True, kw_only=True)
class Token:
    """The answer of a token endpoint (RFC 6749, section 5.1)."""

    access_token: str
    """A JWT (RFC 9068). Opaque to clients."""
    refresh_token: str
    """For the next refresh, once."""
    token_type: Literal["bearer"]
    """How to send the access token."""
    expires_in: int
    """Seconds until the access token expires."""
    scope: str
    """The roles, separated by spaces."""


@dataclass(slots=True, kw_only=True)
class EmailRequest:
    """An e-mail address."""

    email: str
    """The e-mail address, unique in any letter case."""


@dataclass(slots=True, kw_only=True)
class PasswordReset:
    """The mail's token and the new password."""

    token: str
    """The token from the link in the mail."""
    new_password: str = field(repr=False)
    """8 to 100 characters, with an upper-case letter, a digit and one of `!@#$%^&*()_+-=`. All
    of them count.
    """


@dataclass(slots=True, kw_only=True)
class EmailVerification:
    """The mail's token."""

    token: str
    """The token from the link in the mail."""


@dataclass(slots=True, kw_only=True)
class Session:
    """A place where the account is signed in."""

    id: uuid.UUID
    """The session's id."""
    device: str
    """Browser and system, or the client's own name."""
    ip: str
    """The address at the last sign-in or refresh."""
    created_at: datetime.datetime
    """When it was signed in."""
    last_used_at: datetime.datetime
    """When its tokens were last refreshed."""
    expires_at: datetime.datetime
    """When it ends if it is not used."""
    is_current: bool
    """Whether this request belongs to it."""


@dataclass(slots=True, kw_only=True)
class SessionPage:
    """A page of sessions."""

    items: list[Session]
    """The sessions, newest first."""
    next_cursor: str | None
    """The `cursor` of the next page; null on the last."""


@dataclass(slots=True, kw_only=True)
class AuditEvent:
    """Something that somebody did or tried."""

    id: uuid.UUID
    """The event's id (UUIDv7)."""
    created_at: datetime.datetime
    """When it happened."""
    action: str
    """What was done."""
    outcome: AuditOutcome
    """How the action ended."""
    actor_id: uuid.UUID | None
    """Who did it; null where nobody is signed in."""
    subject_id: uuid.UUID | None
    """The account concerned, if there is one."""
    detail: str
    """In words, where there is more to say."""
    ip: str
    """The client's address."""
    user_agent: str
    """The client's own description."""
    request_id: str
    """The request's id."""


@dataclass(slots=True, kw_only=True)
class AuditEventPage:
    """A page of audit events."""

    items: list[AuditEvent]
    """The events, newest first."""
    next_cursor: str | None
    """The `cursor` of the next page; null on the last."""


@dataclass(slots=True, kw_only=True)
class FieldError:
    """A field that breaks the contract."""

    field: str
    """The parameter or member, as in `lines[0].quantity`."""
    message: str
    """What it should be."""
    code: str
    """The rule that it breaks."""


@dataclass(slots=True, kw_only=True)
class Product:
    """Something that is sold."""

    id: uuid.UUID
    """The product's id (UUIDv7)."""
    sku: str
    """The stock keeping unit, unique in any letter case."""
    name: str
    """What it is called."""
    description: str
    """More about it, over several lines if need be."""
    price: int
    """In minor units of the currency, such as cents."""
    currency: str
    """An ISO 4217 code."""
    stock: int
    """How many pieces there are."""
    created_at: datetime.datetime
    """When it was first offered (UTC)."""
    updated_at: datetime.datetime
    """When it was changed last, by an order too (UTC)."""
    etag: str | None = field(default=None, compare=False, metadata={"header": "ETag"})
    """The version (`ETag`) for `if_match`; None where it did not come alone."""


@dataclass(slots=True, kw_only=True)
class ProductPage:
    """A page of products."""

    items: list[Product]
    """The products."""
    next_cursor: str | None
    """The `cursor` of the next page; null on the last."""
    etag: str | None = field(default=None, compare=False, metadata={"header": "ETag"})
    """The version (`ETag`) for `if_match`; None where it did not come alone."""


@dataclass(slots=True, kw_only=True)
class ProductCreate:
    """A new product."""

    sku: str
    """The stock keeping unit, unique in any letter case."""
    name: str
    """What it is called."""
    description: str
    """More about it, over several lines if need be."""
    price: int
    """In minor units of the currency, such as cents."""
    currency: str
    """An ISO 4217 code."""
    stock: int
    """How many pieces there are."""


@dataclass(slots=True, kw_only=True)
class ProductUpdate:
    """A merge patch of a product."""

    sku: str | None = None
    """The stock keeping unit, unique in any letter case."""
    name: str | None = None
    """What it is called."""
    description: str | None = None
    """More about it, over several lines if need be."""
    price: int | None = None
    """In minor units of the currency, such as cents."""
    currency: str | None = None
    """An ISO 4217 code."""
    stock: int | None = None
    """How many pieces there are."""


@dataclass(slots=True, kw_only=True)
class OrderLineCreate:
    """How many of which product."""

    product_id: uuid.UUID
    """The product."""
    quantity: int
    """How many pieces."""


@dataclass(slots=True, kw_only=True)
class OrderCreate:
    """A new order."""

    lines: list[OrderLineCreate]
    """What is ordered, each product once."""


@dataclass(slots=True, kw_only=True)
class OrderLine:
    """A product as it was when it was ordered."""

    product_id: uuid.UUID
    """The product."""
    sku: str
    """The stock keeping unit, unique in any letter case."""
    name: str
    """What it is called."""
    price: int
    """In minor units of the currency, such as cents."""
    quantity: int
    """How many pieces."""


@dataclass(slots=True, kw_only=True)
class Order:
    """An order with its lines."""

    id: uuid.UUID
    """The order's id (UUIDv7)."""
    user_id: uuid.UUID
    """Who ordered."""
    status: OrderStatus
    """How far an order has come."""
    currency: str
    """An ISO 4217 code."""
    total: int
    """The sum of the lines, in minor units."""
    items: int
    """How many pieces in all lines."""
    lines: list[OrderLine]
    """What was ordered."""
    created_at: datetime.datetime
    """When it was placed (UTC)."""
    updated_at: datetime.datetime
    """When its status changed last (UTC)."""


@dataclass(slots=True, kw_only=True)
class OrderSummary:
    """An order without its lines."""

    id: uuid.UUID
    """The order's id (UUIDv7)."""
    status: OrderStatus
    """How far an order has come."""
    currency: str
    """An ISO 4217 code."""
    total: int
    """The sum of the lines, in minor units."""
    items: int
    """How many pieces in all lines."""
    created_at: datetime.datetime
    """When it was placed (UTC)."""
    updated_at: datetime.datetime
    """When its status changed last (UTC)."""


@dataclass(slots=True, kw_only=True)
class OrderPage:
    """A page of orders."""

    items: list[OrderSummary]
    """The orders, newest first."""
    next_cursor: str | None
    """The `cursor` of the next page; null on the last."""


@dataclass(slots=True, kw_only=True)
class OrderStatusChange:
    """The next status."""

    status: OrderStatus
    """How far an order has come."""


@dataclass(slots=True, kw_only=True)
class Buyer:
    """Who ordered."""

    id: uuid.UUID
    """The account's id."""
    username: str
    """The user name, unique in any letter case."""
    email: str
    """The e-mail address, unique in any letter case."""


@dataclass(slots=True, kw_only=True)
class AdminOrder:
    """An order with its buyer, without its lines."""

    id: uuid.UUID
    """The order's id (UUIDv7)."""
    status: OrderStatus
    """How far an order has come."""
    currency: str
    """An ISO 4217 code."""
    total: int
    """The sum of the lines, in minor units."""
    items: int
    """How many pieces in all lines."""
    created_at: datetime.datetime
    """When it was placed (UTC)."""
    updated_at: datetime.datetime
    """When its status changed last (UTC)."""
    buyer: Buyer
    """Who ordered."""


@dataclass(slots=True, kw_only=True)
class AdminOrderPage:
    """A page of orders with their buyers."""

    items: list[AdminOrder]
    """The orders, newest first."""
    next_cursor: str | None
    """The `cursor` of the next page; null on the last."""


@dataclass(slots=True, kw_only=True)
class StatsDay:
    """What came in on one day."""

    day: datetime.date
    """The day (UTC)."""
    users: int
    """How many there are."""
    orders: int
    """How many there are."""
    items: int
    """How many there are."""


@dataclass(slots=True, kw_only=True)
class Stats:
    """How much there is of everything."""

    users: int
    """How many there are."""
    active_users: int
    """How many there are."""
    sessions: int
    """How many there are."""
    products: int
    """How many there are."""
    products_out_of_stock: int
    """How many there are."""
    orders: int
    """How many there are."""
    open_orders: int
    """How many there are."""
    files: int
    """How many there are."""
    days: list[StatsDay]
    """The last 30 days, oldest first. Cancelled orders do not count."""
    etag: str | None = field(default=None, compare=False, metadata={"header": "ETag"})
    """The version (`ETag`) for `if_match`; None where it did not come alone."""


@dataclass(slots=True, kw_only=True)
class Notification:
    """Something that a person is told."""

    id: uuid.UUID
    """The notification's id (UUIDv7)."""
    number: int
    """Counts the account's notifications: a later one has a greater number."""
    kind: NotificationKind
    """What a notification is about."""
    title: str
    """What there is to tell."""
    link: str
    """The path of this API that it is about; empty where there is none."""
    created_at: datetime.datetime
    """When it arose."""
    read_at: datetime.datetime | None
    """When it was read; null while it was not."""


@dataclass(slots=True, kw_only=True)
class NotificationPage:
    """A page of notifications."""

    items: list[Notification]
    """The notifications, newest first."""
    next_cursor: str | None
    """The `cursor` of the next page; null on the last."""


@dataclass(slots=True, kw_only=True)
class NotificationCount:
    """A number of notifications."""

    count: int
    """How many there are."""


@dataclass(slots=True, kw_only=True)
class ReportRequest:
    """What report is wanted."""

    kind: ReportKind
    """What a report is about."""
    format: ReportFormat
    """How a report is written."""
    days: int
    """How many days the report goes back, today included (UTC). Accounts are listed whole."""


@dataclass(slots=True, kw_only=True)
class ReportJob:
    """A report that was asked for."""

    job_id: uuid.UUID
    """The report's id (UUIDv7)."""
    status: ReportStatus
    """How far a report has come."""


@dataclass(slots=True, kw_only=True)
class ReportProblem:
    """Why a report has failed."""

    type: str
    """Which kind of problem, as a URI that this server answers."""
    title: str
    """What it means."""


@dataclass(slots=True, kw_only=True)
class Report:
    """A report."""

    job_id: uuid.UUID
    """The report's id (UUIDv7)."""
    kind: ReportKind
    """What a report is about."""
    format: ReportFormat
    """How a report is written."""
    days: int
    """How many days the report goes back, today included (UTC). Accounts are listed whole."""
    status: ReportStatus
    """How far a report has come."""
    progress: int
    """How much of it is made, in percent."""
    file_id: uuid.UUID | None
    """The file that was made; null before, and when it was deleted."""
    problem: ReportProblem | None
    """Why it has failed; null where it has not."""
    created_at: datetime.datetime
    """When it was asked for (UTC)."""
    finished_at: datetime.datetime | None
    """When it ended (UTC)."""


@dataclass(slots=True, kw_only=True)
class ReportPage:
    """A page of reports."""

    items: list[Report]
    """The reports, newest first."""
    next_cursor: str | None
    """The `cursor` of the next page; null on the last."""


@dataclass(slots=True, kw_only=True)
class DashboardError:
    """Why a part is missing."""

    part: DashboardPart
    """A part of the dashboard."""
    type: str
    """Which kind of problem, as a URI that this server answers."""
    title: str
    """What it means."""


@dataclass(slots=True, kw_only=True)
class Dashboard:
    """What a person wants to see first."""

    user: User | None
    """The account; null where it could not be read."""
    orders: list[OrderSummary]
    """The latest orders, newest first."""
    notifications: list[Notification]
    """The latest unread notifications, newest first."""
    errors: list[DashboardError]
    """The parts that are missing."""


@dataclass(slots=True, kw_only=True)
class File:
    """A file."""

    id: uuid.UUID
    """The file's id (UUIDv7)."""
    name: str
    """What it is saved as."""
    content_type: str
    """What its bytes are."""
    size: int
    """How many bytes it has."""
    sha256: str
    """The SHA-256 of its bytes in hexadecimal."""
    created_at: datetime.datetime
    """When it was stored (UTC)."""


@dataclass(slots=True, kw_only=True)
class FilePage:
    """A page of files."""

    items: list[File]
    """The files, newest first."""
    next_cursor: str | None
    """The `cursor` of the next page; null on the last."""
