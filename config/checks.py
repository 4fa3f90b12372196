"""Start-up checks: refuse to serve when a guard, a secret or a required part is missing.

Checks of the database run with ``manage.py check --database default`` and before migrations; those of the served parts and of
production run with ``--deploy``. Every serving process runs all of them (``config.readiness``).
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils.module_loading import import_string

from booking import ports
from config.kernel.installed_guards import missing_guards

Messages = list[CheckMessage]
PDF_LIBRARIES = ("pango-1.0", "pangoft2-1.0", "harfbuzz-subset")


def migrations_pending() -> bool:
    """Whether the database is older than the code."""
    executor = MigrationExecutor(connection)
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))


@register(Tags.database)
def guards_in_place(databases: Sequence[str] | None = None, **kwargs: Any) -> Messages:
    """Every guard the code counts on; nothing is said while migrations wait, because they bring them."""
    if not databases or migrations_pending():
        return []
    hint = "A migration was undone or the database was changed by hand: restore a backup or put the guard back."
    return [Error(f"the database lacks a guard: {problem}", hint=hint, id="jishi.E001") for problem in missing_guards()]


@register()
def money_follows_reservations(**kwargs: Any) -> Messages:
    """Booking without its money port would let reservations go by unpaid."""
    if ports.is_registered():
        return []
    return [Error("nothing is registered for booking.ports.MoneyPort", hint="billing registers it at start-up", id="jishi.E002")]


@register()
def channels_can_be_made(**kwargs: Any) -> Messages:
    """An adapter that cannot be loaded would be found out with the first message."""
    found: Messages = []
    for name, path in settings.NOTICE_CHANNELS.items():
        try:
            import_string(path)
        except ImportError as error:
            found.append(Error(f"the channel {name} cannot be loaded: {error}", hint="see JISHI_CHANNELS", id="jishi.E008"))
    return found


@register("jishi", deploy=True)
def served_parts_present(**kwargs: Any) -> Messages:
    """The built front end and the fonts of the PDFs."""
    manifest = settings.BASE_DIR / "frontend" / "dist" / "manifest.json"
    fonts = settings.BASE_DIR / "frontend" / "dist" / "fonts"
    found: Messages = []
    if not manifest.exists():
        found.append(Error(f"the front end is not built: {manifest} is missing", hint="run 'make setup'", id="jishi.E003"))
    if not any(fonts.glob("*.[ot]tf")):
        found.append(Error(f"the fonts for PDFs are missing in {fonts}", hint="run 'make setup'", id="jishi.E004"))
    return found


@register(Tags.database, deploy=True)
def schema_is_current(databases: Sequence[str] | None = None, **kwargs: Any) -> Messages:
    """Serving on an old schema loses data."""
    if not databases or not migrations_pending():
        return []
    return [Error("the database waits for migrations", hint="run 'manage.py migrate'", id="jishi.E005")]


@register("jishi", deploy=True)
def pdf_libraries_present(**kwargs: Any) -> Messages:
    """WeasyPrint draws with Pango, which is a library of the system. Without it everything works but the PDFs."""
    missing = [name for name in PDF_LIBRARIES if not _loadable(name)]
    if not missing:
        return []
    text = f"PDFs cannot be made: the system has no {', '.join(missing)}"
    level = Error if settings.PRODUCTION else Warning
    return [level(text, hint="Debian: apt-get install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0", id="jishi.E007")]


def _loadable(name: str) -> bool:
    for file in (f"lib{name}.so.0", f"lib{name}.dylib"):
        try:
            ctypes.CDLL(file)
        except OSError:
            continue
        return True
    return False


@register("jishi", deploy=True)
def production_files_collected(**kwargs: Any) -> Messages:
    """In production static files are served from one folder that a command fills."""
    if not settings.PRODUCTION or any(Path(settings.STATIC_ROOT).glob("*")):
        return []
    return [Error(f"{settings.STATIC_ROOT} is empty", hint="run 'manage.py collectstatic'", id="jishi.E006")]
