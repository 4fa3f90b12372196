"""An invoice is recorded while its customer asks for it to be made out to another: no invoice answers a request for another buyer."""

from __future__ import annotations

from datetime import UTC, date, datetime
from threading import Event
from typing import Any

import pytest

from billing.bills.services import issuing
from billing.bills.services.issuing import BillRequest
from billing.invoices.models import InvoiceRequest, VatInvoice
from billing.invoices.rules.checks import Given
from billing.invoices.services import asking, recording
from billing.invoices.services.asking import Wanted
from config.kernel.access import Role
from config.kernel.errors import Refusal
from instruments.models import Membership, OrganisationIdentifier
from instruments.queries import actor_for
from tests.concurrency.harness import at_once, violations
from tests.concurrency.test_bill_race import used
from tests.concurrency.world import World

DECEMBER = datetime(2026, 12, 1, 2, 0, tzinfo=UTC)
LAB, OWN, OTHER = "12630000000000123E", "91630100MA00000151", "11630000015000011M"
A_WHILE = 1.0


def test_who_records_and_who_asks_take_turns(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    used(world, 0)
    cast, firm = world.cast, world.firms[0]
    for organisation, code in ((cast.lab, LAB), (firm, OWN)):
        OrganisationIdentifier.objects.create(organisation=organisation, scheme="uscc", value=code)
    buyer = world.people[0]
    Membership.objects.create(user=buyer, organisation=firm, role=Role.FIRM_ADMIN, created_at=cast.now)
    bill = issuing.issue(cast.actor("li"), BillRequest(cast.lab.pk, firm.pk, date(2026, 11, 30)), DECEMBER)
    net = bill.total_fen * 100 // 106
    given = Given("26632000000000000007", "", date(2026, 12, 1), OWN, LAB, net, bill.total_fen - net, bill.total_fen)
    looked, asked, real = Event(), Event(), recording._faults

    def slowly(*known: Any) -> Any:
        found = real(*known)
        looked.set()
        asked.wait(A_WHILE)  # who takes no turns is done by then
        return found

    def ask() -> InvoiceRequest:
        looked.wait(A_WHILE)
        wanted = Wanted("Office", OTHER, "ordinary", "office@demo.example", "", "the office pays")
        made = asking.ask(actor_for(buyer), bill.pk, wanted, DECEMBER)
        asked.set()
        return made

    monkeypatch.setattr(recording, "_faults", slowly)
    recorded, refused = at_once([lambda: recording.record(cast.actor("li"), bill.pk, given, DECEMBER), ask])
    assert isinstance(recorded, VatInvoice), recorded
    assert isinstance(refused, Refusal) and refused.reasons[0].code == "invoice.has_one"
    assert not InvoiceRequest.objects.exists() and violations() == {}
