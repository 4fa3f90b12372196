"""A calendar entry as the audit trail keeps it, and read back from there."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from instruments.rules.entries import CalendarEntry, EntryKind, Priority, Season
from instruments.rules.recurrence import format_recurrence, parse_recurrence


def entry_document(entry: CalendarEntry) -> dict[str, Any]:
    """Only what is not as usual is named; times are wall times of the place."""
    found: dict[str, Any] = {
        "kind": entry.kind.value,
        "from": entry.starts_local.isoformat(),
        "to": entry.ends_local.isoformat(),
        "priority": int(entry.priority),
        "audiences": sorted(entry.audiences),
        "reason": entry.reason,
    }
    if entry.recurrence is not None:
        found["repeats"] = list(format_recurrence(entry.recurrence))
        found["until"] = entry.recurrence.until.isoformat() if entry.recurrence.until else None
    if entry.season is not None:
        season = entry.season
        found["season"] = [season.name, season.first_on.isoformat(), season.last_on.isoformat()]
    return {name: value for name, value in found.items() if value not in ("", [], None)}


def entry_of(document: Mapping[str, Any]) -> CalendarEntry:
    """The entry of such a document, without what became of its single occurrences."""
    recurrence, season = None, None
    if "repeats" in document:
        (frequency, params), until = document["repeats"], document.get("until")
        recurrence = parse_recurrence(frequency, params, date.fromisoformat(until) if until else None)
    if "season" in document:
        name, first_on, last_on = document["season"]
        season = Season(name, date.fromisoformat(first_on), date.fromisoformat(last_on))
    return CalendarEntry(
        EntryKind(document["kind"]),
        datetime.fromisoformat(document["from"]),
        datetime.fromisoformat(document["to"]),
        recurrence,
        priority=document.get("priority", Priority.BASE),
        audiences=frozenset(document.get("audiences", ())),
        season=season,
        reason=document.get("reason", ""),
    )
