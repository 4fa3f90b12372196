"""``python -m tests.prepare`` makes the migrated database that all others of the tests are copies of."""

from __future__ import annotations

import os

import django


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    from tests import databases

    databases.migrated(databases.own_host())


if __name__ == "__main__":
    main()
