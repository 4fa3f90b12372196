"""The platform's application on a clock that a test moves on: a claim window, a publicity and the days after them pass while it waits.

``python -m gunicorn tests.browser.later_app:application``; the file that ``JISHI_TEST_DAYS`` names holds how many days later it is.
"""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from pathlib import Path

from django.utils import timezone

from config.wsgi import application

__all__ = ["application"]

_DAYS, _real = Path(os.environ["JISHI_TEST_DAYS"]), timezone.now


def now() -> datetime:
    return _real() + timedelta(days=int(_DAYS.read_text()))


timezone.now = now
