"""What every serving process asks before it serves."""

from __future__ import annotations

import sys

from django.core.checks import ERROR, run_checks
from django.db import connections


def refuse_unless_ready() -> None:
    """Run all checks, those of the database too; print what is wrong and end the process when there is an error."""
    found = run_checks(include_deployment_checks=True, databases=["default"])
    connections.close_all()
    errors = [message for message in found if message.level >= ERROR and not message.is_silenced()]
    for message in found:
        hint = f" ({message.hint})" if message.hint else ""
        if message in errors:
            print(f"Refusing to start: {message.id}: {message.msg}{hint}", file=sys.stderr)  # noqa: T201  (no logging yet)
        elif str(message.id).startswith("jishi."):
            print(f"Note: {message.msg}{hint}", file=sys.stderr)  # noqa: T201
    if errors:
        raise SystemExit(3)
