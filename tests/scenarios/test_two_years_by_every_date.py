"""Two years of one firm under four programmes alike but for the date that counts: of the service, the invoice, the claim, the approval.

Each gives 10 % of the fee under its version of 2026 and 20 % under that of 2027, at most 250.00 yuan to a firm and year. Two hours of the
diffractometer cost 800.00, one hour 400.00. Invoice and claim are expected on the day of the service and count on the day of the charge.

| | asked, approved | service | charged | service | invoice | claim | approval | to pay |
| one | 28 Dec 2026 | 30 Dec 2026 | 5 Jan 2027 | 80 of 2026 | 90 of 2027 | 90 of 2027 | 80 of 2026 | 460 |
| two | 31 Dec 2026 | 8 Jan 2027 | 8 Jan 2027 | 160 of 2027 | 160 of 2027 | 160 of 2027 | 80 of 2026 | 240 |
| three | 12 Jan 2027 | 20 Jan 2027 | 26 Jan 2027 | 80 of 2027 | 0 | 0 | 80 of 2027 | 240 |
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from billing.bills.services import issuing
from billing.bills.services.issuing import BillRequest
from billing.claims import queries
from billing.claims.models import Claim, ClaimLine
from billing.claims.rules.checks import CheckCode, look
from billing.claims.services import batches, handing_in
from billing.claims.services.batches import BatchInput
from billing.invoices.models import VatInvoice
from billing.ledger.models import Account
from billing.payments.services import crediting
from billing.payments.services.crediting import CreditRequest
from billing.settlement import reservation_figures
from billing.settlement.models import Charge
from billing.settlement.once_models import TakenOnce
from billing.settlement.services import basis_day
from billing.subsidy.models import ProgrammeVersion
from booking.models import Reservation
from booking.services import transitions, usage_review
from config.kernel.time_range import TimeRange
from tests.billing.services.conftest import Life
from tests.booking.samples.conftest import Work, make_item
from tests.conftest import programme_document
from tests.scenarios.test_two_years_of_money import everything_agrees, publish, session, subsidies

CODES = {"service": "DEMO-QH-BS", "invoice": "DEMO-QH-BI", "claim": "DEMO-QH-BC", "approval": "DEMO-QH-BA"}


def of_year(basis: str, year: int, rate: str) -> dict[str, Any]:
    """DEMO-QH-V for whoever is verified, with another date that counts, for one year."""
    document = programme_document("DEMO-QH-V") | {"examples": [], "open_points": [], "version": f"{year}.1"}
    document.pop("exclusive")
    clause = document["caps"][0]["clause"]
    document["gates"] = [gate for gate in document["gates"] if gate["type"] in ("applicant_kind", "verified_organisation")]
    document["caps"] = [{"id": "year", "per": "applicant_year", "limit": "250", "when_short": "partial", "clause": clause}]
    document["rate"] = document["rate"] | {"rate": rate}
    document["validity"] = document["validity"] | {"first_day": f"{year}-01-01", "last_day": f"{year}-12-31"}
    return document | {"code": CODES[basis], "date_basis": basis}


@pytest.fixture
def firm(cast: Any) -> Life:
    for basis in CODES:
        publish(cast, of_year(basis, 2026, "0.1"))
        publish(cast, of_year(basis, 2027, "0.2"))
    return Life(cast)


def at(month: int, day: int, year: int = 2027) -> datetime:
    """Nine in the morning in Shanghai."""
    return datetime(year, month, day, 1, tzinfo=UTC)


def approved(firm: Life, asked_at: datetime, during: TimeRange) -> Reservation:
    firm.cast.now = asked_at
    return firm.approve(firm.ask(during))


def used(firm: Life, reservation: Reservation) -> None:
    transitions.check_in(firm.cast.actor("wang"), reservation.pk, reservation.starts_at)
    transitions.check_out(firm.cast.actor("wang"), reservation.pk, reservation.ends_at + timedelta(minutes=3))


def charged(firm: Life, reservation: Reservation, on: datetime) -> Charge:
    """The customer agrees on ``on``, which is when it is charged."""
    assert usage_review.agree(firm.cast.actor("lin"), reservation.pk, on)
    return Charge.objects.get(reservation=reservation)


def given(charge: Charge) -> dict[str, int]:
    """By the date that counts."""
    found = subsidies(charge)
    return {basis: found.get(code, 0) for basis, code in CODES.items()}


def years(which: str) -> dict[str, dict[str, int]]:
    """What each year of each programme has held or posted, in yuan."""
    rows = Account.objects.filter(kind="applicant_year")
    found: dict[str, dict[str, int]] = {basis: {} for basis in CODES}
    for row in rows:
        basis = next(basis for basis, code in CODES.items() if f":{code}:" in row.key)
        amount = getattr(row, which)
        if amount:
            found[basis][row.key.rsplit(":", 1)[1]] = amount // 100
    return found


def test_each_programme_counts_in_the_year_of_its_own_date(cast: Any, firm: Life) -> None:
    one = approved(firm, at(12, 28, 2026), session(12, 30))
    # Promised by what is expected: 10 % of 800.00 from each, all in 2026.
    assert years("held_fen") == {basis: {"2026": 80} for basis in CODES}
    used(firm, one)
    two = approved(firm, at(12, 31, 2026), session(1, 8, 2027))
    # The service of 2027 gets 20 % = 160.00 and counts in 2027; its approval is of 2026: 10 % = 80.00, 160 of 250 in 2026.
    assert years("held_fen") == {
        "service": {"2026": 80, "2027": 160},
        "invoice": {"2026": 80, "2027": 160},
        "claim": {"2026": 80, "2027": 160},
        "approval": {"2026": 160},
    }
    # Charged on 5 January: neither invoice nor claim can be of 2026. 20 % = 160.00 by the version of 2027, but 160 of its 250 are
    # promised: 90.00 are left. The service was in 2026 and so was the approval: 80.00 each, as promised.
    first = charged(firm, one, at(1, 5))
    assert given(first) == {"service": 80_00, "invoice": 90_00, "claim": 90_00, "approval": 80_00}
    assert (first.gross_fen, first.payable_now_fen) == (800_00, 460_00)
    assert years("posted_fen") == {
        "service": {"2026": 80},
        "invoice": {"2027": 90},
        "claim": {"2027": 90},
        "approval": {"2026": 80},
    }
    assert years("held_fen") == {
        "service": {"2027": 160},
        "invoice": {"2027": 160},
        "claim": {"2027": 160},
        "approval": {"2026": 80},
    }
    money = reservation_figures.money_of(cast.actor("lin"), one)
    assert (money.quote.payable_now_fen, money.charge.payable_now_fen, money.lost) == (480_00, 460_00, ())
    assert [(each.basis, each.on, each.promised_fen, each.given_fen) for each in money.otherwise] == [
        ("claim", date(2027, 1, 5), 80_00, 90_00),
        ("invoice", date(2027, 1, 5), 80_00, 90_00),
    ]
    page = Client(headers={"accept-language": "en"})
    page.force_login(cast.users["lin"])
    shown = page.get(reverse("reservation_detail", args=[one.pk])).content.decode()
    assert " goes by the date of the invoice." in shown and ">DEMO-QH-BI</small>" in shown and "¥90.00 instead of ¥80.00" in shown

    # Two: 800.00 - 160 - 160 - 160 - 80 = 240.00.
    used(firm, two)
    second = charged(firm, two, two.ends_at + timedelta(minutes=5))
    assert given(second) == {"service": 160_00, "invoice": 160_00, "claim": 160_00, "approval": 80_00}
    assert second.payable_now_fen == 240_00

    # Three is disputed: two hours were measured, one is charged, 400.00. 20 % = 80.00 by service (160 of 250 are used) and by approval
    # (nothing of 2027 is); invoice and claim have used their 250. 400.00 - 80 - 80 = 240.00.
    three = approved(firm, at(1, 12), session(1, 20, 2027))
    used(firm, three)
    lin, wang, li = cast.actor("lin"), cast.actor("wang"), cast.actor("li")
    hour = TimeRange(three.starts_at, three.starts_at + timedelta(hours=1))
    usage_review.ask_adjustment(lin, three.pk, hour, "The tube failed after an hour.", at(1, 21))
    usage_review.refuse_adjustment(wang, three.pk, "The log says two hours.", at(1, 22))
    usage_review.dispute(lin, three.pk, "Look at the log of the tube.", at(1, 23))
    usage_review.decide(li, three.pk, "as_proposed", "The tube's log agrees with the customer.", at(1, 26))
    third = Charge.objects.get(reservation=three)
    assert given(third) == {"service": 80_00, "invoice": 0, "claim": 0, "approval": 80_00}
    assert (third.gross_fen, third.payable_now_fen) == (400_00, 240_00)

    # One is credited whole in February: what it got goes back to the year that had given it.
    bill = issuing.issue(li, BillRequest(cast.lab.pk, cast.firm.pk, date(2027, 1, 31)), at(2, 1))
    assert bill.total_fen == 460_00 + 240_00 + 240_00
    position = next(line.position for line in bill.lines.all() if line.charge_id == first.pk)
    crediting.issue(li, CreditRequest(bill.pk, position, 460_00, "poor_result", "no peaks"), at(2, 3))

    # Closing figures: service 160 + 80 of 2027; invoice and claim 160 of 2027; approval 80 of 2026 and 80 of 2027; nothing is held.
    assert years("posted_fen") == {
        "service": {"2027": 240},
        "invoice": {"2027": 160},
        "claim": {"2027": 160},
        "approval": {"2026": 80, "2027": 80},
    }
    assert years("held_fen") == {basis: {} for basis in CODES}
    everything_agrees(at(2, 4))


def test_without_the_look_at_the_day_of_the_charge_an_invoice_of_2027_counts_in_2026(
    firm: Life, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(basis_day, "may_be_other", lambda held: False)
    one = approved(firm, at(12, 28, 2026), session(12, 30))
    used(firm, one)
    charged(firm, one, at(1, 5))
    assert years("posted_fen") == {basis: {"2026": 80} for basis in CODES}


def test_an_invoice_after_the_last_version_gets_nothing_and_the_booking_says_why(cast: Any) -> None:
    publish(cast, of_year("invoice", 2026, "0.1"))
    firm = Life(cast)
    one = approved(firm, at(12, 28, 2026), session(12, 30))
    used(firm, one)
    charge = charged(firm, one, at(1, 5))
    assert (subsidies(charge), charge.payable_now_fen) == ({}, 800_00)
    (lost,) = reservation_figures.money_of(cast.actor("lin"), one).lost
    assert (lost.programme, lost.promised_fen) == ("DEMO-QH-BI", 80_00)
    assert [(each["code"], each["params"]["on"]) for each in lost.reasons] == [("subsidy.unmet.validity", "2027-01-05")]
    assert years("held_fen")["invoice"] == {}
    everything_agrees(at(1, 6))


def test_a_request_of_the_old_year_that_is_approved_in_the_new_one_goes_by_the_new_version_of_the_approval(cast: Any) -> None:
    for year, rate in ((2026, "0.1"), (2027, "0.2")):
        publish(cast, of_year("approval", year, rate))
    firm = Life(cast)
    cast.now = at(12, 31, 2026)
    asked = firm.ask(session(1, 8, 2027))
    assert firm.quote(asked).deducted_fen == 80_00
    cast.now = at(1, 2)
    firm.approve(asked)
    assert years("held_fen")["approval"] == {"2027": 160}
    assert firm.quote(asked).deducted_fen == 160_00


def test_samples_that_come_in_december_and_are_reported_in_january_count_by_the_same_dates(cast: Any, firm: Life) -> None:
    work = Work(cast, make_item(cast))
    work.now = at(12, 28, 2026)
    # Three samples at 80.00 are 240.00: 10 % = 24.00 from each, all in 2026.
    job = work.accept(work.ask(arrive_on=date(2026, 12, 30)))
    work.come(job)
    work.step(job, "receive")
    work.step(job, "test")
    work.now = at(1, 4)
    work.close(work.report(job))
    charge = Charge.objects.get(sample_job=job)
    # Reported and charged on 4 January: 20 % = 48.00 by invoice and claim, in 2027.
    assert given(charge) == {"service": 24_00, "invoice": 48_00, "claim": 48_00, "approval": 24_00}
    assert charge.payable_now_fen == 240_00 - 24_00 - 48_00 - 48_00 - 24_00
    assert years("posted_fen") == {
        "service": {"2026": 24},
        "invoice": {"2027": 48},
        "claim": {"2027": 48},
        "approval": {"2026": 24},
    }
    everything_agrees(at(1, 5))


def test_sessions_charged_together_are_charged_as_one_by_one(cast: Any, firm: Life) -> None:
    both = [approved(firm, at(12, 28, 2026), session(12, day)) for day in (29, 30)]
    for one in both:
        used(firm, one)
    assert usage_review.remind_due(at(1, 18)) == len(both)
    assert usage_review.agree_due(at(1, 20)) == len(both)
    # 20 % = 160.00 and what is left of 250.00, 90.00; by service and approval 80.00 each, twice.
    assert years("posted_fen") == {
        "service": {"2026": 160},
        "invoice": {"2027": 250},
        "claim": {"2027": 250},
        "approval": {"2026": 160},
    }
    everything_agrees(at(1, 21))


def not_in_order(cast: Any, basis: str, *, first: date, last: date, invoice: str = "") -> list[CheckCode]:
    """What is found beside the claim of the services of some days under one programme, claimed in January."""
    version = ProgrammeVersion.objects.filter(programme__code=CODES[basis]).earliest("pk")
    asked = BatchInput(
        version.programme_id,
        "deducted_now",
        fund_year=2026,
        from_on=first,
        until_on=last,
        opens_on=date(2027, 1, 1),
        closes_on=date(2027, 1, 31),
    )
    batch = batches.open_batch(cast.actor("chen"), asked, at(1, 6))
    batches.gather(cast.actor("chen"), batch.pk, at(1, 6))
    claim = Claim.objects.get(batch=batch)
    assert ClaimLine.objects.filter(claim=claim).count() == 1
    if invoice:
        handing_in.write_invoice(cast.actor("li"), claim.pk, 1, invoice, at(1, 6))
    return [check.code for check in look(queries.check_inputs([claim])[claim.pk]) if not check.ok]


def test_the_checks_of_a_claim_go_by_the_date_that_counts(cast: Any, firm: Life) -> None:
    early = approved(firm, at(12, 20, 2026), session(12, 22))
    used(firm, early)
    charged(firm, early, at(12, 23, 2026))
    late = approved(firm, at(12, 28, 2026), session(12, 30))
    used(firm, late)
    charged(firm, late, at(1, 5))
    bill = issuing.issue(cast.actor("li"), BillRequest(cast.lab.pk, cast.firm.pk, date(2026, 12, 31)), at(1, 5))
    made = {"net_fen": bill.total_fen, "tax_fen": 0, "total_fen": bill.total_fen, "seller_code": ""}
    made |= {"buyer_code": bill.content["customer"]["code"]}
    made |= {"recorded_by": cast.users["li"], "recorded_at": at(1, 6), "issued_on": date(2027, 1, 6)}
    VatInvoice.objects.create(owner=cast.lab, bill=bill, number="2" * 20, **made)
    before_evidence = {CheckCode.EVIDENCE, CheckCode.INVOICE, CheckCode.BANK}

    def wrong(basis: str, day: int, invoice: str = "") -> set[CheckCode]:
        found = not_in_order(cast, basis, first=date(2026, 12, day), last=date(2026, 12, day), invoice=invoice)
        return set(found) - before_evidence

    # A service of 30 December that counts by its invoice of January is in order under the version of 2027.
    assert wrong("invoice", 30) == set()
    # Charged in 2026 and invoiced in 2027: it was counted in the wrong year, which somebody has to look at. By the service it was not.
    assert wrong("invoice", 22, "2" * 20) == {CheckCode.YEAR}
    assert wrong("service", 22) == set()


def without_limits(basis: str, year: int, rate: str) -> dict[str, Any]:
    return of_year(basis, year, rate) | {"caps": []}


def test_a_programme_without_limits_goes_by_the_version_of_the_day_of_the_charge_too(cast: Any) -> None:
    for year, rate in ((2026, "0.1"), (2027, "0.2")):
        publish(cast, without_limits("invoice", year, rate))
    firm = Life(cast)
    one = approved(firm, at(12, 28, 2026), session(12, 30))
    assert firm.quote(one).deducted_fen == 80_00
    used(firm, one)
    charge = charged(firm, one, at(1, 5))
    assert given(charge)["invoice"] == 160_00
    (otherwise,) = reservation_figures.money_of(cast.actor("lin"), one).otherwise
    assert (otherwise.on, otherwise.promised_fen, otherwise.given_fen) == (date(2027, 1, 5), 80_00, 160_00)
    everything_agrees(at(1, 6))


def test_what_has_no_limits_stays_as_promised_beside_a_programme_that_counts_anew(cast: Any) -> None:
    """Nothing is held for it, and its project stays taken all the same."""
    publish(cast, without_limits("service", 2026, "0.1"))
    for year, rate in ((2026, "0.1"), (2027, "0.2")):
        publish(cast, of_year("invoice", year, rate))
    firm = Life(cast)
    firm.cast.now = at(12, 28, 2026)
    one = firm.approve(firm.ask(session(12, 30), research_project="2026-ZJ-8"))
    used(firm, one)
    charge = charged(firm, one, at(1, 5))
    assert given(charge) == {"service": 80_00, "invoice": 160_00, "claim": 0, "approval": 0}
    taken = TakenOnce.objects.filter(source_type="reservation", source_id=one.pk, ended_at=None)
    assert sorted(each.exclusive_class for each in taken) == ["DEMO-QH-BI", "DEMO-QH-BS"]
    everything_agrees(at(1, 6))
