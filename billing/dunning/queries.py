"""Every read about overdue bills that jobs, pages and terms share; row-level permission is applied where an actor asks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db.models import QuerySet

from billing.bills.models import Bill
from billing.bills.queries import ISSUERS, PAYERS, standing_for, standing_of, still_expected, still_open, with_standing
from billing.dunning.models import BillDispute, Exemption, Reminder
from billing.dunning.rules.steps import DAYS, Step, Stops, blocks, next_step
from billing.settlement.queries import local_today
from config.kernel.access import Actor, Role, visible_to
from instruments.models import Organisation

#: Who reads what is overdue: the two sides of a bill, and the inspector.
READERS = (Role.OWNER_FINANCE, Role.FIRM_ADMIN, Role.INSPECTOR)


def open_fen_of(bill: Any) -> int:
    """What is to pay of a bill from ``with_standing``."""
    return standing_of(bill).open_fen


def open_and_due(today: date) -> QuerySet[Bill]:
    """Every bill of which something is to pay and whose first reminder has come, given up in the books or not."""
    last_due = today - timedelta(days=DAYS[Step.BEFORE])
    rows = still_open(with_standing(Bill.objects.filter(due_on__lte=last_due)))
    return rows.select_related("owner", "customer").defer("content").order_by("pk")


def due_for_dunning(today: date) -> QuerySet[Bill]:
    """Those of ``open_and_due`` of which somebody is reminded: nothing of them was given up."""
    return still_expected(open_and_due(today))


def stops_of(bills: Sequence[Bill]) -> dict[int, Stops]:
    """What stops dunning of each bill, by its id; two queries."""
    disputed = set(
        BillDispute.objects.filter(bill__in=[bill.pk for bill in bills], state="open").values_list("bill_id", flat=True)
    )
    until = exemptions({(bill.owner_id, bill.customer_id) for bill in bills})
    return {bill.pk: Stops(bill.pk in disputed, until.get((bill.owner_id, bill.customer_id))) for bill in bills}


def exemptions(pairs: set[tuple[int, int]]) -> dict[tuple[int, int], date]:
    """Until when each (owner, customer) is let wait, by its latest exemption; one query."""
    rows = Exemption.objects.filter(owner__in=[owner for owner, _ in pairs], customer__in=[customer for _, customer in pairs])
    return {(row.owner_id, row.customer_id): row.until_on for row in rows.order_by("pk")}


def done_of(bills: Sequence[Bill]) -> dict[int, dict[str, date]]:
    """The steps that were taken for each bill, with their local days; one query."""
    found: dict[int, dict[str, date]] = {}
    rows = Reminder.objects.filter(bill__in=[bill.pk for bill in bills])
    for bill_id, step, at in rows.values_list("bill_id", "step", "at"):
        found.setdefault(bill_id, {})[step] = local_today(at)
    return found


def blocking(owner_id: int, customer_id: int, today: date) -> list[Bill]:
    """The bills that keep a customer from booking anew at an owner, the oldest first."""
    reminded = Reminder.objects.filter(owner=owner_id, customer=customer_id, step=Step.BLOCK.value).values("bill_id")
    bills = list(still_open(with_standing(Bill.objects.filter(pk__in=reminded))).order_by("due_on", "pk"))
    if not bills:
        return []
    stops = stops_of(bills)
    return [bill for bill in bills if blocks(open_fen_of(bill), [Step.BLOCK.value], today, stops[bill.pk])]


@dataclass(frozen=True, slots=True)
class OverdueRow:
    """An open bill that is due soon or overdue. ``days_late``: after the due day (below zero: before it). ``blocked``: it keeps its
    customer from booking anew. ``upcoming``: the next step and its day. ``last``: the latest step that was taken. ``given_up``: written off
    in the owner's books, as far as the actor may know; nobody is reminded."""

    bill: Bill
    open_fen: int
    days_late: int
    last: str
    upcoming: tuple[Step, date] | None
    blocked: bool
    dispute: BillDispute | None
    exempt_until: date | None
    answers: bool
    pays: bool
    given_up: bool


def overdue(actor: Actor, today: date) -> QuerySet[Bill]:
    """The bills that the actor issues or pays of which something is to pay and that are due within three days, the oldest first.
    Raises Forbidden."""
    actor.require(*READERS)
    return visible_to(open_and_due(today), actor).order_by("due_on", "pk")


def rows_of(actor: Actor, bills: Sequence[Bill], today: date) -> list[OverdueRow]:
    """The rows of bills from ``overdue``; four queries."""
    done, stops = done_of(bills), stops_of(bills)
    open_disputes = BillDispute.objects.filter(bill__in=[bill.pk for bill in bills], state="open").select_related("opened_by")
    disputes = {row.bill_id: row for row in visible_to(open_disputes, actor)}
    answering, paying = actor.organisations(*ISSUERS), actor.organisations(*PAYERS)
    return [
        _row(
            bill,
            done.get(bill.pk, {}),
            stops[bill.pk],
            today,
            disputes,
            answers=bill.owner_id in answering,
            pays=bill.customer_id in paying,
            given_up=standing_for(actor, bill).expected_fen <= 0,
        )
        for bill in bills
    ]


def _row(
    bill: Bill,
    done: Mapping[str, date],
    stops: Stops,
    today: date,
    disputes: Mapping[int, BillDispute],
    *,
    answers: bool,
    pays: bool,
    given_up: bool,
) -> OverdueRow:
    exempt = stops.exempt_until if stops.exempt_until is not None and stops.exempt_until >= today else None
    last = [step.value for step in Step if step in done][-1:]
    return OverdueRow(
        bill,
        open_fen_of(bill),
        (today - bill.due_on).days,
        last[0] if last else "",
        None if stops.stop(today) or standing_of(bill).expected_fen <= 0 else next_step(bill.due_on, today, done),
        blocks(open_fen_of(bill), done, today, stops),
        disputes.get(bill.pk),
        exempt,
        answers,
        pays,
        given_up,
    )


def dispute_of(actor: Actor, bill: Bill) -> BillDispute | None:
    """The latest dispute of a bill, open or answered."""
    return visible_to(BillDispute.objects.filter(bill=bill), actor).select_related("opened_by", "closed_by").order_by("pk").last()


def customers_owing(actor: Actor, today: date) -> list[tuple[Organisation, Organisation, date | None]]:
    """(owner, customer, exempt until) of every pair of which a bill is due and for whose owner the actor answers; two queries."""
    owners = actor.organisations(*ISSUERS)
    pairs = {
        (bill.owner_id, bill.customer_id): (bill.owner, bill.customer) for bill in open_and_due(today).filter(owner__in=owners)
    }
    until = exemptions(set(pairs))
    return [(*sides, until.get(pair)) for pair, sides in sorted(pairs.items())]
