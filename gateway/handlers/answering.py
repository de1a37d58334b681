"""What a service answers about a row of another: the row from its owner, under the caller's scope, then the
answer from who has to do with such rows.
"""

from __future__ import annotations

from dataclasses import replace

import orjson

from gateway.call import Answer, Call
from services.common.errors import NoInfo


def ask(call: Call) -> Answer:
    """`/{resource}/{key}/{name}`. Raises `NotFound` outside of the scope, `NoInfo` where nobody answers."""
    owner, resource, answers = call.action.contract, call.action.resource, call.action.answers
    assert resource is not None
    wanted = {member for _, one in answers for member in (one.on, *one.needs)}
    arguments = {
        "resource": resource.name,
        "key": call.key,
        "parameters": [("attrs", ",".join(sorted(wanted)))],
    }
    usual = call.context_for(owner.name).within(call.platform.settings.deadline)
    context = replace(usual, secrets=False, patient=False)
    row = orjson.loads(call.platform.call(owner.name, "get", arguments, context, read=True).body)
    for contract, one in answers:
        if row[one.on] == one.value:
            told = {name: row[name] for name in one.needs}
            asked = {resource.singular: told, "parameters": call.parameters}
            context = call.context_for(contract.name)
            method = f"{resource.singular}_{one.name}"
            return Answer(call.platform.call(contract.name, method, asked, context, read=True).body)
    name, on = answers[0][1].name, answers[0][1].on
    raise NoInfo(f"No service that is here has {name} of {resource.name} whose {on} is {row[on]}.")
