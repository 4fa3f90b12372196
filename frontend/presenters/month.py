"""A month of finance in words: stages, what blocks them, what is odd, drafts and their lines."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from billing import wording
from billing.month.board import Board, Stage
from billing.month.models import Draft, DraftLine
from billing.month.rules.anomalies import Odd
from billing.month.rules.drafts import Change, Identity
from billing.settlement.rules.period import last_day
from billing.settlement.rules.series import Series
from config.kernel.errors import Reason
from config.kernel.messages import reason_sentence
from instruments.models import Organisation

Word = Promise | str
STAGES: Mapping[str, Word] = {
    "unconfirmed": _("Use that is not agreed"),
    "agreed": _("Agreed, on no draft"),
    "awarded": _("Awarded, on no draft"),
    "parked": _("Parked or failed"),
    "drafts": _("Drafts under review"),
    "second": _("With a second person"),
    "issuing": _("Being issued"),
    "issued": _("Issued"),
    "exported": _("Exported"),
    "open": pgettext_lazy("stage of bills", "Not paid yet"),
    "paid": _("Paid"),
    "uncollectible": pgettext_lazy("stage of bills", "Written off"),
    "credited": pgettext_lazy("stage of bills", "Credited"),
    "taken_back": pgettext_lazy("stage of statements", "Taken back since"),
    "payment_failed": pgettext_lazy("stage of statements", "Payment failed"),
}
#: What holds things up and who has to act.
BLOCKS: Mapping[str, Word] = {
    "lab_ends": _("not ended: the lab checks out"),
    "sides_agree": _("to be confirmed: customer and lab"),
    "lab_answers": _("change asked for: the lab answers"),
    "customer_answers": _("change declined: the customer answers"),
    "second_decides": _("disputed: a second person of the lab decides"),
    "customer_closes": _("reported samples: the customer confirms"),
    "finance_drafts": _("finance makes the drafts"),
    "finance_mends": _("does not add up: finance looks"),
    "finance_runs_again": _("refused when issued: finance makes the drafts anew"),
    "finance_reviews": _("finance reviews"),
    "second_releases": _("another person of finance releases"),
    "worker_issues": _("the platform issues, nothing to do"),
    "finance_exports": _("not exported: finance exports"),
    "customer_pays": _("open: the customer pays"),
    "paid_in_part": _("paid in part: the amount holds what came in of them"),
    "credited_in_part": _("credited in part: the amount holds that part"),
    "office_gathers": _("on no claim: the office opens and fills a batch"),
    "payee_hands_in": _("claim not handed in: the payee"),
    "payee_completes": _("claim sent back: the payee completes it"),
    "office_closes_batch": _("claim handed in: the office closes the batch after its window"),
    "office_reviews": _("claim under review: the offices of its steps"),
    "office_publicises": _("claim passed: the office makes it public"),
    "office_approves": _("claim public: the office approves"),
    "office_lists": _("claim approved, not on a payment list: finance of the office"),
    "treasury_pays": _("on a payment list: its signers, then the treasury"),
}
ODD: Mapping[str, Word] = {
    Odd.OVERLAP: pgettext_lazy("odd line", "overlap on the instrument"),
    Odd.CLOSED: pgettext_lazy("odd line", "outside opening hours"),
    Odd.ZERO_USE: pgettext_lazy("odd line", "charged without use"),
    Odd.RELATED: pgettext_lazy("odd line", "related party"),
    Odd.HUGGING: pgettext_lazy("odd line", "lengths hug the limit"),
    Odd.SAME_EVIDENCE: pgettext_lazy("odd line", "same evidence twice"),
    Odd.AT_ONCE: pgettext_lazy("odd line", "one person in several places"),
}
SHOWN: Mapping[str, Word] = {
    "all": pgettext_lazy("which drafts", "All"),
    "ready": pgettext_lazy("which drafts", "Ready"),
    "parked": pgettext_lazy("which drafts", "Parked"),
    "odd": pgettext_lazy("which drafts", "To look at"),
    "prior": pgettext_lazy("which drafts", "Prior period"),
    "issued": pgettext_lazy("which drafts", "Issued"),
    "failed": pgettext_lazy("which drafts", "Failed"),
    "empty": pgettext_lazy("which drafts", "All left out"),
}
IDENTITIES: Mapping[str, Word] = {
    "payable": _("To pay = prices − subsidy deducted − fallen away"),
    "final": _("Final cost = prices − fallen away − all subsidy"),
    "claims": _("Claims on programmes = deducted + refunded"),
    "awarded": _("Awarded = claims on programmes"),
    "bills_ended": _("Issued, less credit notes = paid + written off + not paid yet"),
}


@dataclass(frozen=True, slots=True)
class StageRow:
    stage: Stage
    label: Word
    url: str
    blocks: tuple[tuple[int, Word], ...]


def query_of(series: Series, board_on: Any) -> str:
    """The part of an address that names a month."""
    return f"series={series.key}&month={board_on:%Y-%m}"


def stage_rows(board: Board, export_id: int | None) -> list[StageRow]:
    """The stages with where each leads; what is empty leads nowhere."""
    return [
        StageRow(
            stage,
            STAGES[stage.code],
            _url(board, stage, export_id) if stage.count or stage.fen else "",
            tuple((block.count, BLOCKS[block.code]) for block in stage.blocks),
        )
        for stage in board.stages
    ]


def _url(board: Board, stage: Stage, export_id: int | None) -> str:
    """One click away; the sessions themselves are one more."""
    month, owner_id = f"{board.period_on:%Y-%m}", board.series.owner_id
    if stage.code == "unconfirmed":
        return f"{reverse('month_unconfirmed')}?{query_of(board.series, board.period_on)}"
    if stage.code == "exported" and export_id is not None:
        return reverse("month_export", args=[export_id])
    if stage.code in ("parked", "drafts", "second", "issuing") and board.run is not None:
        shown = "stuck" if stage.code == "parked" else "ready"
        return f"{reverse('month_run', args=[board.run.pk])}?show={shown}"
    if owner_id is None:
        route = "finance_period" if stage.code == "awarded" else "statement_list"
        return f"{reverse(route)}?month={month}"
    if stage.code == "agreed":
        return f"{reverse('bill_open')}?owner={owner_id}&until={last_day(board.period_on)}"
    return f"{reverse('bill_list')}?owner={owner_id}&month={month}"


@dataclass(frozen=True, slots=True)
class DraftRow:
    """``reason``: why it is parked or failed, or that it is settled since. ``document_url``: what it became. ``mode_word``: the way of
    settlement, of statements."""

    draft: Draft
    mode_word: str
    odd: tuple[tuple[Word, int], ...]
    reason: str
    document_url: str
    document: str


def draft_row(draft: Draft, *, settled: bool = False) -> DraftRow:
    """A draft of the grid; ``settled``: it failed, and nothing of it waits any more."""
    url, number = "", ""
    if draft.bill is not None:
        url, number = reverse("bill_detail", args=[draft.bill.pk]), draft.bill.number
    elif draft.statement is not None:
        url, number = reverse("statement_detail", args=[draft.statement.pk]), draft.statement.number
    reason = reason_sentence(Reason(draft.reason["code"], draft.reason["params"])) if draft.reason else ""
    if settled:
        reason = gettext("Settled since: nothing of it is left without a document.")
    mode = wording.mode_word(draft.mode) if draft.mode else ""
    return DraftRow(draft, mode, tuple((ODD[code], count) for code, count in draft.odd.items()), reason, url, number)


@dataclass(frozen=True, slots=True)
class ChangeRow:
    party: Organisation
    before_fen: int | None
    after_fen: int | None
    before_lines: int
    after_lines: int
    difference_fen: int


def change_rows(changes: Iterable[Change], parties: Mapping[int, Organisation]) -> list[ChangeRow]:
    """How runs differ, by party."""
    return [
        ChangeRow(
            parties[each.party_id],
            each.before.total_fen if each.before else None,
            each.after.total_fen if each.after else None,
            each.before.lines if each.before else 0,
            each.after.lines if each.after else 0,
            each.difference_fen,
        )
        for each in changes
    ]


def identity_rows(identities: Sequence[Identity]) -> list[tuple[Word, Identity]]:
    """The equations of the footer in words."""
    return [(IDENTITIES[each.code], each) for each in identities]


@dataclass(frozen=True, slots=True)
class LineRow:
    """A line of a draft: what it is for, what is odd about it, and who of the lab agreed to its times, where something is."""

    line: DraftLine
    url: str
    reference: str
    subject: Any
    starts_at: datetime | None
    ends_at: datetime | None
    zone: str
    odd: tuple[Word, ...]
    ask: str = ""


def line_row(line: DraftLine) -> LineRow:
    """A line with its booking or sample job."""
    odd = tuple(ODD[code] for code in line.odd)
    award_charge = line.award.charge if line.award is not None else None
    thing: Any = line.charge or line.fee or award_charge
    if thing.reservation_id is None:
        job = thing.sample_job
        return LineRow(
            line, reverse("sample_job", args=[job.pk]), job.reference, job.resource, job.received_at, job.tested_at, "", odd
        )
    booking = thing.reservation
    zone = booking.instrument.site.time_zone
    url = reverse("reservation_detail", args=[booking.pk])
    ask = _who_agreed(booking) if odd else ""
    return LineRow(line, url, booking.reference, booking.instrument, booking.starts_at, booking.ends_at, zone, odd, ask)


def _who_agreed(booking: Any) -> str:
    """Nobody where no session was (a fee for unused time), or both sides' days passed in silence."""
    session = getattr(booking, "session", None)
    return str(session.lab_agreed_by) if session is not None and session.lab_agreed_by is not None else ""
