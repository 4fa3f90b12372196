"""The document of one side: what the side says itself stands before what the programme says for all."""

from __future__ import annotations

from typing import Any

from billing.ledger.rules.documents import Document

#: What a side may say itself; without it the programme's own holds.
OWN_PARTS = ("settlement", "base", "rate", "adjustments", "rounding", "payers")


def side_document(document: Document, side: Document) -> dict[str, Any]:
    """A document of one side. Gates and caps of the programme hold for every side, and come before the side's own."""
    merged = {name: value for name, value in document.items() if name not in ("sides", "examples", "open_points")}
    merged |= {name: side[name] for name in OWN_PARTS if name in side}
    merged["gates"] = [*document["gates"], *side.get("gates", ())]
    merged["caps"] = [*document.get("caps", ()), *side.get("caps", ())]
    merged.setdefault("adjustments", [])
    return merged
