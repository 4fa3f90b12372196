"""Prepaid money, a spending limit, a disputed bill and a difference with the payment service on the stage."""

from __future__ import annotations

from datetime import date, datetime


def _propose(lab_id: int, now: datetime) -> None:
    """The other person of the lab's finance proposes what is open of a customer."""
    from billing.bills.services import proposing
    from billing.bills.services.collecting import open_by_customer
    from billing.bills.services.issuing import BillRequest, local_day
    from tests.browser.stage import persona

    until = local_day(now)
    customer_id = open_by_customer(lab_id, until)[0].customer_id
    proposing.propose(persona("lab-finance-2@demo.jishi.example"), BillRequest(lab_id, customer_id, until), now)


def _propose_statement(now: datetime) -> None:
    """The other person of the office's finance proposes what last month's sessions were awarded to a payee."""
    from billing.settlement.services import proposing
    from billing.settlement.services.proposing import Asked
    from tests.browser.pages import to_issue
    from tests.browser.stage import persona

    found = to_issue()
    asked = Asked(found["version"], found["payee"], date.fromisoformat(f"{found['month']}-01"))
    proposing.propose(persona("finance-2@demo.jishi.example"), asked, now)


def build(now: datetime) -> None:
    """The lab keeps some of what came in for the personas' firm, which limits a project and disputes a bill."""
    from billing.bills.queries import still_open, with_standing
    from billing.dunning.services import reminding
    from billing.models import Bill, Payment
    from billing.payments.services import allocating, differences, prepaying
    from billing.payments.services.differences import Fact
    from billing.prepaid.services import setting
    from tests.browser.stage import persona

    finance, firm = persona("lab-finance@demo.jishi.example"), persona("firm-admin@demo.jishi.example")
    lab_id, firm_id = min(finance.organisations()), min(firm.organisations())
    payment = next(
        one for one in Payment.objects.filter(owner_id=lab_id).order_by("-pk") if allocating.standing_of(one).free_fen > 300_00
    )
    prepaying.deposit(finance, payment.pk, firm_id, 300_00, now)
    setting.ask_for_prepaid(finance, lab_id, None, False, "新客户另行约定", now)
    days = (date(now.year, 1, 1), date(now.year + 1, 12, 31))
    setting.set_limit(firm, firm_id, setting.LimitFacts(None, "固态电解质", 20_000_00, *days), now)
    owed = still_open(with_standing(Bill.objects.filter(owner_id=lab_id, customer_id=firm_id))).order_by("pk").first()
    if owed is not None:
        reminding.dispute(firm, owed.pk, "第二行的时长与登记不符", now)
    _propose(lab_id, now)
    _propose_statement(now)
    differences.note(Fact("unknown", "cs_stage_1", None, 128_00, 0), now)
