"""The index of the API and of each app: name → URL."""

from __future__ import annotations

from gateway.call import Answer, Call
from gateway.routes import ROOT


def index(call: Call) -> Answer:
    """Of the root: the apps. Of an app: its collections that the user may see."""
    base = call.request.host_url.rstrip("/")
    app = call.action.contract.name
    if not app:
        names = [one.name for one in call.platform.contracts]
        return Answer.json({name: f"{base}{ROOT}/{name}/" for name in names})
    found = {
        one.name: f"{base}{ROOT}/{app}/{one.name}/"
        for one in call.action.contract.resources
        if not one.permitted or call.user.may(f"{app}.view_{one.model}")
    }
    return Answer.json(found)
