"""Batches of claims, claims with their lines and history, publicity and objections, payment lists and what was paid, claw-backs."""

from __future__ import annotations

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q

from billing.claims import guards
from billing.claims.rules.repaying import reference_of
from billing.claims.rules.review import FILES
from billing.claims.rules.states import ClaimEvent, ClaimState, Part
from billing.claims.rules.totals import LineKind, Standing
from billing.claims.rules.waiting import WAITING
from billing.papers.guards import files_once
from billing.settlement.models import RENDERED, FrozenDocument
from config.kernel.models import StoredFile
from config.kernel.models.guards import append_only, no_truncate


def _choices(codes: object) -> list[tuple[str, str]]:
    return [(each.value, each.value) for each in codes]  # type: ignore[attr-defined]


_WAITING = sorted(state.value for state in WAITING)


def _signed(part: str) -> pgtrigger.Q:
    """Whether somebody had signed, and who, when or for whom is written anew."""
    own = [f"{part}_by", f"{part}_at", "cancel_reason" if part == "cancelled" else f"{part}_for"]
    changed = pgtrigger.Q()
    for each in own:
        changed |= pgtrigger.Q(**{f"old__{each}__df": pgtrigger.F(f"new__{each}")})
    return pgtrigger.Q(**{f"old__{part}_by__isnull": False}) & changed


def _apart(first: str, second: str) -> Q:
    """That the people of different parts of a payment list differ, where there are such (``by``: who signed, ``for``: for whom)."""
    parts = ("issued", "reviewed", "approved")
    found = Q()
    for one in parts:
        for other in parts:
            if one != other:
                here, there = f"{one}_{first}", f"{other}_{second}"
                found &= Q(**{f"{here}__isnull": True}) | Q(**{f"{there}__isnull": True}) | ~Q(**{here: F(there)})
    return found


class ClaimBatch(models.Model):
    """Claims of one programme and one way of settlement for services on the local days ``from_on`` to ``until_on``, handed in on
    ``opens_on`` to ``closes_on`` (all included), paid from the budget of ``fund_year``.

    ``review`` is the programme's way of a claim on the day the batch was opened. Once ``closed_at`` is set the figures are fixed;
    ``rule_steps`` are then the steps of the programme's rules over the whole batch, and ``rules_applied`` what they were worked out from
    and by which engine, one entry for each version of the programme (``batch_rules.Applied``).
    """

    number = models.CharField(max_length=40, unique=True)
    programme = models.ForeignKey("billing.Programme", on_delete=models.PROTECT, related_name="claim_batches")
    programme_version = models.ForeignKey("billing.ProgrammeVersion", on_delete=models.PROTECT, related_name="+")
    mode = models.CharField(max_length=30)
    fund_year = models.PositiveSmallIntegerField()
    from_on = models.DateField()
    until_on = models.DateField()
    opens_on = models.DateField()
    closes_on = models.DateField()
    opened_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    opened_at = models.DateTimeField()
    closed_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    closed_at = models.DateTimeField(null=True)
    rule_steps = models.JSONField(default=list)
    rules_applied = models.JSONField(default=list)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["programme", "mode", "from_on", "until_on", "opens_on"], name="claim_batch_once"),
            models.CheckConstraint(
                condition=Q(from_on__lte=F("until_on"), opens_on__lte=F("closes_on")), name="claim_batch_days_in_order"
            ),
        ]
        triggers = [
            pgtrigger.ReadOnly(name="claim_batch_frozen", exclude=["closed_by", "closed_at", "rule_steps", "rules_applied"]),
            pgtrigger.Protect(
                name="claim_batch_closes_once",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__closed_at__isnull=False),
            ),
            pgtrigger.Protect(name="claim_batch_kept", operation=pgtrigger.Delete),
            no_truncate("claim_batch_no_truncate"),
        ]

    def __str__(self) -> str:
        return self.number


class Publicity(models.Model):
    """Claims of a batch shown to everybody on the local days ``from_on`` to ``until_on`` (included). ``content`` is what is shown, frozen;
    nothing personal is in it. ``closed_at``: the period was found to be over."""

    batch = models.ForeignKey(ClaimBatch, on_delete=models.PROTECT, related_name="publicities")
    from_on = models.DateField()
    until_on = models.DateField()
    content = models.JSONField()
    content_sha256 = models.CharField(max_length=64)
    published_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    published_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(from_on__lte=F("until_on")), name="publicity_days_in_order")]
        triggers = [
            pgtrigger.ReadOnly(name="publicity_frozen", exclude=["closed_at"]),
            pgtrigger.Protect(name="publicity_kept", operation=pgtrigger.Delete),
            no_truncate("publicity_no_truncate"),
        ]


class Claim(models.Model):
    """What one payee claims in a batch. ``step`` (from 0) is where the programme's chain waits; ``step_count`` how many entries its
    history has. Only ``services.moving`` writes the state. ``publicity``: the latest in which it was shown; ``since``: the last step."""

    batch = models.ForeignKey(ClaimBatch, on_delete=models.PROTECT, related_name="claims")
    payee = models.ForeignKey("instruments.Organisation", on_delete=models.PROTECT, related_name="claims")
    number = models.CharField(max_length=40, unique=True)
    state = models.CharField(max_length=16, choices=_choices(ClaimState), default=ClaimState.DRAFT)
    step = models.PositiveSmallIntegerField(default=0)
    step_count = models.PositiveIntegerField(default=0)
    total_fen = models.BigIntegerField(default=0)
    expected_on = models.DateField(null=True)
    publicity = models.ForeignKey(Publicity, null=True, on_delete=models.PROTECT, related_name="claims")
    since = models.DateTimeField()
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["batch", "payee"], condition=~Q(state="withdrawn"), name="claim_once_in_batch"),
            models.CheckConstraint(condition=Q(total_fen__gte=0), name="claim_not_negative"),
        ]
        indexes = [
            models.Index(fields=["payee", "-id"], name="claim_by_payee"),
            models.Index(fields=["batch", "state"], condition=Q(state__in=_WAITING), name="claim_that_waits"),
        ]
        triggers = [
            pgtrigger.ReadOnly(
                name="claim_frozen", exclude=["state", "step", "step_count", "total_fen", "expected_on", "publicity", "since"]
            ),
            guards.update("claim_moves", guards.CLAIM_MOVES),
            guards.claim_is_its_lines("claim_is_its_lines", "NEW.id", pgtrigger.Insert | pgtrigger.Update),
            pgtrigger.Protect(name="claim_kept", operation=pgtrigger.Delete),
            no_truncate("claim_no_truncate"),
        ]

    def __str__(self) -> str:
        return self.number


class Clawback(FrozenDocument):
    """What has to come back of an award after it was claimed, with the notice that says so. Its payee pays it back by ``due_on`` (empty:
    nothing was payable yet, or from before notices said a day), or it is taken off the next claims of the programme; ``reversal`` is the
    entry that gave it back to the programme in the books. ``reason`` is read by the payee; ``answer``: the office's to what an inspector
    found, where it comes of that."""

    number = models.CharField(max_length=40, unique=True)
    programme = models.ForeignKey("billing.Programme", on_delete=models.PROTECT, related_name="+")
    payee = models.ForeignKey("instruments.Organisation", on_delete=models.PROTECT, related_name="clawbacks")
    award = models.ForeignKey("billing.Award", on_delete=models.PROTECT, related_name="clawbacks")
    claim = models.ForeignKey(Claim, on_delete=models.PROTECT, related_name="clawbacks")
    reversal = models.OneToOneField("billing.AwardReversal", on_delete=models.PROTECT, related_name="clawback")
    cause = models.CharField(max_length=20)
    reason = models.CharField(max_length=500)
    due_on = models.DateField(null=True)
    answer = models.ForeignKey("billing.RecheckAnswer", null=True, on_delete=models.PROTECT, related_name="clawbacks")

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(total_fen__gt=0) & ~Q(reason=""), name="clawback_over_something")]
        triggers = [
            pgtrigger.ReadOnly(name="clawback_frozen", exclude=list(RENDERED)),
            files_once("clawback_files_once", "clawback_notice"),
            guards.insert("clawback_not_by_its_inspector", guards.CLAWBACK_APART),
            guards.answer_is_its_clawbacks("clawback_is_of_its_answer", "NEW.answer_id"),
            pgtrigger.Protect(name="clawback_kept", operation=pgtrigger.Delete),
            no_truncate("clawback_no_truncate"),
        ]

    @property
    def reference(self) -> str:
        """What its payee writes on the transfer that pays it back."""
        return reference_of(self.number)


class ClaimLine(models.Model):
    """A line of a claim: ``amount_fen`` of an award (above nil), or what is taken off (below nil). ``credited_fen`` had gone back of the
    award by then (``netted``: ids of those reversals). ``steps``: how a rule over the whole batch came to its amount.

    An award stands on one line that counts or is excluded. The amount never changes; ``standing`` and its ``reason`` do while the claim
    is looked at, and ``invoice_number`` while its payee has it in hand.
    """

    claim = models.ForeignKey(Claim, on_delete=models.PROTECT, related_name="lines")
    position = models.PositiveIntegerField()
    kind = models.CharField(max_length=12, choices=_choices(LineKind))
    standing = models.CharField(max_length=12, choices=_choices(Standing), default=Standing.INCLUDED)
    reason = models.CharField(max_length=500, blank=True)
    award = models.ForeignKey("billing.Award", on_delete=models.PROTECT, related_name="claim_lines")
    clawback = models.ForeignKey(Clawback, null=True, on_delete=models.PROTECT, related_name="lines")
    amount_fen = models.BigIntegerField()
    credited_fen = models.BigIntegerField(default=0)
    netted = models.JSONField(default=list)
    payers = models.JSONField()
    steps = models.JSONField(default=list)
    invoice_number = models.CharField(max_length=24, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["claim", "position"], name="claim_line_position"),
            models.UniqueConstraint(
                fields=["award"], condition=Q(kind="award", standing__in=["included", "excluded"]), name="claim_line_award_once"
            ),
            models.CheckConstraint(
                condition=Q(kind="award", amount_fen__gt=0, clawback__isnull=True)
                | Q(kind="clawback", amount_fen__lt=0, clawback__isnull=False)
                | Q(kind="batch_rule", amount_fen__lt=0, clawback__isnull=True),
                name="claim_line_of_its_kind",
            ),
            models.CheckConstraint(
                condition=~Q(standing__in=["excluded", "postponed"], reason=""), name="claim_line_left_out_says_why"
            ),
        ]
        triggers = [
            guards.insert("claim_line_is_awarded", guards.LINE_IS_AWARDED),
            pgtrigger.ReadOnly(name="claim_line_frozen", exclude=["standing", "reason", "invoice_number"]),
            guards.update("claim_line_changes", guards.LINE_CHANGES),
            guards.claim_is_its_lines("claim_line_is_of_claim", "NEW.claim_id", pgtrigger.Insert | pgtrigger.Update),
            pgtrigger.Protect(name="claim_line_kept", operation=pgtrigger.Delete),
            no_truncate("claim_line_no_truncate"),
        ]


class ClaimStep(models.Model):
    """One entry of a claim's history: who (None: the platform) did what, standing in for whom (``behalf``), and what the claim came to.
    Append-only."""

    claim = models.ForeignKey(Claim, on_delete=models.PROTECT, related_name="steps")
    position = models.PositiveIntegerField()
    event = models.CharField(max_length=12, choices=_choices(ClaimEvent))
    from_state = models.CharField(max_length=16)
    to_state = models.CharField(max_length=16)
    step = models.PositiveSmallIntegerField()
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    behalf = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=500, blank=True)
    total_fen = models.BigIntegerField()
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["claim", "position"], name="claim_step_position")]
        triggers = [
            append_only("claim_step_append_only"),
            no_truncate("claim_step_no_truncate"),
            guards.insert("claim_three_people", guards.THREE_PEOPLE),
        ]


class ClaimSubmission(FrozenDocument):
    """What a claim said when it was handed in: its redemption form (兑付申请表). The claim's number and ``position`` name it."""

    claim = models.ForeignKey(Claim, on_delete=models.PROTECT, related_name="submissions")
    number = models.CharField(max_length=40, unique=True)
    position = models.PositiveIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["claim", "position"], name="claim_submission_position")]
        triggers = [
            pgtrigger.ReadOnly(name="claim_submission_frozen", exclude=list(RENDERED)),
            files_once("claim_submission_files_once", "redemption_form"),
            pgtrigger.Protect(name="claim_submission_kept", operation=pgtrigger.Delete),
            no_truncate("claim_submission_no_truncate"),
        ]


class ClaimEvidence(models.Model):
    """A file that shows what a claim says. Append-only; what was wrong is handed in again beside it."""

    claim = models.ForeignKey(Claim, on_delete=models.PROTECT, related_name="evidence")
    kind = models.CharField(max_length=20, choices=[*_choices(FILES), ("other", "other")])
    file = models.ForeignKey("kernel.StoredFile", on_delete=models.PROTECT, related_name="+")
    note = models.CharField(max_length=200, blank=True)
    added_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    added_at = models.DateTimeField()

    class Meta:
        triggers = [
            append_only("claim_evidence_append_only"),
            no_truncate("claim_evidence_no_truncate"),
            guards.insert("claim_evidence_by_maker", guards.EVIDENCE_BY_MAKER),
        ]


class Objection(models.Model):
    """What somebody says against a claim that is public. It holds this claim until the office has answered. ``contact`` is for the office
    alone."""

    publicity = models.ForeignKey(Publicity, on_delete=models.PROTECT, related_name="objections")
    claim = models.ForeignKey(Claim, on_delete=models.PROTECT, related_name="objections")
    name = models.CharField(max_length=100)
    contact = models.CharField(max_length=200)
    text = models.CharField(max_length=2000)
    at = models.DateTimeField()
    upheld = models.BooleanField(null=True)
    answer = models.CharField(max_length=2000, blank=True)
    answered_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    answered_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(upheld__isnull=True, answered_at__isnull=True, answered_by__isnull=True)
                | Q(upheld__isnull=False, answered_at__isnull=False, answered_by__isnull=False) & ~Q(answer=""),
                name="objection_answered_whole",
            )
        ]
        triggers = [
            pgtrigger.ReadOnly(name="objection_frozen", exclude=["upheld", "answer", "answered_by", "answered_at"]),
            pgtrigger.Protect(
                name="objection_answered_once",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__answered_at__isnull=False),
            ),
            pgtrigger.Protect(name="objection_kept", operation=pgtrigger.Delete),
            no_truncate("objection_no_truncate"),
        ]


class PaymentList(FrozenDocument):
    """A payment list (拨付明细表) of a batch for the treasury of its ``payer`` (empty: from when one list was of all): made
    (``issued_by``), checked and approved by three people (``…_for``: for whom each stood in); or cancelled, with the reason, before
    anything of it was paid. ``pdf`` is the draft as it was made; ``signed_pdf`` is of the same content with the names of all three, made
    once it is approved (empty for lists approved before there was one)."""

    batch = models.ForeignKey(ClaimBatch, on_delete=models.PROTECT, related_name="payment_lists")
    number = models.CharField(max_length=40, unique=True)
    payer = models.CharField(max_length=80, blank=True, default="")
    line_count = models.PositiveIntegerField()
    issued_for = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    reviewed_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    reviewed_for = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    reviewed_at = models.DateTimeField(null=True)
    approved_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    approved_for = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    approved_at = models.DateTimeField(null=True)
    cancelled_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    cancelled_at = models.DateTimeField(null=True)
    cancel_reason = models.CharField(max_length=500, blank=True)
    signed_pdf = models.ForeignKey("kernel.StoredFile", null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(total_fen__gt=0, line_count__gt=0), name="payment_list_over_something"),
            models.CheckConstraint(
                condition=Q(cancelled_by__isnull=True, cancelled_at__isnull=True, cancel_reason="")
                | Q(cancelled_by__isnull=False, cancelled_at__isnull=False) & ~Q(cancel_reason=""),
                name="payment_list_cancelled_whole",
            ),
            models.CheckConstraint(condition=_apart("for", "by") & _apart("for", "for"), name="payment_list_deputies_apart"),
            models.CheckConstraint(
                condition=(Q(reviewed_by__isnull=True) | ~Q(reviewed_by=F("issued_by")))
                & (
                    Q(approved_by__isnull=True)
                    | Q(reviewed_by__isnull=False) & ~Q(approved_by=F("issued_by")) & ~Q(approved_by=F("reviewed_by"))
                ),
                name="payment_list_three_people",
            ),
            models.CheckConstraint(
                condition=Q(signed_pdf__isnull=True) | Q(approved_by__isnull=False), name="payment_list_signed_once_approved"
            ),
        ]
        triggers = [
            pgtrigger.ReadOnly(
                name="payment_list_frozen",
                exclude=[
                    *(*RENDERED, "signed_pdf"),
                    *("reviewed_by", "reviewed_for", "reviewed_at", "approved_by", "approved_for", "approved_at"),
                    *("cancelled_by", "cancelled_at", "cancel_reason"),
                ],
            ),
            files_once("payment_list_files_once", "payment_list", ("pdf", "xlsx", "signed_pdf"), at_once=False),
            pgtrigger.Protect(
                name="payment_list_signed_once",
                operation=pgtrigger.Update,
                condition=_signed("reviewed") | _signed("approved") | _signed("cancelled"),
            ),
            guards.update("payment_list_cancelled_unpaid", guards.LIST_CANCELLED_UNPAID),
            guards.update("payment_list_signers_apart", guards.LIST_SIGNERS_APART),
            pgtrigger.Protect(name="payment_list_kept", operation=pgtrigger.Delete),
            no_truncate("payment_list_no_truncate"),
            guards.list_is_its_lines("payment_list_is_its_lines", "NEW.id"),
        ]

    @property
    def lacks_signed_pdf(self) -> bool:
        """Whether it is approved and the PDF with all names has to be made."""
        return self.approved_by_id is not None and self.signed_pdf_id is None

    @property
    def handed_pdf(self) -> StoredFile | None:
        """The PDF that is handed out: with all names once it is approved."""
        return self.signed_pdf or self.pdf

    @property
    def had_part(self) -> frozenset[int]:
        """Who made or checked it, and for whom: none of them signs it again (``signing`` says who else does not)."""
        parts = (self.issued_by_id, self.issued_for_id, self.reviewed_by_id, self.reviewed_for_id)
        return frozenset(pk for pk in parts if pk is not None)

    @property
    def next_part(self) -> Part | None:
        """What whoever signs it next does; None where it waits for no signature."""
        if self.cancelled_at is not None or self.approved_by_id is not None:
            return None
        return Part.REVIEWER if self.reviewed_by_id is None else Part.APPROVER


class PaymentLine(models.Model):
    """What of a claim is to be paid with a list. Append-only; together with what was paid before never more than the claim."""

    payment_list = models.ForeignKey(PaymentList, on_delete=models.PROTECT, related_name="lines")
    claim = models.ForeignKey(Claim, on_delete=models.PROTECT, related_name="payment_lines")
    position = models.PositiveIntegerField()
    amount_fen = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["payment_list", "position"], name="payment_line_position"),
            models.UniqueConstraint(fields=["payment_list", "claim"], name="payment_line_claim_once"),
            models.CheckConstraint(condition=Q(amount_fen__gt=0), name="payment_line_positive"),
        ]
        triggers = [
            append_only("payment_line_append_only"),
            no_truncate("payment_line_no_truncate"),
            guards.insert("payment_line_within_claim", guards.LISTED_WITHIN_CLAIM),
            guards.insert("payment_line_maker_apart", guards.LIST_MAKER_APART),
            guards.list_is_its_lines("payment_line_is_of_list", "NEW.payment_list_id"),
        ]


class Payout(models.Model):
    """What the treasury did with a line: paid it whole, in part or not at all (``paid_fen`` nil), and then why. Append-only."""

    line = models.OneToOneField(PaymentLine, on_delete=models.PROTECT, related_name="payout")
    paid_fen = models.BigIntegerField()
    paid_on = models.DateField()
    reference = models.CharField(max_length=100, blank=True)
    reason = models.CharField(max_length=500, blank=True)
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(paid_fen__gte=0), name="payout_not_negative")]
        triggers = [
            append_only("payout_append_only"),
            no_truncate("payout_no_truncate"),
            guards.insert("payout_on_signed_list", guards.PAID_ON_SIGNED_LIST),
        ]
