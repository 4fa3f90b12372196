"""The cast's lab under review: Wang keeps its instruments, operator Zhou looks at what changes."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from instruments.models import Instrument, Organisation


@pytest.fixture(autouse=True)
def _files(settings, tmp_path):
    settings.STORAGES = settings.STORAGES | {
        "default": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(tmp_path)}}
    }


@pytest.fixture
def wang(cast):
    return cast.actor("wang")


@pytest.fixture
def zhou(cast):
    return cast.actor("zhou")


@pytest.fixture
def reviewed(cast):
    """The cast's diffractometer, whose owner's changes are looked at first."""
    Organisation.objects.filter(pk=cast.lab.pk).update(reviews_needed=True)
    return Instrument.objects.select_related("organisation", "site").get(pk=cast.xrd.pk)


@pytest.fixture
def picture():
    def draw(colour="teal"):
        out = io.BytesIO()
        Image.new("RGB", (40, 30), colour).save(out, "PNG")
        return out.getvalue()

    return draw
