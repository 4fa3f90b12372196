"""Bills that one person proposes by hand and another one issues, and write-offs that one proposes and another one makes."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from billing.settlement.proposal_models import Proposal, constraints, triggers


class BillProposal(Proposal):
    """A bill of an owner to a customer, for what was charged up to and with the local day ``until_on``."""

    owner = models.ForeignKey("instruments.Organisation", on_delete=models.PROTECT, related_name="+")
    customer = models.ForeignKey("instruments.Organisation", on_delete=models.PROTECT, related_name="+")
    until_on = models.DateField()
    due_days = models.PositiveSmallIntegerField()
    bill = models.OneToOneField("billing.Bill", null=True, on_delete=models.PROTECT, related_name="proposal")

    class Meta:
        constraints = constraints("bill_proposal", "bill", ["owner", "customer"])
        indexes = [models.Index(fields=["owner", "-id"], name="bill_proposal_by_owner")]
        triggers = triggers("bill_proposal", "bill")


class WriteOffProposal(Proposal):
    """That what is left to pay of a bill (``whole``), or a part of it, is given up in the owner's books (``total_fen``), and why: ``why``
    says what was tried and what proves that nothing comes any more."""

    bill = models.ForeignKey("billing.Bill", on_delete=models.PROTECT, related_name="write_off_proposals")
    why = models.CharField(max_length=500)
    whole = models.BooleanField(default=True, db_default=True)
    write_off = models.OneToOneField("billing.WriteOff", null=True, on_delete=models.PROTECT, related_name="proposal")

    class Meta:
        constraints = [
            *constraints("write_off_proposal", "write_off", ["bill"]),
            models.CheckConstraint(condition=~Q(why=""), name="write_off_proposal_says_why"),
        ]
        triggers = triggers("write_off_proposal", "write_off")
