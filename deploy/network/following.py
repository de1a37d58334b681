"""Telling what becomes of a task, until it has ended."""

from __future__ import annotations

import typer

from deploy.network.client import Client
from deploy.network.columns import Row, text

OPEN = ("queued", "running")
SECONDS = 180.0


def follow(client: Client, app: str, begun: Row) -> None:
    """Ends the command: that the task did not do what it should is the command's failure."""
    id_ = str(begun["task_id"])
    print(f"task {id_}: {begun['status']}")
    task = client.ended(app, "tasks", id_, by="status", open_=OPEN, seconds=SECONDS)
    told = task.get("message") or (text(task["result"]) if task.get("result") else "")
    print(f"task {id_}: {task['status']} {told}".rstrip())
    raise typer.Exit(0 if task["status"] == "done" else 1)
