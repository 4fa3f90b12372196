#!/usr/bin/env python
"""The door to every command."""

import os
import sys

from config.loading import loading


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line
    from django.db import OperationalError

    try:
        with loading():
            django.setup()
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(f"Jishi cannot start: {error}")
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", ""):  # the database answered; its errors keep their traceback
            raise
        sys.exit(f"Jishi cannot reach its database: {error}")


if __name__ == "__main__":
    main()
