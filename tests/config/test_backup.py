"""A backup made while people write is one moment of database and files, comes back whole, and shows every damage."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from config import backups

from .conftest import Installation, fill, new_installation

STORE = """
import time
from config.kernel.services import files
from django.utils import timezone
for number in range({last}):
    time.sleep(0.005)
    files.store(b'file %d' % number, file_name='a.txt', media_type='text/plain', user_id=None, now=timezone.now())
"""


@pytest.fixture(scope="module")
def backup(migrated: Installation) -> Path:
    """Made while another process goes on storing files."""
    writer = subprocess.Popen(
        [sys.executable, "manage.py", "shell", "-v", "0", "-c", STORE.format(last=20000)],
        cwd=settings.BASE_DIR,
        env=migrated.environment(),
    )
    try:
        wait_for_files(migrated, 6)  # a file is there before its row
        done = migrated.manage("backup", str(migrated.home / "backup"))
        assert writer.poll() is None, "the writer ended before the backup did"
    finally:
        writer.terminate()
        writer.wait()
    assert done.returncode == 0, done.stderr
    return migrated.home / "backup"


def wait_for_files(made: Installation, count: int) -> None:
    deadline = time.monotonic() + 60
    while len(stored(made.home / "files")) < count:
        assert time.monotonic() < deadline, "nobody stores files"
        time.sleep(0.1)


def stored(folder: Path) -> list[Path]:
    return sorted((path for path in folder.rglob("*") if path.is_file()), key=str)


@pytest.fixture
def elsewhere() -> Iterator[Installation]:
    made = new_installation()
    yield made
    made.close()


def manifest(folder: Path) -> dict[str, object]:
    found: dict[str, object] = json.loads((folder / "manifest.json").read_text())
    return found


def test_a_backup_comes_back_whole_and_shows_every_damage(
    backup: Path, migrated: Installation, elsewhere: Installation, tmp_path: Path
) -> None:
    """One story on one backup: to make another for each sentence would take a minute of every run."""
    holds_exactly_the_files_of_its_rows(backup)
    with pytest.raises(CommandError, match="exists already"):
        call_command("backup", str(backup))
    every_damage_is_found(backup, tmp_path)
    comes_back_into_an_empty_database(backup, elsewhere)
    refused = elsewhere.manage("restore", str(backup))
    assert refused.returncode == 1 and "the database is not empty" in refused.stderr


def holds_exactly_the_files_of_its_rows(backup: Path) -> None:
    found = manifest(backup)
    rows, files = found["rows"], found["files"]
    assert isinstance(rows, dict)
    assert isinstance(files, list)
    assert rows["kernel_storedfile"] >= 5
    assert len(files) == rows["kernel_storedfile"]
    on_disk = [str(path.relative_to(backup)) for path in stored(backup / "files")]
    assert on_disk == [each["path"] for each in files]


def every_damage_is_found(backup: Path, folder: Path) -> None:
    file = str(stored(backup / "files")[0].relative_to(backup))
    for place, (damage, victim) in enumerate(product((flip_a_byte, Path.unlink), ("database.dump", "manifest.json", file))):
        copy = Path(shutil.copytree(backup, folder / str(place)))
        assert backups.verify(copy)
        damage(copy / victim)
        with pytest.raises(backups.BackupError, match=re.escape(victim)):
            backups.verify(copy)
    (copy / "manifest.sha256").unlink()
    with pytest.raises(backups.BackupError, match=r"manifest\.sha256 is missing"):
        backups.verify(copy)


def comes_back_into_an_empty_database(backup: Path, elsewhere: Installation) -> None:
    done = elsewhere.manage("restore", str(backup))
    assert done.returncode == 0, done.stderr
    assert "has been restored" in done.stdout
    assert "WRONG" not in done.stdout
    count = manifest(backup)["rows"]["kernel_storedfile"]  # type: ignore[index]
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("kernel.files_unchanged")]
    assert line.split()[1] == str(count)


def flip_a_byte(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.proof
def test_it_can_be_restored_into_another_home_from_a_running_installation(
    backup: Path, migrated: Installation, elsewhere: Installation
) -> None:
    done = migrated.manage("restore", str(backup), "--home", str(elsewhere.home))
    assert done.returncode == 0, done.stderr
    assert elsewhere.manage("check_invariants").returncode == 0


@pytest.mark.proof
def test_a_flipped_byte_is_found_before_anything_is_written(backup: Path, elsewhere: Installation, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(backup, tmp_path / "copy"))
    flip_a_byte(copy / "database.dump")
    done = elsewhere.manage("restore", str(copy))
    assert done.returncode == 1
    assert f"{copy} is damaged: database.dump" in done.stderr
    assert not (elsewhere.home / "files").exists()


@pytest.mark.proof
def test_a_lost_file_stops_the_backup_and_leaves_no_folder(elsewhere: Installation, migrated_dump: Path) -> None:
    fill(elsewhere, migrated_dump)
    assert elsewhere.manage("shell", "-v", "0", "-c", STORE.format(last=1)).returncode == 0
    shutil.rmtree(elsewhere.home / "files")
    done = elsewhere.manage("backup", str(elsewhere.home / "b"))
    assert done.returncode == 1
    assert "is missing" in done.stderr
    assert not (elsewhere.home / "b").exists()
