"""Money: integers of fen, rounding, splits, and how amounts are written."""
