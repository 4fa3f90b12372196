"""Every read about runs, drafts and exports of a month; row-level permission is applied here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import Count, Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from billing.month.models import (
    CURRENT,
    DOCUMENTS,
    Draft,
    DraftLine,
    DraftRun,
    DraftState,
    ExportItem,
    ExportState,
    ItemState,
    MonthExport,
)
from billing.month.outstanding import without_settled
from billing.month.rules.drafts import Change, Identity, differences, identities
from billing.month.rules.lines import Sums
from billing.month.rules.progress import Progress, progress
from billing.month.services.running import figures_of_run
from billing.settlement.closed import closed_until
from billing.settlement.queries import Document
from billing.settlement.rules.series import Series
from config.kernel.access import Actor, Role, get_visible, visible_to
from config.kernel.errors import Refusal
from config.kernel.services import files
from instruments.models import Organisation

#: Who sees months: the finance of owners and of offices, and the inspector.
READERS = (Role.OWNER_FINANCE, Role.FINANCE, Role.INSPECTOR)
#: What of drafts is summed up, in the order of ``Sums``.
_SUMS = {
    "lines": Sum("line_count"),
    **{f"sum_{name}": Sum(f"{name}_fen") for name in ("gross", "deducted", "relieved", "refunded", "claims", "total")},
}
#: How the grid may be narrowed, as people choose it.
FILTERS = ("all", "odd", "prior", "stuck", *(state.value for state in DraftState))


def run_for(actor: Actor, run_id: int) -> DraftRun:
    """One run. Raises NotFound."""
    return get_visible(DraftRun.objects.select_related("owner", "made_by", "handed_over_by", "released_by"), actor, pk=run_id)


def current_run(actor: Actor, series: Series, period_on: date) -> DraftRun | None:
    """The run that stands for a month now."""
    rows = visible_to(DraftRun.objects.filter(series=series.key, period_on=period_on, state__in=CURRENT), actor)
    return rows.select_related("made_by", "handed_over_by", "released_by").first()


def drafts_of(run: DraftRun, narrowed: str = "all", text: str = "") -> QuerySet[Draft]:
    """The drafts of a run (from ``run_for``), the largest first; ``narrowed`` is one of ``FILTERS``, ``text`` stands in the party's
    name."""
    rows = Draft.objects.filter(run=run).select_related("party", "programme_version__programme", "bill", "statement")
    rows = rows.defer("programme_version__document", "bill__content", "statement__content").order_by("position")
    if narrowed == "odd":
        rows = rows.filter(odd_count__gt=0).order_by("-odd_count", "position")
    elif narrowed == "prior":
        rows = rows.filter(prior_count__gt=0)
    elif narrowed == "stuck":
        rows = without_settled(rows.filter(state__in=(DraftState.PARKED, DraftState.FAILED)))
    elif narrowed in DraftState.values:
        rows = without_settled(rows.filter(state=narrowed))
    if text:
        rows = rows.filter(Q(party__name__icontains=text) | Q(party__name_en__icontains=text))
    return rows


@dataclass(frozen=True, slots=True)
class Footer:
    """What the drafts of a run come to now, without what is parked, held back, or failed and is settled since, and the equations that have
    to hold. ``counts`` and ``sums`` of those that failed are without what is settled."""

    counts: dict[str, int]
    odd: int
    prior: int
    drafts: int
    sums: Sums
    held_lines: int
    held_fen: int
    identities: tuple[Identity, ...]


def footer_of(run: DraftRun) -> Footer:
    """Two queries, and one where something failed."""
    rows = Draft.objects.filter(run=run).order_by()
    looks = {"odd": Count("pk", filter=Q(odd_count__gt=0)), "prior": Count("pk", filter=Q(prior_count__gt=0))}
    found: Any = rows.values("state").annotate(drafts=Count("pk"), **looks, **_SUMS)
    by_state: dict[str, dict[str, Any]] = {each["state"]: each for each in found}
    drafts, odd, prior = (sum(each[name] for each in by_state.values()) for name in ("drafts", "odd", "prior"))
    if DraftState.FAILED in by_state:
        failed = without_settled(rows.filter(state=DraftState.FAILED))
        by_state[DraftState.FAILED.value] = failed.aggregate(drafts=Count("pk"), **_SUMS)
    counted = [by_state[state] for state in (DraftState.READY, DraftState.ISSUED, DraftState.FAILED) if state in by_state]
    sums = Sums(*(sum(each[name] or 0 for each in counted) for name in _SUMS))
    held = DraftLine.objects.filter(draft__run=run, held__isnull=False).aggregate(
        count=Count("pk"), fen=Coalesce(Sum("amount_fen"), 0)
    )
    return Footer(
        counts={state.value: by_state[state]["drafts"] if state in by_state else 0 for state in DraftState},
        odd=odd,
        prior=prior,
        drafts=drafts,
        sums=sums,
        held_lines=held["count"],
        held_fen=held["fen"],
        identities=identities(sums, bills=run.owner_id is not None),
    )


def changes_of(run: DraftRun) -> tuple[DraftRun | None, list[Change]]:
    """The run before, and how this one differs from it, the largest difference first. Three queries."""
    before = (
        DraftRun.objects.filter(series=run.series, period_on=run.period_on, revision__lt=run.revision)
        .order_by("-revision")
        .first()
    )
    return (before, differences(figures_of_run(before), figures_of_run(run))) if before is not None else (None, [])


def names_of(parties: Sequence[int]) -> dict[int, Organisation]:
    """Organisations by id."""
    return Organisation.objects.in_bulk(set(parties))


def draft_for(actor: Actor, draft_id: int) -> Draft:
    """One draft with its run. Raises NotFound."""
    rows = Draft.objects.select_related("run__owner", "party", "programme_version__programme", "bill", "statement")
    return get_visible(rows.defer("programme_version__document", "bill__content", "statement__content"), actor, pk=draft_id)


def lines_of(draft: Draft) -> QuerySet[DraftLine]:
    """The lines of a draft (from ``draft_for``) with what they are for, in their order."""
    return _with_things(DraftLine.objects.filter(draft=draft)).order_by("position")


def left_out(actor: Actor, series: Series, month: date) -> QuerySet[DraftLine]:
    """The lines of a series that finance holds back beyond the month (its first day), the oldest first, with their drafts."""
    still = Q(held__until_on__isnull=True) | Q(held__until_on__gt=month)
    rows = visible_to(DraftLine.objects.filter(still, draft__run__series=series.key, held__lifted_at__isnull=True), actor)
    rows = rows.filter(held__isnull=False).select_related("draft__party", "draft__run")
    return _with_things(rows).order_by("held__held_at", "pk")


def _with_things(rows: QuerySet[DraftLine]) -> QuerySet[DraftLine]:
    things = (
        "charge__reservation__instrument__site",
        "charge__reservation__session__lab_agreed_by",
        "charge__sample_job__resource",
        "fee__reservation__instrument__site",
        "fee__reservation__session__lab_agreed_by",
        "award__charge__reservation__instrument__site",
        "award__charge__reservation__session__lab_agreed_by",
        "award__charge__sample_job__resource",
        "held__held_by",
    )
    heavy = [f"{path}charge__{name}" for path in ("", "award__") for name in ("inputs", "result")]
    return rows.select_related(*things).defer(*heavy)


def exports_of(actor: Actor, series: Series, period_on: date) -> QuerySet[MonthExport]:
    """The exports of a month, the latest first."""
    rows = visible_to(MonthExport.objects.filter(series=series.key, period_on=period_on), actor)
    return rows.select_related("asked_by").order_by("-pk")


def export_for(actor: Actor, export_id: int) -> MonthExport:
    """One export. Raises NotFound."""
    return get_visible(MonthExport.objects.select_related("asked_by", "archive", "owner"), actor, pk=export_id)


def progress_of(export: MonthExport, now: datetime) -> Progress:
    """How far it is; one query."""
    counts = dict(ExportItem.objects.filter(export=export).values_list("state").annotate(count=Count("pk")))
    done, failed = counts.get(ItemState.DONE.value, 0), counts.get(ItemState.FAILED.value, 0)
    turn_at = export.turn_at if export.state == ExportState.RUNNING else None
    return progress(export.total_count, done, failed, export.turn_done, turn_at, now)


def failed_items(export: MonthExport, most: int = 100) -> list[ExportItem]:
    """The documents whose files could not be made."""
    rows = ExportItem.objects.filter(export=export, state=ItemState.FAILED).select_related(*DOCUMENTS)
    return list(rows.defer(*(f"{name}__content" for name in DOCUMENTS)).order_by("position")[:most])


def archive_for(actor: Actor, export_id: int, now: datetime) -> Document:
    """The archive, byte for byte. Raises NotFound, Refusal ``export.not_ready`` / ``export.expired`` / ``files.*``."""
    export = export_for(actor, export_id)
    if export.state != ExportState.DONE:
        raise Refusal.of("export.not_ready")
    if export.archive is None or export.expires_at is None or export.expires_at <= now:
        raise Refusal.of("export.expired")
    return Document(export.archive, files.read(export.archive))


def closed_until_of(series: Series) -> date | None:
    """The last day that is closed in a series."""
    return closed_until(series)
