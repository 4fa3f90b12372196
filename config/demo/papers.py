"""What surrounds the first lab's bills: money paid in advance, bills that are late, VAT invoices, receipts and statements of account."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from billing.bills.services import issuing
from billing.bills.services.collecting import open_by_customer
from billing.dunning.rules.steps import DAYS
from billing.dunning.services import reminding
from billing.invoices.models import VatInvoice
from billing.invoices.rules.checks import Given, InvoiceKind
from billing.invoices.services import asking, recording
from billing.invoices.services.recording import Handed
from billing.ledger.rules.money import plain_yuan
from billing.models import Bill, Payment
from billing.payments.services import bank_import, prepaid_refunds, prepaying
from billing.prepaid.services import setting
from billing.prepaid.services.setting import LimitFacts
from billing.receipts.services import issuing as receipts
from booking.models import Reservation
from config.demo.organisations import People
from config.demo.source import words
from config.kernel.access import Actor, Role
from config.kernel.errors import Refusal
from instruments.models import Organisation

#: The late bill was issued so many days ago and was due within so many days of that: nothing new may be booked.
_LATE_DAYS, _LATE_DUE = 55, 20
#: Beside what is billed so much was paid ahead; of that so much is sent back, and so much is kept anew.
_MORE_FEN, _BACK_FEN, _KEPT_FEN, _LIMIT_FEN = 1_500_00, 500_00, 6_000_00, 20_000_00
#: Of what is invoiced without tax, in percent.
_TAX = 6
_PDF = b"%PDF-1.4\n% an invented invoice of the demo: the tax platform would have made it\n"


def before(people: People, today: date, now: datetime) -> dict[str, int]:
    """A bill of the months before the last that the printed accounts' firm paid ahead, and one whose customer is late; counts."""
    lab, said = people.owners[0], words("papers")
    finance = people.actor(lab, Role.OWNER_FINANCE)
    at = now - timedelta(days=_LATE_DAYS)
    until = (today - timedelta(days=_LATE_DAYS)).replace(day=1) - timedelta(days=1)
    late = _late(people, finance, until, today, at)
    if late is not None:
        setting.ask_for_prepaid(finance, lab.pk, late.customer_id, True, said["terms_reason"], now)
    first = people.customers[0].pk
    open_then = next((one for one in open_by_customer(lab.pk, until) if one.customer_id == first), None)
    if open_then is not None:
        _keep(people, finance, first, open_then.amount_fen + _MORE_FEN, at)
        bill = issuing.issue(finance, issuing.BillRequest(lab.pk, first, until), at + timedelta(hours=1))
        prepaid_refunds.withdraw(finance, lab.pk, first, _BACK_FEN, said["withdrawn"], at + timedelta(days=1))
        _invoice_taken_back(people, finance, bill, now)
    return {"bills of earlier months": Bill.objects.count()}


def _late(people: People, finance: Actor, until: date, today: date, at: datetime) -> Bill | None:
    """The bill of a customer who can still be billed for later months, reminded of on the days of the rule; None where nobody is so."""
    lab = people.owners[0]
    later = {one.customer_id: one.amount_fen for one in open_by_customer(lab.pk, today.replace(day=1) - timedelta(days=1))}
    for _month in range(6):
        for one in open_by_customer(lab.pk, until):
            known = one.customer_id != people.customers[0].pk and (one.customer_id, Role.FIRM_ADMIN) in people.actors
            if known and later.get(one.customer_id, 0) > one.amount_fen:
                bill = issuing.issue(finance, issuing.BillRequest(lab.pk, one.customer_id, until, _LATE_DUE), at)
                for days in sorted(DAYS.values()):
                    reminding.remind_due(at + timedelta(days=_LATE_DUE + days))
                return bill
        until = until.replace(day=1) - timedelta(days=1)
    return None


def _keep(people: People, finance: Actor, customer_id: int, amount_fen: int, at: datetime) -> None:
    """The bank's list of one transfer, kept as prepaid for its customer."""
    lab, said = people.owners[0], words("papers")
    name = Organisation.objects.values_list("name", flat=True).get(pk=customer_id)
    row = f"{at:%Y-%m-%d},{plain_yuan(amount_fen)},,{name},{said['advance_remark']}"
    content = f"{said['head']}\r\n{row}".encode("gbk")
    taken = bank_import.import_statement(finance, lab.pk, content, f"{at:%Y-%m-%d}.csv", at)
    prepaying.deposit(finance, taken.statement.payments.get().pk, customer_id, amount_fen, at)


def after(people: People, today: date, now: datetime) -> dict[str, int]:
    """Invoices asked for and answered in every way, receipts, statements of account, reminders of today, limits, an order number and more
    money paid ahead of the printed accounts' firm; counts."""
    lab, first, said = people.owners[0], people.customers[0], words("papers")
    finance, administrator = people.actor(lab, Role.OWNER_FINANCE), people.actor(first, Role.FIRM_ADMIN)
    _keep(people, finance, first.pk, _KEPT_FEN, now)
    days = (today.replace(month=1, day=1), date(today.year + 1, 12, 31))
    setting.set_limit(administrator, first.pk, LimitFacts(None, said["project"], _LIMIT_FEN, *days), now)
    setting.set_limit(
        administrator,
        first.pk,
        LimitFacts(people.actor(first, Role.RESEARCHER).person_id, "", _LIMIT_FEN // 2, *days),
        now,
    )
    bills = list(Bill.objects.filter(owner=lab, customer__in=_paying(people)).order_by("pk"))
    _ask_for_invoices(people, finance, bills, now)
    papers = _acknowledge(finance, lab, today, now)
    reminded = reminding.remind_due(now)
    booked = Reservation.objects.filter(organisation=first, instrument__organisation=lab, state="approved").order_by("pk").first()
    if booked is not None:
        setting.set_order_number(administrator, booked.pk, said["order_number"], now)
    return {"VAT invoices": VatInvoice.objects.count(), "receipts and statements of account": papers, "reminders today": reminded}


def _paying(people: People) -> list[int]:
    return [pk for pk, role in people.actors if role == Role.FIRM_ADMIN]


def _ask_for_invoices(people: People, finance: Actor, bills: list[Bill], now: datetime) -> None:
    """Of those that had none: one refused, one recorded, one taken back by who asked; the others wait."""
    said = words("papers")
    for place, bill in enumerate(one for one in bills if not one.invoices.exists()):
        customer = people.actors[bill.customer_id, Role.FIRM_ADMIN]
        _ask(customer, bill, now)
        if place == 0:
            asking.refuse(finance, bill.pk, said["invoice_refused"], now)
        elif place == 1:
            recording.record(finance, bill.pk, _given(bill, now, place), now, file=Handed(f"{place}.pdf", _PDF))
        elif place == 2:
            asking.withdraw(customer, bill.pk, now)


def _ask(customer: Actor, bill: Bill, now: datetime) -> None:
    payer = bill.content["customer"]
    kind = InvoiceKind.SPECIAL if bill.pk % 2 else InvoiceKind.ORDINARY
    wanted = asking.Wanted(payer["name"], payer["code"], kind, "invoice@demo.jishi.example", words("papers")["invoice_note"])
    asking.ask(customer, bill.pk, wanted, now)


def _given(bill: Bill, now: datetime, place: int) -> Given:
    """An invoice over the full price, as the tax platform would have numbered it."""
    total = bill.content["totals"]["gross_fen"]
    net = total * 100 // (100 + _TAX)
    sides = bill.content["customer"]["code"], bill.content["owner"]["code"]
    day = issuing.local_day(now)
    return Given(f"{day:%y}632{bill.pk:013d}{place:02d}", "", day, *sides, net, total - net, total)


def _invoice_taken_back(people: People, finance: Actor, bill: Bill, now: datetime) -> None:
    """An invoice and the red-letter one that takes it back; a new one is asked for."""
    customer = people.actors[bill.customer_id, Role.FIRM_ADMIN]
    _ask(customer, bill, now)
    blue = recording.record(finance, bill.pk, _given(bill, now, 8), now, file=Handed("8.pdf", _PDF))
    red = _given(bill, now, 9)
    back = Given(red.number, "", red.issued_on, red.buyer_code, red.seller_code, -red.net_fen, -red.tax_fen, -red.total_fen)
    recording.record_red(finance, blue.pk, back, now)
    _ask(customer, bill, now)


def _acknowledge(finance: Actor, lab: Organisation, today: date, now: datetime) -> int:
    """A receipt for everything that pays a bill, and a statement of account of this year with everybody who paid."""
    pairs = Payment.objects.filter(owner=lab, allocations__amount_fen__gt=0).order_by("pk", "allocations__bill__customer_id")
    made, seen = 0, set()
    for payment_id, customer_id in pairs.values_list("pk", "allocations__bill__customer_id").distinct():
        try:
            receipts.receipt(finance, payment_id, customer_id, now)
        except Refusal:  # taken back again: nothing of it pays a bill
            continue
        made += 1
        if customer_id not in seen:
            seen.add(customer_id)
            receipts.account_statement(finance, lab.pk, customer_id, today.replace(month=1, day=1), today, now)
            made += 1
    return made
