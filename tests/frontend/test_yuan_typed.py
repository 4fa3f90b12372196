"""Amounts as people type and paste them."""

import pytest
from django import forms

from frontend.yuan_typed import YuanField, bare_amount, typed_fen


class Asked(forms.Form):
    yuan = YuanField(label="Amount", required=False)


@pytest.mark.parametrize(
    ("text", "fen"),
    [
        ("2000.5", 200050),
        ("2,000.50", 200050),
        (" ¥2,000.50 ", 200050),
        ("￥２，０００．５０", 200050),
        ("1,234,567 元", 123456700),
        ("-5", -500),
        ("0", 0),
    ],
)
def test_an_amount_is_read_as_it_is_shown_and_pasted(text: str, fen: int) -> None:
    assert typed_fen(text) == fen
    form = Asked({"yuan": text})
    assert form.is_valid() == (fen >= 0)
    if fen >= 0:
        assert form.cleaned_data["yuan"] * 100 == fen


@pytest.mark.parametrize("text", ["1,5", "12,34", "1,2345", ",", "1e3", "5²", "NaN", "١٢", "1 000", "5\x00", "1.234", "9" * 18])
def test_what_could_mean_several_amounts_or_none_is_refused(text: str) -> None:
    """A comma for a decimal point above all: 1,5 must never become 15."""
    assert typed_fen(text) is None
    assert not Asked({"yuan": text}).is_valid()


def test_nothing_typed_is_nothing() -> None:
    assert (typed_fen(" "), bare_amount("")) == (None, "")
    form = Asked({"yuan": " "})
    assert form.is_valid() and form.cleaned_data["yuan"] is None
