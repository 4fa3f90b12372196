"""What of a run's failed drafts still waits for a document: neither forgotten nor tried without end."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from billing.bills.models import Bill
from billing.bills.services import issuing
from billing.month import queries
from billing.month.models import Draft
from billing.month.outstanding import settled_of
from billing.month.services import releasing
from billing.settlement.models import Charge
from billing.settlement.period_models import HeldBack
from config.kernel.errors import Refusal
from tests.billing.bills.test_bills import fall_away, fee
from tests.billing.month.conftest import DECEMBER, NOVEMBER
from tests.billing.month.test_month import issued, issuing_again_says, made, stages

__all__ = ["fee"]
pytestmark = pytest.mark.django_db


def test_a_failed_draft_waits_as_long_as_a_document_of_its_month_can_take_it(cast, two, bills, fee, monkeypatch):
    # Lianhe's sessions were postponed to November and nobody lifted it, as its month has come; of Gaoyuan there is a fee alone.
    for customer, until_on in ((cast.other_firm, NOVEMBER), (cast.firm, None)):
        for charge in Charge.objects.filter(reservation__organisation=customer):
            held = {"owner": cast.lab, "until_on": until_on, "reason": "x", "held_by": cast.users["li"], "held_at": DECEMBER}
            HeldBack.objects.create(charge=charge, **held)

    def refuses(*asked, **more):
        raise Refusal.of("bill.too_long", lines=2001, most=2000)

    with monkeypatch.context() as while_it_does:
        while_it_does.setattr(issuing, "issue", refuses)
        run = issued(cast, made(cast, bills))
    drafts = list(Draft.objects.filter(run=run))
    postponed, of_fee = (next(each for each in drafts if each.party == party) for party in (cast.other_firm, cast.firm))
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(cast.users["mei"])

    def counted():
        """How many the grid, its page and the board say."""
        page = client.get(reverse("month_run", args=[run.pk])).content.decode()
        footer = queries.footer_of(run)
        failed = footer.counts["failed"]
        shown = [each for each in Draft.objects.filter(run=run) if each.pk not in settled_of([each])]
        assert footer.sums.total_fen == sum(each.total_fen for each in shown) and footer.drafts == 2
        assert footer.sums.lines == sum(each.line_count for each in shown) and all(each.holds for each in footer.identities)
        assert f"{failed} not issued" in page and ("Try those again" in page) == bool(failed)
        assert queries.drafts_of(run, "failed").count() == queries.drafts_of(run, "stuck").count() == failed
        return failed, stages(cast, bills)["parked"]

    assert [each.state for each in drafts] == ["failed", "failed"] and settled_of(drafts) == set()
    assert counted() == (2, (2, postponed.total_fen + of_fee.total_fen))
    fall_away(fee, 500_00)
    assert settled_of(drafts) == {of_fee.pk} and counted() == (1, (1, postponed.total_fen))
    assert releasing.issue_again(cast.actor("mei"), run.pk, DECEMBER) == 1
    releasing.work(run.pk, DECEMBER)
    assert Bill.objects.get().total_fen == postponed.total_fen and counted() == (0, (0, 0))
    assert issuing_again_says(cast, run) == ["month.nothing_failed"]
