"""What surrounds the first lab's bills: money paid in advance, bills that are late, VAT invoices, receipts and statements of account."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from billing.bills.services import issuing
from billing.bills.services.collecting import Open, open_by_customer
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
from config.demo.organisations import People
from config.demo.source import words
from config.kernel.access import Actor, Role
from config.kernel.errors import Refusal
from instruments.models import Organisation

#: The late bills were issued so many days ago and are due within so many days of that: of one nothing new may be booked, of the other the
#: second reminder was sent before it was let wait.
_LATE = ((55, 20), (30, 20))
_ADVANCE_FEN, _BACK_FEN, _LIMIT_FEN = 6_000_00, 500_00, 20_000_00
#: Of what is invoiced without tax, in percent.
_TAX = 6
_PDF = b"%PDF-1.4\n% an invented invoice of the demo: the tax platform would have made it\n"


@dataclass(frozen=True, slots=True)
class Late:
    """Bills of customers who have not paid; none where there are too few customers."""

    bills: list[Bill]


def before(people: People, today: date, now: datetime) -> dict[str, int]:
    """Bills of the months before the last, whose customers are late, and money that one customer paid ahead of its next bill; counts."""
    lab, said = people.owners[0], words("papers")
    finance = people.actor(lab, Role.OWNER_FINANCE)
    late = _late(people, finance, today, now)
    taken = {bill.customer_id for bill in late}
    until = today.replace(day=1) - timedelta(days=1)
    ahead = [one.customer_id for one in _others(people, open_by_customer(lab.pk, until)) if one.customer_id not in taken][-1:]
    for customer_id in ahead:
        _pay_ahead(people, finance, customer_id, until, now)
    if late:
        setting.ask_for_prepaid(finance, lab.pk, late[0].customer_id, True, said["terms_reason"], now)
    return {"late bills": len(late)}


def _others(people: People, found: list[Open]) -> list[Open]:
    """Customers with an administrator, but not the printed accounts' firm: whoever tries the demo books there."""
    first = people.customers[0].pk
    return [one for one in found if one.customer_id != first and (one.customer_id, Role.FIRM_ADMIN) in people.actors]


def _late(people: People, finance: Actor, today: date, now: datetime) -> list[Bill]:
    """Issued in the past and reminded of on the days of the rule; the last one is let wait since its second reminder."""
    lab, said = people.owners[0], words("papers")
    made: list[Bill] = []
    for days, due_days in _LATE:
        at = now - timedelta(days=days)
        until = (today - timedelta(days=days)).replace(day=1) - timedelta(days=1)
        known = {bill.customer_id for bill in made}
        chosen = [one for one in _others(people, open_by_customer(lab.pk, until)) if one.customer_id not in known][-1:]
        for one in chosen:
            made.append(issuing.issue(finance, issuing.BillRequest(lab.pk, one.customer_id, until, due_days), at))
    steps = sorted({bill.due_on + timedelta(days=day) for bill in made for day in DAYS.values()})
    for day in (day for day in steps if day <= today):
        reminding.remind_due(now - timedelta(days=(today - day).days))
    if len(made) > 1:
        until_on = today + timedelta(days=20)
        reminding.exempt(finance, lab.pk, made[-1].customer_id, until_on, said["exempt_reason"], now - timedelta(days=1))
    return made


def _pay_ahead(people: People, finance: Actor, customer_id: int, until: date, now: datetime) -> None:
    """A transfer that is kept as prepaid, a bill that is paid with it, and a part of the rest sent back."""
    lab, said = people.owners[0], words("papers")
    _keep(people, finance, customer_id, now - timedelta(days=9))
    bill = issuing.issue(finance, issuing.BillRequest(lab.pk, customer_id, until), now - timedelta(days=2))
    if prepaying.locked_account(lab.pk, customer_id, now).left_fen >= _BACK_FEN:
        prepaid_refunds.withdraw(finance, lab.pk, customer_id, _BACK_FEN, said["withdrawn"], now)
    _invoice_taken_back(people, finance, bill, now)


def _keep(people: People, finance: Actor, customer_id: int, at: datetime) -> None:
    """The bank's list of one transfer, kept as prepaid for its customer."""
    lab, said = people.owners[0], words("papers")
    name = Organisation.objects.values_list("name", flat=True).get(pk=customer_id)
    row = f"{at:%Y-%m-%d},{plain_yuan(_ADVANCE_FEN)},,{name},{said['advance_remark']}"
    content = f"{said['head']}\r\n{row}".encode("gbk")
    taken = bank_import.import_statement(finance, lab.pk, content, f"{at:%Y-%m-%d}.csv", at)
    prepaying.deposit(finance, taken.statement.payments.get().pk, customer_id, _ADVANCE_FEN, at)


def after(people: People, today: date, now: datetime) -> dict[str, int]:
    """Invoices asked for and answered in every way, receipts, statements of account, a reminder and a dispute, a limit and money paid
    ahead of the printed accounts' firm; counts."""
    lab, first, said = people.owners[0], people.customers[0], words("papers")
    finance, administrator = people.actor(lab, Role.OWNER_FINANCE), people.actor(first, Role.FIRM_ADMIN)
    _keep(people, finance, first.pk, now)
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
    return {"VAT invoices": VatInvoice.objects.count(), "receipts and statements of account": papers, "reminders today": reminded}


def _paying(people: People) -> list[int]:
    return [pk for pk, role in people.actors if role == Role.FIRM_ADMIN]


def _ask_for_invoices(people: People, finance: Actor, bills: list[Bill], now: datetime) -> None:
    """Of the latest bills: one recorded, one refused, one taken back by who asked; the last two wait."""
    said = words("papers")
    for place, bill in enumerate(bills[-5:]):
        customer = people.actors[bill.customer_id, Role.FIRM_ADMIN]
        if VatInvoice.objects.filter(bill=bill).exists():
            continue
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
