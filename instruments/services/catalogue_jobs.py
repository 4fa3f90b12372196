"""Asking for a rebuild of the catalogue where one change touches many entries; the job does it behind the transaction."""

from __future__ import annotations

from procrastinate.contrib.django import app

TASK = "instruments.rebuild_catalogue"


def ask_for_rebuild() -> None:
    """Queue one in the transaction of the change. Several waiting ones do no harm: each writes only what differs then."""
    app.configure_task(TASK, lock=TASK).defer()
