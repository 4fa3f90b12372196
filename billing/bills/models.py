"""Bills, their lines, what undoes them, and credit notes."""

from __future__ import annotations

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q

from billing.bills import guards
from billing.bills.rules.crediting import CreditReason
from billing.papers.guards import files_once
from billing.settlement.models import RENDERED, FrozenDocument
from billing.settlement.period_guards import BILL_LINE_OPEN
from config.kernel.models.guards import append_only, no_truncate


class Bill(FrozenDocument):
    """What a customer owes an owner for agreed use, tested samples and fees up to and with the local day ``until_on``.

    Frozen at issue and never deleted; where it stands follows from its payments, credit notes and void
    (``billing.bills.rules.standing``). ``reference`` is what the customer writes on the transfer.
    """

    owner = models.ForeignKey("instruments.Organisation", on_delete=models.PROTECT, related_name="+")
    customer = models.ForeignKey("instruments.Organisation", on_delete=models.PROTECT, related_name="bills")
    number = models.CharField(max_length=40)
    reference = models.CharField(max_length=40, unique=True)
    until_on = models.DateField()
    due_on = models.DateField()
    line_count = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["owner", "number"], name="bill_number_once"),
            models.CheckConstraint(condition=Q(total_fen__gt=0, line_count__gt=0), name="bill_over_something"),
            models.CheckConstraint(condition=~Q(owner=F("customer")), name="bill_between_two"),
        ]
        indexes = [
            models.Index(fields=["owner", "-issued_at", "-id"], name="bill_by_owner"),
            models.Index(fields=["customer", "-issued_at", "-id"], name="bill_by_customer"),
        ]
        triggers = [
            pgtrigger.ReadOnly(name="bill_frozen", exclude=list(RENDERED)),
            files_once("bill_files_once", "bill"),
            pgtrigger.Protect(name="bill_kept", operation=pgtrigger.Delete),
            no_truncate("bill_no_truncate"),
            guards.bill_is_its_lines("bill_is_its_lines", "NEW.id"),
        ]


class BillLine(models.Model):
    """One charge (of a session or a sample job) or one fee on a bill. ``amount_fen`` is its payable part; of a fee ``relieved_fen`` had
    fallen away by then. A charge or fee stands on one bill that is not void at a time; only ``voided`` ever changes, with the bill's
    void."""

    bill = models.ForeignKey(Bill, on_delete=models.PROTECT, related_name="lines")
    position = models.PositiveIntegerField()
    charge = models.ForeignKey("billing.Charge", null=True, on_delete=models.PROTECT, related_name="bill_lines")
    fee = models.ForeignKey("billing.BookingFee", null=True, on_delete=models.PROTECT, related_name="bill_lines")
    amount_fen = models.BigIntegerField()
    relieved_fen = models.BigIntegerField(default=0)
    voided = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["bill", "position"], name="bill_line_position"),
            models.UniqueConstraint(fields=["charge"], condition=Q(voided=False), name="bill_line_charge_once"),
            models.UniqueConstraint(fields=["fee"], condition=Q(voided=False), name="bill_line_fee_once"),
            models.CheckConstraint(
                condition=Q(charge__isnull=False, fee__isnull=True, relieved_fen=0) | Q(charge__isnull=True, fee__isnull=False),
                name="bill_line_of_one_thing",
            ),
            models.CheckConstraint(condition=Q(amount_fen__gt=0, relieved_fen__gte=0), name="bill_line_positive"),
        ]
        triggers = [
            guards.insert("bill_line_is_charged", guards.LINE_IS_CHARGED),
            guards.insert("bill_line_open", BILL_LINE_OPEN),
            guards.update("bill_line_frozen", guards.LINE_ONLY_VOIDED),
            guards.bill_is_its_lines("bill_line_is_of_bill", "NEW.bill_id"),
            pgtrigger.Protect(name="bill_line_kept", operation=pgtrigger.Delete),
            no_truncate("bill_line_no_truncate"),
        ]


class BillVoid(models.Model):
    """That a bill was undone as a whole, with the reason that the customer reads; its number stays. Append-only, and by trigger only of a
    bill that is unpaid and uncredited."""

    bill = models.OneToOneField(Bill, on_delete=models.PROTECT, related_name="void")
    reason = models.CharField(max_length=500)
    voided_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    voided_at = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(condition=~Q(reason=""), name="bill_void_says_why")]
        triggers = [
            append_only("bill_void_append_only"),
            no_truncate("bill_void_no_truncate"),
            guards.insert("bill_void_untouched", guards.VOID_UNTOUCHED),
            guards.written_off_within("bill_void_leaves_write_off"),
        ]


class CreditNote(FrozenDocument):
    """A part of one line of a bill, or all of it, that the customer does not owe after all (``total_fen``). Frozen at issue; by trigger all
    of a line's credit notes together are at most the line, and what was paid beyond the rest was set free before."""

    line = models.ForeignKey(BillLine, on_delete=models.PROTECT, related_name="credits")
    bill = models.ForeignKey(Bill, on_delete=models.PROTECT, related_name="credits")
    owner = models.ForeignKey("instruments.Organisation", on_delete=models.PROTECT, related_name="+")
    number = models.CharField(max_length=40)
    reason_code = models.CharField(max_length=20, choices=[(each.value, each.value) for each in CreditReason])
    reason = models.CharField(max_length=500)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["owner", "number"], name="credit_note_number_once"),
            models.CheckConstraint(condition=Q(total_fen__gt=0) & ~Q(reason=""), name="credit_note_over_something"),
        ]
        triggers = [
            pgtrigger.ReadOnly(name="credit_note_frozen", exclude=list(RENDERED)),
            files_once("credit_note_files_once", "credit_note"),
            pgtrigger.Protect(name="credit_note_kept", operation=pgtrigger.Delete),
            no_truncate("credit_note_no_truncate"),
            guards.insert("credit_note_within_line", guards.CREDIT_WITHIN_LINE),
            guards.written_off_within("credit_note_leaves_write_off"),
        ]


class ReversalCause(models.TextChoices):
    """Why something of an award goes back. ``batch_rule``: a rule over the whole batch gives less; ``declared``: by what was declared
    with its claim it comes to less; ``not_claimable``: the office left it out of a claim or rejected the claim."""

    CREDIT_NOTE = "credit_note"
    DISPUTE = "dispute"
    RECHECK = "recheck"
    BATCH_RULE = "batch_rule"
    DECLARED = "declared"
    NOT_CLAIMABLE = "not_claimable"


class AwardReversal(models.Model):
    """What of an award goes back, with a credit note or for another ``cause``; ``payers`` share it as in the award. ``claimed``: the award
    stood on a settlement statement by then. Append-only, and by trigger never more than the award."""

    credit_note = models.ForeignKey(CreditNote, null=True, on_delete=models.PROTECT, related_name="reversals")
    cause = models.CharField(max_length=20, default=ReversalCause.CREDIT_NOTE, db_default=ReversalCause.CREDIT_NOTE)
    award = models.ForeignKey("billing.Award", on_delete=models.PROTECT, related_name="reversals")
    amount_fen = models.BigIntegerField()
    payers = models.JSONField()
    claimed = models.BooleanField()
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["credit_note", "award"], name="award_reversal_once"),
            models.CheckConstraint(condition=Q(amount_fen__gt=0), name="award_reversal_positive"),
            models.CheckConstraint(
                condition=Q(cause="credit_note", credit_note__isnull=False)
                | ~Q(cause="credit_note") & Q(credit_note__isnull=True),
                name="award_reversal_has_cause",
            ),
        ]
        triggers = [
            append_only("award_reversal_append_only"),
            no_truncate("award_reversal_no_truncate"),
            guards.insert("award_reversal_within_award", guards.REVERSAL_WITHIN_AWARD),
        ]


class WriteOffKind(models.TextChoices):
    """``written_off``: given up by two people. ``taken_back``: by hand, with a reason. ``met``: the customer owes less than was given up,
    because money came in after all or the bill was credited."""

    WRITTEN_OFF = "written_off"
    TAKEN_BACK = "taken_back"
    MET = "met"


class WriteOff(models.Model):
    """What an owner gave up in its books of a bill that is not paid; below zero: took back. What is written off together is never below
    zero, and never more than is left to pay (at the end of each transaction, by trigger). Append-only; the customer owes it all the same.

    ``actor`` is None where the platform did it, because of money that came in."""

    bill = models.ForeignKey(Bill, on_delete=models.PROTECT, related_name="write_offs")
    kind = models.CharField(max_length=11, choices=WriteOffKind.choices)
    amount_fen = models.BigIntegerField()
    reason = models.CharField(max_length=500, blank=True)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(kind="written_off", amount_fen__gt=0) | (~Q(kind="written_off") & Q(amount_fen__lt=0)),
                name="write_off_sign",
            ),
            models.CheckConstraint(
                condition=Q(kind="met") | (~Q(reason="") & Q(actor__isnull=False)), name="write_off_says_who_and_why"
            ),
        ]
        triggers = [
            append_only("write_off_append_only"),
            no_truncate("write_off_no_truncate"),
            guards.insert("write_off_locks", guards.WRITE_OFF_LOCKS),
            guards.written_off_within("write_off_within_open"),
        ]

    def __str__(self) -> str:
        return f"{self.bill_id}/{self.pk}"
