"""Alarms of devices as an API shows them.

`services.common.devices.alarms` keeps them.
"""

from __future__ import annotations

from services.common.contract import Resource
from services.common.fields import Computed, DateTime, Field, Integer, Text
from services.common.types import Installation

LEVELS = ("critical", "major", "minor", "warning")


def alarm_resource(of: str, place: tuple[Field, ...], key: Text, affected: str, realm: Field) -> Resource:
    """`of`: what has alarms. `place`: where it stands. `key`: what it is known by. `affected`: the member
    that tells how many of them an alarm is about."""
    return Resource(
        name="alarms",
        singular="alarm",
        model="alarm",
        table="alarms",
        title="Alarm",
        doc=f"Of {of}. Those that are over have an `end_time`: `end_time__isnull=true` lists the others.",
        fields=(
            Integer(name="id", read_only=True, minimum=1),
            *place,
            key,
            Text(name="host_name", read_only=True, null=True, searched=True),
            Text(name="name", read_only=True, searched=True),
            Text(name="level", read_only=True, choices=LEVELS, blank="refuse"),
            Text(name="type", read_only=True),
            Computed(name="admin_status", by="admin_status", shape={"type": "string"}, doc="always `init`"),
            Text(name="extra", read_only=True),
            Integer(name=affected, read_only=True, minimum=0),
            DateTime(name="start_time", read_only=True),
            DateTime(name="end_time", read_only=True, null=True),
            realm,
        ),
        methods=("GET",),
        sort=("-id",),
        label=("name", key.name),
        bulk=False,
        rules="services.common.alarm",
    )


def admin_status(installation: Installation) -> str:
    """As devices tell it of an alarm that nobody has taken note of yet, which nobody can do here."""
    return "init"
