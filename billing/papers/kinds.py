"""The one list of papers that can be checked. A new kind is a ``PaperKind`` that its own package registers (see ``docs/papers.md``)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Model, Q, QuerySet
from django.utils.functional import Promise

from billing.papers.rules.status import Facts


@dataclass(frozen=True, slots=True)
class PaperKind:
    """``facts`` says of one row of ``model`` what anybody may know; ``files`` are its columns that hold the files that were handed out.

    ``content`` and ``content_sha256`` of a row are the frozen content and its hash, ``number`` is its number (empty: not issued yet).
    """

    name: str
    word: Promise | str
    model: type[Model]
    facts: Callable[[Any], Facts]
    files: tuple[str, ...] = ("pdf", "xlsx")

    def rows(self) -> QuerySet[Any]:
        """Every issued document of the kind, with its files."""
        return self.model._default_manager.filter(content__isnull=False).select_related(*self.files)

    def of_content(self, sha256: str) -> Any | None:
        """The document whose frozen content, as JSON, has this hash."""
        return self.rows().filter(content_sha256=sha256).order_by("pk").first()

    def of_files(self, stored: Sequence[int]) -> Any | None:
        """The document that one of these stored files was handed out for."""
        wanted = Q()
        for column in self.files:
            wanted |= Q(**{f"{column}__in": stored})
        return self.rows().filter(wanted).order_by("pk").first()


_kinds: dict[str, PaperKind] = {}


def register(kind: PaperKind) -> None:
    """Add a kind; its name is registered once and never changes, for it stands with every code."""
    if kind.name in _kinds:
        raise RuntimeError(f"a kind of paper is registered twice: {kind.name}")
    _kinds[kind.name] = kind


def kinds() -> Mapping[str, PaperKind]:
    """Every kind by its name."""
    return _kinds


def issue_day(at: datetime) -> date:
    """The local day of issue."""
    return at.astimezone(ZoneInfo(settings.TIME_ZONE)).date()
