"""`python -m tests.bench.drf_peer.prepare USER REALM…`: the peer's own tables, and one user.

The password is read from `BENCH_PASSWORD`. Nothing of the platform's own tables is touched.
"""

import os
import sys

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.bench.drf_peer.settings"

import django
from django.core.management import call_command
from django.db import connection


def main(username: str, *realms: str) -> None:
    django.setup()
    from tests.bench.drf_peer.models import User

    with connection.cursor() as cursor:
        cursor.execute("CREATE SCHEMA IF NOT EXISTS drf")
    call_command("migrate", run_syncdb=True, verbosity=0)
    user = User.objects.filter(username=username).first() or User(username=username)
    user.realms = list(realms)
    user.set_password(os.environ["BENCH_PASSWORD"])
    user.save()


if __name__ == "__main__":
    main(*sys.argv[1:])
