"""Reading an iCalendar file that somebody handed in or shares: always in bounded time and memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from zoneinfo import ZoneInfo

from django.conf import settings

from config.kernel.errors import Refusal
from config.kernel.time_range import TimeRange
from instruments.rules import ics_lines
from instruments.rules.ics_reading import IcsFile
from instruments.services import ics_child

WALL_SECONDS = 15


def read(content: bytes, zone: ZoneInfo, window: TimeRange) -> IcsFile:
    """As ``instruments.rules.ics_reading.read_ics``, in a process of its own.

    Raises Refusal ``ics.*`` on field ``file``; ``ics.too_costly`` when the process needs more than its limits.
    """
    ics_lines.cut(content)  # most of what is no calendar is refused without a process
    asked = {"zone": zone.key, "window": [window.starts_at.isoformat(), window.ends_at.isoformat()]}
    try:
        done = subprocess.run(  # noqa: S603  (our own module, nothing of the file is on the command line)
            [sys.executable, "-m", ics_child.__name__],
            input=json.dumps(asked).encode() + b"\n" + content,
            capture_output=True,
            cwd=settings.BASE_DIR,
            env={"PATH": os.environ.get("PATH", ""), "PYTHONDONTWRITEBYTECODE": "1", "LANG": "C.UTF-8"},
            timeout=WALL_SECONDS,
        )
        answer = json.loads(done.stdout) if done.returncode == 0 else None
    except (subprocess.TimeoutExpired, ValueError):
        answer = None
    if answer is None:
        raise Refusal.of("ics.too_costly", "file")
    return ics_child.read_back(answer)
