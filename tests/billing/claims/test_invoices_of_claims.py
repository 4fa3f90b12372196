"""The invoice of a claim's line: proposed from what was recorded, looked at against it, and used once for a class of programmes."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from billing.bills.services import issuing
from billing.bills.services.issuing import BillRequest
from billing.claims import invoices, queries
from billing.claims.rules.checks import CheckCode, look, references_of
from billing.claims.services import handing_in
from billing.invoices.models import VatInvoice
from billing.payments.services import crediting
from billing.payments.services.crediting import CreditRequest
from billing.settlement.once import class_of
from billing.settlement.once_models import TakenOnce
from billing.settlement.opening_models import OpeningLoad, SubsidisedItem
from billing.subsidy import services as subsidy
from config.kernel.errors import Refusal
from config.kernel.models import StoredFile
from tests.billing.claims.conftest import DECEMBER, at, days
from tests.billing.settlement.conftest import run_session
from tests.conftest import slot_of

pytestmark = pytest.mark.django_db
NUMBER, OTHER = "26632000000000000001", "26632000000000000002"
OF_INVOICE = {code for code in CheckCode if code.value.startswith("invoice_")}


def billed(cast, customer):
    return issuing.issue(cast.actor("li"), BillRequest(cast.lab.pk, customer.pk, days()["until_on"]), DECEMBER)


def recorded(cast, bill, number=NUMBER, **more):
    said = {"net_fen": bill.total_fen, "tax_fen": 0, "total_fen": bill.total_fen, "seller_code": bill.content["owner"]["code"]}
    said |= {"buyer_code": bill.content["customer"]["code"], "issued_on": DECEMBER.date(), "recorded_at": DECEMBER}
    return VatInvoice.objects.create(owner=cast.lab, bill=bill, number=number, recorded_by=cast.users["li"], **(said | more))


def wrong_of(claim):
    """The checks of invoices that fail, with the lines."""
    found = look(queries.check_inputs([claim])[claim.pk])
    return {check.code: check.positions for check in found if check.code in OF_INVOICE and not check.ok}


def write(cast, claim, *numbers, who="he"):
    for position, number in enumerate(numbers, start=1):
        handing_in.write_invoice(cast.actor(who), claim.pk, position, number, DECEMBER)


def test_a_number_is_looked_at_against_what_was_recorded(cast, office):
    bill, foreign = billed(cast, cast.other_firm), billed(cast, cast.firm)
    _batch, (claim,) = office.filled()
    assert wrong_of(claim) == {}
    write(cast, claim, NUMBER, NUMBER)
    assert wrong_of(claim) == {CheckCode.INVOICE_RECORDED: (1, 2)}
    recorded(cast, foreign, OTHER, buyer_code=bill.content["customer"]["code"])
    write(cast, claim, OTHER)
    assert wrong_of(claim) == {CheckCode.INVOICE_RECORDED: (2,), CheckCode.INVOICE_BILL: (1,), CheckCode.INVOICE_BUYER: (1,)}
    blue = recorded(cast, bill)
    write(cast, claim, NUMBER, NUMBER)
    assert wrong_of(claim) == {}
    part = {"reverses": blue, "net_fen": -100, "total_fen": -100}
    recorded(cast, bill, "26632000000000000003", **part)
    assert wrong_of(claim) == {CheckCode.INVOICE_TOTAL: (1, 2)}
    crediting.issue(cast.actor("li"), CreditRequest(bill.pk, 1, 100, "other", "a yuan less"), DECEMBER)
    assert wrong_of(claim) == {}  # what is left of it is what is owed
    left = bill.total_fen - 100
    recorded(cast, bill, "26632000000000000004", **(part | {"net_fen": -left, "total_fen": -left}))
    assert wrong_of(claim) == {CheckCode.INVOICE_COUNTS: (1, 2)}


def test_an_invoice_to_another_than_the_customer_is_seen_by_who_reviews_the_claim(cast, office):
    recorded(cast, billed(cast, cast.other_firm), buyer_code="91630100MA00000151")
    _batch, (claim,) = office.filled()
    write(cast, claim, NUMBER, NUMBER)
    assert wrong_of(claim) == {CheckCode.INVOICE_BUYER: (1, 2)}
    office.submit(claim, "he")
    browser = Client(headers={"accept-language": "en"})
    browser.cookies["django_language"] = "en"
    browser.force_login(cast.users["chen"])
    assert "Each invoice is made out to the customer" in browser.get(f"/claims/{claim.pk}/").content.decode()


def test_the_form_proposes_the_invoice_of_the_bill_and_saves_nothing_by_itself(cast, office, monkeypatch):
    monkeypatch.setattr(timezone, "now", lambda: DECEMBER)
    recorded(cast, billed(cast, cast.other_firm))
    _batch, (claim,) = office.filled()
    lines = queries.lines_of(claim)
    assert invoices.proposed(lines) == {line.pk: NUMBER for line in lines}
    browser = Client()
    browser.force_login(cast.users["he"])
    assert browser.get(f"/claims/{claim.pk}/").content.decode().count(f'value="{NUMBER}"') == len(lines)
    assert not claim.lines.exclude(invoice_number="").exists()
    browser.force_login(cast.users["chen"])
    assert NUMBER not in browser.get(f"/claims/{claim.pk}/").content.decode()


def test_looking_at_invoices_takes_the_same_queries_however_many_lines(cast, office, django_assert_num_queries):
    recorded(cast, billed(cast, cast.other_firm))
    _batch, (claim,) = office.filled()
    lines = list(claim.lines.select_related("award__charge"))
    for some in (lines[:1], lines):
        for line in some:
            line.invoice_number = NUMBER
        subsidy.in_force(some[0].award.programme_version_id)
        with django_assert_num_queries(11):
            invoices.elsewhere(some, invoices.behind(some)), invoices.taken(some)


def loaded(cast, exclusive_class, reference=NUMBER):
    stored = StoredFile.objects.create(
        sha256="0" * 64, size_bytes=1, media_type="x", file_name="x", path="x", created_at=DECEMBER
    )
    load = OpeningLoad.objects.create(
        table=stored, evidence=stored, reason="r", row_count=1, loaded_by=cast.users["qian"], loaded_at=DECEMBER
    )
    SubsidisedItem.objects.create(
        batch=load, exclusive_class=exclusive_class, kind="invoice", reference=reference, organisation=cast.firm
    )


def own_class(office, code="DEMO-QH-A"):
    return class_of(subsidy.in_force(office.versions[code].pk))


def refused_lines(office, claim, who="he", now=DECEMBER):
    """The lines for whose invoice a claim is not handed in; none where it is."""
    try:
        office.submit(claim, who, now)
    except Refusal as refusal:
        assert {reason.code for reason in refusal.reasons} == {"claims.invoice_taken"}
        return [reason.params["position"] for reason in refusal.reasons]
    return []


def test_an_invoice_that_was_loaded_for_the_class_is_not_handed_in(cast, office):
    loaded(cast, own_class(office))
    _batch, (claim,) = office.filled()
    write(cast, claim, OTHER, NUMBER)
    assert wrong_of(claim)[CheckCode.INVOICE_TWICE] == (2,)
    assert refused_lines(office, claim) == [2]
    claim.refresh_from_db()
    assert claim.state == "draft" and not claim.submissions.exists()
    write(cast, claim, OTHER, OTHER)
    assert refused_lines(office, claim) == []


def test_the_control_without_the_guard_it_is_handed_in(cast, office, monkeypatch):
    loaded(cast, own_class(office))
    _batch, (claim,) = office.filled()
    write(cast, claim, NUMBER, NUMBER)
    monkeypatch.setattr(handing_in, "_refuse_taken", lambda lines: None)
    assert refused_lines(office, claim) == []


def test_an_invoice_of_another_class_is_warned_of_and_handed_in(cast, office):
    loaded(cast, "another-class")
    _batch, (claim,) = office.filled()
    write(cast, claim, NUMBER, NUMBER)
    assert wrong_of(claim)[CheckCode.INVOICE_TWICE] == (1, 2)
    assert refused_lines(office, claim) == []


def test_the_number_of_old_paper_is_found_without_its_code(cast, office):
    assert references_of("630019113000000001") == {"630019113000000001", "00000001"}
    assert references_of("06300190011100000001") == {"06300190011100000001", "00000001"}
    assert references_of(NUMBER) == {NUMBER}
    loaded(cast, own_class(office), "00000001")
    _batch, (claim,) = office.filled()
    write(cast, claim, "630019113000000001", NUMBER)
    assert refused_lines(office, claim) == [1]


def test_an_invoice_for_which_money_was_promised_here_is_not_handed_in_until_the_promise_ends(cast, office):
    _batch, (claim,) = office.filled()
    write(cast, claim, NUMBER, NUMBER)
    promised = TakenOnce.objects.create(
        exclusive_class=own_class(office), kind="invoice", reference=NUMBER, programme_version=office.versions["DEMO-QH-A"],
        source_type="reservation", source_id=10**9, asks=False, taken_at=DECEMBER,
    )  # fmt: skip
    assert refused_lines(office, claim) == [1, 2]
    TakenOnce.objects.filter(pk=promised.pk).update(ended_at=DECEMBER)
    own = claim.lines.get(position=1).award.charge.reservation_id  # what was promised for the service itself is no other use
    promised.pk, promised.source_id, promised.taken_at = None, own, DECEMBER
    promised.save(force_insert=True)
    assert refused_lines(office, claim) == [2]
    write(cast, claim, NUMBER, OTHER)
    assert refused_lines(office, claim) == []


def later_claim(cast, office):
    """A claim of the same firm over a session in December, in a batch of January."""
    run_session(cast, slot_of(9, 12, 9), "he", cast.other_firm)
    january = at(2).replace(year=2027, month=1)
    window = days("2026-12-01", "2026-12-31", opens="2027-01-01", closes="2027-01-07")
    _batch, (claim,) = office.filled(now=january, **window)
    return claim, january


def test_an_invoice_on_a_claim_that_was_handed_in_is_on_no_other_but_for_the_services_of_its_bill(cast, office):
    _first, (claim,) = office.filled()
    write(cast, claim, NUMBER, NUMBER)
    assert refused_lines(office, claim) == []
    again, january = later_claim(cast, office)
    handing_in.write_invoice(cast.actor("he"), again.pk, 1, NUMBER, january)
    assert refused_lines(office, again, now=january) == [1]
    # Recorded for a bill of both services it stands behind both: each award is claimed once all the same.
    bill = issuing.issue(cast.actor("li"), BillRequest(cast.lab.pk, cast.other_firm.pk, january.date()), january)
    recorded(cast, bill, issued_on=january.date())
    assert refused_lines(office, again, now=january + timedelta(hours=1)) == []


def test_a_draft_with_the_same_number_keeps_nobody_from_handing_in(cast, office):
    _first, (claim,) = office.filled()
    again, january = later_claim(cast, office)
    handing_in.write_invoice(cast.actor("he"), again.pk, 1, NUMBER, january)
    write(cast, claim, NUMBER, NUMBER)
    assert refused_lines(office, claim) == []
