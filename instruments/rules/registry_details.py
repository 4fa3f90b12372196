"""What a row may say besides an instrument's own fields: its customs record and the sources of its money."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from config.kernel.errors import Reason, Refusal
from instruments.rules import facility_values, registry_values
from instruments.rules.details_values import (
    CUSTOMS_CODES,
    CUSTOMS_DAYS,
    CUSTOMS_FLAGS,
    CUSTOMS_LENGTHS,
    FINER_SOURCES,
    FUNDING_SOURCES,
)
from instruments.rules.registry_values import clean_text

TRUE = frozenset({"true", "yes", "1", "t", "y", "\u662f"})
FALSE = frozenset({"false", "no", "0", "f", "n", "\u5426"})


def flag(name: str, text: str) -> bool | None:
    """Yes, no, or None when empty. Raises Refusal ``import.value_unknown``."""
    folded = text.strip().casefold()
    if not folded:
        return None
    if folded not in TRUE | FALSE:
        raise Refusal.of("import.value_unknown", name, text=text[:60], known=sorted(TRUE | FALSE))
    return folded in TRUE


def typed(name: str, text: str) -> Any:
    """The value of a ``customs.*``, ``facility.*`` or ``fundings*`` field. Raises Refusal with the field's name."""
    if name == "fundings":
        return _sources(text)
    if name.startswith("fundings."):
        return registry_values.money_fen(text, "fen", name)
    if name.startswith("facility."):
        return facility_values.typed(name, text)
    short = name.removeprefix("customs.")
    if short in CUSTOMS_DAYS:
        return registry_values.day(text, name)
    if short in CUSTOMS_FLAGS:
        return flag(name, text)
    return clean_text(text, CUSTOMS_LENGTHS.get(short) or CUSTOMS_CODES[short][1], name)


def customs_of(beside: Mapping[str, Any]) -> dict[str, Any] | None:
    """The customs fields of a row by name; None when the map reads none of them."""
    found = {name.removeprefix("customs."): value for name, value in beside.items() if name.startswith("customs.")}
    return found or None


def fundings_of(beside: Mapping[str, Any]) -> dict[str, int | None] | None:
    """The amount in fen by source, None where only the source is said; None when the map does not read the sources."""
    if "fundings" not in beside:
        return None
    return {source: beside.get(f"fundings.{source}_fen") for source in beside["fundings"]}


def merged_fundings(stored: Mapping[str, int | None], given: Mapping[str, int | None]) -> dict[str, int | None]:
    """What is stored after a row: its sources; an amount that the row does not say stays, and so does a stored source that only says
    more exactly what the row says without an amount."""
    merged: dict[str, int | None] = {}
    for source, amount in given.items():
        finer = FINER_SOURCES.get(source, "")
        stays = amount is None and finer in stored
        if not stays or source in stored:
            merged[source] = stored.get(source) if amount is None else amount
        if stays and finer not in given:
            merged[finer] = stored[finer]
    return merged


def is_same(field: str, stored: Any, given: Any, *, coarse: bool) -> bool:
    """Whether a row says what is stored; ``coarse``: a stored value that only says it more exactly is the same."""
    if stored == given:
        return True
    if not coarse or stored in (None, "") or given in (None, ""):
        return False
    if field == "original_value_fen":
        return ten_thousand_yuan(int(stored)) == ten_thousand_yuan(int(given))
    return field == "class_code" and str(stored).ljust(6, "0") == str(given)


def ten_thousand_yuan(fen: int) -> str:
    """An amount in 10,000 yuan with two decimals, half up: 12345678 fen is 12.35."""
    hundredths = (fen + 5_000) // 10_000
    return f"{hundredths // 100}.{hundredths % 100:02d}"


def _sources(text: str) -> tuple[str, ...]:
    found = [part.strip() for part in re.split("[,;|\\s]+", text) if part.strip()]
    unknown = [part for part in found if part not in FUNDING_SOURCES]
    if unknown:
        raise Refusal(
            Reason("import.value_unknown", {"text": ", ".join(unknown)[:60], "known": list(FUNDING_SOURCES)}, "fundings")
        )
    return tuple(source for source in FUNDING_SOURCES if source in found)
