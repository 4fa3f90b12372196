"""``python -m tests.own_home`` prints the folder of the tests' own database server, beside that of ``make run``, and makes it ready.

The server may skip syncing disks (``tests.prepare``), so what it holds is worth nothing after the machine went down: the folder of
another start of the machine is removed.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from config.embedded.server import prepare_home
from config.env import home

NAME = "of-tests"
_STARTED = Path("/proc/sys/kernel/random/boot_id")


def main() -> None:
    usual = home(Path(__file__).resolve().parents[1])
    own, start = usual / NAME, _STARTED.read_text() if _STARTED.exists() else ""
    mark = own / "start-of-the-machine"
    if own.exists() and (not mark.exists() or mark.read_text() != start):
        shutil.rmtree(own)
    prepare_home(usual)
    prepare_home(own)
    mark.write_text(start)
    print(own)


if __name__ == "__main__":
    main()
