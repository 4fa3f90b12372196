"""Bills that one person proposes by hand and another one issues."""

from __future__ import annotations

from django.db import models

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
