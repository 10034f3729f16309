"""The synchronous client.

Generated from the contract (sdk/python/generate.sh).
"""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Generator, Sequence
from contextlib import AbstractContextManager
from typing import Literal

from .._body import FileContent, Upload
from .._client import Client
from .._download import Download
from .._items import Items
from .._operation import Call
from . import models, operations


class Accord(Client):
    """Accounts, products, orders, notifications, files, exports and reports, ready for the
    public internet.
    """

    def get_health(self) -> models.Health:
        """Whether the server runs.

        Answers as long as the process serves requests; looks at nothing else.
        """
        return self._value(Call(operations.GET_HEALTH), models.Health)

    def get_liveness(self) -> models.Health:
        """Whether the process is alive.

        The liveness probe. It does not look at the database, since a restart would not mend
        that.
        """
        return self._value(Call(operations.GET_LIVENESS), models.Health)

    def get_readiness(self) -> models.Health:
        """Whether the server should get requests.

        The readiness probe. 503 while the database is out of reach, its schema is older
        than the server needs, or the server is stopping.
        """
        return self._value(Call(operations.GET_READINESS), models.Health)

    def get_jwks(self) -> models.JsonWebKeySet:
        """The public keys of access tokens.

        For services that verify access tokens themselves (RFC 7517). Empty while tokens are
        signed with a shared secret.
        """
        return self._value(Call(operations.GET_JWKS), models.JsonWebKeySet)

    def login(self, body: models.LoginForm) -> models.Token:
        """Sign in with a password.

        The OAuth 2 password grant (RFC 6749, section 4.3). `username` may be the e-mail
        address. Only the body counts: members in the query string and a `Basic` header are
        ignored, as are unknown members.

        After a failed attempt the name that was given is refused from the same network for
        1, 2, 4 ... up to 900 seconds. User name and address of an account count together as
        well; where only that refuses an attempt, it is answered like a wrong password.

        Args:
            body: The password grant's form.
        """
        return self._value(Call(operations.LOGIN, body=body), models.Token)

    def refresh_token(self, body: models.RefreshRequest) -> models.Token:
        """Exchange a refresh token for new tokens.

        Each refresh token works once. Sent again within 10 seconds it gives the same
        successor, for clients that lost the answer; sent again later it ends the whole
        session, since it must have been copied.

        Args:
            body: The refresh grant, as a form or as JSON.
        """
        return self._value(Call(operations.REFRESH_TOKEN, body=body), models.Token)

    def logout(self) -> None:
        """Sign out.

        Ends the session of the access token, with all its tokens, on every instance within
        a second.
        """
        self._nothing(Call(operations.LOGOUT))

    def logout_all(self) -> None:
        """Sign out everywhere.

        Ends all sessions of the account, this one included.
        """
        self._nothing(Call(operations.LOGOUT_ALL))

    def list_sessions(
        self, *, page_size: int | None = None, cursor: str | None = None
    ) -> Items[models.Session, models.SessionPage]:
        """Where you are signed in.

        The live sessions of the account, newest first.

        Args:
            page_size: How many items a page has at most; all pages are read.
            cursor: Where to begin, the `next_cursor` of a page.
        """
        return self._items(
            Call(operations.LIST_SESSIONS, query={"limit": page_size, "cursor": cursor}),
            models.SessionPage,
            models.Session,
        )

    def revoke_session(self, session_id: uuid.UUID | str) -> None:
        """End one session.

        Signs out another device (or this one).

        Args:
            session_id: The session's id, as the list gives it.
        """
        self._nothing(Call(operations.REVOKE_SESSION, path={"session_id": session_id}))

    def forgot_password(self, body: models.EmailRequest) -> None:
        """Ask for a link to set a new password.

        Always 202, whether or not an account has this address. The link works once, for one
        hour.

        Args:
            body: An e-mail address.
        """
        self._nothing(Call(operations.FORGOT_PASSWORD, body=body))

    def reset_password(self, body: models.PasswordReset) -> None:
        """Set a new password with the link's token.

        Ends all sessions of the account. The address counts as verified afterwards, since
        the mail was received there.

        Args:
            body: The mail's token and the new password.
        """
        self._nothing(Call(operations.RESET_PASSWORD, body=body))

    def verify_email(self, body: models.EmailVerification) -> None:
        """Confirm an e-mail address with the link's token.

        The token works once, for 24 hours.

        Args:
            body: The mail's token.
        """
        self._nothing(Call(operations.VERIFY_EMAIL, body=body))

    def resend_verification(self, body: models.EmailRequest) -> None:
        """Ask for another verification mail.

        Always 202, whether or not an account has this address or needs it. Earlier links
        stop working.

        Args:
            body: An e-mail address.
        """
        self._nothing(Call(operations.RESEND_VERIFICATION, body=body))

    def register_user(self, body: models.UserCreate) -> models.User:
        """Register.

        Creates an account with the role `user` and sends a mail with a verification link.
        One may sign in at once.

        Args:
            body: A new account.
        """
        return self._value(Call(operations.REGISTER_USER, body=body), models.User)

    def get_me(self) -> models.User:
        """Your account.

        The account of the access token.
        """
        return self._value(Call(operations.GET_ME), models.User)

    def update_me(self, body: models.UserUpdate) -> models.User:
        """Change your account.

        A JSON merge patch (RFC 7396). Members that are absent stay as they are.

        Args:
            body: A merge patch of one's own account.
        """
        return self._value(Call(operations.UPDATE_ME, body=body), models.User)

    def delete_me(self, body: models.AccountDeletion) -> None:
        """Delete your account.

        Needs the password. Ends all sessions, and the name, address and password are
        removed for good, from mails on their way as well, and from the sessions where they
        were used. What others rely on (such as orders) stays, without the person; so does
        the audit trail, which holds the account's id and the network addresses that it was
        used from until it is old enough (400 days, unless the service has set another
        time). The last administrator cannot leave.

        Args:
            body: The confirmation that an account is to be deleted.
        """
        self._nothing(Call(operations.DELETE_ME, body=body))

    def change_password(self, body: models.PasswordChange) -> None:
        """Change your password.

        Needs the current password, and ends all other sessions. A wrong current password is
        a 422 on that field and counts as a failed sign-in.

        Args:
            body: The old and the new password.
        """
        self._nothing(Call(operations.CHANGE_PASSWORD, body=body))

    def get_user(self, user_id: uuid.UUID | str) -> models.User:
        """One account.

        Your own, or any for an administrator; every other is a 404.

        Args:
            user_id: The account's id.
        """
        return self._value(Call(operations.GET_USER, path={"user_id": user_id}), models.User)

    def admin_list_users(
        self,
        *,
        q: str | None = None,
        role: models.Role | None = None,
        is_active: bool | None = None,
        include: Sequence[models.UserInclude] | None = None,
        page_size: int | None = None,
        cursor: str | None = None,
    ) -> Items[models.AdminUser, models.AdminUserPage]:
        """All accounts.

        Newest first. `q` is looked for in e-mail address, user name and full name, in any
        letter case.

        Args:
            q: Part of an e-mail address, user name or full name.
            role: Only accounts with this role.
            is_active: Only active, or only deactivated accounts.
            include: What to show beside each account; `orders` are the latest three.
            page_size: How many items a page has at most; all pages are read.
            cursor: Where to begin, the `next_cursor` of a page.
        """
        return self._items(
            Call(
                operations.ADMIN_LIST_USERS,
                query={
                    "q": q,
                    "role": role,
                    "is_active": is_active,
                    "include": include,
                    "limit": page_size,
                    "cursor": cursor,
                },
            ),
            models.AdminUserPage,
            models.AdminUser,
        )

    def admin_get_user(self, user_id: uuid.UUID | str) -> models.User:
        """Any account.

        The account as its owner sees it.

        Args:
            user_id: The account's id.
        """
        return self._value(Call(operations.ADMIN_GET_USER, path={"user_id": user_id}), models.User)

    def admin_update_user(
        self, user_id: uuid.UUID | str, body: models.AdminUserUpdate
    ) -> models.User:
        """Change role or activity of an account.

        A JSON merge patch. Deactivating ends the account's sessions at once; a role holds
        from the next request. The last active administrator cannot be demoted or
        deactivated.

        Args:
            user_id: The account's id.
            body: A merge patch of any account.
        """
        return self._value(
            Call(operations.ADMIN_UPDATE_USER, path={"user_id": user_id}, body=body), models.User
        )

    def admin_list_audit_events(
        self,
        *,
        action: str | None = None,
        outcome: models.AuditOutcome | None = None,
        user_id: uuid.UUID | str | None = None,
        page_size: int | None = None,
        cursor: str | None = None,
    ) -> Items[models.AuditEvent, models.AuditEventPage]:
        """What happened.

        Sign-ins and changes, newest first, for as long as the trail is kept (400 days,
        unless the service has set another time).

        Args:
            action: Only events of this action.
            outcome: Only events with this outcome.
            user_id: Only events that this account caused or that concern it.
            page_size: How many items a page has at most; all pages are read.
            cursor: Where to begin, the `next_cursor` of a page.
        """
        return self._items(
            Call(
                operations.ADMIN_LIST_AUDIT_EVENTS,
                query={
                    "action": action,
                    "outcome": outcome,
                    "user_id": user_id,
                    "limit": page_size,
                    "cursor": cursor,
                },
            ),
            models.AuditEventPage,
            models.AuditEvent,
        )

    def list_products(
        self,
        *,
        q: str | None = None,
        min_price: int | None = None,
        max_price: int | None = None,
        currency: str | None = None,
        in_stock: bool | None = None,
        sort: models.ProductSort | None = None,
        page_size: int | None = None,
        cursor: str | None = None,
        if_none_match: str | None = None,
    ) -> Items[models.Product, models.ProductPage]:
        """What is sold.

        Newest first, or by price. `q` finds products by the words of name, SKU and
        description: all of them, in any order and form; `"words in quotes"` stand together,
        `or` takes either, `-word` leaves out from what other words find, and by itself
        finds nothing. Where more than 10,000 products have the words, the newest 10,000 of
        these are looked through. Whether a product is in stock may be some minutes old
        here; the product itself always tells.

        Args:
            q: The words to look for.
            min_price: The lowest price, in minor units.
            max_price: The highest price, in minor units.
            currency: Only prices in this currency.
            in_stock: Only products that are, or that are not, in stock.
            sort: The order.
            page_size: How many items a page has at most; all pages are read.
            cursor: Where to begin, the `next_cursor` of a page.
            if_none_match: The `ETag` that the client has; where it is still the current one,
                the answer is 304 without a body.
        """
        return self._items(
            Call(
                operations.LIST_PRODUCTS,
                query={
                    "q": q,
                    "min_price": min_price,
                    "max_price": max_price,
                    "currency": currency,
                    "in_stock": in_stock,
                    "sort": sort,
                    "limit": page_size,
                    "cursor": cursor,
                },
                headers={"If-None-Match": if_none_match},
            ),
            models.ProductPage,
            models.Product,
        )

    def create_product(self, body: models.ProductCreate) -> models.Product:
        """Offer a product.

        For administrators. The SKU is unique in any letter case, among retired products as
        well.

        Args:
            body: A new product.
        """
        return self._value(Call(operations.CREATE_PRODUCT, body=body), models.Product)

    def get_product(
        self, product_id: uuid.UUID | str, *, if_none_match: str | None = None
    ) -> models.Product:
        """One product.

        A retired product is a 404. The `ETag` is the version that `If-Match` of a change
        takes.

        Args:
            product_id: The product's id.
            if_none_match: The `ETag` that the client has; where it is still the current one,
                the answer is 304 without a body.
        """
        return self._value(
            Call(
                operations.GET_PRODUCT,
                path={"product_id": product_id},
                headers={"If-None-Match": if_none_match},
            ),
            models.Product,
        )

    def update_product(
        self,
        product_id: uuid.UUID | str,
        body: models.ProductUpdate,
        *,
        if_match: str | None = None,
    ) -> models.Product:
        """Change a product.

        For administrators. A JSON merge patch (RFC 7396). With `If-Match` it changes the
        version that was read or nothing: every change makes a new one, an order that takes
        from the stock too. Orders keep the price they were placed at.

        Args:
            product_id: The product's id.
            body: A merge patch of a product.
            if_match: One or more `ETag`s, or `*` for any; where none of them is the current
                one, nothing is changed and the answer is 412.
        """
        return self._value(
            Call(
                operations.UPDATE_PRODUCT,
                path={"product_id": product_id},
                headers={"If-Match": if_match},
                body=body,
            ),
            models.Product,
        )

    def retire_product(self, product_id: uuid.UUID | str, *, if_match: str | None = None) -> None:
        """Retire a product.

        For administrators. It is not sold or shown any more; orders keep their lines.

        Args:
            product_id: The product's id.
            if_match: One or more `ETag`s, or `*` for any; where none of them is the current
                one, nothing is changed and the answer is 412.
        """
        self._nothing(
            Call(
                operations.RETIRE_PRODUCT,
                path={"product_id": product_id},
                headers={"If-Match": if_match},
            )
        )

    def list_orders(
        self,
        *,
        status: models.OrderStatus | None = None,
        page_size: int | None = None,
        cursor: str | None = None,
    ) -> Items[models.OrderSummary, models.OrderPage]:
        """Your orders.

        Newest first, without their lines.

        Args:
            status: Only orders in this status.
            page_size: How many items a page has at most; all pages are read.
            cursor: Where to begin, the `next_cursor` of a page.
        """
        return self._items(
            Call(
                operations.LIST_ORDERS,
                query={"status": status, "limit": page_size, "cursor": cursor},
            ),
            models.OrderPage,
            models.OrderSummary,
        )

    def create_order(
        self, body: models.OrderCreate, *, idempotency_key: str | None = None
    ) -> models.Order:
        """Order products.

        All lines or none. The prices are those of now and stay with the order; the pieces
        are taken from the stock at once. All lines have to be in one currency. Send an
        `Idempotency-Key`, and a retry never orders twice.

        Args:
            body: A new order.
            idempotency_key: Makes it safe to send the request again: within 24 hours the same
                key with the same request gives the first answer, and nothing is done twice. In
                another role it is another request. A random UUID is a good key; it may stand in
                quotes.
        """
        return self._value(
            Call(operations.CREATE_ORDER, headers={"Idempotency-Key": idempotency_key}, body=body),
            models.Order,
        )

    def get_order(self, order_id: uuid.UUID | str) -> models.Order:
        """One order.

        Your own, or any for an administrator, with its lines; every other is a 404.

        Args:
            order_id: The order's id.
        """
        return self._value(Call(operations.GET_ORDER, path={"order_id": order_id}), models.Order)

    def cancel_order(self, order_id: uuid.UUID | str) -> models.Order:
        """Cancel your order.

        Possible until it is shipped. What it had taken from the stock is given back, once.

        Args:
            order_id: The order's id.
        """
        return self._value(Call(operations.CANCEL_ORDER, path={"order_id": order_id}), models.Order)

    def admin_list_orders(
        self,
        *,
        status: models.OrderStatus | None = None,
        page_size: int | None = None,
        cursor: str | None = None,
    ) -> Items[models.AdminOrder, models.AdminOrderPage]:
        """All orders.

        Newest first, each with its buyer, without the lines.

        Args:
            status: Only orders in this status.
            page_size: How many items a page has at most; all pages are read.
            cursor: Where to begin, the `next_cursor` of a page.
        """
        return self._items(
            Call(
                operations.ADMIN_LIST_ORDERS,
                query={"status": status, "limit": page_size, "cursor": cursor},
            ),
            models.AdminOrderPage,
            models.AdminOrder,
        )

    def admin_set_order_status(
        self, order_id: uuid.UUID | str, body: models.OrderStatusChange
    ) -> models.Order:
        """Move an order on.

        One step: pending to paid, paid to shipped, shipped to delivered; pending and paid
        ones can be cancelled, which gives the stock back. Any other step is a 409.

        Args:
            order_id: The order's id.
            body: The next status.
        """
        return self._value(
            Call(operations.ADMIN_SET_ORDER_STATUS, path={"order_id": order_id}, body=body),
            models.Order,
        )

    def admin_list_user_orders(
        self,
        user_id: uuid.UUID | str,
        *,
        status: models.OrderStatus | None = None,
        page_size: int | None = None,
        cursor: str | None = None,
    ) -> Items[models.OrderSummary, models.OrderPage]:
        """The orders of an account.

        Newest first, without their lines. An account that is not there is a 404.

        Args:
            user_id: The account's id.
            status: Only orders in this status.
            page_size: How many items a page has at most; all pages are read.
            cursor: Where to begin, the `next_cursor` of a page.
        """
        return self._items(
            Call(
                operations.ADMIN_LIST_USER_ORDERS,
                path={"user_id": user_id},
                query={"status": status, "limit": page_size, "cursor": cursor},
            ),
            models.OrderPage,
            models.OrderSummary,
        )

    def admin_get_stats(self, *, if_none_match: str | None = None) -> models.Stats:
        """Counts and the last 30 days.

        How much there is of everything, and what came in on each of the last 30 days (UTC),
        today included. Up to a minute old.

        Args:
            if_none_match: The `ETag` that the client has; where it is still the current one,
                the answer is 304 without a body.
        """
        return self._value(
            Call(operations.ADMIN_GET_STATS, headers={"If-None-Match": if_none_match}), models.Stats
        )

    def export_users(
        self, *, accept: Literal["text/csv", "application/x-ndjson"] = "text/csv"
    ) -> AbstractContextManager[Download]:
        """All accounts as a table.

        For administrators. CSV by default, NDJSON with `Accept: application/x-ndjson`,
        compressed with `Accept-Encoding: gzip`. All rows are of one moment. A cell that a
        spreadsheet would take for a formula gets a `'` before it. An answer that breaks off
        is not complete: the connection is cut, so that no client takes half for whole.
        Reading it may take 10 minutes, and no pause longer than 30 seconds.

        Args:
            accept: The form of the answer.
        """
        return self._download(Call(operations.EXPORT_USERS, headers={"Accept": accept}))

    def export_orders(
        self,
        *,
        from_: datetime.datetime | None = None,
        to: datetime.datetime | None = None,
        accept: Literal["text/csv", "application/x-ndjson"] = "text/csv",
    ) -> AbstractContextManager[Download]:
        """All order lines as a table.

        For administrators. CSV by default, NDJSON with `Accept: application/x-ndjson`,
        compressed with `Accept-Encoding: gzip`. All rows are of one moment. A cell that a
        spreadsheet would take for a formula gets a `'` before it. An answer that breaks off
        is not complete: the connection is cut, so that no client takes half for whole.
        Reading it may take 10 minutes, and no pause longer than 30 seconds.

        Args:
            from_: Only orders that were placed then or later. Not later than `to`.
            to: Only orders that were placed before.
            accept: The form of the answer.
        """
        return self._download(
            Call(
                operations.EXPORT_ORDERS,
                query={"from": from_, "to": to},
                headers={"Accept": accept},
            )
        )

    def list_notifications(
        self, *, unread: bool | None = None, page_size: int | None = None, cursor: str | None = None
    ) -> Items[models.Notification, models.NotificationPage]:
        """Your notifications.

        Newest first. They are kept for 90 days.

        Args:
            unread: With `true`, only those that have not been read.
            page_size: How many items a page has at most; all pages are read.
            cursor: Where to begin, the `next_cursor` of a page.
        """
        return self._items(
            Call(
                operations.LIST_NOTIFICATIONS,
                query={"unread": unread, "limit": page_size, "cursor": cursor},
            ),
            models.NotificationPage,
            models.Notification,
        )

    def count_unread_notifications(self) -> models.NotificationCount:
        """How many notifications are unread.

        For the figure beside a bell.
        """
        return self._value(Call(operations.COUNT_UNREAD_NOTIFICATIONS), models.NotificationCount)

    def read_all_notifications(self) -> models.NotificationCount:
        """Mark all as read.

        Answers how many were unread until then.
        """
        return self._value(Call(operations.READ_ALL_NOTIFICATIONS), models.NotificationCount)

    def stream_notifications(
        self, *, last_event_id: int | None = None
    ) -> Generator[models.Notification, None, None]:
        """Notifications as they arise.

        Server-sent events. Each notification is one event: its `id` is the notification's
        `number`, its name is `notification`, and its `data` is the JSON of the schema
        `Notification`. They come in the order of their numbers, none is left out and none
        comes twice, whichever instance they arose on.

        A client that was cut off sends the last `id` that it has as `Last-Event-ID`, and
        everything after it follows. The stream begins with an `id` and no event, so that
        this holds before the first one as well. A comment comes every 20 seconds, so that
        both sides see that the other is there. The stream ends with the session, and when
        the server stops. An account may have 20 streams open at once; one more is a 429.

        Args:
            last_event_id: The number of the last notification that the client has; without it,
                and with one that was not given yet, only what arises from now on is sent.
        """
        return self._events(
            Call(operations.STREAM_NOTIFICATIONS, headers={"Last-Event-ID": last_event_id}),
            "notification",
            models.Notification,
        )

    def read_notification(self, notification_id: uuid.UUID | str) -> models.Notification:
        """Mark one as read.

        One that is read already stays as it is.

        Args:
            notification_id: The notification's id.
        """
        return self._value(
            Call(operations.READ_NOTIFICATION, path={"notification_id": notification_id}),
            models.Notification,
        )

    def list_reports(
        self, *, page_size: int | None = None, cursor: str | None = None
    ) -> Items[models.Report, models.ReportPage]:
        """Your reports.

        Newest first. They are kept for 90 days after their end, and their files until they
        are deleted.

        Args:
            page_size: How many items a page has at most; all pages are read.
            cursor: Where to begin, the `next_cursor` of a page.
        """
        return self._items(
            Call(operations.LIST_REPORTS, query={"limit": page_size, "cursor": cursor}),
            models.ReportPage,
            models.Report,
        )

    def generate_report(
        self, body: models.ReportRequest, *, idempotency_key: str | None = None
    ) -> models.ReportJob:
        """Ask for a report.

        It is made in the background; a notification tells when it is ready, and the file is
        among yours then. `orders` are your own orders; `sales` by day and product, and
        `users`, are for administrators, who have to be some still when it is made. Each is
        made as `csv`, `sales` as a page in `html` with a chart too. The file counts among
        yours: one for which there is no room fails.

        Args:
            body: What report is wanted.
            idempotency_key: Makes it safe to send the request again: within 24 hours the same
                key with the same request gives the first answer, and nothing is done twice. In
                another role it is another request. A random UUID is a good key; it may stand in
                quotes.
        """
        return self._value(
            Call(
                operations.GENERATE_REPORT, headers={"Idempotency-Key": idempotency_key}, body=body
            ),
            models.ReportJob,
        )

    def get_report(self, job_id: uuid.UUID | str) -> models.Report:
        """One report.

        Your own; every other is a 404.

        Args:
            job_id: The report's id.
        """
        return self._value(Call(operations.GET_REPORT, path={"job_id": job_id}), models.Report)

    def cancel_report(self, job_id: uuid.UUID | str) -> models.Report:
        """Cancel a report.

        Possible until it has ended.

        Args:
            job_id: The report's id.
        """
        return self._value(Call(operations.CANCEL_REPORT, path={"job_id": job_id}), models.Report)

    def get_dashboard(self) -> models.Dashboard:
        """What you want to see first.

        Your account, latest orders and unread notifications, read at the same time. A part
        that fails or is late is null or empty and named in `errors`; the others are there
        all the same.
        """
        return self._value(Call(operations.GET_DASHBOARD), models.Dashboard)

    def list_files(
        self, *, page_size: int | None = None, cursor: str | None = None
    ) -> Items[models.File, models.FilePage]:
        """Your files.

        Newest first; what you have uploaded, and what your reports were made into.

        Args:
            page_size: How many items a page has at most; all pages are read.
            cursor: Where to begin, the `next_cursor` of a page.
        """
        return self._items(
            Call(operations.LIST_FILES, query={"limit": page_size, "cursor": cursor}),
            models.FilePage,
            models.File,
        )

    def upload_file(self, file: FileContent, *, filename: str | None = None) -> models.File:
        """Upload a file.

        A form with one file in its field `file`, of at most 32 MiB with all that is around
        it. The file's content type is found in its bytes; what the client says it is does
        not count. Its name is made safe: without folders, without what cannot be seen, with
        `_` for `:*?<>|`, and of at most 255 bytes. All your files together may have as many
        bytes as the server's settings say; one that exceeds this is a 409. Sending it may
        take 5 minutes, and no pause longer than 10 seconds. A few uploads of yours run at
        once, and further ones wait for a moment or are a 503.

        Args:
            file: Bytes, a path, a file open for reading bytes, or chunks.
            filename: What it is to be called; else as the file is.
        """
        return self._value(
            Call(operations.UPLOAD_FILE, body=Upload("file", file, filename)), models.File
        )

    def download_file(
        self,
        file_id: uuid.UUID | str,
        *,
        range: str | None = None,
        if_range: str | None = None,
        if_none_match: str | None = None,
        if_modified_since: str | None = None,
    ) -> AbstractContextManager[Download]:
        """Download a file.

        Your own, or any for an administrator; every other is a 404. A file never changes
        under its id. A broken download goes on with `Range` and `If-Range`; `If-Match` and
        `If-Unmodified-Since` count as well. Whatever the file is, a browser saves it and
        shows none of it as a page of this server. Reading it may take 10 minutes, and no
        pause longer than 30 seconds.

        Args:
            file_id: The file's id.
            range: The part of the file that is wanted, as `bytes=0-99`, `bytes=100-` or
                `bytes=-100`, or several parts after each other (RFC 9110, section 14.2). In
                another unit it does not count.
            if_range: The `ETag` or `Last-Modified` of what the client has a part of; where the
                file is another one, `Range` does not count.
            if_none_match: The `ETag` that the client has; where it is still the current one,
                the answer is 304 without a body.
            if_modified_since: The `Last-Modified` of what the client has; where the file is no
                newer, the answer is 304 without a body. It does not count beside
                `If-None-Match`.
        """
        return self._download(
            Call(
                operations.DOWNLOAD_FILE,
                path={"file_id": file_id},
                headers={
                    "Range": range,
                    "If-Range": if_range,
                    "If-None-Match": if_none_match,
                    "If-Modified-Since": if_modified_since,
                },
            )
        )

    def delete_file(self, file_id: uuid.UUID | str) -> None:
        """Delete a file.

        Your own, or any for an administrator; every other is a 404. A report that was made
        into it stays, without a file.

        Args:
            file_id: The file's id.
        """
        self._nothing(Call(operations.DELETE_FILE, path={"file_id": file_id}))
