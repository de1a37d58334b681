"""What must happen in a green process before anything else is imported. Must itself import nothing of ours.

psycopg 3 chooses its wait function when it is imported: without `wait_select` every query blocks all green
threads.
"""

from __future__ import annotations

import os
import sys
import warnings


def patch() -> None:
    """Makes the standard library cooperative. Call it in the first line of the process's entry module.
    Raises RuntimeError when psycopg is there already, for then it is too late."""
    if "psycopg" in sys.modules:
        raise RuntimeError("green.patch() must run before psycopg is imported")
    os.environ["PSYCOPG_WAIT_FUNC"] = "wait_select"
    # Names are looked up when a connection is opened, no more: not worth 20 MB and a second of dnspython.
    os.environ.setdefault("EVENTLET_NO_GREENDNS", "yes")
    with warnings.catch_warnings():
        # eventlet announces its own retirement at import; docs/decisions/0002 says how we leave it
        warnings.filterwarnings("ignore", r"\s*Eventlet is deprecated")
        import eventlet
    eventlet.monkey_patch()
