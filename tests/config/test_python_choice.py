"""``.ci/python`` says of which Python the virtual environment is made, whatever a machine has."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

OPTIMISED, PLAIN = "--enable-optimizations", ""
GOOD, SLOW, OLD = ((3, 13), OPTIMISED, True), ((3, 12), PLAIN, True), ((3, 9), OPTIMISED, True)
WITHOUT_VENV = ((3, 13), OPTIMISED, False)
Kind = tuple[tuple[int, int], str, bool]


def pretend(path: Path, kind: Kind | None) -> None:
    """A Python that says it is of this version, built with these arguments, with or without what makes environments."""
    if kind is None:
        return
    version, arguments, complete = kind
    lines = [
        "import sys, sysconfig",
        f"sys.version_info = {version}",
        f'sysconfig.get_config_var = lambda name: "{arguments}"',
        "" if complete else 'sys.modules["ensurepip"] = None',
        "exec(sys.argv[2])",
    ]
    text = "\n".join(lines)
    path.write_text(f"#!/bin/sh\nexec {sys.executable} -c '{text}' \"$@\"\n")
    path.chmod(0o755)


@pytest.mark.parametrize(
    ("on_path", "of_system", "chosen"),
    [
        (GOOD, SLOW, "path"),
        (GOOD, None, "path"),
        (SLOW, GOOD, "system"),
        (SLOW, OLD, "path"),
        (SLOW, WITHOUT_VENV, "path"),
        (SLOW, None, "path"),
        (OLD, GOOD, "system"),
        (WITHOUT_VENV, GOOD, "system"),
        (None, GOOD, "system"),
        (None, None, "path"),
    ],
)
def test_a_python_that_will_do_is_chosen_before_one_that_will_not(
    tmp_path: Path, on_path: Kind | None, of_system: Kind | None, chosen: str
) -> None:
    folder, system = tmp_path / "bin", tmp_path / "system"
    folder.mkdir()
    pretend(folder / "python3", on_path)
    pretend(system, of_system)
    script = tmp_path / "python"
    script.write_text((settings.BASE_DIR / ".ci" / "python").read_text().replace("/usr/bin/python3", str(system)))
    found = subprocess.run(
        ["/bin/sh", script], env=os.environ | {"PATH": str(folder)}, capture_output=True, text=True, check=True
    )
    assert (found.stdout, found.stderr) == ({"path": "python3\n", "system": f"{system}\n"}[chosen], "")
