"""What was written, when and by whom: the audit rows of a service as a resource that only the gateway reads.

It has no route: `logger` asks every service for it over RPC (`list`, resource `audit`).
"""

from __future__ import annotations

from services.common.contract import InRealm, Resource
from services.common.fields import DateTime, Document, Integer, Text


def audit_resource() -> Resource:
    """Rows `{"id", "time", "user", "action", "resource", "model", "object_id", "object_repr", "changes"}`.

    `action`: 1 added, 2 changed, 3 deleted. `changes`: field → [before, after], secrets masked.
    """
    return Resource(
        name="audit",
        singular="audit",
        model="logentry",
        table="audit",
        fields=(
            Integer(name="id", read_only=True, minimum=1),
            DateTime(name="time", read_only=True),
            Text(name="user", read_only=True, null=True, searched=True),
            Integer(name="action", read_only=True, minimum=1, maximum=3),
            Text(name="resource", read_only=True, folded=False),
            Text(name="model", read_only=True, folded=False),
            Text(name="object_id", read_only=True, folded=False),
            Text(name="object_repr", read_only=True, searched=True),
            Document(name="changes", read_only=True),
        ),
        scoping=InRealm(),
        sort=("-id",),
        methods=(),
        bulk=False,
    )
