"""Quotes as they are written by hand."""

from __future__ import annotations

import pytest

from billing.settlement.services import quote_rows


def test_a_name_that_is_no_field_of_a_quote_is_no_silent_loss() -> None:
    with pytest.raises(TypeError, match="payable_fen"):
        quote_rows.insert({"revision": 1, "payable_fen": 100})
