"""`/me/…`: who one is, what one may do, and where the menu leads (contract 8)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import orjson
from sqlalchemy import select

from gateway import idempotency
from gateway.accounts.contract import AUTH, USERS
from gateway.accounts.models import realms as realms_table
from gateway.accounts.operations.body import accounts_of, members
from gateway.call import Answer, Call
from gateway.routes import ROOT
from services.common.context import Context, Scope
from services.common.contract import Contract, Resource
from services.common.rpc.reply import Reply

CHANGEABLE = ("first_name", "last_name", "email", "language")
HOME = ("core", "me")
"""Apps without an entry of their own in the menu."""


def profile(call: Call) -> Answer:
    engine = accounts_of(call).engines["auth"]
    return _profile(call, engine.get(_own(call), USERS.name, str(call.user.id), _SHOWN))


def change_profile(call: Call) -> Answer:
    """Name, e-mail and language; other members are ignored, as everywhere."""
    changes = {name: value for name, value in members(call).items() if name in CHANGEABLE}
    engine = accounts_of(call).engines["auth"]
    context = idempotency.of_operation(call, _own(call))
    reply = engine.update(context, USERS.name, str(call.user.id), changes, True, None, _SHOWN)
    return _profile(call, call.noted(reply))


_SHOWN = [("attrs", "id,username,email,first_name,last_name,is_staff,is_superuser,language,last_login")]


def _own(call: Call) -> Context:
    """One sees oneself, whatever one's realms."""
    return replace(call.context, scope=Scope(everything=True))


def _profile(call: Call, reply: Reply) -> Answer:
    row = orjson.loads(reply.body)
    more = {"realms": sorted(call.user.realms), "groups": sorted(call.user.groups)}
    order = (
        "id",
        "username",
        "email",
        "first_name",
        "last_name",
        "is_staff",
        "is_superuser",
        "realms",
        "groups",
    )
    row |= more
    return Answer.json({name: row[name] for name in (*order, "language", "last_login")})


def apps(call: Call) -> Answer:
    return Answer.json([{"id": one.name, "name": one.title} for one in _entered(call)])


def permissions(call: Call) -> Answer:
    user = call.user
    return Answer.json(
        {
            "is_superuser": user.is_superuser,
            "permissions": sorted(user.permissions),
            "realms": sorted(user.realms),
            "hostgroups": sorted(user.hostgroups),
        }
    )


def realms(call: Call) -> Answer:
    mine = select(realms_table.c.id, realms_table.c.name).where(
        realms_table.c.name.in_(sorted(call.user.realms))
    )
    rows = accounts_of(call).database.reading(lambda c: c.execute(mine.order_by(realms_table.c.name)).all())
    return Answer.json([{"id": row.id, "name": row.name} for row in rows])


def menu(call: Call) -> Answer:
    """Per app the collections that the user may list: `{"id", "name", "items": [{"id", "name", "path"}]}`."""

    def item(contract: Contract, resource: Resource) -> dict[str, Any]:
        path = f"{ROOT}/{contract.name}/{resource.name}/"
        return {"id": resource.name, "name": resource.title or resource.singular, "path": path}

    def may(contract: Contract, resource: Resource) -> bool:
        listed = "GET" in resource.collection_methods
        return listed and (not resource.permitted or call.user.may(f"{contract.name}.view_{resource.model}"))

    return Answer.json(
        [
            {
                "id": app.name,
                "name": app.title,
                "items": [item(app, one) for one in app.resources if may(app, one)],
            }
            for app in _entered(call)
        ]
    )


def _entered(call: Call) -> list[Contract]:
    """The apps that the user may enter; administration is for staff."""
    user = call.user
    staff = user.is_staff or user.is_superuser
    entered = [one for one in call.platform.contracts if one.name not in HOME and user.enters(*one.groups)]
    return [one for one in entered if one.name != AUTH.name or staff]
