"""Amounts of yuan as people type and paste them: ``¥1,234.50``, ``１２３４.５０``, ``1234.5 元``."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from billing.ledger.rules.money import parse_yuan

LONGEST = 17
"""Characters of an amount that can be kept."""
_FULL_WIDTH = {0xFF01 + place: 0x21 + place for place in range(94)} | {0xFFE5: "¥", 0x3000: " "}
_GROUPED = re.compile(r"-?\d{1,3}(?:,\d{3})+(?:\.\d*)?", re.ASCII)
_NUMBER = re.compile(r"-?\d+(?:\.\d*)?", re.ASCII)


def bare_amount(text: str) -> str:
    """Without the sign of the currency, and without commas where they part thousands; ``1,5`` stays as it is, since nobody can say which
    amount it means.
    """
    plain = text.translate(_FULL_WIDTH).strip().removeprefix("¥").removesuffix("元").strip()
    return plain.replace(",", "") if _GROUPED.fullmatch(plain) else plain


def typed_fen(text: str) -> int | None:
    """What was typed, in fen; None for nothing and for what is no amount of at most two decimals."""
    plain = bare_amount(text)
    try:
        return parse_yuan(plain) if len(plain) <= LONGEST else None
    except ValueError:
        return None


class YuanField(forms.DecimalField):
    """An amount in yuan, never below zero."""

    default_error_messages = {"invalid": _("This is no amount. Write yuan with at most two decimals, like 1234.50.")}

    def __init__(self, *, label: Any, help_text: Any = "", required: bool = True) -> None:
        widget = forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"})
        super().__init__(
            label=label, help_text=help_text, required=required, min_value=0, max_digits=LONGEST, decimal_places=2, widget=widget
        )

    def to_python(self, value: Any) -> Decimal | None:  # type: ignore[override]  # the stubs inherit it from whole numbers
        if not isinstance(value, str):
            return super().to_python(value)
        if not value.strip():
            return None
        plain = bare_amount(value)
        if not _NUMBER.fullmatch(plain):
            raise ValidationError(self.error_messages["invalid"], code="invalid")
        return super().to_python(plain)
