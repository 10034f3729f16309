"""The operations of the contract.

Generated from the contract (sdk/python/generate.sh).
"""

from .._operation import Operation

GET_HEALTH = Operation(name="getHealth", method="GET", path="/health", signed_in=False)
GET_LIVENESS = Operation(name="getLiveness", method="GET", path="/livez", signed_in=False)
GET_READINESS = Operation(name="getReadiness", method="GET", path="/readyz", signed_in=False)
GET_JWKS = Operation(name="getJwks", method="GET", path="/.well-known/jwks.json", signed_in=False)
LOGIN = Operation(
    name="login",
    method="POST",
    path="/api/v1/auth/login",
    signed_in=False,
    sends="application/x-www-form-urlencoded",
    gives_tokens=True,
)
REFRESH_TOKEN = Operation(
    name="refreshToken",
    method="POST",
    path="/api/v1/auth/refresh",
    signed_in=False,
    sends="application/json",
    gives_tokens=True,
)
LOGOUT = Operation(name="logout", method="POST", path="/api/v1/auth/logout", ends_session=True)
LOGOUT_ALL = Operation(
    name="logoutAll", method="POST", path="/api/v1/auth/logout-all", ends_session=True
)
LIST_SESSIONS = Operation(name="listSessions", method="GET", path="/api/v1/auth/sessions")
REVOKE_SESSION = Operation(
    name="revokeSession", method="DELETE", path="/api/v1/auth/sessions/{session_id}"
)
FORGOT_PASSWORD = Operation(
    name="forgotPassword",
    method="POST",
    path="/api/v1/auth/forgot-password",
    signed_in=False,
    sends="application/json",
)
RESET_PASSWORD = Operation(
    name="resetPassword",
    method="POST",
    path="/api/v1/auth/reset-password",
    signed_in=False,
    sends="application/json",
)
VERIFY_EMAIL = Operation(
    name="verifyEmail",
    method="POST",
    path="/api/v1/auth/verify-email",
    signed_in=False,
    sends="application/json",
)
RESEND_VERIFICATION = Operation(
    name="resendVerification",
    method="POST",
    path="/api/v1/auth/resend-verification",
    signed_in=False,
    sends="application/json",
)
REGISTER_USER = Operation(
    name="registerUser",
    method="POST",
    path="/api/v1/users",
    signed_in=False,
    sends="application/json",
)
GET_ME = Operation(name="getMe", method="GET", path="/api/v1/users/me")
UPDATE_ME = Operation(
    name="updateMe", method="PATCH", path="/api/v1/users/me", sends="application/merge-patch+json"
)
DELETE_ME = Operation(
    name="deleteMe",
    method="DELETE",
    path="/api/v1/users/me",
    sends="application/json",
    ends_session=True,
)
CHANGE_PASSWORD = Operation(
    name="changePassword", method="PUT", path="/api/v1/users/me/password", sends="application/json"
)
GET_USER = Operation(name="getUser", method="GET", path="/api/v1/users/{user_id}")
ADMIN_LIST_USERS = Operation(name="adminListUsers", method="GET", path="/api/v1/admin/users")
ADMIN_GET_USER = Operation(name="adminGetUser", method="GET", path="/api/v1/admin/users/{user_id}")
ADMIN_UPDATE_USER = Operation(
    name="adminUpdateUser",
    method="PATCH",
    path="/api/v1/admin/users/{user_id}",
    sends="application/merge-patch+json",
)
ADMIN_LIST_AUDIT_EVENTS = Operation(
    name="adminListAuditEvents", method="GET", path="/api/v1/admin/audit-events"
)
LIST_PRODUCTS = Operation(
    name="listProducts", method="GET", path="/api/v1/products", signed_in=False
)
CREATE_PRODUCT = Operation(
    name="createProduct", method="POST", path="/api/v1/products", sends="application/json"
)
GET_PRODUCT = Operation(
    name="getProduct", method="GET", path="/api/v1/products/{product_id}", signed_in=False
)
UPDATE_PRODUCT = Operation(
    name="updateProduct",
    method="PATCH",
    path="/api/v1/products/{product_id}",
    sends="application/merge-patch+json",
)
RETIRE_PRODUCT = Operation(
    name="retireProduct", method="DELETE", path="/api/v1/products/{product_id}"
)
LIST_ORDERS = Operation(name="listOrders", method="GET", path="/api/v1/orders")
CREATE_ORDER = Operation(
    name="createOrder",
    method="POST",
    path="/api/v1/orders",
    takes_key=True,
    sends="application/json",
)
GET_ORDER = Operation(name="getOrder", method="GET", path="/api/v1/orders/{order_id}")
CANCEL_ORDER = Operation(name="cancelOrder", method="POST", path="/api/v1/orders/{order_id}/cancel")
ADMIN_LIST_ORDERS = Operation(name="adminListOrders", method="GET", path="/api/v1/admin/orders")
ADMIN_SET_ORDER_STATUS = Operation(
    name="adminSetOrderStatus",
    method="POST",
    path="/api/v1/admin/orders/{order_id}/status",
    sends="application/json",
)
ADMIN_LIST_USER_ORDERS = Operation(
    name="adminListUserOrders", method="GET", path="/api/v1/admin/users/{user_id}/orders"
)
ADMIN_GET_STATS = Operation(name="adminGetStats", method="GET", path="/api/v1/admin/stats")
EXPORT_USERS = Operation(
    name="exportUsers", method="GET", path="/api/v1/export/users", accepts="text/csv"
)
EXPORT_ORDERS = Operation(
    name="exportOrders", method="GET", path="/api/v1/export/orders", accepts="text/csv"
)
LIST_NOTIFICATIONS = Operation(name="listNotifications", method="GET", path="/api/v1/notifications")
COUNT_UNREAD_NOTIFICATIONS = Operation(
    name="countUnreadNotifications", method="GET", path="/api/v1/notifications/unread-count"
)
READ_ALL_NOTIFICATIONS = Operation(
    name="readAllNotifications", method="POST", path="/api/v1/notifications/read-all"
)
STREAM_NOTIFICATIONS = Operation(
    name="streamNotifications",
    method="GET",
    path="/api/v1/notifications/stream",
    accepts="text/event-stream",
)
READ_NOTIFICATION = Operation(
    name="readNotification", method="POST", path="/api/v1/notifications/{notification_id}/read"
)
LIST_REPORTS = Operation(name="listReports", method="GET", path="/api/v1/reports")
GENERATE_REPORT = Operation(
    name="generateReport",
    method="POST",
    path="/api/v1/reports/generate",
    takes_key=True,
    sends="application/json",
)
GET_REPORT = Operation(name="getReport", method="GET", path="/api/v1/reports/{job_id}")
CANCEL_REPORT = Operation(
    name="cancelReport", method="POST", path="/api/v1/reports/{job_id}/cancel"
)
GET_DASHBOARD = Operation(name="getDashboard", method="GET", path="/api/v1/dashboard")
LIST_FILES = Operation(name="listFiles", method="GET", path="/api/v1/files")
UPLOAD_FILE = Operation(
    name="uploadFile", method="POST", path="/api/v1/files", sends="multipart/form-data"
)
DOWNLOAD_FILE = Operation(
    name="downloadFile", method="GET", path="/api/v1/files/{file_id}", accepts="*/*"
)
DELETE_FILE = Operation(name="deleteFile", method="DELETE", path="/api/v1/files/{file_id}")

SIGN_IN = LOGIN

REFRESH = REFRESH_TOKEN
