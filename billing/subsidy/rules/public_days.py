"""For how many days what is about to be paid is public, as a programme's document says it (part ``review``). Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

#: Where the document says nothing.
PUBLIC_DAYS = 7


def public_days(document: Mapping[str, Any]) -> int:
    """The days of publicity of a valid programme document."""
    said = document.get("review")
    return int(said["publicity_days"]) if said is not None else PUBLIC_DAYS
