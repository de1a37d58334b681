"""The handlers of the gateway's own operations: `<app>.<operation>`, of a resource
`<app>.<singular>_<operation>`.
"""

from __future__ import annotations

from collections.abc import Callable

from gateway.accounts.operations import login, me, oauth, password, settings, tokens
from gateway.call import Answer, Call
from gateway.logger import history

Handler = Callable[[Call], Answer]

OPERATIONS: dict[str, Handler] = {
    "auth.login": login.login,
    "auth.token": login.token,
    "auth.refresh": login.refresh,
    "auth.verify": login.verify,
    "auth.logout": login.logout,
    "auth.user": login.user,
    "auth.password_change": password.change,
    "auth.user_set_password": password.set_password,
    **{f"auth.{name}": oauth.redirect(name) for name in oauth.PROVIDERS},
    **{f"auth.{name}_code": oauth.code(name) for name in oauth.PROVIDERS},
    **{f"auth.{name}_callback": oauth.callback(name) for name in oauth.PROVIDERS},
    "me.profile": me.profile,
    "me.change_profile": me.change_profile,
    "me.apps": me.apps,
    "me.permissions": me.permissions,
    "me.realms": me.realms,
    "me.menu": me.menu,
    "me.settings": settings.get,
    "me.change_settings": settings.change,
    "me.password": password.change,
    "me.new_token": tokens.create,
    "logger.admin-logs": history.admin_logs,
}
