"""A lab that teaches, for its pages."""

from __future__ import annotations

import pytest

from tests.booking.licences.conftest import course, gao, licensed, session  # noqa: F401
from tests.frontend.acting import approved, as_, ask, charged, clock, form  # noqa: F401


@pytest.fixture(autouse=True)
def _files(settings, tmp_path):
    settings.STORAGES = settings.STORAGES | {
        "default": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(tmp_path)}}
    }
