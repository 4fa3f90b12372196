"""The columns of a table of instruments beside their own fields: who paid how much, and what customs knows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from config.kernel.errors import Reason, Refusal
from instruments.rules.details_values import (
    CUSTOMS_DAYS,
    CUSTOMS_FIELDS,
    CUSTOMS_FLAGS,
    FUNDING_SOURCES,
    clean_customs,
    clean_fundings,
    empty_customs,
)
from instruments.rules.sheet_cells import KNOWN_ONLY, Kind

FUNDING, CUSTOMS = "funding_", "customs_"
#: ``customs_supervised`` is a field of the instrument itself.
DETAIL_KINDS: dict[str, Kind] = {
    **{f"{FUNDING}{source}": Kind.FUNDING for source in FUNDING_SOURCES},
    **{f"{CUSTOMS}{name}": Kind.TEXT for name in CUSTOMS_FIELDS},
    **{f"{CUSTOMS}{name}": Kind.DAY for name in CUSTOMS_DAYS},
    **{f"{CUSTOMS}{name}": Kind.MAYBE for name in CUSTOMS_FLAGS},
}


def detail_values(customs: Mapping[str, Any] | None, fundings: Mapping[str, int | None]) -> dict[str, Any]:
    """What is stored, by column: amounts in fen, ``KNOWN_ONLY`` where only the source is known, None where it is none."""
    record = customs or empty_customs()
    paid = {
        f"{FUNDING}{source}": (KNOWN_ONLY if fundings[source] is None else fundings[source]) if source in fundings else None
        for source in FUNDING_SOURCES
    }
    return paid | {f"{CUSTOMS}{name}": record[name] for name in CUSTOMS_FIELDS}


def clean_details(given: Mapping[str, Any]) -> tuple[dict[str, Any], list[Reason]]:
    """The columns that were given, clean, and what is wrong with them, each reason at its column."""
    customs = clean_customs({name.removeprefix(CUSTOMS): value for name, value in given.items() if name.startswith(CUSTOMS)})
    reasons = [Reason(one.code, one.params, CUSTOMS + one.field) for one in customs.reasons]
    paid = {name: value for name, value in given.items() if name.startswith(FUNDING)}
    try:
        clean_fundings(fundings_of(paid))
    except Refusal as refusal:
        reasons += refusal.reasons
    return {f"{CUSTOMS}{name}": value for name, value in customs.values.items()} | paid, reasons


def customs_of(given: Mapping[str, Any]) -> dict[str, Any] | None:
    """The customs fields among the columns by name; None without any."""
    found = {
        name.removeprefix(CUSTOMS): value for name, value in given.items() if name in DETAIL_KINDS and name.startswith(CUSTOMS)
    }
    return found or None


def fundings_of(given: Mapping[str, Any]) -> tuple[tuple[str, int | None], ...]:
    """The sources among the columns with their amounts in fen, None where only the source is known."""
    found = {name.removeprefix(FUNDING): value for name, value in given.items() if name.startswith(FUNDING)}
    return tuple((source, None if value == KNOWN_ONLY else value) for source, value in found.items() if value is not None)
