"""What the first lab billed its largest customers for the months that are over, and what the bank says has come in for it."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from billing.bills.services import issuing
from billing.bills.services.collecting import open_by_customer
from billing.ledger.rules.money import plain_yuan
from billing.models import Bill, BillLine
from billing.payments.services import allocating, bank_import, crediting
from config.demo.organisations import People
from config.demo.source import words
from config.kernel.access import Actor, Role

_BILLS = 4
#: The last one is due in so many days, so that it is reminded of.
_SOON = 2


def bill(people: People, today: date, now: datetime) -> dict[str, int]:
    """Bills of the first customer and of three with much to pay: one paid, one paid in part, one credited in part, one due soon; counts."""
    lab, said = people.owners[0], words("billing")
    finance = people.actor(lab, Role.OWNER_FINANCE)
    until = today.replace(day=1) - timedelta(days=1)
    customers = [row.customer_id for row in open_by_customer(lab.pk, until)]
    first = people.customers[0].pk
    chosen = [pk for pk in customers if pk == first] + [pk for pk in customers if pk != first][: _BILLS - 1]
    days = [*[issuing.DUE_DAYS] * (len(chosen) - 1), _SOON]
    bills = [
        issuing.issue(finance, issuing.BillRequest(lab.pk, pk, until, due), now) for pk, due in zip(chosen, days, strict=True)
    ]
    if len(bills) > 1:
        _credit(finance, bills[0], said["credit_reason"], now)
        _receive(finance, bills, said, today, now)
    return {"bills": len(bills)}


def _credit(finance: Actor, one: Bill, reason: str, now: datetime) -> None:
    """A tenth of its first line."""
    line = BillLine.objects.get(bill=one, position=1)
    asked = crediting.CreditRequest(one.pk, 1, max(1, line.amount_fen // 10), "poor_result", reason)
    crediting.issue(finance, asked, now)


def _receive(finance: Actor, bills: list[Bill], said: dict[str, str], today: date, now: datetime) -> None:
    """The bank's list: one bill paid, a part of another one, one still to be given to its bill, and money that nobody knows."""
    whole, half = bills[1], bills[0]
    rows = [
        (today, whole.total_fen, whole.customer.name, f"{said['remark']} {whole.reference}"),
        (today, half.total_fen // 2, half.customer.name, f"{said['remark']} {half.reference}"),
        *((today, one.total_fen, one.customer.name, f"{said['remark']} {one.reference}") for one in bills[2:3]),
        (today, 880_00, said["unknown_payer"], said["unknown_remark"]),
    ]
    lines = [f"{day:%Y-%m-%d},{plain_yuan(fen)},,{payer},{remark}" for day, fen, payer, remark in rows]
    content = "\r\n".join([said["head"], *lines]).encode("gbk")
    taken = bank_import.import_statement(finance, whole.owner_id, content, f"{today:%Y-%m}.csv", now)
    payments = list(taken.statement.payments.order_by("row"))
    for payment, one in zip(payments, (whole, half), strict=False):
        allocating.give(finance, payment.pk, one.pk, payment.amount_fen, now)
