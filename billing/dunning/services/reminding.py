"""Reminding customers of their bills, every day; what a customer disputes; what finance lets wait."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import cast

from django.urls import reverse

from billing.bills.models import Bill
from billing.bills.queries import ISSUERS, PAYERS, still_expected, with_standing
from billing.bills.services.issuing import checked_reason
from billing.dunning import queries
from billing.dunning.models import BillDispute, Exemption, Reminder
from billing.dunning.rules.steps import Step, block_day, step_due
from billing.payments.services.allocating import open_fen
from billing.settlement.queries import local_today
from config.kernel.access import NOBODY, Actor, Role, get_visible
from config.kernel.errors import NotFound, Refusal
from config.kernel.services import audit, transactions
from instruments.models import Organisation
from instruments.services import notices
from instruments.services.notices import News, holders

#: The longest that bills are let wait at once.
MOST_DAYS = 366
_CHUNK = 500


def remind_due(now: datetime) -> int:
    """Take the step of the day for every bill; returns how many reminders were written. Safe to repeat and to run twice at once."""
    today = local_today(now)
    sent, after = 0, 0
    while True:
        bills = list(queries.due_for_dunning(today).filter(pk__gt=after)[:_CHUNK])
        if not bills:
            return sent
        after = bills[-1].pk
        done, stops = queries.done_of(bills), queries.stops_of(bills)
        for bill in bills:
            step = step_due(bill.due_on, today, done.get(bill.pk, {}), stops[bill.pk])
            if step is not None:
                sent += _remind(bill.pk, step, now)


def _remind(bill_id: int, step: Step, now: datetime) -> int:
    """Write one reminder and tell the customer's administrators and finance (and of a block, the owner's finance), once."""

    def work() -> int:
        bill = Bill.objects.select_for_update(no_key=True, of=("self",)).select_related("owner", "customer").get(pk=bill_id)
        left = open_fen(bill)
        expected = still_expected(with_standing(Bill.objects.filter(pk=bill_id))).exists()
        if not expected or Reminder.objects.filter(bill=bill, step=step.value).exists():
            return 0
        row = Reminder.objects.create(bill=bill, owner=bill.owner, customer=bill.customer, step=step.value, open_fen=left, at=now)
        audit.record(NOBODY, "dunning.remind", row, now, after={"bill": bill.number, "step": step.value, "open_fen": left})
        _tell(bill, step, left, now)
        return 1

    return transactions.run(work)


def _tell(bill: Bill, step: Step, open_fen_now: int, now: datetime) -> None:
    people = holders(Role.FIRM_ADMIN, bill.customer_id) | holders(Role.OWNER_FINANCE, bill.customer_id)
    if step is Step.BLOCK:
        people |= holders(Role.OWNER_FINANCE, bill.owner_id)
    params = {
        "number": bill.number,
        "owner": bill.owner.name,
        "owner_en": bill.owner.name_en,
        "customer": bill.customer.name,
        "customer_en": bill.customer.name_en,
        "open_fen": open_fen_now,
        "due_on": bill.due_on.isoformat(),
        "block_on": block_day(bill.due_on, local_today(now)).isoformat(),
        "reference": bill.reference,
    }
    page = reverse("bill_detail", args=[bill.pk])
    notices.tell(News(f"dunning.{step.value}", params, page, bill, bill.owner_id), people, now)


def dispute(actor: Actor, bill_id: int, reason: str, now: datetime) -> BillDispute:
    """The customer says, once, why it does not owe a bill; reminders and block stop until the owner has answered.

    Raises NotFound, Forbidden, Refusal ``bill.reason_*`` / ``dunning.nothing_open`` / ``dunning.disputed_already`` /
    ``dunning.disputed_before``.
    """
    text = checked_reason(reason)

    def work() -> BillDispute:
        bill = get_visible(Bill.objects.all(), actor, pk=bill_id)
        actor.require_in(bill.customer_id, *PAYERS)
        Bill.objects.select_for_update(no_key=True).values_list("pk").get(pk=bill.pk)
        if open_fen(bill) <= 0:
            raise Refusal.of("dunning.nothing_open")
        before = BillDispute.objects.filter(bill=bill).order_by("pk").last()
        if before is not None:  # a bill is disputed once: disputing it again and again would keep every block away
            raise Refusal.of("dunning.disputed_already" if before.state == "open" else "dunning.disputed_before")
        by = cast(int, actor.user_id)  # who has a role is somebody
        row = BillDispute.objects.create(bill=bill, reason=text, opened_by_id=by, opened_at=now)
        audit.record(actor, "dunning.dispute", row, now, after={"bill": bill.number}, reason=text)
        params = {"number": bill.number, "customer": bill.customer.name, "customer_en": bill.customer.name_en, "reason": text}
        page = reverse("bill_detail", args=[bill.pk])
        people = holders(Role.OWNER_FINANCE, bill.owner_id)
        notices.tell(News("dunning.disputed", params, page, bill, bill.owner_id), people, now)
        return row

    return transactions.run(work)


def answer(actor: Actor, bill_id: int, text: str, now: datetime) -> BillDispute:
    """The owner's finance answers a dispute; dunning goes on from there. Raises NotFound, Forbidden, Refusal ``bill.reason_*`` /
    ``dunning.not_disputed``."""
    said = checked_reason(text)

    def work() -> BillDispute:
        bill = get_visible(Bill.objects.all(), actor, pk=bill_id)
        actor.require_in(bill.owner_id, *ISSUERS)
        row = BillDispute.objects.select_for_update(no_key=True).filter(bill=bill, state="open").first()
        if row is None:
            raise Refusal.of("dunning.not_disputed")
        row.state, row.answer, row.closed_by_id, row.closed_at = "closed", said, actor.user_id, now
        row.save(update_fields=["state", "answer", "closed_by", "closed_at"])
        audit.record(actor, "dunning.answer", row, now, after={"bill": bill.number}, reason=said)
        params = {"number": bill.number, "owner": bill.owner.name, "owner_en": bill.owner.name_en, "reason": said}
        page = reverse("bill_detail", args=[bill.pk])
        people = holders(Role.FIRM_ADMIN, bill.customer_id) | holders(Role.OWNER_FINANCE, bill.customer_id)
        notices.tell(News("dunning.answered", params, page, bill, bill.owner_id), people, now)
        return row

    return transactions.run(work)


def exempt(actor: Actor, owner_id: int, customer_id: int, until_on: date, reason: str, now: datetime) -> Exemption:
    """Let a customer's bills at an owner wait until the end of a day; a day that is over ends an exemption.

    Raises Forbidden, NotFound, Refusal ``bill.reason_*`` / ``dunning.until`` / ``dunning.own``.
    """
    text = checked_reason(reason)
    if owner_id not in actor.organisations(*ISSUERS):
        actor.require(*ISSUERS)
        raise NotFound.of("access.not_found", model="organisation")
    customer = Organisation.objects.filter(pk=customer_id, bills__owner_id=owner_id).first()
    if customer is None:
        raise NotFound.of("access.not_found", model="organisation")
    today = local_today(now)
    if not today - timedelta(days=1) <= until_on <= today + timedelta(days=MOST_DAYS):
        raise Refusal.of("dunning.until", field="until_on", days=MOST_DAYS)
    if customer_id in actor.organisations():
        raise Refusal.of("dunning.own")

    def work() -> Exemption:
        by = cast(int, actor.user_id)  # who has a role is somebody
        row = Exemption.objects.create(
            owner_id=owner_id, customer_id=customer_id, until_on=until_on, reason=text, given_by_id=by, given_at=now
        )
        audit.record(
            actor, "dunning.exempt", row, now, after={"customer": customer_id, "until": until_on.isoformat()}, reason=text
        )
        return row

    return transactions.run(work)
