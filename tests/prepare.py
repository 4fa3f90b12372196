"""``python -m tests.prepare`` makes the migrated database that all others of the tests are copies of; with ``staged`` also the demo that
the browser looks at, in the folder that ``JISHI_STAGED`` names; with ``swept`` it drops what test processes left.

A server in a ``JISHI_HOME`` of the tests' own need not outlive a power cut.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import django

#: Databases are copied by the hundred: what is written twice or early for the sake of a crash is written in vain,
#: and what looks through them by the minute for dead rows, which they do not live to see.
FOR_TESTS_ONLY = (
    "fsync = off",
    "full_page_writes = off",
    "max_wal_size = '8GB'",
    "checkpoint_timeout = '1h'",
    "autovacuum = off",
)


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    from tests import databases
    from tests.browser import running_site

    host = databases.own_host()
    if sys.argv[1:] == ["swept"]:
        databases.sweep(host)
        return
    if databases.is_only_for_tests():
        with databases.server(host) as admin:
            for setting in FOR_TESTS_ONLY:
                admin.execute(f"ALTER SYSTEM SET {setting}")
            admin.execute("SELECT pg_reload_conf()")
    databases.migrated(host)
    if sys.argv[1:] == ["staged"]:
        running_site.stage(host, Path(running_site.BEFOREHAND) / "staged")


if __name__ == "__main__":
    main()
