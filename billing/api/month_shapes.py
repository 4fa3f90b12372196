"""What a month of finance looks like over the API. Amounts are fen, months ``YYYY-MM``, instants UTC."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from typing import Any

from rest_framework import serializers

from billing.api.bill_shapes import MoneyMadeOut
from billing.bills.services.issuing import DUE_DAYS
from billing.month import queries
from billing.month.board import Board, Earlier
from billing.month.models import Draft, DraftLine, DraftRun, DraftState, ExportState, MonthExport, RunState
from billing.month.rules.drafts import Change, Drafted, Identity
from billing.month.rules.progress import Progress
from billing.month.services.running import DryRun
from billing.settlement.rules.series import Series
from config.kernel.api.fields import Id, Text, WholeNumber
from config.kernel.api.serializers import PageParameters, StrictSerializer

_TEXT = 2000  # longer is refused as input; the service says what really fits
_MONTH = r"^20[0-9]{2}-(0[1-9]|1[0-2])$"
_SERIES = r"^(statements(:[1-9][0-9]{0,17})?|bills:[1-9][0-9]{0,17})$"
_SERIES_HELP = (
    "``bills:12``: the bills of institution 12; ``statements:7``: the settlement statements of office 7; ``statements``: those of "
    "programmes that name no office."
)
MOST_PARTIES = 5000
MOST_CHANGES = 200
MOST_DRAFTS = 500


class MonthParameters(PageParameters):
    series = serializers.RegexField(_SERIES, help_text=_SERIES_HELP)
    month = serializers.RegexField(_MONTH, help_text="YYYY-MM")


class MonthIn(StrictSerializer):
    series = serializers.RegexField(_SERIES, help_text=_SERIES_HELP)
    month = serializers.RegexField(_MONTH, help_text="YYYY-MM")


class RunIn(MonthIn):
    due_days = WholeNumber(required=False, default=DUE_DAYS, help_text="Of bills: days to pay, 0 to 60.")
    parties = serializers.ListField(
        child=Id(), required=False, default=list, max_length=MOST_PARTIES, help_text="Only these payers or payees; empty: all."
    )


class RunMakeIn(RunIn):
    expected_sha256 = Text(
        max_length=64, required=False, allow_null=True, default=None, help_text="Of the dry run that was looked at (else 409)."
    )


class DraftParameters(PageParameters):
    show = serializers.ChoiceField(choices=queries.FILTERS, required=False, help_text="Which drafts.")
    text = serializers.CharField(max_length=100, required=False, help_text="Stands in the party's name.")


class MonthReasonIn(StrictSerializer):
    reason = Text(max_length=_TEXT)


class BlockOut(serializers.Serializer):
    code = serializers.CharField(help_text="What holds it up, and who has to act.")
    count = serializers.IntegerField()


class StageOut(serializers.Serializer):
    code = serializers.CharField()
    count = serializers.IntegerField()
    amount_fen = serializers.IntegerField()
    estimate = serializers.BooleanField(help_text="Before usage is agreed an amount is an estimate.")
    blocks = BlockOut(many=True)


class EarlierOut(serializers.Serializer):
    """Drafts of an office that failed in a run over all offices together, from before each had its own."""

    run = serializers.IntegerField(help_text="``issue-again`` there tries those of one's office.")
    count = serializers.IntegerField()
    amount_fen = serializers.IntegerField()


class IdentityOut(serializers.Serializer):
    code = serializers.CharField()
    left_fen = serializers.IntegerField()
    right_fen = serializers.IntegerField()
    holds = serializers.BooleanField()


class MonthBoardOut(serializers.Serializer):
    series = serializers.CharField()
    month = serializers.CharField()
    over = serializers.BooleanField()
    closed = serializers.BooleanField(help_text="It takes no new line.")
    run = serializers.IntegerField(allow_null=True, help_text="The drafts that stand now.")
    stages = StageOut(many=True)
    identities = IdentityOut(many=True, help_text="How the sums of its bills hang together.")
    earlier = EarlierOut(allow_null=True)


class SumsOut(serializers.Serializer):
    lines = serializers.IntegerField()
    gross_fen = serializers.IntegerField()
    deducted_fen = serializers.IntegerField()
    relieved_fen = serializers.IntegerField(help_text="Of fees that fell away.")
    refunded_fen = serializers.IntegerField(help_text="What programmes give later.")
    claims_fen = serializers.IntegerField(help_text="What programmes give in all.")
    total_fen = serializers.IntegerField()


class DryDraftOut(SumsOut):
    party = serializers.IntegerField()
    programme_version = serializers.IntegerField(allow_null=True)
    mode = serializers.CharField(allow_blank=True)
    prior_count = serializers.IntegerField(help_text="Lines of use before the month.")
    odd = serializers.DictField(child=serializers.IntegerField(), help_text="How many lines are odd, by code.")
    parked = serializers.CharField(allow_null=True, help_text="The code of why nothing is issued.")


class MonthChangeOut(serializers.Serializer):
    party = serializers.IntegerField()
    programme_version = serializers.IntegerField(allow_null=True)
    mode = serializers.CharField(allow_blank=True)
    before_fen = serializers.IntegerField(allow_null=True)
    after_fen = serializers.IntegerField(allow_null=True)
    difference_fen = serializers.IntegerField()


class DryRunOut(serializers.Serializer):
    sha256 = serializers.CharField(help_text="Names what was found; hand it in with the run.")
    sums = SumsOut(help_text="Without what is parked.")
    parked = serializers.IntegerField()
    drafts = DryDraftOut(many=True, help_text="What is parked first, then the largest; 500 at most. A run keeps all of them.")
    draft_count = serializers.IntegerField()
    last_run = serializers.IntegerField(allow_null=True)
    changes = MonthChangeOut(many=True, help_text="Against the last run, the largest difference first; 200 at most.")
    change_count = serializers.IntegerField()
    identities = IdentityOut(many=True)


class MonthRunOut(serializers.Serializer):
    id = serializers.IntegerField()
    series = serializers.CharField()
    month = serializers.CharField()
    revision = serializers.IntegerField()
    state = serializers.ChoiceField(choices=RunState.choices)
    draft_count = serializers.IntegerField()
    parked_count = serializers.IntegerField()
    line_count = serializers.IntegerField()
    total_fen = serializers.IntegerField()
    sha256 = serializers.CharField()
    needs_second = serializers.BooleanField(help_text="Somebody else than its maker has to release it.")
    made_at = serializers.DateTimeField()
    handed_over_at = serializers.DateTimeField(allow_null=True)
    released_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)


class MonthRunDetailOut(MonthRunOut):
    counts = serializers.DictField(
        child=serializers.IntegerField(),
        help_text="How many drafts, by state; of those that failed without what is settled since.",
    )
    sums = SumsOut(help_text="Without what is parked, left out, or failed and is settled since.")
    held_lines = serializers.IntegerField()
    held_fen = serializers.IntegerField()
    identities = IdentityOut(many=True)


class MonthDraftOut(serializers.Serializer):
    id = serializers.IntegerField()
    run = serializers.IntegerField()
    party = serializers.IntegerField()
    programme_version = serializers.IntegerField(allow_null=True)
    mode = serializers.CharField(allow_blank=True)
    state = serializers.ChoiceField(choices=DraftState.choices)
    reason = serializers.CharField(allow_null=True, help_text="The code of why it is parked or failed.")
    line_count = serializers.IntegerField()
    prior_count = serializers.IntegerField()
    odd = serializers.DictField(child=serializers.IntegerField())
    gross_fen = serializers.IntegerField()
    deducted_fen = serializers.IntegerField()
    relieved_fen = serializers.IntegerField()
    refunded_fen = serializers.IntegerField()
    claims_fen = serializers.IntegerField()
    total_fen = serializers.IntegerField()
    bill = serializers.IntegerField(allow_null=True)
    statement = serializers.IntegerField(allow_null=True)


class MonthDraftLineOut(serializers.Serializer):
    id = serializers.IntegerField()
    position = serializers.IntegerField()
    charge = serializers.IntegerField(allow_null=True)
    fee = serializers.IntegerField(allow_null=True)
    award = serializers.IntegerField(allow_null=True)
    amount_fen = serializers.IntegerField()
    claims_fen = serializers.IntegerField()
    prior_period = serializers.BooleanField(help_text="Its use lies before the month.")
    odd = serializers.ListField(child=serializers.CharField())
    left_out = serializers.BooleanField()
    left_out_reason = serializers.CharField(allow_blank=True)
    left_out_until = serializers.DateField(allow_null=True, help_text="Null: until it is taken in again.")


class RunMadeOut(MoneyMadeOut):
    new = serializers.BooleanField(help_text="False: these very drafts stood already.")


class TriedOut(MoneyMadeOut):
    drafts = serializers.IntegerField(help_text="How many are tried again.")


class MonthExportOut(serializers.Serializer):
    id = serializers.IntegerField()
    series = serializers.CharField()
    month = serializers.CharField()
    state = serializers.ChoiceField(choices=ExportState.choices)
    total = serializers.IntegerField()
    done = serializers.IntegerField()
    failed = serializers.IntegerField()
    seconds_left = serializers.IntegerField(allow_null=True)
    sha256 = serializers.CharField(allow_blank=True, help_text="Of the archive; the same is made again when it has expired.")
    expires_at = serializers.DateTimeField(allow_null=True)


_SUMS = ("lines", "gross_fen", "deducted_fen", "relieved_fen", "refunded_fen", "claims_fen", "total_fen")
_DRAFT_FEN = _SUMS[1:]


def month_of(text: str) -> date:
    """The first day of a month written ``2026-10``."""
    year, month = text.split("-")
    return date(int(year), int(month), 1)


def _identities(found: tuple[Identity, ...]) -> list[dict[str, Any]]:
    return [{**asdict(each), "holds": each.holds} for each in found]


def board_json(found: Board) -> dict[str, Any]:
    """From ``board.board``."""
    return {
        "series": found.series.key,
        "month": f"{found.period_on:%Y-%m}",
        "over": found.over,
        "closed": found.closed,
        "run": found.run.pk if found.run else None,
        "earlier": _earlier_json(found.earlier),
        "stages": [
            {
                "code": each.code,
                "count": each.count,
                "amount_fen": each.fen,
                "estimate": each.estimate,
                "blocks": [asdict(block) for block in each.blocks],
            }
            for each in found.stages
        ],
        "identities": _identities(found.identities),
    }


def _earlier_json(found: Earlier | None) -> dict[str, int] | None:
    return {"run": found.run_id, "count": found.count, "amount_fen": found.fen} if found is not None else None


def dry_run_json(found: DryRun, series: Series) -> dict[str, Any]:
    """From ``running.dry_run``; of each list so many that an answer stays small, and how many there are."""
    shown = sorted(found.drafts, key=lambda each: each.fault is None)[:MOST_DRAFTS]  # the largest come first
    return {
        "sha256": found.sha256,
        "sums": asdict(found.sums),
        "parked": found.parked,
        "drafts": [_dry_draft(each) for each in shown],
        "draft_count": len(found.drafts),
        "last_run": found.last.pk if found.last else None,
        "changes": [_change(each) for each in found.changes[:MOST_CHANGES]],
        "change_count": len(found.changes),
        "identities": _identities(queries.identities(found.sums, bills=series.is_bills)),
    }


def _dry_draft(draft: Drafted) -> dict[str, Any]:
    return {
        **asdict(draft.sums),
        "party": draft.party_id,
        "programme_version": draft.version_id,
        "mode": draft.mode,
        "prior_count": draft.prior_count,
        "odd": dict(draft.odd),
        "parked": draft.fault.code if draft.fault else None,
    }


def _change(change: Change) -> dict[str, Any]:
    return {
        "party": change.party_id,
        "programme_version": change.version_id,
        "mode": change.mode,
        "before_fen": change.before.total_fen if change.before else None,
        "after_fen": change.after.total_fen if change.after else None,
        "difference_fen": change.difference_fen,
    }


def run_json(run: DraftRun) -> dict[str, Any]:
    """A run as it was made and where it stands."""
    names = ("series", "revision", "state", "draft_count", "parked_count", "line_count", "total_fen", "needs_second")
    times = ("made_at", "handed_over_at", "released_at", "finished_at")
    said = {name: getattr(run, name) for name in (*names, *times)}
    return {"id": run.pk, **said, "month": f"{run.period_on:%Y-%m}", "sha256": run.content_sha256}


def run_detail_json(run: DraftRun) -> dict[str, Any]:
    """With what its drafts come to now; two queries."""
    footer = queries.footer_of(run)
    return {
        **run_json(run),
        "counts": footer.counts,
        "sums": asdict(footer.sums),
        "held_lines": footer.held_lines,
        "held_fen": footer.held_fen,
        "identities": _identities(footer.identities),
    }


def draft_json(draft: Draft) -> dict[str, Any]:
    """From ``queries.drafts_of`` or ``draft_for``."""
    return {
        "id": draft.pk,
        "run": draft.run_id,
        "party": draft.party_id,
        "programme_version": draft.programme_version_id,
        "mode": draft.mode,
        "state": draft.state,
        "reason": draft.reason.get("code"),
        "line_count": draft.line_count,
        "prior_count": draft.prior_count,
        "odd": draft.odd,
        **{name: getattr(draft, name) for name in _DRAFT_FEN},
        "bill": draft.bill_id,
        "statement": draft.statement_id,
    }


def line_json(line: DraftLine) -> dict[str, Any]:
    """From ``queries.lines_of``."""
    held = line.held
    return {
        "id": line.pk,
        "position": line.position,
        "charge": line.charge_id,
        "fee": line.fee_id,
        "award": line.award_id,
        "amount_fen": line.amount_fen,
        "claims_fen": line.claims_fen,
        "prior_period": line.prior_period,
        "odd": line.odd,
        "left_out": held is not None,
        "left_out_reason": held.reason if held else "",
        "left_out_until": held.until_on.isoformat() if held and held.until_on else None,
    }


def export_json(export: MonthExport, found: Progress) -> dict[str, Any]:
    """An export with how far it is."""
    return {
        "id": export.pk,
        "series": export.series,
        "month": f"{export.period_on:%Y-%m}",
        "state": export.state,
        "total": found.total,
        "done": found.done,
        "failed": found.failed,
        "seconds_left": found.seconds_left,
        "sha256": export.content_sha256,
        "expires_at": export.expires_at,
    }
