"""The ground floor: it imports nothing of ours and everything may stand on it."""
