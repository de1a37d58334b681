"""What the gateway itself declares: `auth`, `core`, `me` and `logger`.

Who may change whom is in `rules/`; operations are answered by the handlers in `operations/`.
"""

from __future__ import annotations

from typing import Any

from gateway.accounts import fields, schemas
from gateway.accounts.fields import Granted, Password
from services.common.audit import audit_resource
from services.common.contract import Contract, Everyone, InRealm, Operation, OwnedBy, Resource, Within
from services.common.fields import (
    ON_REQUEST,
    Boolean,
    Concat,
    DateTime,
    Document,
    Field,
    Integer,
    Members,
    Text,
)

LANGUAGES = ("en", "es")


def _id() -> Integer:
    return Integer(name="id", read_only=True, minimum=1)


# ---- auth -------------------------------------------------------------------------------------

USERS = Resource(
    name="users",
    singular="user",
    model="user",
    table="users",
    title="User",
    doc="Staff see users whose realms are all theirs, and give nobody more rights than they have themselves.",
    fields=(
        _id(),
        Text(
            name="username",
            required=True,
            blank="refuse",
            max_length=150,
            normalize=fields.username,
            pattern=r"^\s*[\w.@+-]+\s*$",
            searched=True,
            unique=True,
        ),
        Password(name="password", doc="required on creation"),
        Text(name="first_name", default="", max_length=150, searched=True),
        Text(name="last_name", default="", max_length=150, searched=True),
        Text(
            name="email",
            default="",
            max_length=254,
            normalize=fields.email,
            pattern=r"^\s*([^\s@]+@[^\s@.]+)?\s*$",
            searched=True,
        ),
        Boolean(name="is_active", default=True),
        Boolean(name="is_staff", default=False, doc="set by superusers only"),
        Boolean(name="is_superuser", default=False, doc="set by superusers only"),
        Members(name="groups", table="user_groups", mine="user_id", theirs="group_id", to="groups"),
        Members(
            name="user_permissions",
            table="user_permissions",
            mine="user_id",
            theirs="permission_id",
            to="permissions",
        ),
        Members(name="realms", table="user_realms", mine="user_id", theirs="realm", textual=True),
        DateTime(name="last_login", read_only=True, null=True),
        DateTime(name="date_joined", read_only=True),
        Text(name="language", choices=LANGUAGES, blank="refuse", default="en", since=ON_REQUEST),
    ),
    scoping=Within(),
    staff=True,
    bulk=False,
    label=("username",),
    rules="gateway.accounts.rules.users",
    operations=(
        Operation(
            name="set_password",
            verbs=("POST",),
            doc="Give a user a new password; it ends all of his sessions.",
            request=schemas.SET_PASSWORD,
            response=schemas.DETAIL,
            statuses=(200, 400, 403, 404),
        ),
    ),
)

GROUPS = Resource(
    name="groups",
    singular="group",
    model="group",
    table="groups",
    title="Group",
    doc="`APP: <app>` lets into an app, `HG: <host group>` shows a host group. Changed by superusers only.",
    fields=(
        _id(),
        Text(name="name", required=True, blank="refuse", max_length=150, searched=True, unique=True),
        Granted(
            name="permissions",
            table="group_permissions",
            mine="group_id",
            theirs="permission_id",
            to="permissions",
        ),
        Members(name="users", table="user_groups", mine="group_id", theirs="user_id", to="users"),
    ),
    scoping=Everyone(),
    staff=True,
    bulk=False,
    label=("name",),
    rules="gateway.accounts.rules.groups",
)

PERMISSIONS = Resource(
    name="permissions",
    singular="permission",
    model="permission",
    table="permissions",
    title="Permission",
    fields=(
        _id(),
        Text(name="codename", read_only=True, searched=True),
        Text(name="name", read_only=True, searched=True),
        Concat(name="content_type", of=("app", "' | '", "model")),
        Text(name="app", read_only=True, folded=False, since=ON_REQUEST),
        Text(name="model", read_only=True, folded=False, since=ON_REQUEST),
    ),
    scoping=Everyone(),
    methods=("GET",),
    staff=True,
    bulk=False,
)

_OPEN: dict[str, Any] = {"permission": None, "anonymous": True}


def _provider(name: str, title: str, *others: str) -> tuple[Operation, ...]:
    return (
        Operation(
            name=name,
            verbs=("GET",),
            doc=f"Redirects to {title} to log in.",
            statuses=(302, 404, 502),
            aliases=others,
            **_OPEN,
        ),
        Operation(
            name=f"{name}_code",
            path=name,
            verbs=("POST",),
            doc=f"Log in with an authorization code of {title}.",
            request=schemas.CODE,
            response=schemas.LOGGED_IN,
            statuses=(200, 400, 401, 404, 502),
            aliases=others,
            **_OPEN,
        ),
        Operation(
            name=f"{name}_callback",
            path=f"{name}/callback",
            verbs=("GET",),
            doc=f"Where {title} sends the browser back to.",
            response=schemas.LOGGED_IN,
            statuses=(200, 400, 401, 404, 502),
            aliases=tuple(f"{one}/callback" for one in others),
            **_OPEN,
        ),
    )


AUTH = Contract(
    name="auth",
    title="Admin",
    doc="Logging in, and who may do what.",
    resources=(USERS, GROUPS, PERMISSIONS),
    operations=(
        Operation(
            name="login",
            verbs=("POST",),
            request=schemas.CREDENTIALS,
            response=schemas.LOGGED_IN,
            statuses=(200, 400, 401, 429),
            **_OPEN,
        ),
        Operation(
            name="token",
            verbs=("POST",),
            doc="Deprecated; use login.",
            request=schemas.CREDENTIALS,
            response=schemas.PAIR,
            statuses=(200, 400, 401, 429),
            **_OPEN,
        ),
        Operation(
            name="refresh",
            verbs=("POST",),
            doc="A new pair for a refresh token, which can be used once.",
            request=schemas.record({"refresh": schemas.FILLED}),
            response=schemas.PAIR,
            statuses=(200, 400, 401),
            **_OPEN,
        ),
        Operation(
            name="verify",
            verbs=("POST",),
            request=schemas.record({"token": schemas.FILLED}),
            response=schemas.EMPTY,
            statuses=(200, 400, 401),
            **_OPEN,
        ),
        Operation(
            name="logout",
            verbs=("POST",),
            doc="Ends the session that a refresh token (or the access token used) belongs to.",
            request=schemas.record({}, refresh=schemas.TEXT),
            response=schemas.DETAIL,
            statuses=(200, 400, 401),
            **_OPEN,
        ),
        Operation(name="user", verbs=("GET",), permission=None, response=schemas.IDENTITY, statuses=(200,)),
        Operation(
            name="password_change",
            path="password/change",
            verbs=("POST",),
            permission=None,
            request=schemas.NEW_PASSWORD,
            response=schemas.CHANGED_PASSWORD,
            statuses=(200, 400, 429),
            remembered=False,
        ),
        *_provider("google", "Google"),
        *_provider("microsoft", "Microsoft", "aad"),
    ),
)

# ---- core -------------------------------------------------------------------------------------

REALMS = Resource(
    name="realms",
    singular="realm",
    model="realm",
    table="realms",
    title="Realm",
    doc="A tenant. One that still has data in any service is not deleted (409). Changed by superusers only.",
    fields=(
        _id(),
        Text(
            name="name",
            required=True,
            blank="refuse",
            max_length=32,
            normalize=fields.realm,
            unique=True,
            pattern=r"^\s*[a-z][a-z0-9_-]*\s*$",
            create_only=True,
            searched=True,
        ),
        Members(
            name="users",
            table="user_realms",
            mine="realm_id",
            theirs="username",
            textual=True,
            doc="user names",
        ),
    ),
    scoping=InRealm(column="name"),
    staff=True,
    bulk=False,
    paths=("isp/realms",),
    label=("name",),
    rules="gateway.accounts.rules.realms",
)

CORE = Contract(name="core", title="Core", doc="Realms.", resources=(REALMS,))

# ---- me ---------------------------------------------------------------------------------------

_MINE: dict[str, Any] = {"scoping": OwnedBy(), "permitted": False}
_QUERY = Text(name="query", default="", max_length=4096, searched=True)
_VIEW = Text(name="view", default="", max_length=128, folded=False, doc="the page of the UI it belongs to")

BOOKMARKS = Resource(
    name="bookmarks",
    singular="bookmark",
    model="bookmark",
    table="bookmarks",
    title="Bookmark",
    doc="Saved searches. A global one is read by everybody, and made and changed by superusers.",
    fields=(
        _id(),
        Text(name="title", required=True, blank="refuse", max_length=128, searched=True),
        _QUERY,
        _VIEW,
        Boolean(name="global", default=False),
        DateTime(name="created", read_only=True),
        DateTime(name="updated", read_only=True),
    ),
    label=("title",),
    rules="gateway.accounts.rules.bookmarks",
    bulk=False,
    **_MINE,
)

SEARCHES = Resource(
    name="searches",
    singular="search",
    model="search",
    table="searches",
    title="Search",
    doc="The last ten searches, newest first.",
    fields=(
        _id(),
        Text(name="query", required=True, blank="refuse", max_length=4096),
        _VIEW,
        DateTime(name="created", read_only=True),
    ),
    sort=("-id",),
    methods=("GET", "POST", "DELETE"),
    rules="gateway.accounts.rules.searches",
    bulk=False,
    **_MINE,
)

TOKENS = Resource(
    name="tokens",
    singular="token",
    model="token",
    table="tokens",
    title="Token",
    doc="Personal API tokens, for `Authorization: Token <key>`. The key is shown once, when it is made.",
    fields=(
        _id(),
        Text(name="name", required=True, blank="refuse", max_length=64),
        Text(name="prefix", read_only=True, folded=False, doc="the first eight characters of the key"),
        DateTime(name="created", read_only=True),
        DateTime(name="expires", null=True),
    ),
    methods=("GET", "DELETE"),
    label=("name",),
    bulk=False,
    **_MINE,
)


def _mine(name: str, *verbs: str, **more: Any) -> Operation:
    statuses = (200,) if verbs == ("GET",) else (200, 400)
    return Operation(name=name, verbs=verbs, permission=None, **{"statuses": statuses, **more})


ME = Contract(
    name="me",
    title="Me",
    doc="The one who is logged in.",
    resources=(BOOKMARKS, SEARCHES, TOKENS),
    operations=(
        _mine("profile", "GET", path="/", response=schemas.PROFILE),
        _mine("change_profile", "PATCH", path="/", request=schemas.PROFILE_CHANGES, response=schemas.PROFILE),
        _mine("apps", "GET", response=schemas.listing(schemas.NAMED)),
        _mine("permissions", "GET", response=schemas.RIGHTS),
        _mine("realms", "GET", response=schemas.listing(schemas.MY_REALM)),
        _mine("menu", "GET", response=schemas.listing(schemas.MENU)),
        _mine("settings", "GET", response=schemas.SETTINGS),
        _mine(
            "change_settings",
            "PUT",
            "PATCH",
            path="settings",
            request=schemas.SETTINGS_CHANGE,
            response=schemas.SETTINGS,
            statuses=(200, 400, 409),
            doc="409 when `version` is not the present one.",
        ),
        _mine(
            "password",
            "POST",
            request=schemas.NEW_PASSWORD,
            response=schemas.CHANGED_PASSWORD,
            statuses=(200, 400, 429),
            remembered=False,
        ),
        _mine(
            "new_token",
            "POST",
            path="tokens",
            request=schemas.TOKEN_REQUEST,
            response=schemas.NEW_TOKEN,
            statuses=(201, 400),
        ),
    ),
)

# ---- logger -----------------------------------------------------------------------------------


def _logged(kind: type[Field], name: str, **more: Any) -> Field:
    return kind(name=name, read_only=True, null=True, **more)


REQUEST_LOG = Resource(
    name="api-request-logs",
    singular="api_request_log",
    model="apirequestlog",
    table="request_log",
    title="Api Request Log",
    doc="Requests to this API, secrets masked: one's own, and those of the users one may see that were made "
    "within one's realms.",
    fields=(
        _id(),
        DateTime(name="requested_at", read_only=True),
        _logged(Text, "user", searched=True),
        _logged(Text, "remote_addr", searched=True, folded=False),
        Integer(name="response_ms", read_only=True, minimum=0),
        Integer(name="status_code", read_only=True),
        Text(name="method", read_only=True),
        Text(name="path", read_only=True, searched=True),
        Text(name="host", read_only=True),
        _logged(Text, "view", searched=True),
        _logged(Text, "view_method"),
        _logged(Document, "query_params"),
        _logged(Document, "data"),
        _logged(Document, "response"),
        _logged(Document, "errors"),
        Text(
            name="outcome",
            read_only=True,
            choices=("ok", "error"),
            since=ON_REQUEST,
            doc="error: a status of 400 or more",
        ),
        _logged(Text, "resource", folded=False, since=ON_REQUEST, doc="app.resource of the row in the path"),
        _logged(Text, "object_id", folded=False, since=ON_REQUEST),
    ),
    scoping=OwnedBy(),
    sort=("-id",),
    methods=("GET",),
    bulk=False,
)

LOGGER = Contract(
    name="logger",
    title="Logger",
    doc="What was asked of this API, and what was changed.",
    resources=(REQUEST_LOG, audit_resource()),
    operations=(
        Operation(
            name="admin-logs",
            verbs=("GET",),
            permission="logger.view_logentry",
            doc="What was added, changed and deleted, newest first.",
            response=schemas.page(schemas.ADMIN_LOG),
            statuses=(200, 400),
            parameters={
                "user": {"type": "string"},
                "action_flag": {"type": ["integer", "string"], "description": "1: add, 2: change, 3: delete"},
                "content_type": {"type": "string", "description": "app | model"},
                "object_id": {"type": "string"},
                "object_repr__icontains": {"type": "string"},
                "action_time__gte": {"type": "string", "description": "date and time, ISO 8601"},
                "action_time__lte": {"type": "string", "description": "date and time, ISO 8601"},
                "search": {"type": "string"},
                # What is no such number is the default, as in every list.
                "limit": {"type": ["integer", "string"]},
                "offset": {"type": ["integer", "string"]},
            },
        ),
    ),
)

CONTRACTS = (AUTH, CORE, ME, LOGGER)
