"""Money: integers of fen, rounding, splits, and how amounts are written."""

from billing.ledger.rules.money import (
    Rounding,
    amount_in_capitals,
    parse_yuan,
    plain_yuan,
    round_fen,
    split_largest_remainder,
    yuan,
)

__all__ = [
    "Rounding",
    "amount_in_capitals",
    "parse_yuan",
    "plain_yuan",
    "round_fen",
    "split_largest_remainder",
    "yuan",
]
