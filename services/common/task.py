"""Tasks as an API shows them: what somebody asked a service to do and does not wait for.

`services.common.executing.tasks` runs them.
"""

from __future__ import annotations

from services.common.contract import Outcome, Resource
from services.common.fields import DateTime, Field, Integer, Json, Text

QUEUED, RUNNING, DONE, FAILED, UNKNOWN = "queued", "running", "done", "failed", "unknown"
STATUSES = (QUEUED, RUNNING, DONE, FAILED, UNKNOWN)

TASKS = "tasks"
"""Name of the resource, and of its table."""

ANSWER: Json = {
    "type": "object",
    "required": ["task_id", "status"],
    "properties": {"task_id": {"type": "integer"}, "status": {"type": "string", "enum": [*STATUSES]}},
}
"""What a request for a task is answered with: JSON Schema."""

OUTCOME = Outcome(resource=TASKS, member="task", by="status", good=(DONE,), bad=(FAILED, UNKNOWN))


def task_resource(kinds: tuple[str, ...], about: tuple[Field, ...], realm: Field, doc: str) -> Resource:
    """`about`: what it is done to, and what comes of it."""
    return Resource(
        name=TASKS,
        singular="task",
        model="task",
        table=TASKS,
        title="Task",
        doc=doc,
        fields=(
            Integer(name="id", read_only=True, minimum=1),
            Text(name="kind", read_only=True, choices=kinds, blank="refuse"),
            Text(
                name="status",
                read_only=True,
                choices=STATUSES,
                blank="refuse",
                doc="`unknown`: begun, and nobody can tell whether it was done",
            ),
            *about,
            Text(name="message", read_only=True, null=True),
            Text(name="exception", read_only=True, null=True, doc="code of the error"),
            Text(name="requested_by", read_only=True, null=True),
            DateTime(name="created", read_only=True),
            DateTime(name="finished", read_only=True, null=True),
            realm,
        ),
        methods=("GET",),
        sort=("-id",),
        bulk=False,
    )
