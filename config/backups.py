"""Backups of database and files together, and their restoration.

A backup is a folder: ``database.dump`` (pg_dump's custom format), ``files/`` (every stored file that the dump speaks of),
``manifest.json`` (sizes, SHA-256 and row counts, all of one snapshot) and ``manifest.sha256``. Stored files are named by their
content, written before their row and never changed, so a snapshot of the rows says exactly which files belong to it.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.apps import apps
from django.core.files import File
from django.core.files.storage import default_storage
from django.db import connection, transaction

from config import env
from config.embedded import server
from config.kernel.models import StoredFile

FORMAT = 1
DUMP, FILES, MANIFEST, MANIFEST_SUM = "database.dump", "files", "manifest.json", "manifest.sha256"
CHUNK = 1 << 20


class BackupError(Exception):
    """A backup or a restoration cannot go on; the text says why."""


@dataclass(frozen=True, slots=True)
class Content:
    """A file of the backup: its path inside, its size and its SHA-256."""

    path: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup holds. ``rows`` counts the rows of each table."""

    created_at: str
    database: Content
    files: tuple[Content, ...]
    rows: dict[str, int]

    def as_json(self) -> str:
        data = {
            "format": FORMAT,
            "created_at": self.created_at,
            "database": _content_json(self.database),
            "files": [_content_json(content) for content in self.files],
            "rows": self.rows,
        }
        return json.dumps(data, indent=1, sort_keys=True) + "\n"


def _content_json(content: Content) -> dict[str, Any]:
    return {"path": content.path, "size": content.size, "sha256": content.sha256}


def make(target: Path, now: datetime) -> Manifest:
    """Write a backup to ``target``, which must not exist; it appears there only when it is whole.

    Works under load: one snapshot, no lock that a writer waits for. Raises BackupError.
    """
    if target.exists():
        raise BackupError(f"{target} exists already: a backup goes into a folder of its own")
    unfinished = target.with_name(f".{target.name}.unfinished")
    if unfinished.exists():
        shutil.rmtree(unfinished)
    unfinished.mkdir(parents=True, mode=0o700)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        cursor.execute("SELECT pg_export_snapshot()")
        (snapshot,) = cursor.fetchone()
        dump = unfinished / DUMP
        _program("pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--snapshot={snapshot}", f"--file={dump}")
        files = tuple(_copy_stored(unfinished / FILES))
        rows = _row_counts()
    manifest = Manifest(now.isoformat(), _content_of(dump, DUMP), files, rows)
    (unfinished / MANIFEST).write_text(manifest.as_json(), encoding="utf-8")
    (unfinished / MANIFEST_SUM).write_text(_sum(unfinished / MANIFEST) + "\n", encoding="utf-8")
    _flush(unfinished)
    unfinished.rename(target)
    return manifest


def verify(source: Path) -> Manifest:
    """Read a backup's manifest and compare every byte with it. Raises BackupError naming everything that is wrong."""
    try:
        written = (source / MANIFEST_SUM).read_text(encoding="utf-8").strip()
        if _sum(source / MANIFEST) != written:
            raise BackupError(f"{source / MANIFEST} is damaged")
        data = json.loads((source / MANIFEST).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise BackupError(f"{source} is not a whole backup: {error.filename} is missing") from None
    if data["format"] != FORMAT:
        raise BackupError(f"{source} has format {data['format']}, this version reads {FORMAT}")
    manifest = Manifest(
        data["created_at"], Content(**data["database"]), tuple(Content(**each) for each in data["files"]), data["rows"]
    )
    wrong = [
        content.path
        for content in (manifest.database, *manifest.files)
        if not (source / content.path).is_file() or _content_of(source / content.path, content.path) != content
    ]
    if wrong:
        raise BackupError(f"{source} is damaged: {', '.join(wrong)}")
    return manifest


def restore(source: Path) -> Manifest:
    """Verify a backup, then put its rows and files into this installation's database, which must be empty.

    Raises BackupError; the database is then as empty as before.
    """
    manifest = verify(source)
    tables = _tables()
    if tables:
        raise BackupError(
            f"the database is not empty ({len(tables)} tables, for example {tables[0]}): a backup goes into a new one"
        )
    for content in manifest.files:
        _put_stored(source, content)
    database = connection.settings_dict["NAME"]
    _program(
        "pg_restore", "--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges", f"--dbname={database}",
        str(source / DUMP),
    )  # fmt: skip
    found = _row_counts()
    if found != manifest.rows:
        different = sorted(table for table in manifest.rows if found.get(table) != manifest.rows[table])
        raise BackupError(f"after restoring, these tables have other row counts: {', '.join(different)}")
    return manifest


def _copy_stored(target: Path) -> Iterator[Content]:
    """Copy every file the snapshot's rows name, comparing each with its row."""
    target.mkdir()
    for path, sha256 in StoredFile.objects.order_by("path").values_list("path", "sha256").distinct():
        copy = target / path
        copy.parent.mkdir(parents=True, exist_ok=True)
        try:
            with default_storage.open(path) as stored, copy.open("wb") as written:
                shutil.copyfileobj(stored, written, CHUNK)
        except FileNotFoundError:
            raise BackupError(f"the stored file {path} is missing") from None
        content = _content_of(copy, f"{FILES}/{path}")
        if content.sha256 != sha256:
            raise BackupError(f"the stored file {path} is damaged")
        yield content


def _put_stored(source: Path, content: Content) -> None:
    path = content.path.removeprefix(f"{FILES}/")
    if default_storage.exists(path):
        return  # named by its content; 'check_invariants' compares the bytes
    with (source / content.path).open("rb") as handle:
        saved = default_storage.save(path, File(handle))
    if saved != path:
        raise BackupError(f"the storage put {path} at {saved}")


def _row_counts() -> dict[str, int]:
    with connection.cursor() as cursor:
        counts = {}
        for table in sorted({model._meta.db_table for model in apps.get_models() if model._meta.managed}):
            cursor.execute(f'SELECT count(*) FROM "{table}"')  # noqa: S608  (our own table names)
            counts[table] = int(cursor.fetchone()[0])
    return counts


def _tables() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S') AND n.nspname NOT IN ('pg_catalog', 'information_schema')"
            "   AND n.nspname NOT LIKE 'pg_toast%' ORDER BY 1"
        )
        return [row[0] for row in cursor.fetchall()]


def _content_of(file: Path, path: str) -> Content:
    return Content(path, file.stat().st_size, _sum(file))


def _sum(file: Path) -> str:
    with file.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def _flush(folder: Path) -> None:
    """Wait until everything under ``folder`` is on the disk."""
    for path in [*folder.rglob("*"), folder]:
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _program(name: str, *arguments: str) -> None:
    """Run pg_dump or pg_restore against this installation's database. Raises BackupError with its words."""
    settings = connection.settings_dict
    places = {
        "PGHOST": settings["HOST"],
        "PGPORT": str(settings["PORT"] or ""),
        "PGUSER": settings["USER"],
        "PGPASSWORD": settings["PASSWORD"],
        "PGDATABASE": settings["NAME"],
        "PGSSLMODE": settings["OPTIONS"].get("sslmode", ""),
        "PGSSLROOTCERT": settings["OPTIONS"].get("sslrootcert", ""),
    }
    environment = {**os.environ, **{key: value for key, value in places.items() if value}}
    command = [str(_programs(server_version() // 10000) / name), *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)  # noqa: S603  (no shell)
    if done.returncode:
        raise BackupError(f"{name} failed: {done.stderr.strip()}")


def server_version() -> int:
    """The server's version as PostgreSQL numbers it: 180004 for 18.4."""
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version_num")
        return int(cursor.fetchone()[0])


def _programs(major: int) -> Path:
    """The PostgreSQL programs of the server's own version, else the next newer ones there are."""
    named = env.text("JISHI_POSTGRES_PROGRAMS", "")
    on_path = shutil.which("pg_dump")
    candidates = [Path(named)] if named else [*Path("/usr/lib/postgresql").glob("*/bin"), server.programs()]
    if on_path and not named:
        candidates.append(Path(on_path).resolve().parent)
    versions = {folder: version for folder in candidates if (version := _version(folder)) >= major}
    if not versions:
        raise BackupError(f"pg_dump of PostgreSQL {major} or newer is needed: install it or set JISHI_POSTGRES_PROGRAMS")
    return min(versions, key=lambda folder: versions[folder])


def _version(folder: Path) -> int:
    program = folder / "pg_dump"
    if not program.exists():
        return 0
    done = subprocess.run([str(program), "--version"], capture_output=True, text=True)  # noqa: S603  (no shell)
    found = re.search(r" (\d+)", done.stdout)
    return int(found.group(1)) if found else 0
