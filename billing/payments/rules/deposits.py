"""What a customer pays in advance online."""

from __future__ import annotations

#: At least and at most at once, in fen: from one yuan to what a payment page takes (``docs/prepaid.md``).
LEAST_FEN, MOST_FEN = 1_00, 999_999_99


def may_be_paid(amount_fen: int) -> bool:
    """Whether it is a sum that is paid in advance at once."""
    return LEAST_FEN <= amount_fen <= MOST_FEN
