"""Issuing a bill after looking at it, voiding one, and making its documents again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, cast
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.db.models import QuerySet, Sum

from billing.bills import accounts, ports
from billing.bills.alone import before_fen
from billing.bills.claimed import handed_in
from billing.bills.models import Bill, BillLine, BillVoid, CreditNote, WriteOff
from billing.bills.papers import BILL
from billing.bills.rules import content as rules
from billing.bills.rules.numbers import Series, document_number, payment_reference, series_key
from billing.bills.services.collecting import Collected, collect, relieved_of
from billing.bills.services.documents import job_name, queue_documents
from billing.ledger.rules.documents import sha256_of
from billing.ledger.services import Source
from billing.ordering.services.parties import party_of
from billing.papers import codes
from billing.settlement import two_people
from billing.settlement.closed import is_closed, share_period
from billing.settlement.fee_models import BookingFee
from billing.settlement.models import Award, Charge, StatementLine
from billing.settlement.rules.lines_digest import Expected, digest_of
from billing.settlement.rules.series import Series as Months
from billing.settlement.services.again import queue_again
from billing.settlement.services.numbering import next_place
from config.kernel.access import Actor, Role, get_visible
from config.kernel.errors import Conflict, NotFound, Reason, Refusal
from config.kernel.services import audit, idempotency, transactions
from instruments.models import Organisation

ISSUE_ROUTE = "bill.issue"
#: How many days a customer may be given to pay: the law allows sixty at most where it was agreed, thirty otherwise.
DUE_DAYS, MOST_DUE_DAYS = 30, 60
#: More lines than this go on several bills: a document that nobody reads is no document.
MOST_LINES = 2000
Content = dict[str, Any]


@dataclass(frozen=True, slots=True)
class BillRequest:
    """Who bills whom for what was charged up to and with a local day, payable within so many days."""

    owner_id: int
    customer_id: int
    until_on: date
    due_days: int = DUE_DAYS


@dataclass(frozen=True, slots=True)
class Issued:
    """A bill that was issued, now or (``replayed``) by an earlier call with the same key."""

    bill_id: int
    number: str
    replayed: bool


def preview(
    actor: Actor,
    asked: BillRequest,
    now: datetime,
    *,
    expected: Expected | None = None,
    made_by: AbstractBaseUser | None = None,
) -> Content:
    """The content that ``issue`` would freeze now, without numbers; writes nothing. ``made_by``: who proposed it or made its run (None: the
    actor).

    Raises Forbidden, NotFound, Refusal ``bill.in_the_future`` / ``bill.period_closed`` / ``bill.due_days`` / ``bill.nothing_to_bill`` /
    ``bill.too_long``, Conflict ``bill.figures_differ`` / ``bill.lines_differ``.
    """
    return look(actor, asked, now, expected=expected, made_by=made_by)[0]


def look(
    actor: Actor,
    asked: BillRequest,
    now: datetime,
    *,
    expected: Expected | None = None,
    made_by: AbstractBaseUser | None = None,
) -> tuple[Content, Expected]:
    """As ``preview``, with what somebody who looks at it now has seen."""
    found, content = _dry_run(actor, asked, now, two_people.made(actor, made_by))
    two_people.refuse_surprise("bill", _seen(found, content), expected)
    return content, _seen(found, content)


def issue(
    actor: Actor,
    asked: BillRequest,
    now: datetime,
    *,
    expected: Expected | None = None,
    alone: bool = False,
    made_by: AbstractBaseUser | None = None,
) -> Bill:
    """Freeze and number a bill of everything that can be billed; its documents are made by the worker afterwards. ``alone``: nobody else
    has looked at it, so it has to come to less than what needs a second person, with what came before. ``made_by``: who proposed it or
    made its run (None: the actor); the bill bears that name as its maker's and the actor's as its reviewer's.

    Raises what ``preview`` raises, Refusal ``bill.inconsistent`` / ``bill.second_person`` / ``bill.second_person_together``, Conflict
    ``bill.issued_meanwhile`` / ``bill.figures_differ`` / ``bill.lines_differ``.
    """

    def work() -> Bill:
        share_period(Months(asked.owner_id))
        found, content = _dry_run(actor, asked, now, two_people.released(actor, made_by))
        two_people.refuse_surprise("bill", _seen(found, content), expected)
        if alone:
            two_people.one_by_one("bill", asked.owner_id, asked.customer_id)
            before = before_fen(actor.person_id, asked.owner_id, asked.customer_id, now)
            two_people.refuse_alone("bill", content["totals"]["total_fen"], before)
        _lock(found)
        return _write(actor, asked, found, content, now)

    return transactions.run(work)


def payload_of(asked: BillRequest, expected: Expected | None) -> dict[str, Any]:
    """What a form asks for, by which its key is known again."""
    payload: dict[str, Any] = {
        "owner": asked.owner_id,
        "customer": asked.customer_id,
        "until": asked.until_on.isoformat(),
        "due_days": asked.due_days,
    }
    if expected is not None:
        payload |= expected.payload()
    return payload


def issue_once(
    actor: Actor, asked: BillRequest, now: datetime, *, idempotency_key: str, expected: Expected | None = None
) -> Issued:
    """As ``issue`` by one person ``alone`` (beyond what one may, see ``proposing``), at most once for a key.

    Raises what ``issue`` raises, and Refusal ``idempotency.*``.
    """
    payload = payload_of(asked, expected)

    def effect() -> dict[str, Any]:
        bill = issue(actor, asked, now, expected=expected, alone=True)
        return {"id": bill.pk, "number": bill.number}

    result, replayed = transactions.run(lambda: idempotency.once(actor, ISSUE_ROUTE, idempotency_key, payload, now, effect))
    return Issued(result["id"], result["number"], replayed)


def void(actor: Actor, bill_id: int, reason: str, now: datetime) -> BillVoid:
    """Undo a whole bill that nobody has paid; what stood on it can be billed anew, its number stays.

    Raises NotFound, Forbidden, Refusal ``bill.reason_missing`` / ``bill.reason_too_long`` / ``bill.written_off`` / ``bill.not_voidable``.
    """
    text = checked_reason(reason)

    def work() -> BillVoid:
        bill = get_visible(Bill.objects.all(), actor, pk=bill_id)
        actor.require_in(bill.owner_id, Role.OWNER_FINANCE)
        Bill.objects.select_for_update(no_key=True).get(pk=bill.pk)
        _lock_awards(bill)
        if WriteOff.objects.filter(bill=bill).aggregate(fen=Sum("amount_fen"))["fen"]:
            raise Refusal.of("bill.written_off")
        if not _untouched(bill):
            raise Refusal.of("bill.not_voidable")
        row = BillVoid.objects.create(bill=bill, reason=text, voided_by_id=cast(int, actor.user_id), voided_at=now)
        BillLine.objects.filter(bill=bill).update(voided=True)
        source = Source("bill", bill.pk, "bill_void", actor_id=actor.user_id)
        accounts.post_credit(bill.owner_id, bill.customer_id, bill.total_fen, source, now)
        audit.record(actor, "bill.void", bill, now, after={"number": bill.number, "total_fen": bill.total_fen}, reason=text)
        return row

    return transactions.run(work)


def retry(actor: Actor, model: type[Bill] | type[CreditNote], document_id: int, now: datetime) -> None:
    """Queue documents again after they failed or were given up. Raises NotFound, Forbidden, Refusal ``statement.not_failed``."""
    document: Any = get_visible(model._default_manager.all(), actor, pk=document_id)
    actor.require_in(document.owner_id, Role.OWNER_FINANCE)
    again = ("bill.render_again", "statement.not_failed")
    queue_again(
        actor, document, job_name(document), *again, lambda: queue_documents(document, at_once=True), now, render_percent=0
    )


def checked_reason(reason: str) -> str:
    """A reason that somebody else reads. Raises Refusal ``bill.reason_missing`` / ``bill.reason_too_long``."""
    return two_people.checked_reason(reason, "bill.reason_missing", "bill.reason_too_long")


def local_day(now: datetime) -> date:
    """The day on which documents are dated."""
    return now.astimezone(ZoneInfo(settings.TIME_ZONE)).date()


def next_number(series: Series, owner_id: int, on: date) -> tuple[str, int]:
    """The next number of an owner's year, and its place."""
    place = next_place(series_key(series, owner_id, on.year))
    return document_number(series, on.year, place), place


def _dry_run(actor: Actor, asked: BillRequest, now: datetime, hands: two_people.Hands) -> tuple[Collected, Content]:
    if asked.owner_id not in actor.organisations(Role.OWNER_FINANCE):
        actor.require(Role.OWNER_FINANCE)
        raise NotFound.of("access.not_found", model="organisation")
    today = local_day(now)
    if asked.until_on > today:
        raise Refusal.of("bill.in_the_future", field="until_on")
    if is_closed(Months(asked.owner_id), asked.until_on):
        raise Refusal.of("bill.period_closed", field="until_on")
    if not 0 <= asked.due_days <= MOST_DUE_DAYS:
        raise Refusal.of("bill.due_days", field="due_days", most=MOST_DUE_DAYS)
    found = collect(asked.owner_id, asked.customer_id, asked.until_on)
    if not found.lines:
        raise Refusal.of("bill.nothing_to_bill", field="customer")
    if len(found.lines) > MOST_LINES:
        raise Refusal.of("bill.too_long", field="until_on", lines=len(found.lines), most=MOST_LINES)
    sides = Organisation.objects.in_bulk([asked.owner_id, asked.customer_id])
    heading = rules.Heading(
        owner=party_of(sides[asked.owner_id], None, bank=True),
        customer=party_of(sides[asked.customer_id], None),
        until_on=asked.until_on,
        made_on=today,
        due_on=today + timedelta(days=asked.due_days),
        maker=hands.maker,
        reviewer=hands.reviewer,
    )
    try:
        return found, rules.assemble(heading, found.lines)
    except rules.Inconsistent as error:
        raise Refusal.of("bill.inconsistent", what=str(error)) from error


def _seen(found: Collected, content: Content) -> Expected:
    lines = [("charge" if isinstance(source, Charge) else "fee", source.pk, line.amount_fen) for source, line in _pairs(found)]
    return Expected(content["totals"]["lines"], content["totals"]["total_fen"], digest_of(lines))


def _lock(found: Collected) -> None:
    """Lock what is billed in id order and look again: whoever waited here finds what the other one billed, or that a fee fell away."""
    charges = sorted(each.pk for each in found.sources if isinstance(each, Charge))
    fees = {each.pk: line for each, line in zip(found.sources, found.lines, strict=True) if isinstance(each, BookingFee)}
    list(Charge.objects.select_for_update(no_key=True).filter(pk__in=charges).order_by("pk").values_list("pk"))
    list(BookingFee.objects.select_for_update(no_key=True).filter(pk__in=fees).order_by("pk").values_list("pk"))
    lines = BillLine.objects.filter(voided=False)
    if lines.filter(charge_id__in=charges).exists() or lines.filter(fee_id__in=fees).exists():
        raise Conflict.of("bill.issued_meanwhile")
    fallen = relieved_of(list(fees))
    now_due = {pk: line.gross_fen - fallen.get(pk, 0) for pk, line in fees.items()}
    if any(now_due[pk] != line.amount_fen for pk, line in fees.items()):
        rest = [line.amount_fen for line in found.lines if line.of is not rules.LineOf.FEE]
        amounts = [*rest, *(due for due in now_due.values() if due > 0)]
        raise Conflict(Reason("bill.figures_differ", {"lines": len(amounts), "total_fen": sum(amounts)}))


def _awards_of(bill: Bill) -> QuerySet[Award]:
    return Award.objects.filter(charge__in=BillLine.objects.filter(bill=bill).values("charge_id"))


def _lock_awards(bill: Bill) -> None:
    """In id order, as everywhere: who hands a claim in holds its awards."""
    list(_awards_of(bill).select_for_update(no_key=True).order_by("pk").values_list("pk"))


def _untouched(bill: Bill) -> bool:
    """Whether nothing was paid, credited or invoiced of a bill, nobody is paying it, and no subsidy of its lines stands on a settlement
    statement or a claim that was handed in (what was claimed is corrected, not undone); the database looks again."""
    if BillVoid.objects.filter(bill=bill).exists() or CreditNote.objects.filter(bill=bill).exists():
        return False
    if StatementLine.objects.filter(award__charge__bill_lines__bill=bill).exists():
        return False
    if _awards_of(bill).filter(handed_in()).exists():
        return False
    paid = sum(Bill.objects.filter(pk=bill.pk, allocations__isnull=False).values_list("allocations__amount_fen", flat=True))
    invoiced = sum(Bill.objects.filter(pk=bill.pk, invoices__isnull=False).values_list("invoices__total_fen", flat=True))
    return paid == 0 and invoiced == 0 and not Bill.objects.filter(pk=bill.pk, checkouts__state__in=["asked", "open"]).exists()


def _write(actor: Actor, asked: BillRequest, found: Collected, dry: Content, now: datetime) -> Bill:
    on = local_day(now)
    number, place = next_number(Series.BILL, asked.owner_id, on)
    reference = payment_reference(asked.owner_id, on.year, place)
    content = codes.with_code(rules.numbered(dry, number, reference))
    bill = Bill.objects.create(
        owner_id=asked.owner_id,
        customer_id=asked.customer_id,
        number=number,
        reference=reference,
        until_on=asked.until_on,
        due_on=date.fromisoformat(content["due_on"]),
        total_fen=content["totals"]["total_fen"],
        line_count=content["totals"]["lines"],
        content=content,
        content_sha256=sha256_of(content),
        issued_at=now,
        issued_by_id=cast(int, actor.user_id),  # who has a role is somebody
    )
    codes.register(BILL, bill.pk, content, now)
    BillLine.objects.bulk_create(
        [_row(bill, position, source, line) for position, (source, line) in enumerate(_pairs(found), start=1)], batch_size=1000
    )
    source = Source("bill", bill.pk, "bill_issue", actor_id=actor.user_id)
    accounts.post_bill(bill.owner_id, bill.customer_id, bill.total_fen, source, now)
    after = {"number": bill.number, "total_fen": bill.total_fen, "lines": bill.line_count}
    audit.record(actor, "bill.issue", bill, now, after=after)
    ports.issued(bill, [each.pk for each in found.sources if isinstance(each, Charge)], now)
    queue_documents(bill)
    return bill


def _pairs(found: Collected) -> list[tuple[Charge | BookingFee, rules.BillLine]]:
    return list(zip(found.sources, found.lines, strict=True))


def _row(bill: Bill, position: int, source: Charge | BookingFee, line: rules.BillLine) -> BillLine:
    of = {"charge": source} if isinstance(source, Charge) else {"fee": source}
    return BillLine(bill=bill, position=position, amount_fen=line.amount_fen, relieved_fen=line.relieved_fen, **of)
