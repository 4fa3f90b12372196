"""An import and its rows in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.urls import reverse

from config.kernel.messages import sentence
from instruments.models import WORKING_STATES, ImportRun, ImportRunRow
from instruments.queries.imports import FATES, SOMETIMES
from instruments.services.import_kinds import field_name, kinds
from instruments.services.import_runs import JUMP

CHANGED = "import.changed"


@dataclass(frozen=True, slots=True)
class Change:
    """A field that differs: what it was and what it becomes."""

    field: str
    was: str
    becomes: str


@dataclass(frozen=True, slots=True)
class RowView:
    """A row for the table; ``url`` is the page of what it stands for, where there is one."""

    line: int
    fate: str
    name: str
    inner_id: str
    owner: str
    url: str
    changes: list[Change]
    problems: list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Count:
    """How many rows had a fate."""

    fate: str
    count: int


@dataclass(frozen=True, slots=True)
class RunView:
    """An import for its page. ``percent`` is 0 to 100 while the worker is at it."""

    pk: int
    state: str
    working: bool
    percent: int
    counts: list[Count]
    total: int
    refused: int
    changes_nothing: bool
    problems: list[str]


def run_view(run: ImportRun) -> RunView:
    counts = [Count(fate, run.counts.get(fate, 0)) for fate in FATES if fate in run.counts or fate not in SOMETIMES]
    total = sum(one.count for one in counts)
    done = run.counts.get("created", 0) + run.counts.get("updated", 0)
    return RunView(
        pk=run.pk,
        state=run.state,
        working=run.state in WORKING_STATES,
        percent=min(99, run.done_rows * 100 // run.total_rows) if run.total_rows else 0,
        counts=counts,
        total=total,
        refused=run.counts.get("refused", 0),
        changes_nothing=bool(total) and not done,
        problems=[sentence(one["code"], one["params"]) for one in run.problems],
    )


def row_views(run: ImportRun, rows: Iterable[ImportRunRow]) -> list[RowView]:
    page = kinds()[run.kind].page if run.kind in kinds() else ""
    return [
        RowView(
            line=row.line,
            fate=row.fate,
            name=row.name,
            inner_id=row.inner_id,
            owner=row.owner,
            url=reverse(page, args=[row.object_id]) if page and row.object_id else "",
            changes=[_change(run.kind, one) for one in row.reasons if one["code"] == CHANGED],
            problems=[_problem(run.kind, one) for one in (*row.reasons, *row.notes) if one["code"] != CHANGED],
        )
        for row in rows
    ]


def jump_views(rows: Iterable[ImportRunRow]) -> list[tuple[int, str, str]]:
    """The line, the name and the sentence of each price that changes by much."""
    return [
        (row.line, row.name, sentence(note["code"], note["params"])) for row in rows for note in row.notes if note["code"] == JUMP
    ]


def _change(kind: str, told: Mapping[str, Any]) -> Change:
    params = told["params"]
    return Change(field_name(kind, told["field"]), params["was"], params["becomes"])


def _problem(kind: str, told: Mapping[str, Any]) -> tuple[str, str]:
    """The field's name and the sentence."""
    return field_name(kind, told["field"]) if told["field"] else "", sentence(told["code"], told["params"])
