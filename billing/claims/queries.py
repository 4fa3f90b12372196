"""Every read about batches, claims, publicity and payment lists that pages and API share; row-level permission is applied here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from django.db.models import Count, Exists, OuterRef, Prefetch, Q, QuerySet, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone

from billing.bills.services.issuing import local_day
from billing.claims import declared, files_twice, invoices
from billing.claims.deputy_models import Deputy
from billing.claims.models import (
    Claim,
    ClaimBatch,
    ClaimEvidence,
    ClaimLine,
    ClaimStep,
    ClaimSubmission,
    Clawback,
    Objection,
    PaymentLine,
    PaymentList,
    Publicity,
)
from billing.claims.repayment_models import SurplusRefund
from billing.claims.rules.checks import CheckedLine, CheckInput, InvoiceSeen
from billing.claims.rules.payers import PayerSum, sums
from billing.claims.rules.real_days import CLAIM
from billing.claims.rules.review import review_of
from billing.claims.rules.states import ENDS, ClaimState
from billing.claims.rules.totals import LineKind, Standing, Totals, totals
from billing.claims.services import credit_now, eligible_then, papers, proving, real_days
from billing.claims.services.deputies import colleagues
from billing.claims.services.documents import MODELS, Paper, html_of
from billing.claims.services.office import OFFICE
from billing.claims.services.paying import shares_of
from billing.claims.sheets import lines_sheet
from billing.claims.shown_papers import papers_of
from billing.settlement.exports import DATA_KINDS, export
from billing.settlement.models import RenderState, Statement
from billing.settlement.period_models import HeldBack
from billing.settlement.queries import KINDS, Document
from billing.subsidy import services as subsidy
from config.kernel.access import Actor, Role, get_visible, visible_to
from config.kernel.errors import NotFound, Refusal
from config.kernel.models import StoredFile
from config.kernel.services import files
from instruments.models import Organisation, User

#: Who works with all claims of a programme.
OFFICIALS = (Role.FINANCE, Role.PROGRAMME_OFFICER, Role.INSPECTOR)
#: Who may have claims to look at.
READERS = (*OFFICIALS, Role.OWNER_FINANCE, Role.FIRM_ADMIN)


@dataclass(frozen=True, slots=True)
class StateSum:
    """How many claims of a batch stand somewhere, and over how much (fen)."""

    state: str
    claims: int
    total_fen: int


def batches_visible(actor: Actor) -> QuerySet[ClaimBatch]:
    """Batches, the latest first, with how many claims they have and over how much."""
    live = ~Q(claims__state__in=ENDS)
    rows = visible_to(ClaimBatch.objects.all(), actor).select_related("programme", "programme_version")
    return rows.annotate(
        claim_count=Count("claims", filter=live), total_fen=Coalesce(Sum("claims__total_fen", filter=live), 0)
    ).order_by("-opened_at", "-pk")


def batch_for(actor: Actor, pk: int) -> ClaimBatch:
    """One batch. Raises NotFound."""
    return get_visible(ClaimBatch.objects.select_related("programme__issuer", "programme_version"), actor, pk=pk)


def claims_visible(actor: Actor) -> QuerySet[Claim]:
    """Claims, the latest first, with what was paid of each (``paid_fen``) and whether an objection waits (``objected``)."""
    open_objections = Objection.objects.filter(claim_id=OuterRef("pk"), answered_at__isnull=True)
    rows = visible_to(Claim.objects.all(), actor).select_related(
        "payee", "publicity", "batch__programme__issuer", "batch__programme_version"
    )
    paid = Coalesce(Sum("payment_lines__payout__paid_fen"), 0)
    return rows.annotate(paid_fen=paid, objected=Exists(open_objections)).order_by("-pk")


def claims_of(actor: Actor, batch: ClaimBatch) -> QuerySet[Claim]:
    """The claims of a batch that were not withdrawn, in order."""
    return claims_visible(actor).filter(batch=batch).exclude(state=ClaimState.WITHDRAWN).order_by("pk")


def claim_for(actor: Actor, pk: int) -> Claim:
    """One claim. Raises NotFound."""
    return get_visible(claims_visible(actor), actor, pk=pk)


def by_state(batch: ClaimBatch) -> list[StateSum]:
    """Where the claims of a batch stand, in the order of the states."""
    rows = Claim.objects.filter(batch=batch).values_list("state").annotate(Count("pk"), Sum("total_fen"))
    found = {state: StateSum(state, count, fen) for state, count, fen in rows}
    return [found[state] for state in ClaimState if state in found]


def totals_of(claims: Sequence[Claim]) -> Totals:
    """The control totals of claims, from their lines."""
    return totals(proving.claimed([claim for claim in claims if claim.state not in ENDS]))


def payer_sums(claims: Sequence[Claim]) -> list[PayerSum]:
    """The control totals of claims by payer: claimed, on lists, paid; two queries."""
    return sums(shared for _claim, shared in shares_of(claim for claim in claims if claim.state not in ENDS))


def lines_of(claim: Claim) -> list[ClaimLine]:
    """The lines of a claim that say something still, with session or job and version."""
    rows = ClaimLine.objects.filter(claim=claim).exclude(standing=Standing.REPLACED)
    related = (
        "award__charge__reservation__instrument",
        "award__charge__reservation__organisation",
        "award__charge__sample_job__resource",
        "award__programme_version__programme",
        "clawback",
    )
    return list(rows.select_related(*related).order_by("position"))


def steps_of(claim: Claim) -> list[ClaimStep]:
    """The history of a claim, the latest first."""
    return list(ClaimStep.objects.filter(claim=claim).select_related("actor", "behalf").order_by("-position"))


def evidence_of(claim: Claim) -> list[ClaimEvidence]:
    """The files of a claim, in order."""
    return list(ClaimEvidence.objects.filter(claim=claim).select_related("file").order_by("pk"))


@dataclass(frozen=True, slots=True)
class ClaimedIn:
    """A claim on which lines of a statement stand: how many, over how much (fen), and its publicity (``papers.publicity_of``), if any."""

    claim: Claim
    lines: int
    amount_fen: int
    publicity: Mapping[str, Any] | None


def claimed_of(actor: Actor, statement: Statement) -> tuple[list[ClaimedIn], int]:
    """Where the lines of a statement are claimed now, claim by claim as the actor may read them, and how many stand on no claim; three
    queries."""
    rows = ClaimLine.objects.filter(
        award__statement_line__statement=statement, kind=LineKind.AWARD, standing=Standing.INCLUDED
    ).exclude(claim__state__in=ENDS)
    found = {pk: (lines, fen) for pk, lines, fen in rows.order_by().values_list("claim").annotate(Count("pk"), Sum("amount_fen"))}
    claims = list(visible_to(Claim.objects.filter(pk__in=found), actor).select_related("batch").order_by("pk"))
    public = papers.publicity_of(claims)
    unclaimed = statement.line_count - sum(lines for lines, _fen in found.values())
    return [ClaimedIn(claim, *found[claim.pk], public.get(claim.pk)) for claim in claims], unclaimed


def submissions_of(claim: Claim) -> list[ClaimSubmission]:
    """What was handed in, the latest first."""
    return list(ClaimSubmission.objects.filter(claim=claim).defer("content").order_by("-position"))


def clawbacks_of(claim: Claim) -> list[Clawback]:
    """What has to come back of a claim, in order."""
    return list(Clawback.objects.filter(claim=claim).defer("content").order_by("pk"))


def objections_of(actor: Actor, batch: ClaimBatch) -> list[Objection]:
    """The objections to claims of a batch, those without an answer first."""
    rows = visible_to(Objection.objects.all(), actor).filter(claim__batch=batch).select_related("claim__payee", "answered_by")
    return list(rows.order_by("-answered_at", "pk"))


def surplus_of(found: PaymentList) -> list[SurplusRefund]:
    """What came too much for claw-backs and goes back with a payment list, in order."""
    people = ("recorded_by", "recorded_for", "confirmed_by", "confirmed_for", "ended_by")
    rows = SurplusRefund.objects.filter(payment_list=found).select_related(*people, "payment_list", "repayment__clawback__payee")
    return list(rows.order_by("pk"))


def lists_of(actor: Actor, batch: ClaimBatch) -> list[PaymentList]:
    """The payment lists of a batch, the latest first."""
    rows = visible_to(PaymentList.objects.all(), actor).filter(batch=batch)
    return list(rows.defer("content").select_related("issued_by", "reviewed_by", "approved_by").order_by("-pk"))


class ListStand(StrEnum):
    """Where a payment list stands: two more people sign it (``made``, ``checked``), the treasury pays (``approved``), what became of each
    line is recorded (``recorded``)."""

    MADE = "made"
    CHECKED = "checked"
    APPROVED = "approved"
    RECORDED = "recorded"
    CANCELLED = "cancelled"


def _stands(stand: ListStand) -> Q:
    open_line = Exists(PaymentLine.objects.filter(payment_list=OuterRef("pk"), payout__isnull=True))
    found = {
        ListStand.MADE: Q(reviewed_by__isnull=True),
        ListStand.CHECKED: Q(reviewed_by__isnull=False, approved_by__isnull=True),
        ListStand.APPROVED: Q(open_line, approved_by__isnull=False),
        ListStand.RECORDED: Q(~open_line, approved_by__isnull=False),
        ListStand.CANCELLED: Q(),
    }
    return found[stand] & Q(cancelled_at__isnull=stand is not ListStand.CANCELLED)


def lists_visible(actor: Actor, batch_id: int | None = None, stand: str | None = None) -> QuerySet[PaymentList]:
    """Payment lists without their content, the latest first: all, or those of a batch, or that stand somewhere (``ListStand``)."""
    rows = visible_to(PaymentList.objects.all(), actor).defer("content").order_by("-pk")
    if batch_id is not None:
        rows = rows.filter(batch_id=batch_id)
    return rows.filter(_stands(ListStand(stand))) if stand else rows


def forms_visible(actor: Actor, claim_id: int | None = None) -> QuerySet[ClaimSubmission]:
    """Redemption forms without their content, the latest first: all, or those of a claim."""
    rows = visible_to(ClaimSubmission.objects.all(), actor).defer("content").order_by("-pk")
    return rows if claim_id is None else rows.filter(claim_id=claim_id)


def deputies_visible(actor: Actor) -> QuerySet[Deputy]:
    """Who stands in for whom, as the actor may read it; the latest last day first."""
    rows = visible_to(Deputy.objects.all(), actor).select_related("office", "principal", "deputy")
    return rows.order_by("-until_on", "-pk")


def offices_with_colleagues(actor: Actor) -> list[tuple[Organisation, list[User]]]:
    """The actor's offices, each with the others who could stand in."""
    offices = Organisation.objects.filter(pk__in=actor.organisations(*OFFICE)).order_by("name_pinyin", "pk")
    people = colleagues(actor.organisations(*OFFICE))
    return [(office, [each for each in people.get(office.pk, ()) if each.pk != actor.user_id]) for office in offices]


def list_for(actor: Actor, pk: int) -> PaymentList:
    """One payment list with its lines (``lines``). Raises NotFound."""
    lines = PaymentLine.objects.select_related("claim__payee", "payout").order_by("position")
    rows = PaymentList.objects.select_related(
        "batch__programme__issuer",
        *("issued_by", "issued_for", "reviewed_by", "reviewed_for", "approved_by", "approved_for", "cancelled_by"),
    )
    return get_visible(rows.prefetch_related(Prefetch("lines", lines)), actor, pk=pk)


def publicities() -> QuerySet[Publicity]:
    """What is and was public, the latest first; for everybody."""
    return Publicity.objects.select_related("batch__programme", "batch__programme_version").order_by("-from_on", "-pk")


def public_publicity(pk: int) -> Publicity:
    """One publicity for everybody. Raises NotFound."""
    found = publicities().filter(pk=pk).first()
    if found is None:
        raise NotFound.of("access.not_found", model="publicity")
    return found


def evidence_for(actor: Actor, pk: int) -> ClaimEvidence:
    """A file of a claim. Raises NotFound."""
    return get_visible(ClaimEvidence.objects.select_related("file"), actor, pk=pk)


def evidence_file(actor: Actor, pk: int) -> tuple[StoredFile, bytes]:
    """The same with its bytes. Raises NotFound, Refusal ``files.*``."""
    row = evidence_for(actor, pk)
    return row.file, files.read(row.file)


def paper_for(actor: Actor, kind: str, pk: int) -> Paper:
    """A document of a kind of ``documents.MODELS``. Raises NotFound."""
    model = MODELS.get(kind)
    if model is None:
        raise NotFound.of("access.not_found", model="document")
    found: Any = get_visible(model.objects.all(), actor, pk=pk)
    paper: Paper = found
    return paper


def paper_file(actor: Actor, kind: str, pk: int, suffix: str) -> Document:
    """Its PDF or workbook, byte for byte, or its frozen content as ``csv``, ``json`` or ``html``. Raises NotFound, Refusal
    ``statement.not_ready``, ``files.*``."""
    paper = paper_for(actor, kind, pk)
    if suffix not in (*KINDS, *DATA_KINDS):
        raise NotFound.of("access.not_found", model="document")
    if suffix in DATA_KINDS:
        return Document(*export(paper.number, paper.content, lines_sheet, lambda _content: html_of(paper), suffix))
    stored: StoredFile | None = getattr(paper, suffix)
    if suffix == "pdf" and isinstance(paper, PaymentList):  # after the approval the draft is not handed out any more
        stored = None if paper.lacks_signed_pdf and paper.render_state != RenderState.DONE else paper.handed_pdf
    if stored is None:
        raise Refusal.of("statement.not_ready")
    return Document(stored, files.read(stored))


def check_inputs(claims: Sequence[Claim]) -> dict[int, CheckInput]:
    """What is looked at of claims, by claim; a constant number of queries. Their batches, versions and payees are loaded."""
    lines = [line for line in proving.lines_of(claims) if line.kind == LineKind.AWARD and line.standing == Standing.INCLUDED]
    posted = proving.posted_fen(lines)
    today = local_day(timezone.now())
    listed = credit_now.listed(lines, today)
    known = invoices.behind(lines)
    twice = invoices.elsewhere(lines, known)
    undeclared = declared.unanswered(lines)
    accounts = papers.handed_in_accounts(claims)
    holds = HeldBack.objects.filter(award__in=[line.award_id for line in lines], lifted_at__isnull=True)
    held_until = {award_id: until_on or date.max for award_id, until_on in holds.values_list("award_id", "until_on")}
    kinds: dict[int, set[str]] = {}
    for claim_id, kind in ClaimEvidence.objects.filter(claim__in=claims).values_list("claim_id", "kind"):
        kinds.setdefault(claim_id, set()).add(kind)
    objections = dict(
        Objection.objects.filter(claim__in=claims, answered_at__isnull=True).values_list("claim_id").annotate(Count("pk"))
    )
    handed = dict(ClaimSubmission.objects.filter(claim__in=claims, position=1).values_list("claim_id", "issued_at"))

    def days(line: ClaimLine) -> dict[str, date]:
        at = handed.get(line.claim_id)
        return real_days.days_known(known.day_of(line)) | {CLAIM: today if at is None else local_day(at)}

    lost = eligible_then.lost(lines, days)
    asks = {claim.pk: review_of(claim.batch.programme_version.document).asks for claim in claims}
    shown, twice_files = papers_of(lines, asks), files_twice.used_twice(claims, lines)
    found = {}
    for claim in claims:
        batch, at = claim.batch, handed.get(claim.pk)
        own = [line for line in lines if line.claim_id == claim.pk]
        found[claim.pk] = CheckInput(
            asks=asks[claim.pk],
            files=frozenset(kinds.get(claim.pk, ())),
            has_bank_account=bool(claim.payee.bank_account_number),
            from_on=batch.from_on,
            until_on=batch.until_on,
            opens_on=batch.opens_on,
            closes_on=batch.closes_on,
            handed_in_on=local_day(at) if at is not None else None,
            open_objections=objections.get(claim.pk, 0),
            lines=[
                _checked(
                    line,
                    twice,
                    posted,
                    {"invoice": known.day_of(line), "claim": local_day(at) if at is not None else None},
                    listed=line.pk in listed,
                    days_off=real_days.unsure(line, local_day(at) if at is not None else today, known),
                    lost=line.pk in lost,
                    held_back=held_until.get(line.award_id, date.min) > batch.until_on,
                    invoice=known.of(line),
                    undeclared=line.pk in undeclared,
                )
                for line in own
            ],
            account_changed=papers.account_changed(claim.payee, accounts.get(claim.pk)),
            papers=shown.get(claim.pk, ()),
            twice=twice_files.get(claim.pk, ()),
        )
    return found


def _checked(
    line: ClaimLine,
    twice: frozenset[str],
    posted: dict[tuple[str, int, int], int],
    known_on: Mapping[str, date | None],
    *,
    listed: bool,
    days_off: bool,
    lost: bool,
    held_back: bool,
    invoice: InvoiceSeen | None,
    undeclared: bool,
) -> CheckedLine:
    """``known_on``: the days of its invoice and of the claim, as far as they are known."""
    programme = subsidy.in_force(line.award.programme_version_id).programme
    # Of the document: what was promised before its version was ended is claimed all the same.
    days, basis = programme.validity, programme.validity.date_basis
    counts_on, real_on = _counts_on(line, basis), known_on.get(basis)
    return CheckedLine(
        position=line.position,
        service_on=line.award.service_on,
        counts_on=counts_on,
        valid_from=days.first_day,
        valid_until=days.last_day,
        invoice_number=line.invoice_number,
        used_elsewhere=line.invoice_number in twice,
        in_ledger=proving.in_ledger(line, posted),
        related=_related(line),
        listed=listed,
        days_off=days_off,
        lost=lost,
        held_back=held_back,
        invoice=invoice,
        undeclared=undeclared,
        other_year=real_on is not None and programme.cap_year(real_on) != programme.cap_year(counts_on),
    )


def _related(line: ClaimLine) -> bool:
    """Whether the facts frozen with the charge say that firm and provider belong together."""
    return bool(_frozen_facts(line).get("applicant", {}).get("related_to_provider", False))


def _counts_on(line: ClaimLine, basis: str) -> date:
    """The date by which the award was counted, as frozen with the charge."""
    found = _frozen_facts(line).get("service", {}).get(f"{basis}_on")
    return line.award.service_on if found is None else date.fromisoformat(found)


def _frozen_facts(line: ClaimLine) -> Mapping[str, Any]:
    """What the charge's programme went by."""
    version_id = line.award.programme_version_id
    candidates = line.award.charge.inputs["candidates"]
    return next((each["facts"] for each in candidates if each["programme"]["programme_version"] == version_id), {})
