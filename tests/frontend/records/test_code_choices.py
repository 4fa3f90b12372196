"""Codes are chosen and typed by their names, and what nobody knows stays as it was typed."""

from __future__ import annotations

from datetime import datetime
from types import SimpleNamespace

import pytest
from django.utils.translation import override

from frontend.code_choices import class_choices, code_line, code_typed, code_words
from instruments.models import Code
from instruments.queries import codes

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("typed", ["150", " 150 ", "Chemistry", "chemistry", "化学", "150 Chemistry", "150 化学"])
def test_a_subject_is_typed_as_code_name_or_both(typed: str) -> None:
    assert code_typed("subject_codes", typed) == "150"


@pytest.mark.parametrize(
    ("field", "code"), [("subject_codes", "430"), ("subject_codes", "43010"), ("technique_codes", "PaNET01216")]
)
@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_what_a_form_shows_is_read_back_as_the_same_code(field: str, code: str, language: str) -> None:
    with override(language):
        assert code_typed(field, code_line(field, code)) == code


def test_what_no_list_has_stays_as_it_was_typed() -> None:
    assert code_typed("technique_codes", "Dowsing  rods") == code_line("technique_codes", "Dowsing rods") == "Dowsing rods"
    assert code_typed("subject_codes", "Chemistry of salt lakes") == "Chemistry of salt lakes"
    assert code_words("subject_codes", "999") == "999"


def test_names_are_in_the_readers_language() -> None:
    with override("en"):
        assert (code_words("subject_codes", "430"), code_words("class_code", "010301")) == (
            "Materials science (430)",
            "Analytical instruments (010301)",
        )
    with override("zh-hans"):
        assert code_words("subject_codes", "430") == "材料科学 (430)"


def test_without_a_list_the_fifteen_classes_and_the_one_that_is_there_can_be_chosen() -> None:
    with override("en"):
        choices = class_choices("010301")
    assert len(choices) == 16
    assert choices[-1] == ("010301", "Analytical instruments (010301)")


def test_the_classes_of_a_loaded_list_stand_below_their_top_class(now: datetime) -> None:
    Code.objects.create(scheme="nrii", code="010000", name="Analytical", level=1)
    Code.objects.create(scheme="nrii", code="010300", name="X-ray", parent_code="010000", level=2)
    Code.objects.create(scheme="nrii", code="010301", name="Diffractometers", parent_code="010300", level=3)
    codes.forget()
    with override("en"):
        choices = class_choices("010301")
    assert len(choices) == 15
    assert choices[0][1] == [
        ("01", "Analytical instruments"),
        ("010300", "010300 X-ray"),
        ("010301", "010301 Diffractometers"),
    ]
    codes.forget()


def test_a_list_that_another_process_took_in_is_read_within_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    monkeypatch.setattr(codes, "KEPT_SECONDS", 60.0)
    monkeypatch.setattr(codes, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    with override("en"):
        assert code_words("class_code", "010000") == "Analytical instruments (010000)"
        Code.objects.create(scheme="nrii", code="010000", name="改名", name_en="Renamed", level=1)
        clock[0] += 59
        assert "Renamed" not in code_words("class_code", "010000")
        clock[0] += 2
        assert code_words("class_code", "010000") == "Renamed (010000)"
