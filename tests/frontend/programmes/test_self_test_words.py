"""The choices of the self-test are in the reader's language, whoever read them first."""

import pytest
from django.utils import translation

from frontend.views.self_test import SelfTestForm

pytestmark = pytest.mark.django_db


def test_each_reader_chooses_in_their_own_language():
    told = {}
    for language in ("zh-hans", "en"):
        with translation.override(language):
            form = SelfTestForm([])
            told[language] = [str(word) for name in ("kind", "size", "service") for _, word in form.fields[name].choices]
    assert "firm" in told["en"] and all(word.isascii() for word in told["en"])
    assert not any(word.isascii() for word in told["zh-hans"])
