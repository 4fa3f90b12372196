"""What of a frozen bill is shown to somebody whom only some of its lines concern."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

Json = dict[str, Any]
_HEADING = ("format", "kind", "number", "payment_reference", "made_on", "due_on", "owner", "customer", "tax")


def only_lines(content: Json, positions: Collection[int]) -> Json:
    """The heading of a bill and its lines at ``positions`` (from 1), with what those come to (fen); ``lines_in_all``: it is a part of so
    many."""
    lines = [line for place, line in enumerate(content["lines"], start=1) if place in positions]
    heading = {name: content[name] for name in _HEADING if name in content}
    total = sum(int(line["amount_fen"]) for line in lines)
    return {**heading, "lines": lines, "lines_in_all": len(content["lines"]), "lines_total_fen": total}
