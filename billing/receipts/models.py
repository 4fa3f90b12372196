"""Receipts and statements of account, frozen at issue."""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.db.models import F, Q

from billing.bills.guards import insert
from billing.papers.guards import files_once
from billing.settlement.models import RENDERED, FrozenDocument
from config.kernel.models.guards import no_truncate

#: Of each bill all receipts for a payment together say no more than the payment pays of it, so never more than came in. What an earlier
#: receipt says of another bill, which is paid no longer, takes nothing away from this one.
_WITHIN_PAYMENT = """
PERFORM 1 FROM billing_payment WHERE id = NEW.payment_id AND owner_id = NEW.owner_id FOR NO KEY UPDATE;
IF NOT FOUND
   OR NEW.total_fen <> (SELECT coalesce(sum((l->>'credit_fen')::bigint), 0) FROM jsonb_array_elements(NEW.content->'lines') l)
   OR EXISTS (
    SELECT 1 FROM (SELECT l->>'number' AS number, sum((l->>'credit_fen')::bigint) AS fen, bool_or(papers.mine) AS mine
                     FROM (SELECT NEW.content AS content, true AS mine
                           UNION ALL
                           SELECT r.content, false FROM billing_receipt r
                            WHERE r.payment_id = NEW.payment_id AND r.customer_id = NEW.customer_id) papers,
                          jsonb_array_elements(papers.content->'lines') l
                    GROUP BY 1) said
     WHERE said.mine AND said.fen
         > (SELECT coalesce(sum(a.amount_fen), 0) FROM billing_allocation a JOIN billing_bill b ON b.id = a.bill_id
             WHERE a.payment_id = NEW.payment_id AND b.customer_id = NEW.customer_id AND b.number = said.number)) THEN
    RAISE EXCEPTION 'receipts say no more than came in' USING ERRCODE = '23514', CONSTRAINT = 'receipt_within_payment';
END IF;
RETURN NEW;
"""


class CustomerPaper(FrozenDocument):
    """A frozen paper between an owner and a customer."""

    owner = models.ForeignKey("instruments.Organisation", on_delete=models.PROTECT, related_name="+")
    customer = models.ForeignKey("instruments.Organisation", on_delete=models.PROTECT, related_name="+")
    number = models.CharField(max_length=40)

    class Meta:
        abstract = True


class Receipt(CustomerPaper):
    """That money came in from a customer: ``total_fen`` of one payment, which pays its bills. What is given to bills later is on a receipt
    of its own."""

    payment = models.ForeignKey("billing.Payment", on_delete=models.PROTECT, related_name="receipts")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["owner", "number"], name="receipt_number_once"),
            models.CheckConstraint(condition=Q(total_fen__gt=0), name="receipt_over_something"),
        ]
        indexes = [models.Index(fields=["customer", "-issued_at"], name="receipt_by_customer")]
        triggers = [
            pgtrigger.ReadOnly(name="receipt_frozen", exclude=list(RENDERED)),
            files_once("receipt_files_once", "receipt"),
            pgtrigger.Protect(name="receipt_kept", operation=pgtrigger.Delete),
            no_truncate("receipt_no_truncate"),
            insert("receipt_within_payment", _WITHIN_PAYMENT),
        ]


class AccountStatement(CustomerPaper):
    """Every movement between an owner and a customer in a period of local days, both included; ``total_fen`` is owed after it (below zero:
    paid too much)."""

    first_on = models.DateField()
    last_on = models.DateField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["owner", "number"], name="account_statement_number_once"),
            models.CheckConstraint(condition=Q(first_on__lte=F("last_on")), name="account_statement_days"),
        ]
        indexes = [models.Index(fields=["customer", "-issued_at"], name="account_statement_customer")]
        triggers = [
            pgtrigger.ReadOnly(name="account_statement_frozen", exclude=list(RENDERED)),
            files_once("account_statement_files_once", "account_statement"),
            pgtrigger.Protect(name="account_statement_kept", operation=pgtrigger.Delete),
            no_truncate("account_statement_no_truncate"),
        ]
