"""The plugin behind ``make test``: a skipped test is a failed run, in one process and in several."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

SKIPPED = "import pytest\n\ndef test_one(): pass\n\ndef test_two(): pytest.skip('no data')\n"
WHOLE_MODULE = "import pytest\n\npytest.skip('no data', allow_module_level=True)\n"
EXPECTED_FAILURE = "import pytest\n\n@pytest.mark.xfail\ndef test_one(): assert False\n\ndef test_two(): pass\n"


def run(folder: Path, content: str, *options: str) -> subprocess.CompletedProcess[str]:
    (folder / "test_it.py").write_text(content)
    (folder / "test_other.py").write_text("def test_it(): pass\n")
    (folder / "pytest.ini").write_text("[pytest]\n")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:django", "-p", "no:cacheprovider", *options, str(folder)]
    environment = {**os.environ, "PYTHONPATH": str(settings.BASE_DIR)}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


@pytest.mark.parametrize(("content", "options"), [(SKIPPED, ("-n", "2")), (WHOLE_MODULE, ())])
def test_a_skipped_test_fails_the_run_and_is_named(content: str, options: tuple[str, ...], tmp_path: Path) -> None:
    done = run(tmp_path, content, "-p", "tests.no_skips", *options)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "SKIPPED, and nothing may be skipped here" in done.stdout


def test_without_the_plugin_the_same_run_passes(tmp_path: Path) -> None:
    assert run(tmp_path, SKIPPED).returncode == 0


def test_an_expected_failure_is_no_skip(tmp_path: Path) -> None:
    assert run(tmp_path, EXPECTED_FAILURE, "-p", "tests.no_skips").returncode == 0
